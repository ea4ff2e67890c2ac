"""The cross-product XᵀWX of a model with one long factor: its block is diagonal, so that it is eliminated first.

With the columns of the longest factor first, XᵀWX = [[D, Bᵀ], [B, C]] and D is diagonal, since a cell has one level.
The Schur complement S = C − B·D⁻¹·Bᵀ has the size q of all other columns: solving costs L·q² + q³ for L levels rather
than (L + q)³. Columns are scaled to a diagonal of 1 before anything is solved.

Source: Golub & Van Loan, *Matrix Computations*, 4th ed., 4.2 and 4.3 (block elimination, scaling).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ratemod.ratemaking.arrays import Floats, Integers

ALIAS_TOLERANCE = 1e-9


@dataclass(frozen=True, slots=True)
class CrossProduct:
    """XᵀWX, scaled.

    Attributes
    ----------
    long, rest : positions of the columns of the longest factor (L of them, perhaps none) and of the others (q)
    scale : (p,) float64, square root of the diagonal, 1 where that is 0
    alive : (L,) float64, 1 where a column of `long` has weight, else 0
    border : (q, L) float64, B scaled; core : (q, q) float64, C scaled
    """

    long: Integers
    rest: Integers
    scale: Floats
    alive: Floats
    border: Floats
    core: Floats

    @property
    def complement(self) -> Floats:
        """S of the scaled matrix, (q, q)."""
        return self.core - self.border @ self.border.T

    def solve(self, right: Floats) -> Floats:
        """Return x with XᵀWX·x = right, (p,).

        Raises
        ------
        numpy.linalg.LinAlgError
            When the matrix is not positive definite.
        """
        from scipy.linalg import cho_solve

        scaled = right / self.scale
        found = np.empty_like(scaled)
        first = scaled[self.long]
        found[self.rest] = cho_solve((self._root(), True), scaled[self.rest] - self.border @ first)
        found[self.long] = first - self.border.T @ found[self.rest]
        return found / self.scale

    def inverse(self) -> Floats:
        """Return (XᵀWX)⁻¹, (p, p).

        Raises
        ------
        numpy.linalg.LinAlgError
            When the matrix is not positive definite.
        """
        from scipy.linalg import cho_solve

        p = len(self.scale)
        found = np.empty((p, p))
        inside = cho_solve((self._root(), True), np.eye(len(self.rest)))
        across = -inside @ self.border
        found[np.ix_(self.rest, self.rest)] = inside
        found[np.ix_(self.rest, self.long)] = across
        found[np.ix_(self.long, self.rest)] = across.T
        found[np.ix_(self.long, self.long)] = np.eye(len(self.long)) - self.border.T @ across
        found /= self.scale
        found /= self.scale[:, None]
        return (found + found.T) / 2

    def aliased(self) -> list[int]:
        """Return the columns that others determine: without weight, or within what the columns before them span.

        The longest factor comes before all others; these keep their order. Where a Cholesky root has no small pivot
        there are none; else a sweep in order names them.
        """
        lost = [int(j) for j, has in zip(self.long, self.alive) if not has]
        left = self.complement
        try:
            if (np.diag(np.linalg.cholesky(left)) ** 2 >= ALIAS_TOLERANCE).all():
                return lost
        except np.linalg.LinAlgError:
            pass
        for j in range(len(left)):
            pivot = left[j, j]
            if pivot < ALIAS_TOLERANCE:
                lost.append(int(self.rest[j]))
                continue
            left[j + 1 :, j + 1 :] -= np.outer(left[j + 1 :, j], left[j, j + 1 :]) / pivot
        return sorted(lost)

    def _root(self) -> Floats:
        if not self.alive.all():
            raise np.linalg.LinAlgError
        return np.asarray(np.linalg.cholesky(self.complement), dtype=np.float64)


def cross_product(gram: npt.NDArray[np.float64], long: Integers) -> CrossProduct:
    """Return a cross-product in the form that is solved.

    Parameters
    ----------
    gram : (p, p) float64 array, or sparse matrix, XᵀWX
    long : positions of columns whose block is diagonal, perhaps none

    Examples
    --------
    >>> gram = np.array([[3.0, 1.0, 2.0], [1.0, 1.0, 0.0], [2.0, 0.0, 2.0]]) + np.diag([1.0, 0.0, 0.0])
    >>> cross_product(gram, np.array([1, 2])).solve(gram @ np.array([1.0, 2.0, 3.0])).round(9).tolist()
    [1.0, 2.0, 3.0]
    """
    diagonal = np.asarray(gram.diagonal(), dtype=np.float64)
    scale = np.sqrt(np.where(diagonal > 0, diagonal, 1.0))
    rest = np.setdiff1d(np.arange(len(scale)), long)
    slim = gram[rest]
    core, border = _dense(slim[:, rest]), _dense(slim[:, long])
    return CrossProduct(
        long=long,
        rest=rest,
        scale=scale,
        alive=(diagonal[long] > 0).astype(np.float64),
        border=border / scale[rest][:, None] / scale[long],
        core=core / scale[rest][:, None] / scale[rest],
    )


def _dense(part: npt.NDArray[np.float64]) -> Floats:
    return np.asarray(part.toarray() if hasattr(part, "toarray") else part, dtype=np.float64)
