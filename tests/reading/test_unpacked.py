"""A workbook that unpacks to more than any list is refused before it is unpacked."""

from __future__ import annotations

import struct
import zipfile

import pytest

from ratemod.errors import BookError
from ratemod.reading import sniff


@pytest.mark.parametrize("name", ["xl/workbook.xml", "xl/workbook.bin", "content.xml"])
def test_by_what_it_says(tmp_path, monkeypatch, name):
    path = tmp_path / "list.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr(name, b" " * 100_000)
    assert sniff.sniffed(path) in ("xlsx", "xlsb", "ods")
    monkeypatch.setattr(sniff, "MOST_UNPACKED", 99_999)
    with pytest.raises(BookError, match="RM328"):
        sniff.sniffed(path)


def test_a_size_that_nothing_can_be_packed_to(tmp_path):
    path = tmp_path / "list.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", b"abc")
    data = bytearray(path.read_bytes())
    at = data.index(b"PK\x01\x02")
    struct.pack_into("<I", data, at + 24, 3_000_000_000)
    path.write_bytes(bytes(data))
    with pytest.raises(BookError, match="RM328"):
        sniff.sniffed(path)
