"""Service bodies are assessed by their own services and payments, brokers by their policies; counts by hand."""

from __future__ import annotations

import pandas as pd
import pytest

from ratemod.errors import ModelError
from ratemod.fund.of_folder import scorecard_of
from ratemod.fund.score_rule import read_indicators
from ratemod.reading.folder import open_folder
from tests.fund.test_papers_accounted import ask, day, lists, said


def folder_of(tmp_path):
    """One body has served two firms in time and was paid; another has missed one, and was paid for nothing.

    甲's budget of 100 is passed by each of its payments, which is no fault of the body.
    """
    given = lists()
    given["预防服务"].loc[2, "计划日期"] = day("2026-10-01")  # not delivered by the end of the year: missing
    given["预防服务"]["满意度"] = [90.0, 80.0, None]
    stray = pd.DataFrame([("F3", day("2026-07-01"), "乙财险", 100.0, None, "技术服务费", "服务乙")])
    given["预防费支付"]["服务机构"] = None
    stray.columns = given["预防费支付"].columns
    given["预防费支付"] = pd.concat([given["预防费支付"], stray]).astype(object)
    given["预防费预算"] = pd.DataFrame(
        {"保险公司": ["甲财险", "乙财险"], "费用年度": 2026, "预算金额（元）": [100.0, 5000.0]}
    )
    given["保单"]["经纪公司"] = ["经纪甲", "经纪乙", None, "经纪甲"]
    for name, frame in given.items():
        frame.to_excel(tmp_path / f"{name}.xlsx", index=False)
    return open_folder(tmp_path)


def test_service_bodies_by_hand(tmp_path):
    found = scorecard_of(folder_of(tmp_path), day("2026-12-31"), by="provider")
    assert found.names == ("服务乙", "服务甲") and found.reconcile() > 10
    parts = {
        item.name: (one.top[:, 0].tolist(), one.of[:, 0].tolist())
        for item, one in zip(found.indicators, found.measured)
    }
    assert parts == {
        "delivered": ([0, 2], [1, 2]),
        "in_time": ([0, 2], [0, 2]),
        "satisfaction": ([0, 170], [0, 2]),
        "clean_payments": ([0, 2], [1, 2]),
    }


def test_a_policy_without_a_broker_is_nobodys_and_no_fault(tmp_path):
    lists_ = folder_of(tmp_path)
    card = tmp_path / "card.toml"
    card.write_text(
        '[[indicator]]\nname = "d"\nmeasure = "delivered"\nweight = 1\nworst = 0\nbest = 1\nsource = "made up"\n',
        "utf-8",
    )
    found = scorecard_of(lists_, day("2026-12-31"), by="broker", indicators=card)
    assert found.names == ("经纪乙", "经纪甲")
    assert found.measured[0].of[:, 0].tolist() == [1, 2] and found.measured[0].top[:, 0].tolist() == [1, 1]
    assert not any("A3" in item.what("zh") for item in found.refused)


def test_what_cannot_be_told_is_refused_all_at_once_in_words(tmp_path, capsys):
    lists_ = folder_of(tmp_path)
    with pytest.raises(ModelError) as raised:
        scorecard_of(lists_, day("2026-12-31"))
    assert [item.args["name"] for item in raised.value.problems] == ["rectified", "settled", "claims_ratio"]
    assert "隐患" in raised.value.problems[0].what("zh") and "Hazards" in raised.value.problems[0].what("en")
    with pytest.raises(ModelError) as raised:
        scorecard_of(lists_, day("2026-12-31"), by="provider", indicators=_of_insurers(tmp_path))
    assert [(item.code, item.args["name"]) for item in raised.value.problems] == [("RM748", "duty_met")]
    code, lines = ask(tmp_path, capsys, "scorecard", None, "--by", "provider")
    assert code in (0, 3) and any(line.startswith("服务甲") for line in lines) and not said(lines, "RM74")


def _of_insurers(tmp_path):
    file = tmp_path / "duty.toml"
    one = (
        '[[indicator]]\nname = "duty_met"\nmeasure = "duty_met"\nweight = 1\nworst = 0\nbest = 1\nsource = "made up"\n'
    )
    file.write_text(one, "utf-8")
    return file


def test_the_shipped_weights_of_bodies_add_up():
    assert sum(item.weight for item in read_indicators(by="provider")) == 1
