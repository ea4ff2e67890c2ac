"""What a file is, by what is in it: its ending is believed only where the content agrees."""

from __future__ import annotations

import struct
import zipfile
import zlib
from pathlib import Path
from xml.etree import ElementTree

from ratemod.errors import BookError, Problem, catalogue, cause, problem

TEXT_FILES = (".csv", ".tsv", ".txt")
EXCEL_FILES = (".xlsx", ".xlsm", ".xls", ".xlsb", ".ods")
FILES = (*TEXT_FILES, *EXCEL_FILES, ".parquet")
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
# What Python says of a zipped file that is damaged, cut off or not what it says it is, in its frame or in a part.
BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    ElementTree.ParseError,
    LookupError,
    ValueError,
    OSError,
    EOFError,
    RuntimeError,  # a method of packing that is not known, a part with a password
)
MOST_UNPACKED = 4 << 30  # bytes: a million rows of thirty columns are less than half of it
# How other kinds of file begin, and what they are called.
_OTHERS = (
    (b"%PDF", "pdf"),
    (b"\x89PNG", "picture"),
    (b"\xff\xd8\xff", "picture"),
    (b"GIF8", "picture"),
    (b"BM", "picture"),
    (b"\x1f\x8b", "archive"),
    (b"7z\xbc\xaf", "archive"),
    (b"Rar!", "archive"),
    (b"SQLite format 3", "database"),
)

_OF_WPS = {".et": "et", ".ett": "et", ".wps": "word", ".wpt": "word"}  # formats of its own, which say nothing inside


def sniffed(path: Path) -> str:
    """Return ``text``, ``parquet``, ``xlsx``, ``xlsb``, ``xls`` or ``ods``.

    Raises
    ------
    BookError
        RM211 no such file, RM260 empty, RM261 another kind of file under any name, RM262 protected by a password,
        RM213 a text that is no list by its name.
    """
    if not path.is_file():
        raise BookError(problem("RM211", file=str(path)))
    try:
        with open(path, "rb") as file:
            start = file.read(4096)
    except OSError as error:
        raise BookError(problem("RM340", file=str(path), why=cause(error))) from None
    if not start.strip(b"\xef\xbb\xbf \t\r\n\x00"):
        raise BookError(problem("RM260", file=str(path)))
    if start.startswith(b"PAR1"):
        return "parquet"
    if start.startswith(b"PK\x03\x04") or start.startswith(b"PK\x05\x06"):
        return _zipped(path)
    if start.startswith(_OLE):
        return _compound(path)
    for sign, kind in _OTHERS:
        if start.startswith(sign) and (kind != "picture" or b"\x00" in start):
            raise BookError(_other(path, kind))
    return _text(path, start)


def _other(path: Path, kind: str) -> Problem:
    """Return the problem of another kind of file under the name of a list."""
    if kind == "archive":
        return problem("RM331", file=str(path))
    names = catalogue()[f"UI_file_{kind}"]
    return problem("RM261", file=str(path), kind_en=names["en"], kind_zh=names["zh"])


def damaged(path: Path) -> Problem:
    """Return the problem of a file that is no workbook inside."""
    return _other(path, "broken")


def _zipped(path: Path) -> str:
    try:
        with zipfile.ZipFile(path) as archive:
            _bounded(path, archive)
            names = set(archive.namelist())
            kind = archive.read("mimetype")[:80] if "mimetype" in names else b""
    except BROKEN:
        raise BookError(damaged(path)) from None
    if any(name.endswith("workbook.bin") for name in names):
        return "xlsb"
    if any(name.endswith("workbook.xml") for name in names):
        return "xlsx"
    if b"opendocument.spreadsheet" in kind:
        return "ods"
    if any(name.startswith("word/") for name in names) or b"opendocument.text" in kind:
        raise BookError(_other(path, "word"))
    if any(name.endswith(".iwa") or name == "Index.zip" for name in names):
        raise BookError(_other(path, "numbers"))
    raise BookError(_other(path, "archive"))


def _bounded(path: Path, archive: zipfile.ZipFile) -> None:
    """Refuse a workbook that unpacks to more than any list needs, before any of it is unpacked.

    What a part says of its size bounds what is read of it here; its packed size bounds what it can hold, whatever it
    says: deflate packs at most 1032 to 1 (RFC 1951).
    """
    total = sum(item.file_size for item in archive.infolist())
    told = any(item.file_size > 1032 * item.compress_size + 1032 for item in archive.infolist())
    if total > MOST_UNPACKED or told:
        size = f"{total / 1e9:,.1f}"
        raise BookError(problem("RM328", file=str(path), size=size, most=f"{MOST_UNPACKED / 1e9:,.1f}"))


def _compound(path: Path) -> str:
    content = path.read_bytes()
    if "EncryptedPackage".encode("utf-16-le") in content:
        raise BookError(problem("RM262", file=str(path)))
    if "WordDocument".encode("utf-16-le") in content:
        raise BookError(_other(path, "word"))
    if "Workbook".encode("utf-16-le") in content or "Book".encode("utf-16-le") in content:
        return "xls"
    raise BookError(_other(path, _OF_WPS.get(path.suffix.lower(), "binary")))


def _lines(start: bytes, encoding: str) -> bool:
    """Return whether the beginning of a file is lines of text in an encoding."""
    said = start[: len(start) // 2 * 2].decode(encoding, "replace")
    return "\n" in said and all(char.isprintable() or char in "\r\n\t" for char in said[:-1])


def _text(path: Path, start: bytes) -> str:
    if not start.startswith((b"\xff\xfe", b"\xfe\xff")) and b"\x00" in start:
        if start[:2] in (b"\x09\x08", b"\x09\x04", b"\x09\x02"):
            return "xls"  # a workbook stream of old, without a container
        if path.suffix.lower() in TEXT_FILES and any(_lines(start, code) for code in ("utf-16-le", "utf-16-be")):
            raise BookError(_other(path, "utf16"))
        raise BookError(_other(path, "parquet" if path.suffix.lower() == ".parquet" else "binary"))
    head = start.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if head.startswith(b"mime-version:"):  # a web page with its pictures in one file
        raise BookError(_other(path, "html"))
    if head.startswith(b"<"):
        if b"office:spreadsheet" in start:
            raise BookError(_other(path, "xml"))
        html = any(sign in head for sign in (b"<html", b"<table", b"<!doctype html", b"<meta", b"<body", b"<div"))
        raise BookError(_other(path, "html" if html else "xml"))
    if path.suffix.lower() == ".parquet":
        raise BookError(_other(path, "parquet"))
    if path.suffix.lower() not in FILES:
        raise BookError(problem("RM213", file=str(path), kind=path.suffix or "?"))
    return "text"
