"""What the parts of an Office Open XML workbook say beyond cell values: errors, formulas, merged and hidden cells.

The reader of values gives an empty text for an error and for a formula without a stored value, and no word on what
is hidden. The XML is searched for the few marks that matter instead of being parsed whole: a sheet without them costs
little more than its decompression.

Source: ECMA-376, part 1, 18.3 (worksheets), 18.2 (workbook), 18.8 (styles).
"""

from __future__ import annotations

import html
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from xml.etree import ElementTree

from ratemod.reading.grid import Facts, Merge, place_of

ROOM = 60_000_000  # cells of the used range that a sheet may span
_P = rb"<(?:\w+:)?"
_FORMULA = re.compile(
    _P
    + rb"c\b([^>]*)>\s*"
    + _P
    + rb"f\b([^>]*?)(?:/>|>([^<]*)</(?:\w+:)?f>)\s*(?:"
    + _P
    + rb"v[^>]*?(?:/>|>([^<]*)</(?:\w+:)?v>))?"
)
_ERROR = re.compile(_P + rb"c\b([^>]*\bt=[\"']e[\"'][^>]*)>(?:(?!</(?:\w+:)?c>).)*?" + _P + rb"v>([^<]*)<", re.S)
_STYLED = re.compile(_P + rb"c\b([^>]*\bs=[\"'](\d+)[\"'][^>]*)>")
_HIDDEN_ROW = re.compile(_P + rb"row\b([^>]*\bhidden=[\"'](?:1|true)[\"'][^>]*)>")
_HIDDEN_COLUMN = re.compile(_P + rb"col\b([^>]*\bhidden=[\"'](?:1|true)[\"'][^>]*)>")
_MERGE = re.compile(_P + rb"mergeCell\b[^>]*\bref=[\"']([A-Z]+\d+):([A-Z]+\d+)[\"']")
_LETTERS = re.compile(rb"r=[\"']([A-Z]{1,3})\d")
_ROW = re.compile(rb"\br=[\"'](\d+)[\"']")
_REFERENCE = re.compile(rb"\br=[\"']([A-Z]+\d+)[\"']")
MOST_UNREADABLE = 2_000_000


@dataclass(frozen=True, slots=True)
class WorkbookParts:
    """Where the sheets of a workbook stand in its archive, and what holds for all of them."""

    sheets: dict[str, str]
    hidden: frozenset[str]
    serials_1904: bool
    recalculated: bool
    struck: frozenset[bytes]


class TooWide(Exception):
    """A sheet whose used range is far larger than what is in it; says the last cell."""


def workbook_parts(archive: zipfile.ZipFile) -> WorkbookParts:
    """Return the parts of a workbook: sheets by name, and settings."""
    names = archive.namelist()
    main = next((name for name in names if name.endswith("workbook.xml")), "xl/workbook.xml")
    root = ElementTree.fromstring(archive.read(main))
    folder = PurePosixPath(main).parent
    targets = _targets(archive, folder)
    sheets, hidden = {}, set()
    serials_1904 = recalculated = False
    for item in root.iter():
        tag = item.tag.rpartition("}")[2]
        said = {key.rpartition("}")[2]: value for key, value in item.attrib.items()}
        if tag == "sheet":
            target = targets.get(said.get("id", ""))
            if target in names:
                sheets[said.get("name", "")] = target
            if said.get("state", "visible") != "visible":
                hidden.add(said.get("name", ""))
        elif tag == "workbookPr":
            serials_1904 = said.get("date1904", "0") in ("1", "true")
        elif tag == "calcPr":
            recalculated = said.get("fullCalcOnLoad", "0") in ("1", "true")
    return WorkbookParts(sheets, frozenset(hidden), serials_1904, recalculated, _struck(archive, folder))


def _targets(archive: zipfile.ZipFile, folder: PurePosixPath) -> dict[str, str]:
    path = str(folder / "_rels" / "workbook.xml.rels")
    if path not in archive.namelist():
        return {}
    found = {}
    for item in ElementTree.fromstring(archive.read(path)).iter():
        target = item.attrib.get("Target", "")
        found[item.attrib.get("Id", "")] = target.lstrip("/") if target.startswith("/") else str(folder / target)
    return found


def _struck(archive: zipfile.ZipFile, folder: PurePosixPath) -> frozenset[bytes]:
    """Return the numbers of the cell styles whose text is struck out."""
    path = str(folder / "styles.xml")
    if path not in archive.namelist():
        return frozenset()
    data = archive.read(path)
    if b"strike" not in data:
        return frozenset()
    root = ElementTree.fromstring(data)
    fonts, styles = [], []
    for part in root:
        tag = part.tag.rpartition("}")[2]
        if tag == "fonts":
            for font in part:
                marks = [item for item in font if item.tag.rpartition("}")[2] == "strike"]
                fonts.append(bool(marks) and marks[0].attrib.get("val", "1") in ("1", "true"))
        elif tag == "cellXfs":
            styles = [int(item.attrib.get("fontId", "0")) for item in part]
    return frozenset(str(at).encode() for at, font in enumerate(styles) if font < len(fonts) and fonts[font])


def sheet_facts(data: bytes, parts: WorkbookParts) -> Facts:
    """Return what the XML of one sheet says.

    Raises
    ------
    TooWide
        When the used range would not fit into memory.
    """
    _check_room(data)
    unreadable = dict(_unreadable(data, parts.recalculated))
    hidden: set[int] = set()
    if b"hidden=" in data:
        hidden = {int(found[1]) - 1 for match in _HIDDEN_ROW.finditer(data) if (found := _ROW.search(match[1]))}
    columns: set[int] = set()
    for match in _HIDDEN_COLUMN.finditer(data, 0, 200_000):
        ends = [re.search(rb"\b" + name + rb"=[\"'](\d+)[\"']", match[1]) for name in (b"min", b"max")]
        if ends[0] and ends[1]:
            columns |= set(range(int(ends[0][1]) - 1, min(int(ends[1][1]), 16_384)))
    merges: tuple[Merge, ...] = ()
    if b"mergeCell " in data:
        ends_of = [(place_of(match[1].decode()), place_of(match[2].decode())) for match in _MERGE.finditer(data)]
        merges = tuple(Merge(top, left, bottom, right) for (top, left), (bottom, right) in ends_of)
    struck: set[int] = set()
    if parts.struck:
        for match in _STYLED.finditer(data):
            if match[2] in parts.struck and (found := _REFERENCE.search(match[1])):
                struck.add(place_of(found[1].decode())[0])
    filtered = b"filterColumn " in data
    return Facts(
        merges=merges,
        hidden_rows=frozenset(hidden),
        struck_rows=frozenset(struck),
        hidden_columns=frozenset(columns),
        filtered=filtered,
        unreadable=unreadable,
        serials_1904=parts.serials_1904,
    )


def _check_room(data: bytes) -> None:
    """Raise TooWide where the used range is beyond all measure, whatever few cells it holds."""
    tail = data[data.rfind(b"<row") :] if b"<row" in data else data[-4096:]
    last = _ROW.search(tail)
    rows = int(last[1]) if last else 1
    if rows * 16_384 <= ROOM:
        return
    far = max(set(_LETTERS.findall(data)), key=lambda letters: (len(letters), letters), default=b"A").decode()
    width = place_of(f"{far}1")[1] + 1
    if rows * width > max(ROOM, 40 * data.count(b"<c ")):
        raise TooWide(f"{far}{rows}")


def _unreadable(data: bytes, recalculated: bool) -> Iterator[tuple[tuple[int, int], str]]:
    """Yield the cells that hold an error, or a formula whose value is not stored."""
    if b't="e"' in data or b"t='e'" in data:
        for match in _ERROR.finditer(data):
            if found := _REFERENCE.search(match[1]):
                yield place_of(found[1].decode()), html.unescape(match[2].decode("utf-8", "replace"))
    if not any(mark in data for mark in (b"<f>", b"<f ", b":f>", b":f ")):
        return
    for match in _FORMULA.finditer(data):
        about, value = match[1], (match[4] or b"").strip()
        text = re.search(rb"\bt=[\"']str[\"']", about) is not None
        if (value and not (recalculated and value == b"0")) or (text and not recalculated):
            continue
        if found := _REFERENCE.search(about):
            said = html.unescape((match[3] or b"").decode("utf-8", "replace"))
            yield place_of(found[1].decode()), f"={said or '…'}"


def opened_parts(path: Path) -> tuple[zipfile.ZipFile, WorkbookParts]:
    """Return the archive of a workbook and its parts."""
    archive = zipfile.ZipFile(path)
    return archive, workbook_parts(archive)
