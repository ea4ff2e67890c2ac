"""Levels by the ten thousand, from a file of their own: the same plan, right to the last code."""

from __future__ import annotations

import random
import time
from datetime import date
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import ratemod as rm
from ratemod.plan.model import Source
from ratemod.plan.save import save_edited
from ratemod.plan.write import edition_files
from ratemod.rating.exact import evaluate
from tests.own_plan import plan_text

BODY = """[column.code]
kind = "level"
levels_file = "levels/code.csv"
[column.other]
kind = "level"
levels = ["a", "b"]
[[step]]
name = "kind"
op = "classify"
table = "kind"
[[step]]
name = "rate"
op = "lookup"
table = "rate"
when = { of = "code", is_not = "C000001" }
otherwise = "0.5"
source = "s"
[[step]]
name = "more"
op = "lookup"
table = "more"
[[step]]
name = "raw"
op = "product"
of = ["rate", "more"]
[[step]]
name = "premium"
op = "round"
of = "raw"
unit = "0.01"
"""


def written(folder: Path, n: int) -> Path:
    place = folder / "own" / "1"
    for name in ("tables", "levels"):
        (place / name).mkdir(parents=True)
    codes = [f"C{at:06d}" for at in range(n)]
    lines = [f'{code},Name {code},名称{code},"alias {code}; 别名{code}"' for code in codes]
    (place / "levels" / "code.csv").write_text("code,label_en,label_zh,aliases\n" + "\n".join(lines), "utf-8")
    kinds = "\n".join(f"{code},K{at % 33_000:05d},s" for at, code in enumerate(codes))
    (place / "tables" / "kind.csv").write_text("code,value,source\n" + kinds, "utf-8")
    rates = "\n".join(f"{code},{at}.25,s" for at, code in enumerate(codes))
    (place / "tables" / "rate.csv").write_text("code,value,source\n" + rates, "utf-8")
    sizes = (("a", 1), ("b", 2))
    more = "\n".join(f"K{at:05d},{other},{size},s" for at in range(min(n, 33_000)) for other, size in sizes)
    (place / "tables" / "more.csv").write_text("kind,other,value,source\n" + more, "utf-8")
    (place / "plan.toml").write_text(plan_text(BODY, "no"), encoding="utf-8")
    return place


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return written(tmp_path_factory.mktemp("wide"), 40_000)


def test_forty_thousand_levels_price_and_explain(folder):
    report = rm.check_plan(folder)
    assert report.problems == ()
    plan = report.plan
    numbers = [*random.Random(7).sample(range(40_000), 300), 0, 1, 32_767, 32_768, 33_000, 39_999]
    spelt = [(f"C{at:06d}", f"名称C{at:06d}", f"alias c{at:06d}")[at % 3] for at in numbers]
    book = pd.DataFrame({"no": range(len(numbers)), "code": spelt, "other": ["ab"[at % 2] for at in numbers]})
    rated = rm.rate(book, plan, trace=True)
    wanted = [(25 + 100 * at if at != 1 else 50) * (1 + at % 2) for at in numbers]
    assert rated.outputs.premium_fen.tolist() == wanted
    assert [int(value * 100) for value in evaluate(plan, rated.coding.inputs).values["premium"].fractions()] == wanted
    assert rated.table["kind"].to_pylist() == [f"K{at % 33_000:05d}" for at in numbers]
    assert "K06999" in rated.explain(len(numbers) - 1).text("en")
    found = rm.what_if(book, plan, grid={"tables.rate[C039999].value": ["1", "2"]})
    again = rm.rate(book, plan.replace({"tables.rate[C039999].value": "2"}))
    assert found.total_fen.tolist()[1] == again.premium_fen


def test_an_unknown_code_is_refused_with_the_nearest_quickly(folder):
    plan = rm.load_plan(folder)
    odd = [f"C{at:06d}0" for at in range(100, 40_000, 400)]
    started = time.process_time()
    rated = rm.rate(pd.DataFrame({"no": range(len(odd)), "code": odd, "other": "a"}), plan)
    assert time.process_time() - started < 10
    assert set(rated.table["status"].to_pylist()) == {"refused"}
    nearest = [(item.args["value"], item.args["nearest"]) for item in rated.problems]
    assert any(near and value.startswith(near.code) for value, near in nearest)


def test_few_levels_keep_sixteen_bits(folder):
    inputs = rm.rate({"no": 1, "code": "C000002", "other": "b"}, rm.load_plan(folder)).coding.inputs
    assert inputs.codes["code"].dtype == np.int32 and inputs.codes["other"].dtype == np.int16


def test_an_edition_that_is_written_keeps_its_levels(tmp_path):
    place = written(tmp_path, 50)
    plan = rm.load_plan(place)
    saved = save_edited(plan, {"tables.rate[C000002].value": "9"}, tmp_path / "out")
    assert saved.columns["code"].levels == plan.columns["code"].levels
    changed = plan.replace({"tables.rate[C000002].value": "9"})
    source = Source("t", "test", "illustrative", date(2026, 1, 1))
    files = edition_files(changed, edition="2", new_from=date(2027, 1, 1), source=source, notes="", cases=(),
                          reasons={"rate": {2: "why"}})  # fmt: skip
    assert files["levels/code.csv"] == (place / "levels" / "code.csv").read_text("utf-8")
    assert changed.tables["rate"].rows[2].values == (Decimal(9),)


@pytest.mark.parametrize(
    ("content", "code", "row"),
    [("code,label\nA,a", "RM432", 1), ("label_en\nA", "RM432", 1), ("", "RM432", 1),
     ("code,label_en\nA,a,b", "RM433", 2), ("code,label_en\n,x", "RM433", 2), ("code\nA\nA", "RM145", None)],
)  # fmt: skip
def test_what_is_wrong_in_a_file_of_levels_is_named_with_its_line(tmp_path, content, code, row):
    place = written(tmp_path, 3)
    (place / "levels" / "code.csv").write_text(content, "utf-8")
    told = [item for item in rm.check_plan(place).problems if item.code == code]
    assert told and (row is None or (told[0].row == row and told[0].file.endswith("levels/code.csv")))


def test_levels_stand_in_one_place(tmp_path):
    place = written(tmp_path, 3)
    twice = BODY.replace("levels_file", 'levels = ["a"]\nlevels_file')
    (place / "plan.toml").write_text(plan_text(twice, "no"), "utf-8")
    assert "RM431" in {item.code for item in rm.check_plan(place).problems}
    (place / "plan.toml").write_text(plan_text(BODY.replace("levels/code.csv", "../../../x.csv"), "no"), "utf-8")
    assert {"RM020", "RM017"} & {item.code for item in rm.check_plan(place).problems}
