"""The assessment: credibility by hand, no ranks out of noise, ranks where there are differences, years compared."""

from __future__ import annotations

import datetime
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from ratemod.cli import main
from ratemod.document.files import write_document
from ratemod.errors import BookError, ModelError, PlanError
from ratemod.fund.score_rule import Indicator, read_indicators
from ratemod.fund.scorecard import scorecard
from ratemod.fund.scorecard_document import scorecard_document
from tests.fund.test_commands import PROVINCE

D = datetime.date
AS_OF = D(2025, 12, 31)
ONE = (Indicator("delivered", "delivered", Decimal(1), 0.0, 1.0, "test"),)


def world(done: dict[str, list[tuple[int, int]]]) -> tuple[pa.Table, pa.Table]:
    """Return policies and services, each of a firm of its own: for each insurer (delivered, missing) from 2024."""
    policies, services = [], []
    for name, years in done.items():
        for at, (there, lost) in enumerate(years):
            for number in range(there + lost):
                day, key = D(2024 + at, 5, 1), f"{name}-{at}-{number}"
                policies.append((f"P-{key}", f"C-{key}", name, f"b-{name[:1]}", D(2024, 1, 1), D(2026, 1, 1)))
                services.append((f"S-{key}", f"P-{key}", name, day, day if number < there else None))
    book = dict(zip(("policy_no", "credit_code", "insurer", "broker", "start_date", "end_date"), zip(*policies)))
    rows = dict(zip(("service_no", "policy_no", "insurer", "planned_date", "delivered_date"), zip(*services)))
    rows["delivered_date"] = pa.array(rows["delivered_date"], pa.date32())
    n = len(services)
    return pa.table({key: list(column) for key, column in book.items()}), pa.table(
        {key: column if isinstance(column, pa.Array) else list(column) for key, column in rows.items()}
        | {"service_type": ["training"] * n, "provider": ["p"] * n, "cost_fen": [1] * n}
    )


def card(done: dict[str, list[tuple[int, int]]], **more):
    policies, services = world(done)
    return scorecard(policies, AS_OF, services=services, indicators=more.pop("indicators", ONE), **more)


def test_credibility_by_hand():
    found = card({"a": [(90, 10)], "b": [(60, 40)], "c": [(2, 0)]}, years=[2024])
    assert found.reconcile() > 5
    m = 152 / 202
    # squares within insurers: 90 x 0.1^2 + 10 x 0.9^2 = 9, 60 x 0.4^2 + 40 x 0.6^2 = 24, 0; 202 firms of three insurers
    s2 = (9 + 24) / (202 - 3)
    w, x = np.array([100, 100, 2]), np.array([0.9, 0.6, 1.0])
    share = w / 202
    a = ((share * (x - share @ x) ** 2).sum() - 2 * s2 / 202) / (1 - share @ share)
    z = w / (w + s2 / a)
    assert found.z[0, :, 0] == pytest.approx(z)
    assert found.estimate[0, :, 0] == pytest.approx(m + z * (x - m))
    widen = 1.971957 / 1.959964  # Student's t of 199 degrees against the normal, from tables
    assert found.error[0, :, 0] == pytest.approx(np.sqrt(a * (1 - z) + (1 - z) ** 2 * a / z.sum()) * widen)
    score = found.frame().set_index("insurer")["assessed_score"]
    assert score["a"] > score["c"] > score["b"], "two services out of two are not better than ninety out of a hundred"


def test_nobody_is_ranked_on_noise():
    draw = np.random.default_rng(7)
    ranked, shown = 0, 0
    for _ in range(60):
        done = {}
        for at in range(8):
            n = int(draw.integers(5, 60))
            done[f"i{at}"] = [(hits, n - hits) for hits in draw.binomial(n, 0.8, 2)]
        frame = card(done, draws=1000).frame()
        last = frame[frame["year"] == 2025]
        ranked += int((last["rank_from"] == last["rank_to"]).sum())
        shown += int((last["moved"] != "not_shown").sum())
    assert ranked <= 0.01 * 60 * 8
    assert shown <= 0.06 * 60 * 8


def grouped(served: list[list[bool]], many: int) -> tuple[pa.Table, pa.Table]:
    """Return policies and services of insurers whose firms are served in all of `many` services or in none."""
    firms = [(f"i{at}", f"{at}-{k}", ok) for at, row in enumerate(served) for k, ok in enumerate(row)]
    policies = pa.table(
        {
            "policy_no": [f"P{key}" for _, key, _ in firms],
            "credit_code": [f"C{key}" for _, key, _ in firms],
            "insurer": [who for who, _, _ in firms],
            "start_date": [D(2025, 1, 1)] * len(firms),
            "end_date": [D(2026, 1, 1)] * len(firms),
        }
    )
    rows = [(who, key, ok, k) for who, key, ok in firms for k in range(many)]
    services = pa.table(
        {
            "service_no": [f"S{key}-{k}" for _, key, _, k in rows],
            "policy_no": [f"P{key}" for _, key, _, _ in rows],
            "insurer": [who for who, _, _, _ in rows],
            "planned_date": [D(2025, 5, 1)] * len(rows),
            "delivered_date": pa.array([D(2025, 5, 2) if ok else None for _, _, ok, _ in rows], pa.date32()),
            "service_type": ["training"] * len(rows),
            "provider": ["p"] * len(rows),
            "cost_fen": [1] * len(rows),
        }
    )
    return policies, services


def test_a_firm_is_one_chance_however_many_services_it_has():
    # 9 of 10 firms and 6 of 10: with one service a firm, and with twenty that are all done or none, the same is known.
    served = [[True] * 9 + [False], [True] * 6 + [False] * 4]
    cards = []
    for many in (1, 20):
        policies, services = grouped(served, many)
        cards.append(scorecard(policies, AS_OF, services=services, indicators=ONE, years=[2025], draws=400))
    assert cards[0].z == pytest.approx(cards[1].z)
    assert cards[0].error == pytest.approx(cards[1].error)


def test_insurers_that_are_alike_are_not_told_apart_by_firms_that_hang_together():
    draw, pairs, stand, deals = np.random.default_rng(21), 0, 0, 25
    for _ in range(deals):
        policies, services = grouped([(draw.random(draw.integers(5, 14)) < 0.75).tolist() for _ in range(7)], 6)
        frame = scorecard(policies, AS_OF, services=services, indicators=ONE, years=[2025], draws=500).frame()
        pairs += int((frame["rank_from"] - 1).sum())
        stand += int((frame["rank_from"] == frame["rank_to"]).sum())
    assert pairs <= 0.05 * deals * 21
    assert stand <= 0.03 * deals * 7


def test_of_one_firm_each_nothing_can_be_told():
    policies, services = grouped([[True], [False], [True]], 10)
    frame = scorecard(policies, AS_OF, services=services, indicators=ONE, years=[2025], draws=400).frame()
    assert frame["rank_from"].tolist() == [1] * 3
    assert frame["rank_to"].tolist() == [3] * 3


def test_ranks_stand_where_differences_are_plain():
    done = {name: [(int(1000 * p), 1000 - int(1000 * p))] * 2 for name, p in zip("abcd", (0.95, 0.85, 0.75, 0.65))}
    found = card(done)
    frame = found.frame()
    last = frame[frame["year"] == 2025].set_index("insurer")
    assert last["rank_from"].tolist() == last["rank_to"].tolist() == [1, 2, 3, 4]
    chance = found.ranks().to_pandas().pivot(index="insurer", columns="rank", values="chance")
    assert np.diag(chance).min() > 0.99
    assert chance.sum(axis=1).tolist() == pytest.approx([1] * 4)
    assert (last["moved"] == "not_shown").all()
    assert ((last["low"] < last["assessed_score"]) & (last["assessed_score"] < last["high"])).all()


def test_a_year_that_is_better_is_said_so_and_intervals_cover():
    found = card({"a": [(600, 400), (900, 100)], "b": [(700, 300), (700, 300)], "c": [(650, 350), (660, 340)]}).frame()
    last = found[found["year"] == 2025].set_index("insurer")
    assert last["moved"].tolist() == ["better", "not_shown", "not_shown"]
    draw, inside = np.random.default_rng(3), []
    for _ in range(60):
        truth = draw.normal(0.7, 0.08, 10).clip(0.3, 0.95)
        n = draw.integers(20, 300, 10)
        hits = draw.binomial(n, truth)
        done = {f"i{at}": [(int(hit), int(many - hit))] for at, (hit, many) in enumerate(zip(hits, n))}
        frame = card(done, years=[2024], draws=1000).frame()
        inside += ((frame["low"] / 100 <= truth) & (truth <= frame["high"] / 100)).tolist()
    assert 0.88 < np.mean(inside) < 0.99


def test_order_is_irrelevant_and_brokers_are_assessed_the_same_way():
    done = {"a1": [(9, 1), (5, 5)], "a2": [(4, 0), (1, 3)], "b1": [(5, 9), (8, 8)]}
    policies, services = world(done)
    turned = services.take(np.random.default_rng(0).permutation(services.num_rows))
    one = scorecard(policies, AS_OF, services=services, indicators=ONE)
    two = scorecard(policies.take(np.arange(policies.num_rows)[::-1]), AS_OF, services=turned, indicators=ONE)
    assert one.frame().equals(two.frame())
    broker = scorecard(policies, AS_OF, by="broker", services=services, indicators=ONE)
    assert broker.reconcile() > 5
    assert broker.names == ("b-a", "b-b")
    assert broker.measured[0].top.tolist() == [[13, 6], [5, 8]]


def test_the_page_is_escaped_and_the_same_each_time(tmp_path):
    bad = "<b>a&b</b>"
    pages = []
    for at in range(2):
        found = card({bad: [(9, 1), (5, 5)], "b": [(4, 0), (1, 3)]})
        pages.append(write_document(scorecard_document(found, "zh", True), tmp_path / f"{at}.html").read_bytes())
    assert pages[0] == pages[1]
    assert bad.encode() not in pages[0]
    assert b"&lt;b&gt;a&amp;b" in pages[0]


def test_refusals(tmp_path):
    half = (Indicator("delivered", "delivered", Decimal("0.5"), 0.0, 1.0, "test"),)
    done = {"a": [(9, 1)], "b": [(5, 5)]}
    with pytest.raises(BookError) as error:
        card(done, indicators=half)
    assert (error.value.problems[0].code, error.value.problems[0].args["total"]) == ("RM745", "0.5")
    policies, services = world(done)
    with pytest.raises(ModelError) as raised:
        scorecard(policies, AS_OF, services=services)
    assert (raised.value.problems[0].code, raised.value.problems[0].args["needs"]) == ("RM746", "duties")
    with pytest.raises(ModelError) as raised:
        scorecard(policies, AS_OF, by="agent", services=services, indicators=ONE)
    assert raised.value.problems[0].code == "RM012"
    with pytest.raises(ModelError) as raised:
        card({"a": [(9, 1)]})
    assert raised.value.problems[0].code == "RM747"
    assert "按保险公司可比较的对象有1个" in raised.value.problems[0].what("zh")
    with pytest.raises(BookError) as error:
        card({"a": [(9, 1)], "birch": [(5, 5)]}, insurers=["a", "bireh"])
    assert {(item.code, item.file, item.args["nearest"]) for item in error.value.problems} == {
        ("RM730", "policies", "bireh")
    }
    file = tmp_path / "indicators.toml"
    file.write_text(
        '[[indicator]]\nname = "x"\nmeasure = "deliverd"\nweight = 0.9\nworst = 1\nbest = 1\nsource = ""\n', "utf-8"
    )
    with pytest.raises(PlanError) as error:
        read_indicators(file)
    assert "did you mean 'delivered'?" in error.value.problems[0].line("en")


def test_a_broken_sum_is_found():
    found = card({"a": [(9, 1)], "b": [(5, 5)]})
    found.measured[0].top[0, 0] += 1
    found.drawn[0] = np.nan
    with pytest.raises(ModelError) as error:
        found.reconcile()
    assert {item.code for item in error.value.problems} == {"RM705"}


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_shipped_province_is_assessed_through_the_command_line(lang, tmp_path, capsys):
    out = tmp_path / "cards.xlsx"
    words = ["fund", "scorecard", "--province", PROVINCE, "--lang", lang]
    assert main([*words, "--out", str(out), "--report", str(tmp_path / "card.html")]) == 0
    said = capsys.readouterr().out
    page = (tmp_path / "card.html").read_text(encoding="utf-8")
    assert ("合成数据" if lang == "zh" else "Synthetic data") in page
    assert page.count("<h3>") == 8
    assert "1–6" in page and "2–6" in page  # no rank stands: one overrun of a budget is one event
    assert "http" not in page
    assert ("示意" if lang == "zh" else "illustrative") in said
    sheets = pd.read_excel(out, sheet_name=None, engine="calamine")
    called = {"zh": ["得分", "指标", "名次", "权重"], "en": ["Scores", "Indicators", "Ranks", "Weights"]}
    assert list(sheets) == called[lang]
    scores, rows, *_ = sheets.values()
    assert len(scores) == 6 * 5
    assert len(rows) == 6 * 5 * 8
    # The insurer that settles late by design does so in the card.
    label = {"zh": ("保险公司", "指标", "年度", "估计值"), "en": ("Insurer", "Indicator", "Year", "Estimate")}[lang]
    name = {"zh": "按时结案", "en": "settled"}[lang]
    settled = rows[(rows[label[1]] == name) & (rows[label[2]] == 2025)].set_index(label[0])[label[3]]
    assert settled.idxmin() == "红松示例财险"  # redpine, by its name
