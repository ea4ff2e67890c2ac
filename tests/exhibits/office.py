"""LibreOffice without a window, on a profile of its own that recalculates every formula when it loads a file."""

from __future__ import annotations

import atexit
import functools
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pytest

needs_office = pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice is not installed")
_ALWAYS = """<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry" xmlns:xs="http://www.w3.org/2001/XMLSchema">
<item oor:path="/org.openoffice.Office.Calc/Formula/Load">
<prop oor:name="OOXMLRecalcMode" oor:op="fuse"><value>0</value></prop></item>
</oor:items>
"""


@functools.cache
def _profile() -> Path:
    """Return a profile made once: the first start of LibreOffice writes one, which is most of its time."""
    folder = Path(tempfile.mkdtemp(prefix="office-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    (folder / "user").mkdir()
    (folder / "user" / "registrymodifications.xcu").write_text(_ALWAYS, encoding="utf-8")
    return folder


def convert(sources: Sequence[Path], kind: str, folder: Path) -> list[Path]:
    """Return the files as LibreOffice writes them anew: ``xlsx`` recalculated, or ``pdf``."""
    out = folder / "out"
    command = ["soffice", f"-env:UserInstallation={_profile().as_uri()}", "--headless", "--convert-to", kind]
    subprocess.run([*command, "--outdir", str(out), *map(str, sources)], check=True, capture_output=True, timeout=280)
    return [out / f"{source.stem}.{kind}" for source in sources]
