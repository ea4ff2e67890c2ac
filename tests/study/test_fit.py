"""A study from end to end: the edition it writes passes, prices, lands on its target, and comes out the same again."""

from __future__ import annotations

import json
import shutil
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ratemod.errors import BookError, ModelError
from ratemod.plan.editions import load_folder, load_plan
from ratemod.plan.part import part_of
from ratemod.rating.cases import check_plan
from ratemod.rating.rate import rate
from ratemod.study.assumptions import Assumptions, read_assumptions
from ratemod.study.caps import uncapped
from ratemod.study.edition import study_files
from ratemod.study.fit import fit
from ratemod.study.losses import CATASTROPHE, WITHOUT_COST

PROVINCE = Path(__file__).parents[2] / "data" / "province"
PLAN = "jilin-spli/2025-04"
FROM = "2026-01-01"


@pytest.fixture(scope="module")
def study():
    return fit(PROVINCE, PLAN, new_from=FROM)


@pytest.fixture(scope="module")
def written(study, tmp_path_factory):
    folder = tmp_path_factory.mktemp("study") / "next"
    return study.write(folder)


def tables(*names):
    found = ("policies", "claims", "endorsements", "valuations", "panel", "renewals")
    return {name: pq.read_table(PROVINCE / f"{name}.parquet") for name in found if not names or name in names}


def codes(error):
    return {item.code for item in error.value.problems}


def test_the_edition_passes_its_check_and_every_case(written, study):
    report = check_plan(written)
    assert report.problems == ()
    assert report.passed == len(study.plan.cases) > 0


def test_the_edition_prices_the_book_and_lands_on_the_target(written, study):
    rated = rate(PROVINCE / "renewals.parquet", load_folder(written))
    assert rated.premium_fen == study.rates.premium_fen
    full = rate(PROVINCE / "renewals.parquet", uncapped(load_folder(written)))
    assert full.premium_fen == study.rates.full_fen
    assert study.rates.expected_yuan * 100 / full.premium_fen == pytest.approx(study.rates.target, rel=2e-3)


def test_changed_cells_name_the_study_and_the_rest_is_untouched(written, study):
    new = load_folder(written)
    for row in new.tables["base_rate"].rows:
        assert row.source == "study_2026_01"
        assert "indicated" in row.note
    for name, table in study.plan.tables.items():
        if name != "base_rate":
            assert new.tables[name].digest == table.digest
    assert "SYNTHETIC" in new.sources["study_2026_01"].title
    assert new.standing == study.plan.standing == "example"


def test_the_record_runs_again_to_the_same_bytes(written, study, tmp_path):
    record = json.loads((written.parents[1] / "study" / "record.json").read_text("utf-8"))
    again = fit(PROVINCE, load_plan(PLAN), read_assumptions(record["assumptions"]))
    assert study_files(again) == study_files(study)


def test_row_order_does_not_matter(study):
    rng = np.random.default_rng(1)
    shuffled = {name: table.take(pa.array(rng.permutation(table.num_rows))) for name, table in tables().items()}
    again = fit(shuffled, PLAN, new_from=FROM)
    assert [cell.selected for cell in again.rates.cells] == [cell.selected for cell in study.rates.cells]


def test_expected_equals_actual_as_a_whole_and_by_the_model(study):
    frame = study.frames()["actual_expected"]
    for name in ("sector", "size_class", "year"):
        part = frame[frame.factor == name]
        assert part.actual_yuan.sum() == pytest.approx(part.expected_yuan.sum(), rel=0.02)


def test_claims_and_money_are_all_accounted_for(study):
    data = study.data
    claims = pq.read_table(PROVINCE / "claims.parquet")
    struck = claims.num_rows - int((data.fate == WITHOUT_COST).sum()) - int(data.counts.sum())
    assert struck == int((data.fate == CATASTROPHE).sum()) >= 3, "the planted catastrophe is set apart"
    assert data.catastrophe_yuan.sum() > 0
    assert data.capped_yuan.sum() + data.excess_yuan.sum() == pytest.approx(data.claim_whole_yuan.sum())


def test_exposure_base_is_the_premium_at_a_rate_of_one(study):
    at_one = study.base.yuan
    rate_of = study.base.current_yuan / at_one
    values = {float(row.values[0]) for row in study.tables[0].rows}
    assert {round(float(value), 6) for value in rate_of} <= values


def test_a_choice_is_kept_with_its_reason(tmp_path):
    path = "tables.base_rate[mining, small].value"
    chosen = fit(PROVINCE, PLAN, new_from=FROM, chosen={path: ("1.30", "phased over two years")})
    cell = next(cell for cell in chosen.rates.cells if cell.path == path)
    assert (cell.selected, cell.reason) == (Decimal("1.30"), "phased over two years")
    assert chosen.rates.reached == pytest.approx(chosen.rates.target, rel=2e-3)
    edition = chosen.write(tmp_path / "next")
    row = next(row for row in load_folder(edition).tables["base_rate"].rows if row.keys == ("mining", "small"))
    assert row.note.endswith("phased over two years")


def test_several_tables_at_once_keep_the_average_of_the_factors():
    both = fit(PROVINCE, PLAN, new_from=FROM, tables=["base_rate", "standard_credit"])
    credits = [cell for cell in both.rates.cells if cell.table == "standard_credit"]
    effect = both.model.effects["standardisation"]
    now = np.array([float(cell.current) for cell in credits])
    new = np.array([cell.indicated for cell in credits])
    assert effect.weight @ new == pytest.approx(effect.weight @ now, rel=1e-9)
    assert both.rates.reached == pytest.approx(both.rates.target, rel=2e-3)


def test_monotone_sizes_do_not_zigzag():
    made = fit(PROVINCE, PLAN, new_from=FROM, monotone={"size_class": "decreasing"})
    used = made.model.effects["size_class"].used
    assert (np.diff(used) <= 1e-12).all()


def test_tweedie_lands_too():
    made = fit(PROVINCE, PLAN, new_from=FROM, model="tweedie")
    assert list(made.model.fits) == ["pure premium"]
    assert made.rates.reached == pytest.approx(made.rates.target, rel=2e-3)


def test_thin_levels_are_merged_with_a_record(study):
    assert [(item.factor, item.level, item.into) for item in study.model.merges] == [("sector", "fireworks", "mining")]
    effect = study.model.effects["sector"]
    assert np.isfinite(effect.used).all()


def test_without_past_values_the_study_asks_for_them():
    given = {name: table for name, table in tables().items() if name != "valuations"}
    with pytest.raises(ModelError) as error:
        fit(given, PLAN, new_from=FROM)
    assert codes(error) == {"RM589"}
    assert fit(given, PLAN, new_from=FROM, development="none").data.development is None


def test_bad_rows_are_set_aside_each_with_its_reason(tmp_path):
    given = tables()
    claims = given["claims"].to_pandas()
    claims.loc[0, "policy_no"] = "NOBODY"
    claims.loc[1, "event_date"] = pq.read_table(PROVINCE / "claims.parquet")["event_date"][1].as_py().replace(year=2015)
    claims.loc[2, "paid_fen"] = -(10**12)
    claims = pd.concat([claims, claims.iloc[[3]]], ignore_index=True)
    policies = given["policies"].to_pandas()
    policies.loc[5, "end_date"] = policies.loc[5, "start_date"]
    policies["sector"] = policies["sector"].astype(str)
    policies.loc[6, "sector"] = "minning"
    made = fit(
        given | {"claims": pa.Table.from_pandas(claims), "policies": pa.Table.from_pandas(policies)},
        PLAN,
        new_from=FROM,
    )
    seen = {(item.table, item.problem.code): len(item.rows) for item in made.history.refused}
    for key in (("claims", "RM509"), ("claims", "RM582"), ("policies", "RM577")):
        assert seen[key] == 1
    assert seen["claims", "RM970"] == 1, "a row repeated cell for cell counts once"
    assert seen["claims", "RM396"] >= 1
    refused = made.frames()["refused"]
    assert refused[refused.table == "policies"].reason.str.contains("minning").any()


def test_messy_csv_history_reads_like_parquet(study, tmp_path):
    """Chinese headers, GB18030, text amounts in yuan: the same study."""
    headers = {
        "policy_no": "保单号",
        "start_date": "保险起期",
        "end_date": "保险止期",
        "heads": "投保人数",
        "limit_yuan": "每人限额",
        "credit_code": "统一社会信用代码",
    }
    for name, table in tables().items():
        frame = table.to_pandas()
        if name == "policies":
            frame = frame.rename(columns=headers)
        if name == "claims":
            frame = frame.drop(columns=["paid_fen", "case_reserve_fen"]).assign(
                已决赔款=[f"{value / 100:,.2f}" for value in frame.paid_fen],
                未决赔款=[f"{value / 100:,.2f}" for value in frame.case_reserve_fen],
            )
        frame.to_csv(tmp_path / f"{name}.csv", index=False, encoding="gb18030")
    again = fit(tmp_path, PLAN, new_from=FROM)
    assert [cell.selected for cell in again.rates.cells] == [cell.selected for cell in study.rates.cells]


def test_all_wrong_assumptions_are_told_at_once():
    with pytest.raises(ModelError) as error:
        read_assumptions({"new_frm": "2026-01-01", "model": "tree", "profit": "much", "monotone": {"size": "up"}})
    assert [item.code for item in error.value.problems] == [
        "RM101",
        "RM104",
        "RM103",
        "RM104",
    ]  # misspelt, not missing too
    for wrong in (
        {"profit": float("nan")},
        {"profit": -0.1},
        {"least_claims": 2.5},
        {"reasons": {"severity_tend": "x"}},
        {"new_from": "2026-02-30"},
        {"tables": 3},
    ):
        with pytest.raises(ModelError) as error:
            read_assumptions({"new_from": "2026-01-01", **wrong})
        assert len(error.value.problems) == 1, wrong


def test_assumptions_made_in_python_are_held_to_the_same_sets():
    for wrong in (
        {"model": "twedie"},
        {"development": "Volume"},
        {"complement": "curent"},
        {"monotone": {"size": "up"}},
        {"reasons": {"severity_tend": "wage index"}},
    ):
        with pytest.raises(ModelError):
            Assumptions(new_from=FROM, **wrong)


def test_assumptions_survive_a_round_trip():
    day = read_assumptions({"new_from": FROM}).new_from
    given = Assumptions(day, monotone={"size_class": "decreasing"}, decimals=2)
    assert read_assumptions(json.loads(json.dumps(given.plain()))).plain() == given.plain()


@pytest.mark.parametrize(
    "stated, code",
    [
        ({"tables": ["base_rat"]}, "RM583"),
        ({"tables": ["hazard_loading"]}, "RM587"),
        ({"controls": ["colour"]}, "RM588"),
        ({"expenses": {"administration": 0.9}}, "RM554"),
    ],
)
def test_refusals_name_the_fault(stated, code):
    with pytest.raises(ModelError) as error:
        fit(PROVINCE, PLAN, new_from=FROM, **stated)
    assert code in codes(error)


def test_an_unreachable_target_says_what_can_be_reached():
    """With every rate held at the expiring premium, no rate brings the book to another loss ratio."""
    with pytest.raises(ModelError) as error:
        fit(
            PROVINCE,
            load_plan(PLAN).replace({"steps.renewal_cap.high": "1.0", "steps.renewal_cap.low": "1.0"}),
            new_from=FROM,
            expenses={"administration": 0.60},
            book=renewals_only(),
            caps="in_rates",
            accept={"indicated_change": "a test of the refusal"},
        )
    assert codes(error) == {"RM593"}


def renewals_only():
    import pyarrow.compute as pc

    book = pq.read_table(PROVINCE / "renewals.parquet")
    return book.filter(pc.equal(book["business"].cast(pa.string()), "renewal"))


def test_a_history_that_is_none():
    with pytest.raises(ModelError) as error:
        fit(PROVINCE.parent, PLAN, new_from=FROM)
    assert codes(error) == {"RM574"}
    with pytest.raises((ModelError, BookError)):
        fit("no-such-folder", PLAN, new_from=FROM)


def test_nothing_but_an_earlier_study_is_replaced(study, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("keep me")
    with pytest.raises(ModelError) as error:
        study.write(tmp_path / "mine")
    assert codes(error) == {"RM596"}
    assert (tmp_path / "mine" / "letter.txt").read_text() == "keep me"
    first = study.write(tmp_path / "next")
    assert study.write(tmp_path / "next") == first
    assert not [path for path in tmp_path.iterdir() if path.name.endswith((".part", ".old"))]
    shutil.rmtree(tmp_path / "next")


def test_part_of_a_plan_prices_one_step_alone():
    plan = load_plan(PLAN)
    part = part_of(plan, "base_premium")
    assert {"sector", "heads", "limit_yuan"} <= plan.graph().upstream(["base_premium"])
    assert set(part.tables) == {"base_rate", "headcount_scale", "limit_factor"}
    book = PROVINCE / "renewals.parquet"
    whole, alone = rate(book, plan, trace=("base_premium",)), rate(book, part, trace=("base_premium",))
    priced = whole.verdict.status < 2
    assert (whole.outputs.steps["base_premium"][priced] == alone.outputs.steps["base_premium"][priced]).all()


def test_new_business_never_pays_for_the_caps_of_renewals(study):
    """The same renewals under the new rates, priced as new business: no cap protects them, and they meet the target."""
    book = pq.read_table(PROVINCE / "renewals.parquet")
    fresh = book.set_column(book.column_names.index("business"), "business", pa.array(["new"] * book.num_rows))
    rated = rate(fresh, study.rates.plan)
    assert study.rates.expected_yuan * 100 / rated.premium_fen == pytest.approx(study.rates.target, rel=2e-3)


def test_what_caps_withhold_is_recovered_year_by_year(study):
    """Caps of a tenth: each year's premium is the next one's expiring one, until the full premium is paid."""
    frame = study.frames()["recovery"]
    held = frame.full_premium_yuan - frame.premium_yuan
    assert (frame.withheld_yuan == held.round(2)).all()
    assert frame.premium_yuan[0] == study.rates.premium_fen / 100
    plan = load_plan(PLAN).replace({"steps.renewal_cap.low": "0.90", "steps.renewal_cap.high": "1.10"})
    tight = fit(PROVINCE, plan, new_from=FROM, book=renewals_only()).rates
    apart = [abs(item.withheld_fen) for item in tight.recovery]
    assert len(apart) >= 3 and apart[0] > 0.005 * tight.full_fen
    assert apart[-1] < apart[0] / 2
    assert tight.reached == pytest.approx(tight.target, rel=2e-3)


def test_caps_are_paid_for_by_the_rates_only_where_asked_for_by_name():
    plan = load_plan(PLAN).replace({"steps.renewal_cap.low": "0.90", "steps.renewal_cap.high": "1.10"})
    made = fit(PROVINCE, plan, new_from=FROM, caps="in_rates").rates
    assert made.expected_yuan * 100 / made.premium_fen == pytest.approx(made.target, rel=2e-3)
    assert abs(made.expected_yuan * 100 / made.full_fen / made.target - 1) > 0.005


def test_the_interval_is_the_sum_of_its_parts(study):
    parts = dict(study.uncertainty.parts)
    process = parts.pop("process")
    error = np.sqrt(sum(part**2 for part in parts.values()))
    low, high = study.indicated_interval
    assert np.log((1 + high) / (1 + low)) == pytest.approx(2 * 1.6448536 * error, rel=1e-6)
    low, high = study.loss_ratio_interval
    assert np.log(high / low) == pytest.approx(2 * 1.6448536 * np.hypot(error, process), rel=1e-6)
    frame = study.frames()["uncertainty"].set_index("of")
    assert frame.low["indicated change"] == study.indicated_interval[0]


def test_merged_levels_have_no_interval_of_another(study):
    frame = study.frames()["relativities"]
    merged = frame[frame.merged_into != ""]
    assert list(merged.level) == ["fireworks"] and list(merged.merged_into) == ["mining"]
    assert merged[["fitted", "low", "high"]].isna().all().all()
