"""The evaluation: the planted effect is found where naive comparisons are wrong; quality by hand; a safe report."""

from __future__ import annotations

import datetime
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from ratemod.cli import main
from ratemod.document.html import page
from ratemod.errors import BookError, ModelError
from ratemod.fund.conditional_poisson import conditional_poisson
from ratemod.fund.effect import estimate_effect
from ratemod.fund.evaluation import evaluate_services
from ratemod.fund.evaluation_document import evaluation_document, summary
from ratemod.synth.province import load_province, synthesize
from ratemod.synth.truth import Truth
from tests.fund.test_commands import PROVINCE

D = datetime.date


def drawn(firms: int, years: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    draw = np.random.default_rng(seed)
    firm = np.repeat(np.arange(firms), years)
    risk = draw.gamma(1, 1, firms)[firm]
    x = np.column_stack([draw.normal(size=firms * years), (draw.random(firms * years) < 0.3 + 0.2 * (risk > 1))])
    exposure = draw.uniform(0.5, 3, firms * years)
    return draw.poisson(exposure * risk * np.exp(0.3 * x[:, 0] - 0.4 * x[:, 1])), x, np.log(exposure), firm


def test_firm_effects_are_those_of_statsmodels():
    import statsmodels.api as sm
    from statsmodels.discrete.conditional_models import ConditionalPoisson

    y, x, offset, firm = drawn(150, 4, 1)
    order = np.random.default_rng(0).permutation(len(y))
    fit = conditional_poisson(y[order], x[order], offset[order], firm[order], ("a", "b"), 1)
    other = ConditionalPoisson(y, x, groups=firm, offset=offset).fit(disp=0)
    assert fit.beta == pytest.approx(other.params, abs=2e-4)  # its BFGS stops early
    dummies = np.concatenate([x, pd.get_dummies(firm).to_numpy(float)], axis=1)
    tells = np.isin(firm, np.flatnonzero(np.bincount(firm, y) > 0))
    kept = np.flatnonzero(dummies[tells].any(axis=0))
    model = sm.GLM(y[tells], dummies[tells][:, kept], family=sm.families.Poisson(), offset=offset[tells])
    dense = model.fit(cov_type="cluster", cov_kwds={"groups": firm[tells]})
    assert fit.beta == pytest.approx(dense.params[:2], abs=1e-7)
    for_columns = np.sqrt((tells.sum() - 1) / (tells.sum() - len(kept)))  # statsmodels counts every dummy as a column
    assert fit.error * for_columns == pytest.approx(dense.bse[:2], rel=1e-6)


def test_columns_that_say_nothing_are_left_out_and_a_question_without_answer_is_refused():
    y, x, offset, firm = drawn(60, 3, 2)
    own = np.column_stack([firm, x[:, 0], 2 * x[:, 0], x[:, 1]]).astype(float)
    fit = conditional_poisson(y, own, offset, firm, ("of_firm", "a", "twice_a", "b"), 1)
    assert fit.names == ("a", "b")
    with pytest.raises(ModelError) as error:
        conditional_poisson(y, own[:, [1, 2]], offset, firm, ("a", "twice_a"), 1)
    assert (error.value.problems[0].code, error.value.problems[0].args["names"]) == ("RM742", "twice_a")
    with pytest.raises(ModelError) as error:
        conditional_poisson(np.zeros_like(y), x, offset, firm, ("a", "b"), 1)
    assert error.value.problems[0].code == "RM740"


def test_one_firm_alone_gives_an_estimate_without_an_error():
    """Errors take a firm's years together: of one firm there is nothing to judge by, and no certainty either."""
    fit = conditional_poisson(
        np.array([2, 1, 0]), np.array([[0.0], [1.0], [0.0]]), np.zeros(3), np.array([4, 4, 5]), ("served",), 1
    )
    assert fit.of("served")[0] == pytest.approx(np.log(0.5)) and np.isnan(fit.of("served")[1]) and fit.firms == 1


def planted(province) -> float:
    """Return the true rate ratio of served years: what is expected of them over what would be without services."""
    truth, panel = (province.table(name).to_pandas() for name in ("truth_terms", "panel"))
    served = truth[truth["policy_no"].isin(panel["policy_no"]) & (truth["services_before"] > 0)]
    return served["expected_claims"].sum() / (served["expected_claims"] / served["service_factor"]).sum()


@pytest.fixture(scope="module")
def several():
    found = []
    for seed in (101, 102, 103, 104):
        province = synthesize(4000, 5, seed)
        found.append((planted(province), estimate_effect(province.table("panel"), permutations=2)))
    return found


def test_the_planted_effect_is_recovered_where_the_naive_sign_is_wrong(several):
    miss = {method: [] for method in ("fixed", "weighted", "robust")}
    for truth, effect in several:
        assert truth < 0.8
        for row in effect.estimates.to_pylist():
            if row["method"] in miss:
                miss[row["method"]].append((np.log(row["rate_ratio"]) - np.log(truth)) / row["log_error"])
        # Alike in all that is known, the served still have more claims: the wrong sign.
        assert effect.ratio("adjusted")[0] > 1
        assert effect.ratio("naive")[0] > 0.85
        assert effect.ratio("fixed")[2] < 1
    for method, z in miss.items():
        assert np.abs(z).max() < 3, (method, z)
        assert (np.abs(z) < 1.96).sum() >= 3, (method, z)
        assert abs(np.mean(z)) < 2.6 / np.sqrt(len(z)), (method, z)


def test_more_services_do_more(several):
    for _, effect in several:
        ratio = effect.doses["rate_ratio"].to_pylist()
        assert ratio[2] < ratio[0]
        assert max(ratio) < 1


def test_without_an_effect_none_is_found():
    province = synthesize(4000, 5, 77)
    truth = province.table("truth_terms").to_pandas().set_index("policy_no")
    panel = province.table("panel").to_pandas()
    here = truth.loc[panel["policy_no"]]
    mean = (here["expected_claims"] / here["service_factor"] / here["head_years"]).to_numpy()
    panel["claims"] = np.random.default_rng(3).poisson(mean * panel["earned_head_years"])
    effect = estimate_effect(panel, permutations=39)
    for row in effect.estimates.to_pylist()[2:]:
        assert abs(np.log(row["rate_ratio"])) < 2.6 * row["log_error"], row
    assert effect.ratio("adjusted")[1] > 1, "selection looks like harm"
    # of the two tests one is a placebo; the other asks whether the estimate stands out of chance, and here it must not
    assert effect.placebos["passed"].to_pylist()[1] is None
    assert effect.placebos["p_value"].to_pylist()[1] > 0.05
    assert effect.avoided_low < 0 < effect.avoided_high


def test_services_dealt_at_random_settle_in_a_thin_province():
    """Levels without a claim run away in one deal and not in the next: each deal is fitted from nothing."""
    frequency = replace(Truth().frequency, service_effect_most=0.0)
    province = synthesize(700, 4, seed=2, first_year=2022, planted=replace(Truth(), frequency=frequency))
    effect = estimate_effect(province.table("panel"), permutations=19)
    assert effect.placebos["passed"].to_pylist()[0] is True
    assert effect.ratio("fixed")[1] < 1 < effect.ratio("fixed")[2]


def test_order_of_rows_is_irrelevant_and_thin_questions_are_refused():
    panel = synthesize(600, 4, 5).table("panel")
    turned = panel.take(np.random.default_rng(1).permutation(panel.num_rows))
    one, two = (estimate_effect(given, ("sector", "size_class"), permutations=3) for given in (panel, turned))
    for name in ("estimates", "doses", "placebos"):
        left, right = (getattr(effect, name).to_pandas().select_dtypes("number") for effect in (one, two))
        assert np.allclose(left, right, rtol=1e-7)
    none = estimate_effect(panel, ("sector", "size_class"), permutations=1).placebos.to_pylist()[1]
    assert all(np.isnan(none[name]) for name in ("rate_ratio", "low", "high", "p_value"))  # not "no effect"
    at = panel.column_names.index("services_before")
    with pytest.raises(ModelError) as error:
        estimate_effect(panel.set_column(at, "services_before", pa.array(np.zeros(panel.num_rows, dtype=np.int64))))
    assert error.value.problems[0].code == "RM743"


POLICIES = pa.table(
    {
        "policy_no": ["A", "B"],
        "credit_code": ["C1", "C2"],
        "insurer": ["x", "y"],
        "sector": ["mining", "fishery"],
        "start_date": [D(2024, 6, 1), D(2025, 1, 1)],
        "end_date": [D(2025, 6, 1), D(2026, 1, 1)],
    }
)
SERVICES = pa.table(
    {
        "service_no": ["S1", "S2", "S3", "S4", "S5"],
        "policy_no": ["A", "A", "B", "B", "B"],
        "insurer": ["x", "x", "y", "y", "y"],
        "service_type": ["training"] * 5,
        "provider": ["p1", "p2", "p1", "p1", "p1"],
        "planned_date": [D(2024, 12, 20), D(2025, 3, 1), D(2025, 5, 1), D(2025, 6, 1), D(2025, 12, 20)],
        "delivered_date": pa.array([D(2025, 1, 3), D(2025, 3, 31), None, D(2025, 6, 16), None], pa.date32()),
        "cost_fen": [100, 200, 0, 400, 0],
        "score": [80, 90, 0, 70, 0],
        "hazards_found": [2, 0, 0, 1, 0],
    }
)
HAZARDS = pa.table(
    {
        "credit_code": ["C1", "C1", "C1", "C2", "C9", "C1"],
        "found_date": [D(2025, 1, 5), D(2025, 2, 1), D(2025, 7, 1), D(2025, 2, 2), D(2025, 2, 2), D(2024, 7, 1)],
        "due_date": [D(2025, 2, 1), D(2025, 3, 1), D(2025, 8, 1), D(2025, 3, 1), D(2026, 3, 1), D(2024, 8, 1)],
        "extended_due_date": pa.array([None, D(2025, 4, 1), None, None, None, None], pa.date32()),
        "rectified_date": pa.array([D(2025, 2, 1), D(2025, 4, 2), None, None, None, None], pa.date32()),
        "refused_date": pa.array([None, None, None, D(2025, 2, 9), None, None], pa.date32()),
    }
)


@pytest.fixture(scope="module")
def panel():
    return synthesize(800, 4, 9).table("panel")


@pytest.fixture(scope="module")
def small(panel):
    return evaluate_services(
        SERVICES, POLICIES, panel, D(2025, 12, 31), year=2025, hazards=HAZARDS, permutations=2, synthetic=True
    )


def test_quality_by_hand(small):
    assert small.reconcile() > 30
    row = small.frame("by_insurer").set_index("insurer")
    names = [
        "planned",
        "delivered",
        "missing",
        "pending",
        "in_time",
        "hazards_found",
        "cost_fen",
        "cost_per_service_fen",
    ]
    assert row.loc["x", names].tolist() == [2, 2, 0, 0, 1, 2, 300, 150]  # S1 counts in 2025, 14 days; S2 took 30
    assert row.loc["y", names].tolist() == [3, 1, 1, 1, 1, 1, 400, 400]
    assert row.loc["x", "score_mean"] == 85  # 80 and 90: standard error 5
    assert row.loc["x", ["score_low", "score_high"]].tolist() == pytest.approx([85 - 1.96 * 5, 85 + 1.96 * 5], abs=1e-3)
    assert row.loc["y", "delivered_share"] == 0.5
    hazard = small.frame("hazards_by_insurer").set_index("insurer")
    names = ["found", "rectified_in_time", "rectified_late", "refused", "overdue", "open"]
    assert hazard.loc["x", names].tolist() == [2, 1, 1, 0, 0, 0]
    assert hazard.loc["y", names].tolist() == [1, 0, 0, 1, 0, 0]
    assert hazard[hazard.index.isna()][names].values.tolist() == [[2, 0, 0, 0, 1, 1]]  # nobody insured them that day


def test_services_of_unknown_insurers_and_policies_are_set_aside_and_the_rest_is_evaluated(panel):
    odd = evaluate_services(SERVICES, POLICIES, None, D(2025, 12, 31), insurers=["x", "yy"], year=2025)
    item = next(item for item in odd.refused if item.code == "RM730")
    assert (item.file, item.row) == ("services", 3)
    row = odd.frame("by_insurer").set_index("insurer")
    assert row.index.tolist() == ["x"] and row.loc["x", "delivered"] == 2
    odd = evaluate_services(SERVICES, POLICIES.slice(0, 1), panel, D(2025, 12, 31), permutations=2)
    assert "RM396" in {item.code for item in odd.refused} and odd.reconcile() > 10


def test_without_policy_years_the_services_are_evaluated_and_the_effect_is_not(panel):
    for given, code in ((None, "RM968"), (panel.slice(0, 0), "RM740")):
        found = evaluate_services(SERVICES, POLICIES, given, D(2025, 12, 31), year=2025)
        assert found.effect is None and [item.code for item in found.no_effect] == [code]
        assert found.reconcile() > 10 and "effect" not in found.tables()
        assert any("无法判断" in line for line in summary(found, "zh"))
        assert "无法判断" in page([evaluation_document(found, "zh")], "zh")


def test_a_score_of_nothing_is_a_score_and_none_is_none(panel):
    scored = SERVICES.set_column(
        SERVICES.column_names.index("score"), "score", pa.array([0, 90.5, None, None, None], pa.float64())
    )
    found = evaluate_services(scored, POLICIES, None, D(2025, 12, 31), year=2025)
    row = found.frame("by_insurer").set_index("insurer")
    assert row.loc["x", "score_mean"] == 45.25 and np.isnan(row.loc["y", "score_mean"])


def test_a_sum_that_is_off_is_found(small):
    small.quality.total["planned"] += 1
    with pytest.raises(ModelError) as error:
        small.reconcile()
    small.quality.total["planned"] -= 1
    assert len(error.value.problems) == 5


class Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.seen = [], []

    def handle_starttag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))
        if tag not in ("meta", "line", "circle", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag in self.open:
            while self.open.pop() != tag:
                pass


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_report_is_escaped_self_contained_and_the_same_each_time(panel, lang, tmp_path):
    bad = "<script>alert(1)</script>"
    services = SERVICES.set_column(4, "provider", pa.array([bad, "p2", "p1", "p1", "p1"]))
    found = [
        evaluate_services(
            services, POLICIES, panel, D(2025, 12, 31), year=2025, permutations=2, synthetic=True, evaluator=bad
        )
        for _ in range(2)
    ]
    pages = [item.report(tmp_path / f"{at}.html", lang).read_bytes() for at, item in enumerate(found)]
    assert pages[0] == pages[1]
    page = pages[0].decode("utf-8")
    assert bad not in page
    assert page.count("&lt;script&gt;") >= 2
    assert not re.search(r'(src|href)="(?!#|data:image/svg)|url\(|@import|https?://', page)
    assert ("合成数据" if lang == "zh" else "Synthetic data") in page
    tags = Tags()
    tags.feed(page)
    assert tags.open == []
    assert {"img", "table", "h2"} <= {tag for tag, _ in tags.seen}
    assert len(re.findall(r"[\u4e00-\u9fff]", page)) > (500 if lang == "zh" else -1)
    books = [item.report(tmp_path / f"{at}.xlsx", lang).read_bytes() for at, item in enumerate(found)]
    assert books[0] == books[1]
    with pytest.raises(BookError) as error:
        found[0].report(tmp_path / "x.htlm")
    assert error.value.problems[0].code == "RM800"


def test_the_shipped_province_recovers_its_effect_through_the_command_line(tmp_path, capsys):
    page = tmp_path / "report.html"
    words = ["fund", "evaluate", "--province", PROVINCE, "--permutations", "3", "--report", str(page), "--lang", "en"]
    assert main([*words, "--out", str(tmp_path / "e.xlsx")]) == 0
    said = capsys.readouterr().out
    ratio, low, high = (
        float(part) for part in re.search(r"A firm against itself[^\d]*([\d.]+) +([\d.]+) +([\d.]+)", said).groups()
    )
    truth = planted(load_province(PROVINCE))
    assert low < truth < high < 1
    assert float(re.search(r"Adjusted for what is known[^\d]*([\d.]+)", said)[1]) > 1.1
    assert abs(ratio - truth) < 0.05
    assert "that is selection, not an effect" in page.read_text(encoding="utf-8")
