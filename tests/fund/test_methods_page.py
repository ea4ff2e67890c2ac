"""The worked example of docs/methods/fund.md runs."""

from __future__ import annotations

import re
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "methods" / "fund.md"


def test_the_example_runs():
    (code,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.S)
    space: dict[str, object] = {}
    exec(code, space)
    assert "plan" in space
