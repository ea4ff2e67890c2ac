"""From lists to modifications: windows, accidents, successions, refusals, worksheets, movement."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import ratemod as rm
from ratemod.cli import main
from ratemod.errors import ModelError
from ratemod.experience.calibrate import Evidence, choose_split, fit_credibilities, loss_rates
from ratemod.experience.judge import judge
from ratemod.experience.losses import Window
from ratemod.experience.mods import experience_mod
from ratemod.experience.movement import CAUSES, movement
from ratemod.experience.split import SplitRule, split_mod
from ratemod.experience.successions import carried

PROVINCE = Path(__file__).parents[2] / "data" / "province"
RULE = SplitRule("own", "example", 10_000.0, 0.2, 1.0, 50_000.0, accident_limit=100_000.0)


def firms(**more):
    base = {
        "credit_code": ["A", "B", "C"],
        "expected_losses_yuan": [60_000.0, 80_000.0, 40_000.0],
        "expected_primary_losses_yuan": [20_000.0, 30_000.0, 15_000.0],
    }
    return pa.table(base | more)


def claims(*rows):
    names = ("credit_code", "claim_no", "event_no", "event_date", "paid_yuan", "case_reserve_yuan")
    return pa.table({name: [row[i] for row in rows] for i, name in enumerate(names)})


SOME = claims(
    ("A", "C1", "E1", "2022-01-01", 8_000.0, 0.0),
    ("A", "C2", "E2", "2024-12-31", 5_000.0, 9_000.0),
    ("A", "C3", "E3", "2021-12-31", 1e6, 0.0),
    ("B", "C4", "E4", "2025-01-01", 1e6, 0.0),
    ("Z", "C5", "E5", "2023-05-05", 1e6, 0.0),
)


def test_the_window_is_exact_to_the_day():
    found = experience_mod(SOME, firms(), RULE, effective="2026-01-01")
    assert found.actual.claims.tolist() == [2, 0, 0]
    assert found.actual.primary_fen.tolist() == [1_800_000, 0, 0]
    assert found.actual.excess_fen.tolist() == [400_000, 0, 0]
    assert (found.actual.unmatched, found.actual.outside) == (1, 2)


@pytest.mark.parametrize(("years", "lag"), [(0, 12), (3, -1), (1.5, 12)])
def test_a_window_has_years_and_ends_before_the_mod(years, lag):
    with pytest.raises(ModelError) as caught:
        Window(years, lag)
    assert caught.value.problems[0].code == "RM676"


def test_the_mod_is_the_formula():
    found = experience_mod(SOME, firms(), RULE, effective="2026-01-01").frame()
    assert found["mod"][0] == pytest.approx((18_000 + 0.2 * 4_000 + 0.8 * 40_000 + 50_000) / 110_000)


def test_claims_of_one_accident_share_its_limit():
    many = claims(
        ("B", "C1", "E1", "2023-05-05", 150_000.0, 0.0),
        ("B", "C2", "E1", "2023-05-05", 50_000.0, 0.0),
        ("B", "C3", "E9", "2023-05-05", 150_000.0, 0.0),
    )
    found = experience_mod(many, firms(), RULE, effective="2026-01-01")
    parts = {item.number: item.primary_yuan + item.excess_yuan for item in found.explain("B").claims}
    assert parts == {"C1": 75_000.0, "C2": 25_000.0, "C3": 150_000.0}


def test_each_bad_firm_is_refused_alone():
    bad = claims(("A", "C1", "E1", "2023-05-05", -5.0, 0.0), ("B", "C2", "E2", "2023-05-05", 10_000.0, 0.0))
    found = experience_mod(bad, firms(expected_losses_yuan=[60_000.0, 80_000.0, 0.0]), RULE, effective="2026-01-01")
    table = found.frame()
    assert table.status.tolist() == ["refused", "modified", "refused"]
    assert table.code.tolist()[::2] == ["RM610", "RM617"]
    assert {name: found.counts[name] for name in ("firms", "modified", "not_eligible", "refused")} == {
        "firms": 3,
        "modified": 1,
        "not_eligible": 0,
        "refused": 2,
    }


def test_valued_before_it_happened_and_years_without_exposure():
    late = claims(("A", "C1", "E1", "2023-05-05", 5.0, 0.0), ("B", "C2", "E2", "2022-05-05", 10_000.0, 0.0))
    late = late.append_column("valuation_date", pa.array(["2023-01-01", "2024-01-01"]))
    exposed = {f"exposed_{year}": [1, year != 2022, 1] for year in (2022, 2023, 2024)}
    found = experience_mod(
        late, firms(**{k: [float(x) for x in v] for k, v in exposed.items()}), RULE, effective="2026-01-01"
    ).frame()
    assert found.code.tolist()[:2] == ["RM611", "RM613"]
    assert found.status.tolist()[2] == "modified"


def test_a_firm_twice_in_the_list_and_cells_that_cannot_be_read():
    found = experience_mod(
        SOME,
        firms(credit_code=["A", "A", "C"], expected_losses_yuan=["6万", "x", "40000"]),
        RULE,
        effective="2026-01-01",
    ).frame()
    assert found.status.tolist() == ["refused", "refused", "modified"]
    assert found.code.tolist()[0] == "RM616"


@pytest.mark.parametrize(
    ("moved", "said"),
    [
        ({"from_code": ["A", "A"], "to_code": ["B", "C"], "share": [0.75, 0.5]}, [("RM614", "A")]),
        ({"from_code": ["A", "B"], "to_code": ["B", "C"], "share": [0.75, 0.5]}, [("RM615", "B")]),
    ],
)
def test_successions_that_cannot_be_name_their_firms(moved, said):
    with pytest.raises(ModelError) as raised:
        experience_mod(SOME, firms(), RULE, effective="2026-01-01", successions=pa.table(moved))
    assert [(item.code, item.args["firm"]) for item in raised.value.problems] == said
    with pytest.raises(ModelError, match=r"RM614.*firm 1 "):
        carried([1, 2, 3], [1, 1], [0, 2], [0.75, 0.5])


def test_successions_carry_the_whole_record():
    moved = pa.table({"from_code": ["A"], "to_code": ["B"], "share": [0.5]})
    found = experience_mod(SOME, firms(), RULE, effective="2026-01-01", successions=moved)
    assert found.actual.primary_fen.tolist() == [900_000, 900_000, 0]
    assert found.parts.expected.tolist() == [30_000.0, 110_000.0, 40_000.0]
    with pytest.raises(ModelError):
        experience_mod(
            SOME,
            firms(),
            RULE,
            effective="2026-01-01",
            successions=pa.table({"from_code": ["A"], "to_code": ["Q"], "share": [0.5]}),
        )


@settings(deadline=None)
@given(st.lists(st.integers(0, 10**9), min_size=3, max_size=3), st.floats(0, 0.5), st.floats(0, 0.5))
def test_nothing_is_lost_when_records_move(amounts, one, other):
    assert carried(amounts, [0, 0], [1, 2], [one, other]).sum() == sum(amounts)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_order_of_rows_does_not_matter(seed):
    rng = np.random.default_rng(seed)
    table = SOME.take(pa.array(rng.permutation(SOME.num_rows)))
    assert (
        experience_mod(table, firms(), RULE, effective="2026-01-01")
        .frame()
        .equals(experience_mod(SOME, firms(), RULE, effective="2026-01-01").frame())
    )


def test_the_worksheet_adds_up():
    found = experience_mod(SOME, firms(premium_yuan=[100_000.0, 1.0, 1.0]), RULE, effective="2026-01-01")
    sheet = found.explain("A")
    assert sheet.minimum_mod + sum(item.effect for item in sheet.claims) == pytest.approx(sheet.mod)
    assert sheet.controllable_mod == pytest.approx(sheet.mod - sheet.minimum_mod)
    assert [item.years_left for item in sheet.claims] == [3, 1]
    assert "限幅前" in sheet.text("zh")
    assert "data:image/svg+xml" in sheet._repr_html_() and sheet.svg("zh").startswith("<svg")
    with pytest.raises(ModelError):
        found.explain("AA")


def test_movement_adds_up_and_names_the_cause():
    before = experience_mod(SOME, firms(), RULE, effective="2025-01-01")
    after = experience_mod(SOME, firms(), RULE, effective="2026-01-01")
    moved = movement(before, after)
    np.testing.assert_allclose(moved.parts.sum(axis=1), moved.after - moved.before, atol=1e-12)
    of_a = dict(zip(CAUSES, moved.parts[0]))
    assert of_a["claims_left"] < 0 < of_a["claims_entered"]
    assert of_a["exposure"] == of_a["plan"] == of_a["claims_developed"] == 0
    grown = firms(expected_losses_yuan=[90_000.0, 80_000.0, 40_000.0])
    dearer = experience_mod(SOME, grown, RULE, effective="2025-01-01")
    assert dict(zip(CAUSES, movement(before, dearer).parts[0]))["exposure"] != 0


def test_the_command_prices_the_shipped_province(tmp_path, capsys):
    words = ["mods", str(PROVINCE / "claims.parquet"), "--exposure", str(PROVINCE / "renewals.parquet"), "--lang", "en"]
    assert main([*words, "-o", str(tmp_path / "mods.xlsx")]) == 3
    assert "2714 firms" in capsys.readouterr().out
    assert main([*words, "-o", str(tmp_path / "mods.parquet")]) == 3
    assert pq.read_table(tmp_path / "mods.parquet").num_rows == 2714
    code = pq.read_table(tmp_path / "mods.parquet")["firm"][4].as_py()
    assert main([*words, "--explain", code]) == 3
    assert "ballast" in capsys.readouterr().out
    assert main([*words, "--rule", "ilustrative"]) == 1
    assert "illustrative" in capsys.readouterr().err


def test_a_claim_of_no_firm_without_a_day_is_named(tmp_path, capsys):
    own = tmp_path / "claims.csv"
    own.write_text("社会信用代码,赔案号,出险日期,已付赔款\n,C9,,700000\n", encoding="utf-8")
    words = ["mods", str(own), "--exposure", str(PROVINCE / "renewals.parquet"), "--lang", "en"]
    assert main([*words, "-o", str(tmp_path / "m.csv")]) == 3
    assert "C9" in (out := capsys.readouterr().out) and "—" in out and "700,000.00" in out


def test_one_light_claim_among_others_is_reduced_by_itself():
    """A medical claim of 20,000 at 30 % is 6,000, all primary; the other 20,000 is split at 10,000."""
    rule = replace(RULE, accident_limit=None, medical_only_share=0.3)
    both = claims(*(("A", f"C{at}", f"E{at}", "2023-01-01", 20_000.0, 0.0) for at in range(2)))
    found = experience_mod(both.append_column("medical_only", pa.array([1, 0])), firms(), rule, effective="2026-01-01")
    assert (found.actual.primary_fen[0], found.actual.excess_fen[0]) == (1_600_000, 1_000_000)


MODS_LISTS = {  # what is wrong: claims list, exposure list, code and place that are told
    "a day": ("A,C1,3/1/23,5\nB,C2,2023-03-01,7\n", "A,9,4\nB,9,4\n", "RM206", "claims.csv:2"),
    "no amount": ("B,C2,2023-03-01,7\nA,C1,2023-03-01,\n", "A,9,4\nB,9,4\n", "RM630", "claims.csv:3"),
    "a number twice": ("B,C2,2023-03-01,7\nA,C1,2023-03-01,1\nA,C1,2023-04-01,1\n", "A,9,4\nB,9,4\n", "RM629",
                       "claims.csv:3"),
    "a claim of a spoilt code": ("9.122E+17,C1,2023-03-01,5\nB,C2,2023-03-01,7\n", "A,9,4\nB,9,4\n", "RM207",
                                 "claims.csv:2"),
    "a claim of nobody": ("A,C1,2023-03-01,5\n,C2,2023-03-01,7\n", "A,9,4\nB,9,4\n", "RM201", "claims.csv:3"),
    "a firm without a code": ("A,C1,2023-03-01,5\n", "A,9,4\n,9,4\n", "RM201", "firms.csv:3"),
    "a firm twice": ("A,C1,2023-03-01,5\n", "B,9,4\nA,9,4\nA,8,4\n", "RM616", "firms.csv:3"),
    "nothing expected": ("A,C1,2023-03-01,5\n", "B,9,4\nA,,4\n", "RM617", "firms.csv:3"),
}  # fmt: skip


@pytest.mark.parametrize("name", MODS_LISTS)
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_what_cannot_be_used_is_named_with_its_row_and_how_to_mend_it(name, lang, tmp_path, capsys):
    claims, firms, code, place = MODS_LISTS[name]
    (tmp_path / "claims.csv").write_text(
        "统一社会信用代码,赔案号,出险日期,已付赔款（万元）\n" + claims, encoding="utf-8"
    )
    (tmp_path / "firms.csv").write_text(
        "统一社会信用代码,期望损失（万元）,期望初级损失（万元）\n" + firms, encoding="utf-8"
    )
    words = ["--lang", lang, "mods", str(tmp_path / "claims.csv"), "--exposure", str(tmp_path / "firms.csv")]
    assert main([*words, "--effective", "2026-01-01"]) == 3
    said = [line for line in capsys.readouterr().out.splitlines() if code in line]
    assert said and place in said[0] and said[0].count(code) == 1


def panel(seed=11, enterprises=12_000):
    """Return yearly sums by firm of a synthetic province: expectations of a sector rate, counts and amounts."""
    frame = rm.synthesize(enterprises=enterprises, years=5, seed=seed).table("panel").to_pandas()
    frame = frame[frame.earned_head_years > 0]
    frame["cell"] = frame.sector.astype(str) + frame.size_class.astype(str)
    frame["loss"] = np.minimum(frame.incurred_fen / 100, 5e5 * np.maximum(frame.claims, 1))
    rate = frame.groupby("cell").loss.sum() / frame.groupby("cell").earned_head_years.sum()
    frame["expected"] = frame.cell.map(rate).astype(float) * frame.earned_head_years
    return frame


@pytest.fixture(scope="module")
def history():
    return panel()


def evidence(frame, split):
    """Experience: the first four years; the fifth is what the mods are for. Primary at the mean claim of a year."""
    per = np.where(frame.claims > 0, frame.loss / np.maximum(frame.claims, 1), 0.0)
    frame = frame.assign(primary=np.minimum(per, split) * frame.claims)
    past, last = frame[frame.year < frame.year.max()], frame[frame.year == frame.year.max()]
    d_ratio = past.primary.sum() / past.loss.sum()
    one = past.groupby("credit_code")[["expected", "primary", "loss"]].sum()
    after = last.set_index("credit_code")[["expected", "loss"]].rename(columns=lambda name: f"next_{name}")
    both = one.join(after, how="inner").query("expected > 0")
    expected, excess = both.expected.to_numpy(), np.maximum(both.loss - both.primary, 0.0).to_numpy()
    return Evidence(
        expected,
        expected * d_ratio,
        both.primary.to_numpy(),
        excess,
        both.next_expected.to_numpy(),
        both.next_loss.to_numpy(),
    )


def test_the_quintile_test_flattens_after_modification(history):
    seen = evidence(history, 60_000.0)
    fit = fit_credibilities(seen, 60_000.0)
    mods = split_mod(fit.rule(), seen.actual_primary, seen.actual_excess, seen.expected, seen.expected_primary).mod
    found = judge(mods, seen.next_expected, seen.next_actual)
    assert found.before[-1] - found.before[0] > 0.4, "there is something to tell apart"
    assert found.spread_after < 0.25 * found.spread_before
    assert found.efficiency > 0


def test_primary_losses_are_believed_more_than_excess_ones(history):
    fit = fit_credibilities(evidence(history, 60_000.0), 60_000.0)
    assert fit.k_primary < fit.k_excess


def test_a_best_split_is_found_among_those_tried(history):
    best, tried = choose_split([5_000.0, 60_000.0, 400_000.0], lambda at: evidence(history, at))
    assert best.efficiency == max(item.efficiency for item in tried)


def test_planted_heterogeneity_comes_back():
    """Claims of equal size with gamma effects of variance 1/2 and expectation 4: K is 2 claims, whatever the firm."""
    rng = np.random.default_rng(5)
    theta = rng.gamma(2.0, 0.5, 200_000)
    size = rng.uniform(0.5, 8.0, 200_000)
    seen = Evidence(size, size, rng.poisson(theta * size) * 1.0, size * 0, size, rng.poisson(theta * size) * 1.0)
    assert fit_credibilities(seen, 1.0).k_primary == pytest.approx(2.0, rel=0.05)


def test_loss_rates_by_group():
    rate, d = loss_rates([0, 1, 1], [10.0, 4.0, 4.0], [20.0, 4.0, 0.0], [5.0, 4.0, 0.0], 3)
    assert rate[:2].tolist() == [2.0, 0.5]
    assert np.isnan(rate[2])
    assert d.tolist() == [0.25, 1.0, 9.0 / 24.0]


def test_the_window_in_a_leap_year():
    first, after = Window(3, 12).of(np.array(["2024-02-29"], "datetime64[D]"))
    assert (str(first[0]), str(after[0])) == ("2020-02-29", "2023-02-28")


@pytest.mark.parametrize("day", ["2026-13-01", "2026-02-30", "next January", 20260101.5])
def test_a_day_that_is_none_is_refused_by_the_name_of_its_argument(day):
    with pytest.raises(ModelError) as error:
        experience_mod(SOME, firms(), RULE, effective=day)
    (refused,) = error.value.problems
    assert (refused.code, refused.args["name"], refused.args["value"]) == ("RM014", "effective", day)
