"""What the parts of an Office Open XML workbook say beyond cell values: errors, formulas, merged and hidden cells.

The reader of values gives an empty text for an error and for a formula without a stored value, and no word on what
is hidden. The XML is searched for the few marks that matter instead of being parsed whole: a sheet without them costs
little more than its decompression. No mark reaches into the next tag, so that the search is linear whatever it meets.

Source: ECMA-376, part 1, 18.3 (worksheets), 18.2 (workbook), 18.8 (styles).
"""

from __future__ import annotations

import html
import posixpath
import re
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from xml.etree import ElementTree

import numpy as np
import numpy.typing as npt

from ratemod.reading.grid import Facts, Merge, letter, place_of

ROOM = 60_000_000  # cells of the used range that a sheet may span
_P = rb"<(?:\w+:)?"
_FORMULA = re.compile(
    _P
    + rb"c\b([^<>]*)>\s*"
    + _P
    + rb"f\b([^<>]*?)(?:/>|>([^<]*)</(?:\w+:)?f>)\s*(?:"
    + _P
    + rb"v[^<>]*?(?:/>|>([^<]*)</(?:\w+:)?v>))?"
)
_ERROR = re.compile(
    _P + rb"c\b([^<>]*\bt=[\"']e[\"'][^<>]*)(?<!/)>(?:(?!</?(?:\w+:)?c[\s>/]).)*?" + _P + rb"v>([^<]*)<", re.S
)
_STYLED = re.compile(_P + rb"c\b([^<>]*\bs=[\"'](\d+)[\"'][^<>]*)>")
_HIDDEN_ROW = re.compile(_P + rb"row\b([^<>]*\bhidden=[\"'](?:1|true)[\"'][^<>]*)>")
_HIDDEN_COLUMN = re.compile(_P + rb"col\b([^<>]*\bhidden=[\"'](?:1|true)[\"'][^<>]*)>")
_MERGE = re.compile(_P + rb"mergeCell\b[^<>]*\bref=[\"']([A-Z]+\d+):([A-Z]+\d+)[\"']")
_MARGIN = re.compile(_P + rb"(?:odd|even|first)(?:Header|Footer)\b[^<>]*>([^<]+)<")
_ROW = re.compile(rb"\br=[\"'](\d+)[\"']")
_REFERENCE = re.compile(rb"\br=[\"']([A-Za-z]+\d+)[\"']")
_ADDRESS = re.compile(rb"(<(?:\w+:)?(row|c)(?=[\s/>]))([^<>]*>)")
MOST_UNREADABLE = 2_000_000
_PIECE = 1 << 17


@dataclass(frozen=True, slots=True)
class WorkbookParts:
    """Where the sheets of a workbook stand in its archive, and what holds for all of them."""

    sheets: dict[str, str]
    hidden: frozenset[str]
    serials_1904: bool
    recalculated: bool
    struck: frozenset[bytes]
    suffixes: dict[bytes, str]


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
    struck, suffixes = _styles(archive, folder)
    return WorkbookParts(sheets, frozenset(hidden), serials_1904, recalculated, struck, suffixes)


def _targets(archive: zipfile.ZipFile, folder: PurePosixPath) -> dict[str, str]:
    path = str(folder / "_rels" / "workbook.xml.rels")
    if path not in archive.namelist():
        return {}
    found = {}
    for item in ElementTree.fromstring(archive.read(path)).iter():
        target = item.attrib.get("Target", "")
        found[item.attrib.get("Id", "")] = target.lstrip("/") if target.startswith("/") else str(folder / target)
    return found


def _styles(archive: zipfile.ZipFile, folder: PurePosixPath) -> tuple[frozenset[bytes], dict[bytes, str]]:
    """Return the numbers of the cell styles whose text is struck out, and of those that show a multiple, with it."""
    path = str(folder / "styles.xml")
    data = archive.read(path) if path in archive.namelist() else b""
    if b"strike" not in data and b"numFmt " not in data:
        return frozenset(), {}
    fonts: list[bool] = []
    formats: dict[str, str] = {}
    struck, suffixes = set(), {}
    for part in ElementTree.fromstring(data):
        tag = part.tag.rpartition("}")[2]
        if tag == "fonts":
            for font in part:
                marks = [item for item in font if item.tag.rpartition("}")[2] == "strike"]
                fonts.append(bool(marks) and marks[0].attrib.get("val", "1") in ("1", "true"))
        elif tag == "numFmts":
            formats = {item.attrib.get("numFmtId", ""): item.attrib.get("formatCode", "") for item in part}
        elif tag == "cellXfs":
            for at, style in enumerate(part):
                number = int(style.attrib.get("fontId", "0"))
                if number < len(fonts) and fonts[number]:
                    struck.add(str(at).encode())
                if suffix := shown_multiple(formats.get(style.attrib.get("numFmtId", ""), "")):
                    suffixes[str(at).encode()] = suffix
    return frozenset(struck), suffixes


def shown_multiple(code: str) -> str:
    """Return the multiple that a number format shows behind a number which is not scaled down by it, else nothing.

    Source: ECMA-376, part 1, 18.8.31: a comma behind the last digit divides what is shown by a thousand.

    Examples
    --------
    >>> shown_multiple('0.00"万元"'), shown_multiple('0!.0,"万元"'), shown_multiple('0"元"')
    ('万元', '', '')
    """
    section = code.split(";")[0]
    shown = re.sub(r'"([^"]*)"', r"\1", re.sub(r"[\\_*].|\[[^\]]*\]", "", section))
    match = re.search(r"[0#?]([^0#?.]*)$", shown)
    if match is None or re.search(r"[0#?],+(?![0#?])|!\.|\\\.", section.replace('"', "")):
        return ""
    found = re.search(r"[十百千万亿萬億]+[^\d\s]*", match[1])
    return found[0] if found else ""


def sheet_facts(data: bytes, parts: WorkbookParts, comments: Mapping[tuple[int, int], str]) -> Facts:
    """Return what the XML of one sheet says.

    Raises
    ------
    TooWide
        When the used range would not fit into memory.
    """
    used = _used(data)
    data, *reached = (data, *used) if used else addressed(data)
    _check_room(data, *reached)
    begin = data.find(b"sheetData")
    head, tail = data[: max(begin, 0)], data[max(data.rfind(b"sheetData>"), begin, 0) :]  # what stands around the rows
    unreadable = dict(_unreadable(data, parts.recalculated))
    hidden: set[int] = set()
    if b"hidden=" in data:
        hidden = {int(found[1]) - 1 for match in _HIDDEN_ROW.finditer(data) if (found := _ROW.search(match[1]))}
    columns: set[int] = set()
    for match in _HIDDEN_COLUMN.finditer(head):
        ends = [re.search(rb"\b" + name + rb"=[\"'](\d+)[\"']", match[1]) for name in (b"min", b"max")]
        if ends[0] and ends[1]:
            columns |= set(range(int(ends[0][1]) - 1, min(int(ends[1][1]), 16_384)))
    ends_of = [(place_of(match[1].decode()), place_of(match[2].decode())) for match in _MERGE.finditer(tail)]
    merges = tuple(Merge(top, left, bottom, right) for (top, left), (bottom, right) in ends_of)
    struck: set[int] = set()
    if parts.struck:
        for match in _STYLED.finditer(data):
            if match[2] in parts.struck and (found := _REFERENCE.search(match[1])):
                struck.add(place_of(found[1].decode())[0])
    suffixes: dict[tuple[int, int], str] = {}
    if parts.suffixes:
        for match in _STYLED.finditer(data):
            if match[2] in parts.suffixes and (found := _REFERENCE.search(match[1])):
                suffixes[place_of(found[1].decode())] = parts.suffixes[match[2]]
    return Facts(
        merges=merges,
        hidden_rows=frozenset(hidden),
        struck_rows=frozenset(struck),
        hidden_columns=frozenset(columns),
        filtered=b"filterColumn " in tail,
        unreadable=unreadable,
        serials_1904=parts.serials_1904,
        suffixes=suffixes,
        comments=dict(comments),
        margins=tuple(
            re.sub(r"&(?:\"[^\"]*\"|K[0-9A-F]{6}|[0-9]+|.)", " ", html.unescape(match[1].decode("utf-8", "replace")))
            for match in _MARGIN.finditer(tail)
        ),
    )


def addressed(data: bytes) -> tuple[bytes, int, int]:
    """Return the XML of a sheet with the address of every cell, and the rows and columns that they reach.

    A cell that has no address stands behind the one before it.

    Source: ECMA-376, part 1, 18.3.1.4 and 18.3.1.73: ``r`` is optional of cells and rows.

    Examples
    --------
    >>> data, *used = addressed(b'<row><c><v>1</v></c><c t="e"/></row><row r="5"><c r="B5"/><c/></row>')
    >>> data.decode(), used
    ('<row r="1"><c r="A1"><v>1</v></c><c r="B1" t="e"/></row><row r="5"><c r="B5"/><c r="C5"/></row>', [5, 3])
    """
    row, place, rows, columns = 0, 0, 1, 1

    def address(match: re.Match[bytes]) -> bytes:
        nonlocal row, place, rows, columns
        about = match[3]
        found = (_ROW if match[2] == b"row" else _REFERENCE).search(about)
        if match[2] == b"row":
            row, place = int(found[1]) if found else row + 1, 0
            return match[0] if found else match[1] + b' r="%d"' % row + about
        if found:
            line, place = place_of(found[1].decode())
            rows, columns, place = max(rows, line + 1), max(columns, place + 1), place + 1
            return match[0]
        place += 1
        rows, columns = max(rows, row), max(columns, place)
        return match[1] + b' r="%s%d"' % (letter(place - 1).encode(), row) + about

    return _ADDRESS.sub(address, data), rows, columns


def sheet_comments(archive: zipfile.ZipFile, target: str) -> dict[tuple[int, int], str]:
    """Return the remarks on cells of the sheet that stands at a place of the archive."""
    path = PurePosixPath(target)
    relations = str(path.parent / "_rels" / f"{path.name}.rels")
    names = archive.namelist()
    if relations not in names:
        return {}
    found = {}
    for relation in ElementTree.fromstring(archive.read(relations)):
        if not relation.attrib.get("Type", "").endswith("/comments"):
            continue
        said = relation.attrib.get("Target", "")
        part = said.lstrip("/") if said.startswith("/") else posixpath.normpath(str(path.parent / said))
        for item in ElementTree.fromstring(archive.read(part)).iter() if part in names else ():
            if item.tag.rpartition("}")[2] == "comment":
                texts = (text.text or "" for text in item.iter() if text.tag.rpartition("}")[2] == "t")
                found[place_of(item.attrib["ref"])] = "".join(texts)
    return found


def _used(data: bytes) -> tuple[int, int] | None:
    """Return rows and columns that a sheet's cells reach where all begin as ``<row r="1`` and ``<c r="AB1``, else None.

    By its bytes, two or eight of them as one number, in pieces that stay in the processor's cache.
    """
    begin, end, rows, width = data.find(b"<row"), data.rfind(b"sheetData"), 1, 1
    if begin < 0 or end < 0 or len(data) - end < 24:  # what stands behind an address is looked at with it
        return None
    for start in range(begin, end, _PIECE):
        n = min(_PIECE, end - start)
        pairs = [np.frombuffer(data, "<u2", (n + 1) // 2, start + odd) for odd in (0, 1)]
        row, cell = (
            np.concatenate([2 * np.flatnonzero(pair == _number(sign)) + odd for odd, pair in enumerate(pairs)])
            for sign in (b"<r", b"<c")
        )
        words: npt.NDArray[np.uint64] = np.ndarray((n + 16,), "<u8", data, start, (1,))  # the eight bytes from each on
        said = words[row]
        said = said[said & 0xFFFFFF == _number(b"<ro")]  # and not <r>, a part of a text
        address = words[cell]
        if (said != _number(b'<row r="')).any() or (address & 0xFFFFFFFFFFFF != _number(b'<c r="')).any():
            return None
        if not len(cell):
            continue
        letters = np.ones(len(cell), dtype=np.intp)
        wide = np.flatnonzero(address > _number(b"9") << 56 | (1 << 56) - 1)  # two letters and more
        letters[wide] += 1 + (words[cell[wide] + 1] >> 56 > ord("9"))
        most = int(letters.max())
        column = int((words[cell[letters == most] + 6].byteswap() >> 8 * (8 - most)).max()).to_bytes(most)
        line = _longest(words[cell + 6 + letters])
        if line is None or not column.isalpha():
            return None
        rows, width = max(rows, line), max(width, place_of(f"{column.decode().upper()}1")[1] + 1)
    return rows, width


def _longest(words: npt.NDArray[np.uint64]) -> int | None:
    """Return the largest number that texts of eight bytes begin with, up to a quotation mark; None if one has none."""
    differs = words ^ _number(b'"' * 8)
    marks = (differs - _number(b"\x01" * 8)) & ~differs & _number(b"\x80" * 8)
    first = marks & (~marks + 1)  # the lowest bit: that of the first mark
    if not first.all():
        return None
    digits = int(first.max()).bit_length() // 8 - 1
    found = words[first == first.max()].byteswap().max() >> 8 * (8 - digits) if digits else 0
    said = int(found).to_bytes(8).lstrip(b"\x00")
    return int(said) if said.isdigit() and (words & 0xFF <= ord("9")).all() else None


def _number(said: bytes) -> int:
    return int.from_bytes(said, "little")


def _check_room(data: bytes, rows: int, columns: int) -> None:
    """Raise TooWide where the used range is beyond all measure, whatever few cells it holds."""
    cell = b"<c " if b"<c " in data else b":c "
    if rows * columns > ROOM and rows * columns > 40 * data.count(cell):
        raise TooWide(f"{letter(columns - 1)}{rows}")


def _unreadable(data: bytes, recalculated: bool) -> Iterator[tuple[tuple[int, int], str]]:
    """Yield the cells that hold an error, or a formula whose value is not stored."""
    if b't="e"' in data or (b"'" in data and b"t='e'" in data):
        for match in _ERROR.finditer(data):
            if found := _REFERENCE.search(match[1]):
                yield place_of(found[1].decode()), html.unescape(match[2].decode("utf-8", "replace"))
    first = data.find(b"f", max(data.find(b"sheetData"), 0))  # the rows of a sheet without formulas seldom have one
    if not any(data.find(mark, first) >= 0 for mark in (b"f>", b"f ") if first >= 0):
        return
    for match in _FORMULA.finditer(data):
        about, value = match[1], (match[4] or b"").strip()
        text = re.search(rb"\bt=[\"']str[\"']", about) is not None
        if (value and not (recalculated and value == b"0")) or (text and not recalculated):
            continue
        if found := _REFERENCE.search(about):
            said = html.unescape((match[3] or b"").decode("utf-8", "replace"))
            yield place_of(found[1].decode()), f"={said or '…'}"
