"""One join: what each row meets, and every row and every fen that met nothing, on either side."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import ratemod as rm
from ratemod.errors import BookError
from ratemod.experience.mod_lists import read_claims
from ratemod.fund.co_insurance import co_insure
from ratemod.fund.levy import levy
from ratemod.publication.data import check_insurers
from ratemod.reading.join import join
from ratemod.registers.derive import derive_columns, read_registers

WRITTEN = {"a": ["A", "a", " a", "Ａ", "a\u200b"], "b": ["B", "b "], "c": ["c"], "": ["", " ", None]}
names = st.lists(st.sampled_from([(key, said) for key, ways in WRITTEN.items() for said in ways]), max_size=12)


@given(names, names, st.booleans(), st.booleans())
def test_every_row_meets_the_first_of_its_key_or_is_named(asked, there, coded_left, coded_right):
    """Against a dictionary in plain Python, however the keys are written and stored."""
    columns = [pa.array([said for _, said in side], pa.string()) for side in (asked, there)]
    left, right = (
        column.dictionary_encode() if coded else column for column, coded in zip(columns, (coded_left, coded_right))
    )
    met = join(left, right)
    plain = {}
    for at, (key, _) in enumerate(there):
        plain.setdefault(key, []).append(at)
    plain.pop("", None)
    place = [plain.get(key, [-1])[0] for key, _ in asked]
    assert met.place().tolist() == place
    assert met.unmet().tolist() == [at < 0 for at in place]
    sought = {key for key, _ in asked} - {""}
    assert met.idle().tolist() == [key not in sought for key, _ in there]
    assert met.repeated().tolist() == [key in sought and len(plain[key]) > 1 for key, _ in there]
    fen = 2 ** np.arange(len(asked), dtype=np.int64)
    told = met.told("claims", "policies", fen)
    lost = [at for at, row in enumerate(place) if row < 0]
    assert [(item.count, item.args["rows"]) for item in told] == ([(len(lost), len(asked))] if lost else [])
    if lost:
        assert told[0].args["money"] == f", {sum(map(int, fen[lost])) / 100:,.2f} yuan"


def test_what_must_meet_one_row_says_what_does_not():
    with pytest.raises(BookError) as refused:
        join(["P1", "P9", "P9"], ["P1", "p1", "P2"]).one("services", "policies")
    assert [(item.code, item.count) for item in refused.value.problems] == [("RM396", 2), ("RM397", 2)]
    assert "of 3 rows 2 meet nothing in the Policies: P9" in refused.value.problems[0].what("en")
    assert "共3行，其中2行在保单中找不到对应记录：P9" in refused.value.problems[0].what("zh")


def test_a_register_says_whom_it_filled_and_whom_nobody_asked_for():
    plan = rm.load_plan("jilin-spli/2025-04")
    book = rm.read_book(
        pa.table({"credit_code": ["91220101MA0000001x", "B"], "start_date": ["2026-01-01", "2026-07-01"]}), plan
    )
    policies = pa.table(
        {
            "policy_no": ["1", "2", "3"],
            "credit_code": ["91220101MA0000001X", "C", "D"],
            "start_date": ["2025-01-01"] * 3,
            "end_date": ["2026-01-01"] * 3,
            "premium_yuan": [1.0, 20.0, 300.0],
        }
    )
    (met,) = derive_columns(book, plan, read_registers(policies=policies)).joins
    assert (met.asked, met.unmet, met.there, met.idle, met.idle_keys, met.idle_fen) == (2, 1, 3, 2, ("C", "D"), 32_000)
    assert met.said("zh") == "保单：名单2行中有1行在其中有记录；其3行中有2行不属名单中任何一家：C, D，金额320.00元"


def test_doubts_about_an_enterprise_find_it_however_its_code_is_written():
    plan = rm.load_plan("jilin-spli/2025-04")
    listed = pa.table(
        {"credit_code": ["A1B", "A1B"], "listed_date": ["2024-05-01"] * 2, "removed_date": ["2024-01-01"] * 2}
    )
    book = rm.read_book(pa.table({"credit_code": ["a1b "], "start_date": ["2026-01-01"]}), plan)
    told = derive_columns(book, plan, read_registers(blacklist=listed))
    assert "RM248" in [item.code for item in told.problems]
    assert told.book.table["blacklisted"].to_pylist() == [None]


def moved(*insurers):
    return pa.table(
        {
            "policy_no": [f"P{at}" for at in range(len(insurers))],
            "insurer": list(insurers),
            "sector": ["mining"] * len(insurers),
            "start_date": ["2026-01-01"] * len(insurers),
            "date": ["2026-01-01"] * len(insurers),
            "premium_fen": [100] * len(insurers),
        }
    )


def test_co_insurers_include_the_insurer_of_the_policy():
    shares = pa.table(
        {"policy_no": ["P0", "P0"], "insurer": ["x", "y"], "leader": ["yes", "no"], "share_percent": [60.0, 40.0]}
    )
    assert co_insure(moved("y", "z"), shares, ["x", "y", "z"]).insurer.tolist() == ["x", "y", "z"]
    with pytest.raises(BookError) as refused:
        co_insure(moved("z", "z"), shares, ["x", "y", "z"])
    (told,) = refused.value.problems
    assert (told.code, told.args["policy"], told.args["insurer"]) == ("RM398", "P0", "z")


def test_insurers_are_those_of_the_list_of_insurers():
    shares = pa.table(
        {"policy_no": ["P0", "P0"], "insurer": ["x", "yy"], "leader": ["yes", "no"], "share_percent": [60.0, 40.0]}
    )
    rules = [rm.fund.LevyRule("own", Decimal("0.1"), Decimal("0.1"), accrues="shares")]
    with pytest.raises(BookError) as refused:
        levy(moved("q"), rules, insurers=["x", "y"], coinsurance=shares)
    assert [item.code for item in refused.value.problems] == ["RM730"]
    with pytest.raises(BookError) as refused:
        co_insure(moved("x"), shares, ["x", "y"])
    assert [(item.code, item.args["keys"]) for item in refused.value.problems] == [("RM396", "yy")]
    insurers = pa.table({"insurer": ["x", "y"], "name": ["X", "Y"]})
    with pytest.raises(BookError) as refused:
        check_insurers({"policies": moved("x")["insurer"], "coinsurance": shares["insurer"]}, insurers)
    (told,) = refused.value.problems
    assert (told.code, told.args["table"], told.args["keys"]) == ("RM396", "Shares of co-insurers", "yy")


def test_one_claim_number_at_two_firms_refuses_both():
    claims = pa.table(
        {
            "credit_code": ["A", "B", "C", "C", "D"],
            "claim_no": ["1", "1 ", "2", "3", ""],
            "event_date": ["2024-03-01"] * 5,
            "paid_yuan": [1.0] * 5,
        }
    )
    found = read_claims(claims, pa.array(["A", "B", "C", "D"]))
    assert found.wrong is not None
    assert [found.problems[at - 1].code if at else "" for at in found.wrong.tolist()] == ["RM399", "RM399", "", "", ""]


def test_a_credit_code_parted_by_hyphens_meets_itself_and_a_policy_number_keeps_its_own():
    code = "91350100M000100Y43"
    parted = pa.array(["91-350100-M000100Y-43", "9135-0100-M000-100y43", "91-350100-M000100Y-44", "P-1"])
    assert join(parted, pa.array([code, "P1", "91350100M000100Y44"])).place().tolist() == [0, 0, -1, -1]
    assert join(pa.array([code]), pa.array(["91‐350100M000100Y43"])).place().tolist() == [0]
