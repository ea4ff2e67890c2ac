"""A page as PDF, printed by an installed Chromium: what a reader sees is what is printed, Chinese included.

The browser writes the moment of printing and numbers of its own into the file; they are replaced by a moment that
never changes and by their ranks, so that the same page gives the same bytes with the same browser. The file is tagged,
so that it can be read aloud, and has an outline.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from ratemod.errors import BookError, problem

BROWSERS = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
    "msedge",
    "microsoft-edge",
)
VARIABLE = "RATEMOD_BROWSER"
SECONDS = 180
_MOMENT = re.compile(rb"(/(?:CreationDate|ModDate)\s*\(D:)[^)]*\)")
_STILL = b"20000101000000+00'00'"
_NODE = re.compile(rb"\(node(\d{8})\)")  # names of the structure's elements, kept in order by a tree of names


def find_browser() -> str:
    """Return the browser that prints: the one named in ``RATEMOD_BROWSER``, else the first that is installed.

    Raises
    ------
    BookError
        RM870 there is none.
    """
    named = os.environ.get(VARIABLE)
    found = shutil.which(named) if named else next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        raise BookError(problem("RM870", browser=named or ", ".join(BROWSERS[:3]), variable=VARIABLE))
    return found


def pdf_of(page: str) -> bytes:
    """Return a page as PDF.

    Parameters
    ----------
    page : str
        A whole HTML page that needs nothing from elsewhere.

    Raises
    ------
    BookError
        RM870 no browser is installed, RM871 the browser failed.
    """
    browser = find_browser()
    with tempfile.TemporaryDirectory(prefix="ratemod-pdf-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        source, target = folder / "page.html", folder / "page.pdf"
        source.write_text(page, encoding="utf-8")
        words = [browser, "--headless", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
                 "--disable-extensions", "--no-pdf-header-footer", "--generate-pdf-document-outline",
                 f"--user-data-dir={folder / 'profile'}", f"--print-to-pdf={target}"]  # fmt: skip
        if hasattr(os, "geteuid") and os.geteuid() == 0:  # Chromium's sandbox refuses to run as root
            words.append("--no-sandbox")
        try:
            run = subprocess.run([*words, source.as_uri()], capture_output=True, timeout=SECONDS, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise BookError(problem("RM871", browser=browser, why=str(error))) from error
        if not target.is_file():
            lines = run.stderr.decode(errors="replace").strip().splitlines()
            raise BookError(problem("RM871", browser=browser, why=lines[-1] if lines else f"code {run.returncode}"))
        return settled(target.read_bytes())


def settled(data: bytes) -> bytes:
    """Return a printed file without what differs from one printing to the next; no offset moves.

    Examples
    --------
    >>> settled(b"/CreationDate (D:20261125230000+00'00')")
    b"/CreationDate (D:20000101000000+00'00')"
    >>> settled(b"/ID (node00000071) /ID (node00000009)")
    b'/ID (node00000002) /ID (node00000001)'
    """
    rank = {name: b"(node%08d)" % at for at, name in enumerate(sorted(set(_NODE.findall(data))), 1)}
    return _NODE.sub(lambda found: rank[found[1]], _MOMENT.sub(_still, data))


def _still(found: re.Match[bytes]) -> bytes:
    """Return a moment that never changes, as long as the one it replaces, so that no offset moves."""
    room = len(found[0]) - len(found[1]) - 1
    return found[1] + _STILL[:room].ljust(room, b"0") + b")"
