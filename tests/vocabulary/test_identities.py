"""A declared identifier has one form in every table, however it is written there."""

from __future__ import annotations

import pytest

from ratemod.reading.identifiers import identity_of
from ratemod.reading.shared_table import read_shared
from ratemod.vocabulary.spelling import visible
from ratemod.vocabulary.table import tables

PLACES = sorted({(one.name, name) for one in tables().values() for name in one.columns if one.columns[name].identity})
WRITTEN = {
    "industry_code": ("0610", " ０６１０ "),
    "division_code": ("22A102", "２２a102 "),
    "name": ("ABC财险", "ＡＢＣ財險 "),
}


@pytest.mark.parametrize(("table", "name"), PLACES, ids=lambda said: said)
def test_two_spellings_are_one(table, name):
    column = tables()[table].columns[name]
    plain, other = WRITTEN.get(column.identity, ("AB-0012", "ａb‐00\u200b12 "))
    told = read_shared({name: [plain, other]}, table, (name,))
    assert (identity_of(column) is None) == (column.identity == "name")
    assert told.cells[name].values.to_pylist() == [plain, plain] and told.good.all()


def test_a_declared_identity_comes_before_the_name():
    column = tables()["successions"].columns["from_code"]
    assert column.identity == "credit_code" == identity_of(column)


def test_a_claim_is_not_settled_before_its_accident():
    claims = {"claim_no": ["A", "B"], "event_date": ["2026-05-01"] * 2, "settlement_date": ["2026-04-30", ""]}
    told = read_shared(claims, "claims", ("claim_no",), ("event_date", "settlement_date"))
    assert told.good.tolist() == [False, True] and [item.code for item in told.refused] == ["RM240"]


def test_of_a_text_what_cannot_be_seen_goes_and_blanks_inside_stay():
    assert visible("\ufeff矿\u200b山 部\u3000一 ") == "矿山 部\u3000一"
