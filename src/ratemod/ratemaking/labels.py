"""What segments, origins and ages are called: taken from the frame that came in, kept in every result.

A triangle comes as an array (then origins and ages are numbered from 1), as a `Triangle`, as what `read_triangle` read,
or as a frame as it is printed: a row an origin, a column an age.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ratemod.errors import ModelError, problem
from ratemod.ratemaking.arrays import Floats, Integers
from ratemod.reading.text_levels import level_name
from ratemod.rules.floats import floats

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class Labels:
    """Names of segments, origins and ages; empty where they are numbered from 1."""

    segments: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()
    ages: tuple[str, ...] = ()


NUMBERED = Labels()


def labelled(values: Any) -> tuple[Floats, Labels]:
    """Return the amounts of a triangle and what its segments, origins and ages are called.

    Parameters
    ----------
    values : (..., origins, ages) array; a `Triangle`; what `read_triangle` read; or a frame with a column an age, whose
        index (pandas) or first column that holds text, whole numbers or days under no number (any other) names origins

    Raises
    ------
    ModelError
        RM833 for amounts that are no numbers, RM500 for infinite ones.

    Examples
    --------
    >>> import pandas as pd
    >>> labelled(pd.DataFrame({12: [1.0, 2.0], 24: [2.0, None]}, index=[2020, 2021]))[1]
    Labels(segments=(), origins=('2020', '2021'), ages=('12', '24'))
    """
    amount, labels = _taken(values)
    if np.isinf(amount).any():
        wrong = np.isinf(amount)
        raise ModelError(problem("RM500", name="triangle", wrong=int(wrong.sum()), first=int(np.argmax(wrong))))
    return amount, labels


def _taken(values: Any) -> tuple[Floats, Labels]:
    if hasattr(values, "labels") and hasattr(values, "values"):
        return values.values, values.labels
    if hasattr(values, "iloc"):
        return floats("triangle", values), Labels(origins=names(values.index), ages=names(values.columns))
    if hasattr(values, "__arrow_c_stream__"):
        import pyarrow as pa

        table = pa.table(values)
        first = table.column_names[0]
        named = not is_number(first)
        ages = table.column_names[named:]
        held = [floats(name, table[name].to_numpy(zero_copy_only=False)) for name in ages]
        origins = names(table[first].to_pylist()) if named else ()
        return np.stack(held, axis=1), Labels(origins=origins, ages=names(ages))
    return floats("triangle", values), NUMBERED


def names(values: Iterable[Any]) -> tuple[str, ...]:
    """Return what values are called: 12.0 is 12."""
    return tuple(level_name(value) for value in values)


def is_number(said: str) -> bool:
    """Return whether a header is a bare number."""
    try:
        float(said)
    except ValueError:
        return False
    return True


def numbered(held: tuple[str, ...], n: int) -> list[Any]:
    """Return names, or the numbers from 1 where there are none."""
    return list(held) if len(held) == n else list(range(1, n + 1))


def by_origin(labels: Labels, **columns: Floats) -> pd.DataFrame:
    """Return arrays of (..., origins) as a frame: segment where there are several, origin, and the arrays."""
    return _frame(labels, "origin", labels.origins, columns)


def by_step(labels: Labels, **columns: Floats | Integers) -> pd.DataFrame:
    """Return arrays of (..., steps from age to age) as a frame; a step is called by the two ages it lies between."""
    steps = tuple(f"{a}-{b}" for a, b in zip(labels.ages, labels.ages[1:]))
    return _frame(labels, "step", steps, columns)


def _frame(labels: Labels, axis: str, named: tuple[str, ...], columns: Mapping[str, Floats | Integers]) -> pd.DataFrame:
    import pandas as pd

    shape = np.broadcast_shapes(*(np.shape(column) for column in columns.values()))
    *lead, last = shape
    segments = int(np.prod(lead))
    held: dict[str, Any] = {}
    if lead:
        held["segment"] = np.repeat(np.array(numbered(labels.segments, segments), dtype=object), last)
    held[axis] = numbered(named, last) * segments
    held |= {name: np.broadcast_to(column, shape).reshape(-1) for name, column in columns.items()}
    return pd.DataFrame(held)
