"""Rows as people call them: by policy number, by the insured's name, or by the row of the list."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ratemod.errors import BookError, nearest, problem
from ratemod.vocabulary.spelling import folded
from ratemod.vocabulary.table import column

if TYPE_CHECKING:
    from ratemod.rating.rated import Rated

_ROW = re.compile(r"(?:#|row\s*|第)\s*(\d+)\s*行?", re.IGNORECASE)
NEAREST_AMONG = 100_000


def name_column(rated: Rated) -> str | None:
    """Return the column of a book that names the insured, or None."""
    words = {folded(word) for word in (*column("enterprise_name").names(), "name")}
    names: list[str] = rated.book.table.column_names
    for name in names:
        declared = rated.plan.columns.get(name)
        if {folded(word) for word in (declared.names() if declared else (name,))} & words:
            return name
    return None


def rows_called(rated: Rated, called: str) -> list[int]:
    """Return the positions of the rows that a key, a name or ``#12`` (第12行) calls.

    The key goes first, then the name as a whole, then a part of one name only.

    Raises
    ------
    BookError
        RM321 no row is called so, with what comes nearest; RM319 a part of several names.
    """
    table, wanted = rated.book.table, folded(called)
    keys = _texts(rated, rated.plan.key)
    found = [at for at, key in enumerate(keys) if key == called.strip()]
    if found:
        return found
    named = _texts(rated, name_column(rated))
    spelt = [folded(name) for name in named]
    if found := [at for at, name in enumerate(spelt) if name == wanted]:
        return found
    if (row := _ROW.fullmatch(called.strip())) is not None:
        numbers = rated.book.said(range(table.num_rows))
        if found := [at for at, number in enumerate(numbers) if number.rpartition("!")[2] == row[1]]:
            return found
    part = sorted({name for name in spelt if wanted and wanted in name})
    if len(part) == 1:
        return [at for at, name in enumerate(spelt) if name == part[0]]
    if part:
        several = [name for name in dict.fromkeys(named) if folded(name) in part]
        raise BookError(problem("RM319", called=called, count=len(several), names=", ".join(several[:5])))
    near = nearest(called, [*keys[:NEAREST_AMONG], *named[:NEAREST_AMONG]])
    raise BookError(problem("RM321", key=called, nearest=near))


def _texts(rated: Rated, name: str | None) -> list[str]:
    """Return the cells of a column as texts, blank ones empty; none where there is no such column."""
    if name is None or name not in rated.book.table.column_names:
        return []
    return ["" if cell is None else str(cell).strip() for cell in rated.book.table[name].to_pylist()]
