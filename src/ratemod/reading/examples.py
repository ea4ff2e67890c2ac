"""The example row of a template that was left in a list: known by its mark, named, and never priced.

The mark stands alone (示例, 样例, example) in the first column, or before or behind what is shown (示例：P1, P1(示例))
in one of the first: by a colon, or in brackets of its own.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ratemod.reading.identifiers import by_value, texts_that_match

PLACES = 3
# The heads of the sheet that explains a template.
EXPLAINED = ("UI_template_column", "UI_template_fill", "UI_template_headers")
_WORDS = r"(?:填写|填表|填报)?(?:示例|样例|范例|例|(?i:example|sample|e\.g\.))(?:行|数据|(?i: row))?"
_OPEN, _CLOSE = r"[(（\[【]\s*", r"\s*[)）\]】]"
_BRACKETED = rf"^\s*{_OPEN}{_WORDS}{_CLOSE}|{_OPEN}(?:示例|样例|范例|(?i:example|sample)){_CLOSE}\s*$"
_BEFORE = rf"^[\s(（\[【]*{_WORDS}[\s)）\]】]*[:：]|{_BRACKETED}"
_ALONE = rf"^[\s(（\[【]*{_WORDS}[\s)）\]】]*$|{_BEFORE}"
_SIGNS = ("例", "ample", "AMPLE", "e.g.", "E.G.")


def example_cells(cells: pa.Array, alone: bool = True) -> npt.NDArray[np.bool_]:
    """Return which texts are the mark of an example, alone or before what is shown; numbers are none: (n,) bool.

    Parameters
    ----------
    alone : bool
        Whether the mark may stand alone.

    Examples
    --------
    >>> example_cells(pa.array(["示例", "示例：P1", "Example: P1", "（示例）P1", "示例矿业有限公司", None])).tolist()
    [True, True, True, True, False, False]
    """
    if pa.types.is_dictionary(cells.type):
        return by_value(cells, example_cells(cells.dictionary, alone))
    if not (pa.types.is_string(cells.type) or pa.types.is_large_string(cells.type)):
        return np.zeros(len(cells), dtype=bool)
    return texts_that_match(cells, _ALONE if alone else _BEFORE, _SIGNS)


def example_rows(columns: Sequence[pa.Array | pa.ChunkedArray], rows: int) -> npt.NDArray[np.bool_]:
    """Return which rows of a list are examples, by its first columns: (n,) bool."""
    found = np.zeros(rows, dtype=bool)
    for at, column in enumerate(columns[:PLACES]):
        chunks = column.chunks if isinstance(column, pa.ChunkedArray) else [column]
        found |= np.concatenate([example_cells(chunk, at == 0) for chunk in chunks]) if chunks else False
    return found
