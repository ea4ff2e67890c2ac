"""A list of refused rows, mended in place, is priced as the rows that they were."""

from __future__ import annotations

import pyarrow as pa
import pytest

from ratemod.errors import BookError
from ratemod.reading.book import Book
from ratemod.reading.corrected import corrected, merged

SAID = {"Status": ["refused"], "Code": ["RM203"], "Reason": ["not a number"], "Suggestion": ["write one"]}
BATCH = Book(pa.table({"policy_no": ["P1", "P2", "P3"], "heads": ["10", "about 30", "5"]}), None)


def mended(rows: list[object]) -> Book:
    from ratemod.errors import text

    told = {text(f"UI_{name.lower()}", "en"): cells * len(rows) for name, cells in SAID.items()}
    own = {"policy_no": ["P2"] * len(rows), "heads": [30] * len(rows)}
    return Book(pa.table({text("UI_row", "en"): rows, **told, **own}))


def test_the_old_verdict_is_taken_off_and_the_number_kept():
    book = corrected(mended([2]))
    assert book.table.column_names == ["policy_no", "heads"]
    assert book.rows is not None and book.rows.tolist() == [2]


def test_a_corrected_row_stands_in_the_place_of_the_one_it_was():
    whole = merged(BATCH, corrected(mended([2])))
    assert whole.table["heads"].to_pylist() == ["10", "30", "5"]
    assert whole.table["policy_no"].to_pylist() == ["P1", "P2", "P3"]


@pytest.mark.parametrize("rows", [[7], [2, 2], ["x"]])
def test_a_row_that_the_list_does_not_have_is_refused(rows):
    with pytest.raises(BookError):
        merged(BATCH, corrected(mended(rows)))
