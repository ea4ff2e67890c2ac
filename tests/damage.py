"""Damaged files, drawn from a seed, and a run that may take neither more memory nor more time than an honest one."""

from __future__ import annotations

import io
import re
import resource
import signal
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

ROOM = 3 << 30  # bytes beyond what the process has mapped already
SECONDS = 30  # of its own processor time
ODD_NUMBERS = (b"", b"0", b"-1", b"NaN", b"1e999", b"16385", b"65536", b"2147483648", b"9" * 20)
ODD_PLACES = (b"", b"A0", b"B2:A1", b"AAAA1", b"XFD1048576", b"A1:XFD1048576", b"ZZZZZZZZ1", b"A" + b"9" * 14)
_NUMBER = re.compile(rb"\d+")
_PLACE = re.compile(rb'(?<=")[A-Z]+\d+(?::[A-Z]+\d+)?(?=")')
_WORD = re.compile(rb'"[^"]*"|<[^>]*>')


@contextmanager
def bounded() -> Iterator[None]:
    """Whatever is done meanwhile ends in MemoryError beyond `ROOM`, in TimeoutError beyond `SECONDS`."""

    def late(*_: object) -> None:
        raise TimeoutError

    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    pages = Path("/proc/self/statm")
    mapped = int(pages.read_text().split()[0]) * resource.getpagesize() if pages.exists() else 0
    before = signal.signal(signal.SIGVTALRM, late)
    if mapped:
        resource.setrlimit(resource.RLIMIT_AS, (mapped + ROOM, hard))
    signal.setitimer(signal.ITIMER_VIRTUAL, SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
        signal.signal(signal.SIGVTALRM, before)


def damaged(draw: Random, content: bytes, times: int = 0) -> bytes:
    """Bytes flipped, replaced, cut out, repeated, put in and carried elsewhere."""
    data = bytearray(content)
    for _ in range(times or draw.choice((1, 1, 2, 4, 16))):
        if not data:
            break
        at, to, how = draw.randrange(len(data)), draw.randrange(len(data)), draw.randrange(7)
        if how == 0:
            data[at] ^= 1 << draw.randrange(8)
        elif how == 1:
            data[at] = draw.randrange(256)
        elif how == 2:
            del data[at : at + draw.choice((1, 2, 8, 64, len(data)))]
        elif how == 3:
            data[at:at] = data[max(at - draw.choice((1, 4, 32, 200)), 0) : at] * draw.choice((1, 2, 50))
        elif how == 4:
            data[at : at + draw.choice((1, 4, 8))] = draw.choice((b"\xff" * 4, b"\0" * 4, b"\x7f\xff\xff\xff", b"\x80"))
        elif how == 5:
            size = draw.choice((4, 16, 100))
            data[to : to + size] = data[at : at + size]
        else:
            data[at:at] = draw.randbytes(draw.choice((1, 3, 9)))
    return bytes(data)


def damaged_xml(draw: Random, content: bytes) -> bytes:
    """Numbers, addresses and tags made odd, left out, repeated and exchanged."""
    data = content
    for _ in range(draw.choice((1, 1, 2, 3))):
        how = draw.randrange(6)
        marks = list((_NUMBER, _NUMBER, _PLACE, _WORD, _WORD, _WORD)[how].finditer(data))
        if how == 5 or not marks:
            data = damaged(draw, data, 1)
            continue
        mark = draw.choice(marks)
        if how == 3:
            odd = draw.choice((b"", mark[0] * 2, mark[0] * 300, b"<c>", b"&lt;", b"\xff", b"</c>", b"<!DOCTYPE x>"))
        else:
            odd = draw.choice(ODD_PLACES if how == 2 else ODD_NUMBERS) if how < 3 else draw.choice(marks)[0]
        data = data[: mark.start()] + odd + data[mark.end() :]
    return data


def damaged_workbook(draw: Random, content: bytes) -> bytes:
    """A workbook whose parts are packed as they should be, and one of which says odd things or is gone."""
    archive, out = zipfile.ZipFile(io.BytesIO(content)), io.BytesIO()
    names = archive.namelist()
    chosen = draw.choice([name for name in names if draw.random() < 0.5 or name.endswith("sheet1.xml")])
    gone = draw.random() < 0.05
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        for name in names:
            data = archive.read(name)
            if name != chosen:
                packed.writestr(name, data)
            elif not gone:
                packed.writestr(name, damaged_xml(draw, data))
    return out.getvalue()
