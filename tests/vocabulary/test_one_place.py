"""Headers, labels, aliases and levels of columns are declared in the vocabulary and nowhere else."""

from __future__ import annotations

import ast
import tomllib
from collections import Counter
from pathlib import Path

import pytest

import ratemod as rm
from ratemod.errors import catalogue
from ratemod.plan.editions import shipped
from ratemod.vocabulary.labels import column_label, level_label
from ratemod.vocabulary.spelling import folded
from ratemod.vocabulary.table import tables, words

SOURCE = Path(rm.__file__).parent
# A plan's own column that shares a name with a word and is something else: a region of two levels, no place name.
OWN = {("hierarchical", "region")}
NAMES = {"synth/tables.py"}  # parts of the names of made-up firms
LABELS = ("UI_fund_", "UI_register_col_", "UI_col_")
FEW = 3  # so many of the vocabulary's own words in one literal are a dictionary of it

DECLARED = {folded(name) for one in words().values() for name in one.names()} | {
    folded(name) for one in words().values() for level in one.levels for name in level.names()
}


def dictionaries(tree: ast.AST) -> list[int]:
    """Return the lines of literals that hold words of the vocabulary in Chinese, and of columns made with labels."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Dict):
            parts = [*node.keys, *node.values]
        elif isinstance(node, ast.Tuple | ast.List | ast.Set):
            parts = node.elts
        elif isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("Column", "Level"):
            said = [one for one in ast.walk(node) if isinstance(one, ast.Constant) and isinstance(one.value, str)]
            if any(not one.value.isascii() for one in said):
                found.append(node.lineno)
            continue
        else:
            continue
        inside = [one for part in parts if part for one in ast.walk(part) if isinstance(one, ast.Constant)]
        texts = {one.value for one in inside if isinstance(one.value, str) and not one.value.isascii()}
        if sum(folded(text) in DECLARED for text in texts) >= FEW:
            found.append(node.lineno)
    return found


def test_no_module_holds_a_dictionary_of_columns_or_levels():
    wrong = {
        str(file.relative_to(SOURCE)): lines
        for file in sorted(SOURCE.rglob("*.py"))
        if file.relative_to(SOURCE).parts[0] != "vocabulary"
        and str(file.relative_to(SOURCE)) not in NAMES
        and (lines := dictionaries(ast.parse(file.read_text(encoding="utf-8"))))
    }
    assert wrong == {}


@pytest.mark.parametrize(
    "said",
    [
        'KNOWN = {"policy_no": "保单号", "heads": "投保人数", "sector": "行业"}',
        'SIZES = ("微型", "小型", "中型")',
        'ONE = Column(name="heads", kind="number", label_zh="人数")',
    ],
)
def test_a_new_dictionary_is_found(said):
    assert dictionaries(ast.parse(said)) != []


def test_a_shipped_plan_takes_every_word_from_the_vocabulary():
    own: Counter[str] = Counter()
    for folder in shipped():
        given = tomllib.loads((folder / "plan.toml").read_text(encoding="utf-8"))["column"]
        alone = {name for name, one in given.items() if "from" not in one}
        assert {(folder.name, name) for name in alone if name in words()} - OWN == set()
        assert [name for name, one in given.items() if "from" in one and {"kind", "levels"} & set(one)] == []
        own.update(alone)
    assert [name for name, many in own.items() if many > 1] == []  # what two plans ask for is a word


def test_no_message_repeats_a_label_of_the_vocabulary():
    again = []
    for code, said in catalogue().items():
        for start in LABELS:
            name = code.removeprefix(start)
            if code.startswith(start) and column_label(name, "zh") == said["zh"]:
                again.append(code)
        if code.startswith("UI_value_"):
            value = code.removeprefix("UI_value_")
            columns = [*words(), *(name for one in tables().values() for name in one.columns)]
            again += [code for name in columns if level_label(name, value, "zh") == said["zh"]]
    assert sorted(set(again)) == []
