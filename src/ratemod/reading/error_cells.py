"""Cells that hold an error in workbooks of other formats than Office Open XML: .xls, .ods and .xlsb.

The reader of values gives an empty text for them, as for a blank, which is a statement; an error is none.

Sources: [MS-XLS] 2.4.24 BoolErr, 2.4.127 Formula, 2.4.28 BoundSheet8; [MS-CFB] 2.2 to 2.6; OASIS OpenDocument 1.3,
part 3, 9.1 (tables; the type ``error`` is an extension that spreadsheet programs write); [MS-XLSB] 2.4.
"""

from __future__ import annotations

import io
import re
import struct
import zipfile
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

from ratemod.reading.sheet_xml import MOST_UNREADABLE

Errors = dict[str, dict[tuple[int, int], str]]  # sheet -> (row, column), counted from 0 -> the error as it is shown
NAMES = {0: "#NULL!", 7: "#DIV/0!", 15: "#VALUE!", 23: "#REF!", 29: "#NAME?", 36: "#NUM!", 42: "#N/A", 43: "#…"}
_SHOWN = re.compile(r"#(?:NULL!|DIV/0!|VALUE!|REF!|NAME\?|NUM!|N/A)|Err:\d+")
_MAY_STAND = re.compile(rb"[\"']error[\"']|#(?:NULL!|DIV/0!|VALUE!|REF!|NAME\?|NUM!|N/A)|Err:[0-9]")
# BoolErr, or a formula of which the result is an error: a quick look before records are gone through.
_MAY_BE_RECORD = re.compile(rb"\x05\x02\x08\x00|\x06\x00..[\x00-\xff]{6}\x02[\x00-\xff]{5}\xff\xff", re.S)
_SUBSTREAM = 0x0809, 0x000A  # BOF and EOF: charts stand within a sheet
_FREE = 0xFFFFFFFA  # sector numbers from here on are marks


def error_cells(path: Path, kind: str) -> Errors:
    """Return the cells of each sheet that hold an error.

    Parameters
    ----------
    kind : "ods", "xls" or "xlsb"

    Raises
    ------
    ValueError, KeyError, struct.error, zipfile.BadZipFile, ElementTree.ParseError
        When the file is damaged, or repeats an error beyond `MOST_UNREADABLE` cells.
    """
    if kind == "ods":
        return _ods(path)
    return _xls(path.read_bytes()) if kind == "xls" else _xlsb(path)


def _ods(path: Path) -> Errors:
    found: Errors = {}
    with zipfile.ZipFile(path) as archive:
        content = archive.read("content.xml")
    if _MAY_STAND.search(content):
        name, row, place = "", 0, 0
        for event, item in ElementTree.iterparse(io.BytesIO(content), ("start", "end")):
            tag = item.tag.rpartition("}")[2]
            if event == "start":
                if tag == "table":
                    name, row = _said(item, "name") or "", 0
                elif tag == "table-row":
                    place = 0
                continue
            if tag in ("table-cell", "covered-table-cell"):
                text = "".join(item.itertext()).strip()
                types = {value for key, value in item.attrib.items() if key.endswith("}value-type")}
                times = int(_said(item, "number-columns-repeated") or 1)
                if "error" in types or (_said(item, "formula") and _SHOWN.fullmatch(text)):
                    _bounded(times)
                    found.setdefault(name, {}).update({(row, place + at): text or "#…" for at in range(times)})
                place += times
            elif tag == "table-row":
                times = int(_said(item, "number-rows-repeated") or 1)
                cells = found.get(name, {})
                own = [(at, said) for (line, at), said in cells.items() if line == row] if times > 1 else []
                _bounded(len(own) * times)
                cells |= {(row + more, at): said for at, said in own for more in range(1, times)}
                row += times
                item.clear()
    return found


def _bounded(cells: int) -> None:
    """Refuse a sheet that says of more cells than anybody has that they hold an error: a few bytes can say it."""
    if cells > MOST_UNREADABLE:
        raise ValueError(cells)


def _said(item: ElementTree.Element, name: str) -> str | None:
    return next((value for key, value in item.attrib.items() if key.rpartition("}")[2] == name), None)


def _xls(data: bytes) -> Errors:
    stream = _stream(data)
    found: Errors = {}
    if _MAY_BE_RECORD.search(stream) is None:
        return found
    unicode = True
    for kind, _, record in _records(stream, 0):
        if kind == _SUBSTREAM[0]:
            unicode = record[:2] == b"\x00\x06"
        if kind == _SUBSTREAM[1]:
            break
        if kind == 0x0085:
            at, length = int.from_bytes(record[:4], "little"), record[6]
            wide = unicode and record[7] & 1
            begin = 8 if unicode else 7
            name = record[begin : begin + length * (1 + wide)].decode("utf-16-le" if wide else "latin-1")
            found[name] = dict(_sheet(stream, at))
    return found


def _sheet(stream: bytes, at: int) -> Iterator[tuple[tuple[int, int], str]]:
    depth = 0
    for kind, _, record in _records(stream, at):
        depth += (kind == _SUBSTREAM[0]) - (kind == _SUBSTREAM[1])
        if depth == 0:
            return
        if kind == 0x0205 and record[7] == 1:
            yield struct.unpack_from("<HH", record), NAMES.get(record[6], "#…")
        elif kind == 0x0006 and record[6] == 2 and record[12:14] == b"\xff\xff":
            yield struct.unpack_from("<HH", record), NAMES.get(record[8], "#…")


def _records(stream: bytes, at: int) -> Iterator[tuple[int, int, bytes]]:
    while at + 4 <= len(stream):
        kind, length = struct.unpack_from("<HH", stream, at)
        yield kind, at, stream[at + 4 : at + 4 + length]
        at += 4 + length


def _stream(data: bytes) -> bytes:
    """Return the workbook's stream in a compound file; a file of bare records is one already."""
    if not data.startswith(b"\xd0\xcf\x11\xe0"):
        return data
    shift, small_shift = struct.unpack_from("<HH", data, 30)
    size, per = 1 << shift, (1 << shift) // 4
    first_directory, cutoff, first_small = (struct.unpack_from("<I", data, at)[0] for at in (48, 56, 60))

    def sector(number: int) -> bytes:
        return data[(number + 1) * size : (number + 2) * size]

    tables = list(struct.unpack_from("<109I", data, 76))
    more = struct.unpack_from("<I", data, 68)[0]
    for _ in range(len(data) // size):
        if more >= _FREE:
            break
        numbers = struct.unpack(f"<{per}I", sector(more))
        tables += numbers[:-1]
        more = numbers[-1]
    following = [one for at in tables if at < _FREE for one in struct.unpack(f"<{per}I", sector(at))]

    def chain(number: int, links: list[int]) -> Iterator[int]:
        for _ in range(len(links)):
            if number >= _FREE:
                return
            yield number
            number = links[number]

    def whole(number: int) -> bytes:
        return b"".join(map(sector, chain(number, following)))

    directory = whole(first_directory)
    entries = {}
    for at in range(0, len(directory) - 127, 128):
        length = struct.unpack_from("<H", directory, at + 64)[0]
        name = directory[at : at + max(length - 2, 0)].decode("utf-16-le", "replace")
        entries[name] = struct.unpack_from("<II", directory, at + 116)
    start, length = entries["Workbook"] if "Workbook" in entries else entries["Book"]
    if length >= cutoff:
        return whole(start)[:length]
    small, inside = 1 << small_shift, whole(entries["Root Entry"][0])
    packed = whole(first_small)
    links = list(struct.unpack(f"<{len(packed) // 4}I", packed))
    return b"".join(inside[at * small : (at + 1) * small] for at in chain(start, links))[:length]


def _xlsb(path: Path) -> Errors:
    with zipfile.ZipFile(path) as archive:
        relations = ElementTree.fromstring(archive.read("xl/_rels/workbook.bin.rels"))
        targets = {item.attrib["Id"]: item.attrib["Target"] for item in relations}
        found: Errors = {}
        for kind, record in _binary(archive.read("xl/workbook.bin")):
            if kind == 156:  # BrtBundleSh: state, number, relation, name
                relation, end = _wide(record, 8)
                name, _ = _wide(record, end)
                target = targets[relation].lstrip("/")
                found[name] = dict(_sheet_b(archive.read(target if target.startswith("xl/") else f"xl/{target}")))
    return found


def _sheet_b(data: bytes) -> Iterator[tuple[tuple[int, int], str]]:
    row = 0
    for kind, record in _binary(data):
        if kind == 0:  # BrtRowHdr
            row = struct.unpack_from("<I", record)[0]
        elif kind in (3, 11):  # BrtCellError, BrtFmlaError: column, style, error
            yield (row, struct.unpack_from("<I", record)[0]), NAMES.get(record[8], "#…")


def _wide(record: bytes, at: int) -> tuple[str, int]:
    length = struct.unpack_from("<I", record, at)[0]
    end = at + 4 + 2 * length
    return record[at + 4 : end].decode("utf-16-le"), end


def _binary(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the records of a part: a kind of one or two bytes, a length of one to four, seven bits each."""
    at = 0
    while at < len(data):
        kind = data[at]
        at += 1
        if kind & 0x80:
            kind = kind & 0x7F | (data[at] & 0x7F) << 7
            at += 1
        length = shift = 0
        while True:
            length |= (data[at] & 0x7F) << shift
            at, shift = at + 1, shift + 7
            if not data[at - 1] & 0x80 or shift == 28:
                break
        yield kind, data[at : at + length]
        at += length
