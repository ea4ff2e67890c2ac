"""The catalogue is whole: every code used exists in both languages, none is left over, none is half translated."""

from __future__ import annotations

import ast
import re
import string
import tomllib
from pathlib import Path

import pytest

from ratemod.errors import catalogue

SOURCE = Path(__file__).parents[2] / "src" / "ratemod"
CODE = re.compile(r"RM\d{3}|UI_\w+")
HAN = re.compile(r"[\u4e00-\u9fff]")
FIELD = re.compile(r"\{(\w+)[^{}]*\}")
ANY = "\0"


def literals() -> set[str]:
    """Return every code in the sources; the open part of an f-string stands as ANY."""
    data = [path for path in SOURCE.rglob("*.toml") if path.parent.name != "messages"]
    found = {code for path in data for code in re.findall(r'"(RM\d{3})"', path.read_text(encoding="utf-8"))}
    for path in SOURCE.rglob("*.py"):
        nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
        pieces = {id(part) for node in nodes if isinstance(node, ast.JoinedStr) for part in node.values}
        for node in nodes:
            if id(node) in pieces:
                continue
            said = ""
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                said = node.value
            elif isinstance(node, ast.JoinedStr):
                said = "".join(part.value if isinstance(part, ast.Constant) else ANY for part in node.values)
            if CODE.fullmatch(said.replace(ANY, "x")):
                found.add(said)
    return found


USED = literals()
EXACT = {used for used in USED if ANY not in used}
OPEN = [re.compile(r"\w+".join(map(re.escape, used.split(ANY)))) for used in USED - EXACT]


def test_messages_read_one_by_one_are_those_of_the_files() -> None:
    files = [tomllib.loads(path.read_text(encoding="utf-8")) for path in (SOURCE / "messages").glob("*.toml")]
    assert dict(catalogue()) == {code: texts for file in files for code, texts in file.items()}


def test_every_code_used_exists() -> None:
    assert not EXACT - set(catalogue())
    assert not [open_ for open_ in OPEN if not any(map(open_.fullmatch, catalogue()))]


def test_no_code_is_left_over() -> None:
    assert not [code for code in set(catalogue()) - EXACT if not any(open_.fullmatch(code) for open_ in OPEN)]


@pytest.mark.parametrize("code", sorted(catalogue()))
def test_both_languages_say_the_same(code: str) -> None:
    texts = catalogue()[code]
    assert set(texts) <= {"en", "zh", "fix_en", "fix_zh"}
    for prefix in ("", "fix_"):
        english, chinese = texts.get(f"{prefix}en"), texts.get(f"{prefix}zh")
        assert (english is None) == (chinese is None), "said in one language only"
        if english is None or chinese is None:
            continue
        assert len(HAN.findall(FIELD.sub("", english))) <= 4, "Chinese in the English text"
        if re.search(r"[A-Za-z]{3}", FIELD.sub("", english)):
            assert HAN.search(chinese), "not translated"


@pytest.mark.parametrize("code", sorted(code for code in catalogue() if code.startswith("UI_")))
def test_labels_fill_in_the_same_places(code: str) -> None:
    texts = catalogue()[code]
    assert set(FIELD.findall(texts["en"])) == set(FIELD.findall(texts["zh"]))


@pytest.mark.parametrize(
    "code",
    [
        "status_rated",
        "status_referred",
        "status_refused",
        "status_declined",
        "standing_official",
        "standing_published",
        "standing_prototype",
        "standing_example",
        "plans_draft",
        "plans_active",
        "plans_withdrawn",
        "business_new",
        "business_renewal",
        "bound_low",
        "bound_high",
        "held_low",
        "held_high",
    ],
)
def test_closed_sets_are_all_named(code: str) -> None:
    assert f"UI_{code}" in catalogue()


def test_every_unit_and_confidence_of_the_plan_format_is_named() -> None:
    from ratemod.plan.keys import SOURCE as source_keys
    from ratemod.vocabulary.column import KINDS, UNITS

    names = [f"UI_of_{unit}" for unit in UNITS] + [f"UI_kind_{kind}" for kind in KINDS]
    names += [f"UI_confidence_{level}" for level in source_keys["confidence"].choices]
    assert not [name for name in names if name not in catalogue()]


def test_every_message_is_given_what_it_says():
    """A place is said before a message, never within it; what `strict` adds comes from `strict`."""
    formatter, lacking = string.Formatter(), []
    for path in sorted(SOURCE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not (isinstance(node, ast.Call) and getattr(node.func, "id", "") == "problem" and node.args):
                continue
            code, names = node.args[0], {keyword.arg for keyword in node.keywords}
            if not isinstance(code, ast.Constant) or None in names:
                continue
            added = {"count", "function"} if path.name == "options.py" else {"count"}
            given = (names - {"file", "sheet", "row"}) | added
            texts = catalogue()[code.value].values()
            said = {re.split(r"[.\[]", name)[0] for one in texts for _, name, _, _ in formatter.parse(one) if name}
            if said - given:
                lacking.append((path.name, node.lineno, code.value, said - given))
    assert lacking == []


def test_amounts_are_said_in_yuan() -> None:
    """Fen are for programs: only what was given in fen is said in fen (an estate, a column of fen)."""
    said = {
        code
        for code, texts in catalogue().items()
        if code.startswith("RM") and re.search(r"\{\w+\} ?(fen|分)(?![之部])", texts["en"] + texts["zh"])
    }

    assert said == {"RM700", "RM953"}
