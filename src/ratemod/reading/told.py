"""What was read meanwhile, by whomever: the receipts of all tables, so that none of them stays unsaid.

with receipts() as read:
experience_mod("claims.csv", "exposure.csv", ...)
print(together(read))
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import replace

from ratemod.errors import once
from ratemod.reading.receipt import ReadPart, Receipt, unused_said

_OPEN: ContextVar[tuple[list[Receipt], ...]] = ContextVar("open", default=())


@contextmanager
def receipts() -> Iterator[list[Receipt]]:
    """Gather the receipt of every table that is read meanwhile in this thread."""
    found: list[Receipt] = []
    before = _OPEN.set((*_OPEN.get(), found))
    try:
        yield found
    finally:
        _OPEN.reset(before)


def tell(receipt: Receipt) -> None:
    """Hand on the receipt of a table to whoever gathers them."""
    for gathered in _OPEN.get():
        gathered.append(receipt)


def together(read: Sequence[Receipt]) -> Receipt:
    """Return several receipts as one: a table that was read twice stands once, and what one reading used is used.

    Examples
    --------
    >>> part = ReadPart(file="a.csv", sheet=None, header_row=1, first_row=2, last_row=3, used=(), unused=(), records=2)
    >>> len(together([Receipt((part,)), Receipt((part,))]).parts)
    1
    """
    tables: dict[tuple[str | None, str | None, int], list[ReadPart]] = {}
    for receipt in read:
        for part in receipt.parts:
            if part.file is not None or part.unused:
                tables.setdefault((part.file, part.sheet, part.header_row), []).append(part)
    parts = [_one_table(found) for found in tables.values()]
    said = [item for receipt in read for item in receipt.remarks if item.code != "RM272"]
    listed = [unused_said(part.unused, part.file, part.sheet, part.header_row) for part in parts]
    all_ = [*(item for item in listed if item is not None), *said]
    return Receipt(tuple(parts), once(all_))


def _one_table(found: Sequence[ReadPart]) -> ReadPart:
    """Return the readings of one table as one."""
    used = {item.place: item for part in found for item in part.used}
    unused = tuple(item for item in found[0].unused if item.place not in used)
    return replace(found[-1], used=tuple(used.values()), unused=unused)
