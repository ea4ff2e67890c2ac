"""A column that a form has and nobody fills is as good as absent; where some rows fill it, the others lack it."""

from __future__ import annotations

import pandas as pd
import pytest

from ratemod.cli import main
from ratemod.fund.case import read_insureds
from tests.fund.test_papers_accounted import ask, lists, numbers, said

FORMS = ["保单", "预防服务", "预防费支付"]


def test_forms_filled_in_as_far_as_an_insurer_fills_them(tmp_path, capsys):
    """The kind of entry and all else that a form of payments has beside them stays blank: they are payments."""
    assert main(["data", "template", *FORMS, "-o", str(tmp_path), "--lang", "zh"]) == 0
    given = {}
    for name, own in lists().items():
        blank = pd.read_excel(tmp_path / f"{name}.xlsx", engine="calamine").iloc[:0]
        headers = {"保险止期": "保险止期（不含当日）"}
        given[name] = pd.concat([blank, own.rename(columns=headers)]).astype(object)
        assert len(given[name].columns) == len(blank.columns), "every header of the list is one of the form"
    assert given["预防费支付"]["分录类别"].isna().all()
    code, lines = ask(tmp_path, capsys, "ledger", given)
    assert (code, numbers(lines, "甲财险")[4], numbers(lines, "甲财险")[6]) == (0, "10,000.00", "10,000.00")
    assert numbers(lines, "预防费支付") == ["2", "2", "0", "0", "0", "0", "0", "10,000.00", "0.00"]


def test_a_payment_without_its_kind_beside_others_that_say_theirs_is_refused(tmp_path, capsys):
    given = lists()
    given["预防费支付"]["分录类别"] = ["支付", None]
    code, lines = ask(tmp_path, capsys, "ledger", given)
    assert code == 3 and "分录类别" in said(lines, "RM201")[0]
    assert numbers(lines, "预防费支付") == ["2", "1", "1", "0", "0", "0", "0", "6,000.00", "4,000.00"]


@pytest.mark.parametrize(("outstanding", "left"), [([None, None], 2), ([1, None], 1), ([1, 0], 2)])
def test_services_still_owed_are_none_only_where_none_is_said(outstanding, left):
    frame = pd.DataFrame(
        {
            "policy_no": ["A", "B"],
            "credit_code": ["", ""],
            "insurer": ["x", "x"],
            "sector": ["mining", "mining"],
            "size_class": ["medium", "large"],
            "division_code": ["220100", "220100"],
            "start_date": ["2026-01-01", "2026-01-01"],
            "premium_fen": [100, 100],
            "annual_losses_yuan": [50_000.0, 90_000.0],
            "outstanding": pd.array(outstanding, "Int64"),
        }
    )
    found = read_insureds(frame)
    assert len(found) == left and len(found.refused) == 2 - left
    assert ("outstanding" in found) is (outstanding[0] is not None), "otherwise what is owed follows from the rules"
