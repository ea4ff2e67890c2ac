"""Lines in every spelling of TOML, edits that are read back, files that are ordinary and where they may be."""

from __future__ import annotations

import os
import tomllib
from decimal import Decimal

import pytest

from ratemod.errors import PlanError
from ratemod.rules.edit import GONE, edited, toml_text
from ratemod.rules.lines import line_of, lines_of
from ratemod.rules.number import exact_number
from ratemod.rules.opened import MOST_BYTES, opened
from ratemod.rules.read import TomlFile, parsed, read_toml
from ratemod.rules.shape import Key

TOML = '''title = """
[plan]
key = "not here"
"""  # [plan]
[plan]
"quoted key" = 1
dotted.inner = 'a # b'
list = [  # [step]
  1, [2,
  3], { deep = true },
]
[[step]]
name = "a"
  [step.when]
  of = "x"
[[step]]
name = "b"
by = { x = "y", "z z" = "w" }
[table]
t = { file = "t.csv" }
'''
LINES = {
    ("title",): 1,
    ("plan",): 5,
    ("plan", "quoted key"): 6,
    ("plan", "dotted", "inner"): 7,
    ("plan", "list", 1, 1): 10,
    ("plan", "list", 2, "deep"): 10,
    ("step", 0, "name"): 13,
    ("step", 0, "when", "of"): 15,
    ("step", 1): 16,
    ("step", 1, "by", "z z"): 18,
    ("table", "t", "file"): 20,
}


@pytest.mark.parametrize("place", LINES)
def test_the_line_of_a_key_in_any_spelling(place):
    assert lines_of(TOML)[place] == LINES[place]


def test_every_place_has_a_line_and_a_missing_one_that_of_its_section():
    def places(value, at=()):
        parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        for key, part in parts:
            yield (*at, key)
            yield from places(part, (*at, key))

    found = lines_of(TOML)
    assert set(places(tomllib.loads(TOML))) <= set(found)
    assert line_of(found, "step", 1, "when", "of") == 16


@pytest.mark.parametrize(
    "content",
    [
        "[a]\nb = 1 # keep\n",
        "a = { b = 1 } # keep\n",
        "a.b = 1 # keep\n",
        '# keep\n[a]\n"b" = 1\n',
        "[a]\r\nb = 1 # keep\r\n",
        "[a] # keep\n[a.x]\ny = 2\n[c]\nd = 1\n",
    ],
)
def test_an_edit_says_what_it_should_in_any_spelling(content):
    made = edited(content, [(("a", "b"), "2.50"), (("source", "new", "title"), '"quoted" \\ 甲')], "x.toml")
    said = tomllib.loads(made)
    assert said["a"]["b"] == "2.50" and said["source"] == {"new": {"title": '"quoted" \\ 甲'}}
    assert "# keep" in made
    gone = tomllib.loads(edited(content, [(("a", "b"), GONE)], "x.toml"))
    assert "b" not in gone.get("a", {})


def test_an_edit_of_what_is_not_there_is_refused():
    with pytest.raises(PlanError, match="RM026"):
        edited("a = 1\n", [(("a", "b"), "2")], "x.toml")
    with pytest.raises(PlanError, match="RM026"):
        edited("[[step]]\nname = 'a'\n", [(("step", 1, "low"), "2")], "x.toml")


def test_a_written_file_keeps_every_digit():
    said = {"share": Decimal("0.100"), "note": None, "tables.x[a, b].value": "*1.05", "list": ["a", "b"]}
    assert tomllib.loads(toml_text(said)) == {"share": "0.100", "tables.x[a, b].value": "*1.05", "list": ["a", "b"]}


@pytest.mark.parametrize("text", ["", "1_0", "١", "１", "1,000", "nan", "inf", "0x10", "1e", "--1", "1 0"])
def test_what_is_no_number(text):
    with pytest.raises(ValueError):
        exact_number(text)


@pytest.mark.parametrize("value", ["1e51", "1e-51", "9" * 52, 10**60, Decimal("NaN"), float("inf"), "0." + "1" * 400])
def test_a_number_of_absurd_length(value):
    with pytest.raises(OverflowError):
        exact_number(value)


def code(call):
    with pytest.raises(PlanError) as error:
        call()
    return error.value.problems[0].code


def test_only_ordinary_files_are_opened(tmp_path):
    inside = tmp_path / "scheme"
    inside.mkdir()
    (tmp_path / "private.csv").write_text("secret")
    os.mkfifo(inside / "pipe")
    (inside / "loop").symlink_to("loop")
    (inside / "away").symlink_to(tmp_path / "private.csv")
    (inside / "latin").write_bytes(b"caf\xe9")
    with open(inside / "large", "wb") as file:
        file.truncate(MOST_BYTES + 1)
    told = {
        "pipe": "RM018", ".": "RM018", "loop": "RM017", "away": "RM020", "../private.csv": "RM020", "nothing": "RM017",
        "latin": "RM022", "large": "RM019", "a" * 300: "RM017", "../no/where": "RM020",
    }  # fmt: skip
    for name, wanted in told.items():
        assert code(lambda name=name: opened(inside / name, name, inside)) == wanted, name
    (inside / "good").write_text("\ufeffgood", encoding="utf-8")
    assert opened(inside / "good", "good", inside) == "good"


def test_what_is_no_toml(tmp_path):
    assert code(lambda: parsed("a = [\n", "x")) == "RM107"
    assert code(lambda: parsed("a = " + "[" * 5000 + "]" * 5000, "x")) == "RM024"
    assert code(lambda: parsed("a = " + "9" * 6000, "x")) == "RM107"
    path = tmp_path / "x.toml"
    path.write_text("share = 1e99999999999999999999\n")
    file = read_toml(path)
    assert file.take(file.data, {"share": Key(Decimal)}) == {}
    assert [(item.code, item.row) for item in file.problems] == [("RM016", 1)]


@pytest.mark.parametrize(
    "kind, given",
    [
        (str, 5), (bool, "no"), (bool, 1), (int, 2.9), (int, True), (int, "3"), (float, "1_0"), (Decimal, [1]),
        (tuple[str, ...], 5), (tuple[float, ...], "123"), (tuple[int, ...], [1, "2"]),
    ],
)  # fmt: skip
def test_a_value_of_another_type_is_refused(kind, given):
    file = TomlFile("x.toml", {"key": given})
    assert file.take(file.data, {"key": Key(kind)}) == {}
    (wrong,) = file.problems
    assert wrong.code == "RM103" and wrong.line("en") != wrong.line("zh")


def test_one_name_is_a_list_of_one():
    assert TomlFile("", {}).fit("major", tuple[str, ...], "grades") == ("major",)
