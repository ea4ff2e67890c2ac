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
        first column, where its header is no number, names origins; of pandas the index, where it does more than count

    Raises
    ------
    ModelError
        RM833 for amounts that are no numbers, RM500 for infinite ones; RM685 for a name of two origins or ages; RM686
        for ages that do not rise.

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
        if type(values.index).__name__ == "RangeIndex" and not is_number(str(values.columns[0])):
            values = values.set_index(values.columns[0])
        return _one_each(floats("triangle", values), Labels(origins=names(values.index), ages=names(values.columns)))
    if hasattr(values, "__arrow_c_stream__"):
        import pyarrow as pa

        table = pa.table(values)
        first = table.column_names[0]
        named = not is_number(first)
        ages = table.column_names[named:]
        held = [floats(name, table[name].to_numpy(zero_copy_only=False)) for name in ages]
        origins = names(table[first].to_pylist()) if named else ()
        return _one_each(np.stack(held, axis=1), Labels(origins=origins, ages=names(ages)))
    return floats("triangle", values), NUMBERED


def _one_each(amount: Floats, labels: Labels) -> tuple[Floats, Labels]:
    """Refuse names that stand for two, and ages out of order: a column at another place is another triangle."""
    for held in (labels.origins, labels.ages):
        twice = [name for name in dict.fromkeys(held) if held.count(name) > 1]
        if twice:
            raise ModelError(problem("RM685", name=name) for name in twice[:5])
    if not _rising(labels.ages):
        raise ModelError(problem("RM686", ages=", ".join(labels.ages)))
    return amount, labels


def _rising(held: tuple[str, ...]) -> bool:
    """Return whether names that are all numbers rise."""
    return not all(map(is_number, held)) or sorted(held, key=float) == list(held)


def in_order(origins: tuple[str, ...]) -> None:
    """Refuse origins whose numbers do not rise, for whoever asks which are the newest.

    Raises
    ------
    ModelError
        RM687.
    """
    if not _rising(origins):
        raise ModelError(problem("RM687", origins=", ".join(origins)))


def one_triangle(triangle: Any) -> tuple[Floats, Labels]:
    """Return the amounts of one triangle, (origins, ages), and what its origins and ages are called.

    Raises
    ------
    ModelError
        RM463 a triangle of several segments; those of `labelled`.
    """
    amount, labels = labelled(triangle)
    if amount.ndim == 3 and len(amount) == 1:
        amount, labels = amount[0], Labels(origins=labels.origins, ages=labels.ages)
    if amount.ndim != 2:
        raise ModelError(problem("RM463", shape=str(amount.shape)))
    return amount, labels


def with_cv(found: Any) -> dict[str, Floats]:
    """Return what is unpaid, its errors by source, and the error's share of it, NaN where nothing is unpaid."""
    names = ("unpaid", "standard_error", "process_error", "parameter_error")
    parts: dict[str, Floats] = {name: getattr(found, name) for name in names}
    unpaid = parts["unpaid"]
    share = np.divide(parts["standard_error"], unpaid, out=np.full(unpaid.shape, np.nan), where=unpaid != 0)
    return parts | {"cv": share}


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


def of_origins(amount: Floats) -> str:
    """Return how many origins, and segments where there are several, an array of (..., origins) has, in words."""
    *lead, origins = amount.shape
    return f"{int(np.prod(lead))} segments of {origins} origins" if lead else f"{origins} origins"


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
