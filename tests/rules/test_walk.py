"""Every value of a valid plan, replaced by what it is not: nothing comes out but named problems with their place."""

from __future__ import annotations

import copy
import datetime
import random
import shutil
from pathlib import Path

import pytest

from ratemod.errors import PlanError
from ratemod.plan import files, partly
from ratemod.plan.editions import load_folder, shipped_folder
from ratemod.rules.edit import toml_text
from ratemod.rules.read import TomlFile, read_toml

PLANS = ("jilin-spli/2025-04", "hunan-construction/undated", "experience-examples/split", "work-injury")
ODD = {
    "a number": 7,
    "a negative number": -1,
    "a broken number": 2.5,
    "not a number": float("nan"),
    "infinity": float("inf"),
    "very many digits": 10**4000,
    "a text": "no_such_thing",
    "an empty text": "",
    "a number of absurd length": "1e99999",
    "a flag": True,
    "a day": datetime.date(2026, 2, 3),
    "a moment": datetime.datetime(2026, 2, 3, 4, 5),
    "a list": ["x"],
    "an empty list": [],
    "a list of lists": [[1], [2]],
    "a table": {"x": 1},
    "an empty table": {},
    "a list of tables": [{"x": 1}],
}


def places(data, at=()):
    """Every place of the data, tables and lists themselves too."""
    items = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, value in items:
        yield (*at, key)
        yield from places(value, (*at, key))


def replaced(data, place, value):
    made = copy.deepcopy(data)
    inner = made
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    return made


def reading(path, made):
    """The plan's own file with other data (written out it would cost a second each); all other files as they are."""
    plain = read_toml(path, kinds=files.KINDS)
    return TomlFile(plain.shown, made, plain.content, files.KINDS) if path.name == "plan.toml" else plain


def edition_of(name):
    folder = shipped_folder() / name
    return folder if (folder / "plan.toml").exists() else next(path.parent for path in folder.glob("*/plan.toml"))


@pytest.mark.parametrize("name", PLANS)
def test_every_value_of_a_plan_may_be_anything(name, tmp_path, monkeypatch):
    source = edition_of(name)
    folder = tmp_path / source.parent.name / source.name
    shutil.copytree(source, folder)
    for shared in source.parent.iterdir():  # tables of earlier editions
        if shared.is_dir() and shared != source:
            shutil.copytree(shared, folder.parent / shared.name)
    data = read_toml(source / "plan.toml").data
    chance = random.Random(20260101)
    every = list(places(data))
    for place in chance.sample(every, min(60, len(every))):
        said, odd = chance.choice(list(ODD.items()))
        made = replaced(data, place, odd)
        for reader in (files, partly):
            monkeypatch.setattr(reader, "read_toml", lambda path, *a, made=made, **k: reading(path, made))
        try:
            load_folder(folder)  # some values may be what they are
        except PlanError as error:
            assert error.problems
            assert all(item.line("en") and item.line("zh") for item in error.problems), (place, said)
        except Exception as error:
            raise AssertionError(f"{place} = {said}: {type(error).__name__}: {error}") from error


def test_every_value_of_a_case_may_be_anything(tmp_path):
    source = edition_of("work-injury")
    folder = tmp_path / source.parent.name / source.name
    shutil.copytree(source, folder)
    (path,) = (folder / "cases").glob("*.toml")
    data = read_toml(path).data
    chance = random.Random(7)
    for place in places(data):
        said, odd = chance.choice(list(ODD.items()))
        path.write_text(toml_text(replaced(data, place, odd)), encoding="utf-8")
        try:
            load_folder(folder)
        except PlanError as error:
            assert all(Path(str(item.file)).name == path.name for item in error.problems), (place, said)
