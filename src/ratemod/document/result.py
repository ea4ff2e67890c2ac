"""Results of arrays that print themselves: one line of what they hold, and a frame of what goes by row."""

from __future__ import annotations

from dataclasses import fields
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

FEW = 6  # values that a line shows


class Result:
    """What a frozen dataclass of arrays takes on to be read: `frame` and a short `repr` (say `repr=False`).

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> @dataclass(frozen=True, repr=False)
    ... class Path(Result):
    ...     share: np.ndarray
    ...     level: float
    >>> Path(np.array([0.25, 0.75]), 1.0), Path(np.linspace(0, 1, 9), 2.0).frame()["share"].max()
    (Path(share 0.25, 0.75; level 1), np.float64(1.0))
    """

    __slots__ = ()

    def frame(self) -> pd.DataFrame:
        """Return the arrays that go by the rows of the first one, a column each; of two axes as name_1, name_2…"""
        import pandas as pd

        held: dict[str, Any] = {}
        rows = None
        for name, value in self._fields():
            if not isinstance(value, np.ndarray) or value.ndim not in (1, 2) or rows not in (None, len(value)):
                continue
            rows = len(value)
            held |= {name: value} if value.ndim == 1 else {f"{name}_{at + 1}": part for at, part in enumerate(value.T)}
        return pd.DataFrame(held)

    def __repr__(self) -> str:
        said = [f"{name} {told}" for name, value in self._fields() if (told := _told(value)) is not None]
        return f"{type(self).__name__}({'; '.join(said)})"

    def _fields(self) -> list[tuple[str, Any]]:
        return [(one.name, getattr(self, one.name)) for one in fields(self)]  # type: ignore[arg-type]


def _told(value: Any) -> str | None:
    """Return a value in a few words, None where it is no figure."""
    if isinstance(value, np.ndarray):
        if value.ndim == 1 and 0 < len(value) <= FEW:
            return ", ".join(_figure(one) for one in value)
        size = " × ".join(f"{length:,}" for length in value.shape)
        ends = f" from {_figure(np.min(value))} to {_figure(np.max(value))}" if value.size else ""
        return f"({size}){ends}"
    return _figure(value) if isinstance(value, Real | str) else None


def _figure(value: Any) -> str:
    return f"{value:.5g}" if isinstance(value, float | np.floating) else str(value)
