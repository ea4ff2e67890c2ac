"""The matrix of a model on cells, block by block: never as a whole where the cells are many.

A block of few columns is an array, one of many columns a sparse matrix: a cell has one entry for each factor, and one
for each column of a curve. What is needed of the matrix are three products, Xb, Xᵀv and XᵀWX, with the penalty P of
penalised curves added to the last.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from ratemod.ratemaking.arrays import Floats, Integers
from ratemod.ratemaking.cross_product import CrossProduct, cross_product
from ratemod.ratemaking.design import Design
from ratemod.ratemaking.penalty import held_columns, penalty_of

BLOCK = 65_536
DENSE_COLUMNS = 128
KEPT = 2**23  # numbers of a matrix that is kept whole, 64 MB
LONG = 64  # columns of a factor that are worth eliminating apart


@dataclass(frozen=True, eq=False)
class ModelMatrix:
    """A design on cells.

    Attributes
    ----------
    plan : Design; codes : (c, k) int64
    kept : the matrix where it is small, else its blocks are made again for every product
    penalty : (p, p) float64, P, or None where nothing is penalised
    held : columns whose coefficients may not be negative
    """

    plan: Design
    codes: Integers
    kept: tuple[Any, ...]
    penalty: Floats | None
    held: Integers

    @property
    def width(self) -> int:
        """Number of columns, p."""
        return len(self.plan.column_term)

    def times(self, b: Floats) -> Floats:
        """Return Xb, (c,) float64."""
        found = np.empty(len(self.codes))
        for part, block in self.blocks():
            found[part] = block @ b
        return found

    def scores(self, v: Floats) -> Floats:
        """Return Xᵀv, (p,) float64."""
        found = np.zeros(self.width)
        for part, block in self.blocks():
            found += block.T @ v[part]
        return found

    def cross(self, weight: Floats) -> CrossProduct:
        """Return XᵀWX + P of weights (c,)."""
        gram: Any = None
        for part, block in self.blocks():
            w = weight[part][:, None]
            one = block.T @ (block * w if isinstance(block, np.ndarray) else block.multiply(w).tocsr())
            gram = one if gram is None else gram + one
        if self.penalty is not None:
            gram = gram + (self.penalty if isinstance(gram, np.ndarray) else _sparse(self.penalty))
        return cross_product(gram, self._long())

    def pull(self, b: Floats) -> Floats:
        """Return Pb, (p,) float64: what the penalty takes off the scores."""
        return np.zeros(len(b)) if self.penalty is None else self.penalty @ b

    def cost(self, b: Floats) -> float:
        """Return bᵀPb."""
        return float(b @ self.pull(b))

    def variance(self, covariance: Floats) -> Floats:
        """Return the diagonal of XVXᵀ, (c,) float64."""
        found = np.empty(len(self.codes))
        for part, block in self.blocks():
            product = block @ covariance
            found[part] = (
                (product * block).sum(axis=1)
                if isinstance(block, np.ndarray)
                else np.asarray(block.multiply(product).sum(axis=1)).ravel()
            )
        return found

    def blocks(self) -> Iterator[tuple[slice, Any]]:
        """Yield the rows and the matrix of one block after the other."""
        if self.kept:
            yield slice(0, len(self.codes)), self.kept[0]
            return
        for start in range(0, len(self.codes), BLOCK):
            part = slice(start, start + BLOCK)
            yield part, _block(self.plan, self.codes[part])

    def _long(self) -> Integers:
        plan = self.plan
        owner = np.array(plan.column_term)
        best = np.zeros(0, dtype=np.int64)
        for t, term in enumerate(plan.terms):
            at = np.flatnonzero(owner == t)
            if len(term) == 1 and plan.curve(term[0]) is None and len(at) > max(LONG, len(best)):
                best = at
        return best


def model_matrix(plan: Design, codes: Integers) -> ModelMatrix:
    """Return the matrix of a design on level codes (c, k)."""
    small = len(codes) <= BLOCK or len(codes) * len(plan.column_term) <= KEPT
    kept = (_block(plan, codes),) if small else ()
    return ModelMatrix(plan=plan, codes=codes, kept=kept, penalty=penalty_of(plan), held=held_columns(plan))


def _sparse(values: Floats) -> Any:
    from scipy.sparse import csr_array

    return csr_array(values)


def _block(plan: Design, codes: Integers) -> Any:
    if len(plan.column_term) <= DENSE_COLUMNS:
        return plan.matrix(codes)
    from scipy.sparse import csr_array

    n = len(codes)
    rows, columns, values = [np.arange(n)], [np.zeros(n, dtype=np.int64)], [np.ones(n)]
    for t in range(len(plan.terms)):
        at, value = plan.entries(t, codes)
        row, place = np.nonzero(at >= 0)
        rows.append(row)
        columns.append(at[row, place])
        values.append(value[row, place])
    entries = (np.concatenate(values), (np.concatenate(rows), np.concatenate(columns)))
    return csr_array(entries, shape=(n, len(plan.column_term)))
