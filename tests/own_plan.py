"""A plan of one's own from the lines that matter to a test: columns, steps and rules under a head always alike."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import ratemod as rm

HEAD = """[plan]
scheme = "own"
edition = "1"
title_en = "Own"
title_zh = "自拟"
standing = "example"
warning_en = "Made up."
warning_zh = "试验。"
status = "draft"
new_from = 2020-01-01
key = "{key}"
premium = "premium"
{more}
[source.s]
title = "made up"
confidence = "illustrative"
[column.{key}]
kind = "text"
"""


def plan_text(body: str, key: str = "policy_no", more: str = "") -> str:
    """Return the text of the plan with key column `key`, `more` of its own section, and all else in `body`."""
    return HEAD.format(key=key, more=more) + body


def own_plan(folder: Path, body: str, key: str = "policy_no", tables: Mapping[str, str] | None = None) -> rm.Plan:
    """Write the plan under a folder, each table from its text, and return it loaded."""
    place = folder / "own" / "1"
    (place / "tables").mkdir(parents=True)
    for name, said in (tables or {}).items():
        (place / "tables" / f"{name}.csv").write_text(said, encoding="utf-8")
    (place / "plan.toml").write_text(plan_text(body, key), encoding="utf-8")
    return rm.load_plan(place)
