"""The examples on the method pages run."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path

import pytest

PAGES = Path(__file__).parents[2] / "docs" / "methods"


@pytest.mark.parametrize("page", ["credibility", "merit-and-bonus-malus"])
def test_the_code_runs(page):
    out = io.StringIO()
    for code in re.findall(r"```python\n(.*?)```", (PAGES / f"{page}.md").read_text(encoding="utf-8"), re.S):
        with contextlib.redirect_stdout(out):
            exec(compile(code, page, "exec"), {})
    expected = {
        "credibility": "estimate",
        "merit-and-bonus-malus": "[0.782901 0.082338 0.090998 0.022278 0.016387 0.005097]",
    }
    assert expected[page] in out.getvalue()
