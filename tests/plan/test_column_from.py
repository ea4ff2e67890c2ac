"""A column of a plan that is a word of the vocabulary: what it does not say comes from there."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import ratemod as rm
from ratemod.errors import PlanError
from ratemod.vocabulary.table import column

SHIPPED = Path(rm.__file__).parent / "plans" / "jilin-spli" / "2025-04"


def edited(place: Path, new: str) -> Path:
    folder = place / "jilin-spli" / "2025-04"
    shutil.copytree(SHIPPED, folder)
    for lock in folder.glob("*.lock"):
        lock.unlink()
    said = (folder / "plan.toml").read_text(encoding="utf-8")
    start = said.index("[column.blacklisted]")
    end = said.index("[", start + 1)
    while said[end - 1] != "\n":
        end = said.index("[", end + 1)
    text = said[:start] + new + said[end:].replace('status = "active"', 'status = "draft"')
    (folder / "plan.toml").write_text(text.replace('status = "active"', 'status = "draft"'), encoding="utf-8")
    return folder


def test_labels_aliases_levels_and_range_come_from_the_word(tmp_path):
    folder = edited(tmp_path, '[column.blacklisted]\nfrom = "blacklisted"\naliases = ["惩戒"]\n\n')
    found = rm.load_plan(folder).columns["blacklisted"]
    word = column("blacklisted")
    assert (found.kind, found.label_zh, found.levels) == (word.kind, word.label_zh, word.levels)
    assert found.aliases == (*word.aliases, "惩戒")


@pytest.mark.parametrize(
    ("line", "said"),
    [('from = "blacklistd"', "blacklisted"), ('from = "hazard_state"\nonly = ["opened"]', "open")],
)
def test_an_unknown_word_or_level_is_refused_with_the_near_one(tmp_path, line, said):
    with pytest.raises(PlanError) as error:
        rm.load_plan(edited(tmp_path, f"[column.blacklisted]\n{line}\n\n"))
    assert said in {item.args.get("nearest") for item in error.value.problems}
