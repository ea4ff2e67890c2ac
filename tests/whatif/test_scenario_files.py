"""Scenarios with other tables, with a day, and kept beside their plan."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import ratemod as rm
from ratemod.cli import main
from ratemod.errors import PlanError
from ratemod.whatif.dislocation import compare
from ratemod.whatif.engine import TOUCHED, engine
from ratemod.whatif.scenario import apply, read_scenario, scenario, together, words
from ratemod.whatif.shelf import find, saved
from ratemod.whatif.sweep import what_if

PROVINCE = Path(__file__).parents[2] / "data" / "province"
FILE = "tables.hazard_loading.file"


@pytest.fixture(scope="module")
def plan():
    return rm.load_plan("jilin-spli/2025-04")


@pytest.fixture(scope="module")
def book():
    return pq.read_table(PROVINCE / "renewals.parquet")


@pytest.fixture(scope="module")
def base(book, plan):
    return engine(book, plan)


def loading(plan):
    file = Path(plan.folder) / "tables" / "hazard_loading.csv"
    return pd.read_csv(file, dtype=str, keep_default_na=False)


def full(book, plan):
    rated = rm.rate(book, plan, trace=False, lang="en")
    return np.where(rated.verdict.status < 2, rated.outputs.premium_fen, 0)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(st.lists(st.integers(1, 200), max_size=4, unique=True).map(sorted), st.data()), min_size=1, max_size=3
    )
)
def test_a_new_table_is_a_full_re_rate_to_the_fen_wherever_the_book_stands(book, plan, base, moves):
    """Bands of any number, one after another through one engine, and cells of the new table changed too."""
    for ends, data in moves:
        frame = loading(plan)
        frame = frame[frame.hazard_state != "refused"]
        lows, highs = ["", *map(str, ends)], [*map(str, ends), ""]
        values = [data.draw(st.sampled_from(["1.00", "1.35", "1.80", "2.00"])) for _ in lows]
        new = pd.DataFrame(
            {
                "hazard_state": "refused",
                "hazard_overdue_days_from": lows,
                "hazard_overdue_days_below": highs,
                "value": values,
                "source": "own",
                "note": "",
            }
        )
        changes = {FILE: pd.concat([new, frame])}
        for more in ({}, {"tables.hazard_loading[open, ..].value": "1.10"}, {"tables.base_rate": "*1.03"}):
            changed = apply(plan, changes | more)
            outcome = base.price(changes | more)
            assert (outcome.whole(base) == full(book, changed)).all()


def test_the_same_table_changes_nothing_and_one_cell_touches_its_rows(plan, base):
    frame = loading(plan)
    assert base.price({FILE: frame}).total_fen == base.total_fen
    assert apply(plan, {FILE: frame}).fingerprint == plan.fingerprint
    frame.loc[2, "value"] = "1.10"
    assert base.price({FILE: frame}).how == TOUCHED
    cell = {"tables.hazard_loading[open, ..].value": "1.10"}
    assert base.price({FILE: frame}).total_fen == base.price(cell).total_fen
    assert words(plan, {FILE: frame})[1:] == ["tables.hazard_loading[open, ..].value: 1.05 → 1.1"]


def test_new_tables_are_checked_as_a_plans_own(tmp_path, plan):
    def refused(frame, *codes):
        path = tmp_path / "new.csv"
        frame.to_csv(path, index=False)
        with pytest.raises(PlanError) as caught:
            apply(plan, {FILE: str(path)})
        assert {item.code for item in caught.value.problems} == set(codes)
        assert all("new.csv" in str(item) for item in caught.value.problems)
        return str(caught.value)

    frame = loading(plan)
    assert "verified" in refused(frame.replace("verified", "verifed"), "RM130")
    assert ":4" in refused(frame.assign(source=["own"] * 2 + ["nowhere"] + ["own"] * 6), "RM117")
    refused(frame.drop(columns="source"), "RM124")
    refused(frame.drop(index=4), "RM134")
    refused(frame.rename(columns={"hazard_state": "standardisation"}), "RM130", "RM866")
    with pytest.raises(PlanError, match="hazard_loading"):
        apply(plan, {"tables.hazard_loadin.file": frame})


def test_a_day_holds_for_new_business_and_renewals(book, plan, base):
    day = date(2026, 7, 1)
    late = scenario("late", {"tables.base_rate": "*1.05"}, on=day, plan=plan)
    rated = rm.rate(book, plan, lang="en")
    starts = rated.coding.inputs.numbers["start_date"]
    waits = starts < (day - date(1970, 1, 1)).days
    assert 0 < waits.sum() < len(waits)
    changed = full(book, apply(plan, late))
    wanted = np.where(waits, full(book, plan), changed)
    assert (base.price(late).whole(base) == wanted).all()
    sweep = what_if(book, plan, [late, replace(late, on=None)], base=base, by=["sector"])
    assert sweep.total_fen.tolist() == [wanted.sum(), changed.sum()]
    assert sweep.segment_fen.sum(axis=1).tolist() == sweep.total_fen.tolist()
    found = compare(rated, rm.rate(book, apply(plan, late), lang="en"))
    assert found.totals["premium_after_fen"] == wanted.sum() and (found.waiting == waits).all()
    assert "2026-07-01" in words(plan, late, "zh")[0]
    assert base.price(replace(late, on=date(2000, 1, 1))).total_fen == changed.sum()
    with pytest.raises(PlanError, match="different days"):
        together("both", [late, replace(late, on=date(2026, 8, 1))])


def test_scenarios_are_saved_beside_their_plan_and_found_by_name(tmp_path, capsys, plan):
    folder = tmp_path / "jilin-spli" / "2025-04"
    shutil.copytree(plan.folder, folder)
    own = rm.load_plan(str(folder))
    frame = loading(plan)
    frame.loc[2, "value"] = "1.10"
    changes = {FILE: frame, "tables.base_rate": "*1.01"}
    one = scenario("拒不整改", changes, on=date(2026, 7, 1), note="会议纪要", plan=own)
    path = one.save()
    assert path == folder / "scenarios" / "拒不整改.toml" and saved(own) == ("拒不整改",)
    again = find(own, "拒不整改")
    assert apply(own, again).fingerprint == apply(own, one).fingerprint
    assert (again.on, again.note) == (one.on, one.note)
    assert rm.load_plan(str(folder)).fingerprint == own.fingerprint
    for wrong, code in (
        (one.save, "RM869"),
        (replace(one, name="../x").save, "RM867"),
        (replace(one, folder="").save, "RM875"),
        (lambda: find(own, "拒不整"), "RM868"),
    ):
        with pytest.raises(PlanError, match=code):
            wrong()
    book = str(PROVINCE / "renewals.parquet")
    assert main(["--lang", "zh", "what-if", book, "--plan", str(folder), "--scenario", "拒不整改"]) == 0
    said = capsys.readouterr().out
    assert "2026-07-01" in said and "新表9行" in said
    path.write_text(path.read_text(encoding="utf-8").replace("on =", "form ="), encoding="utf-8")
    with pytest.raises(PlanError, match="'form'"):
        read_scenario(path)
