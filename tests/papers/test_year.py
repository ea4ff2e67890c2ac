"""A small province's own Excel files under Chinese headers, to every paper of the year."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from ratemod.cli import main
from ratemod.errors import ModelError
from ratemod.papers.enterprises import insured_paper
from ratemod.papers.files import write_year
from ratemod.papers.inputs import YearInputs
from ratemod.papers.shared_figures import shared_figures
from ratemod.papers.year import YearOfPapers, year_of_papers
from ratemod.publication.fund import FundLine
from ratemod.reading.folder import open_folder
from ratemod.registers.complaints import complaints_of
from ratemod.registers.days import as_days
from ratemod.registers.rules import ParticipationRule
from ratemod.registers.working_days import read_working_days
from ratemod.vocabulary.codes.industry import SECTORS
from ratemod.vocabulary.table import table
from tests.confidentiality.test_whole_publication import small_year

YEAR = 2025


def as_clerks_keep_them(noun, frame):
    """Return a list under Chinese headers, amounts in yuan."""
    names = {}
    for name in frame:
        if name.endswith("_fen"):
            frame = frame.assign(**{name: frame[name] / 100})
            names[name] = table(noun).columns[name.replace("_fen", "_yuan")].label_zh + "（元）"
        else:
            names[name] = table(noun).columns[name].label_zh
    return frame.rename(columns=names)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("省") / "2025年数据"
    place.mkdir()
    tables = small_year()
    policies = tables["policies"] = tables["policies"].assign(size_class="大型")
    tables["services"] = tables["services"].assign(
        service_no=[f"S{at}" for at in range(40)], service_type="隐患排查", provider="body"
    )
    ours = [f"F{at:02d}" for at in range(40)]
    people = pd.DataFrame(
        {
            "credit_code": [*ours, "U1", "U2", "U3"],
            "name": [f"企业{code}" for code in (*ours, "U1", "U2", "U3")],
            "division_code": [*policies.division_code, "220100", "220100", "220200"],
            "sector": ["矿山" if name == "mining" else "建筑施工" for name in policies.sector] + ["矿山"] * 3,
            "staff": [12 if at == 4 else 10 for at in range(43)],
            "phone": "0431-0000",
        }
    )
    days = {"notified_date": "2025-02-02", "due_date": "2025-03-01"}
    hazards = pd.DataFrame(
        {
            "hazard_id": ["H1", "H2", "H3"],
            "credit_code": ["F00", "F01", "F02"],
            "grade": ["重大隐患", "重大隐患", "一般隐患"],
            "found_date": "2025-02-01",
            "refused_date": ["2025-03-11", None, "2025-03-11"],
        }
    ).assign(**days)
    complaints = pd.DataFrame(
        {
            "complaint_no": ["1", "2", "3"],
            "date": ["2025-09-26", "2025-09-26", "2025-11-03"],
            "insurer": ["he", "yun", "yun"],
            "subject": ["理赔", "预防服务", "理赔"],
            "answered_date": ["2025-10-17", "2025-10-20", None],
            "upheld": ["否", "是", None],
        }
    )
    more = {"enterprises": people, "hazards": hazards, "complaints": complaints}
    for noun, frame in (tables | more).items():
        as_clerks_keep_them(noun, frame).to_excel(place / f"{table(noun).label_zh}.xlsx", index=False)
    return place


@pytest.fixture(scope="module")
def papers(folder):
    out = folder.parent / "材料"
    words = ["report", "year", str(folder), "--year", str(YEAR), "-o", str(out), "--office", "某市应急管理局"]
    code = main([*words, "--lang", "zh"])
    return out, code


def read(path):
    return pd.read_csv(path, encoding="utf-8-sig", dtype=str)


def test_every_paper_is_made_or_named(papers):
    out, code = papers
    assert code == 3, "no brokers and no panel in the folder"
    index = (out / "index.html").read_text(encoding="utf-8")
    for said in (
        "拒不整改重大隐患的，报告当地应急管理部门",
        "每年至少 1 次",
        "未能编制的材料",
        "保险经纪公司考核评价",
    ):
        assert said in index
    # Two of participation; accrued, released and paid of two insurers and of all.
    assert index.count("一致<") == 11 and "不一致" not in index and "71,700.00" in index
    made = {path.name for place in ("public", "offices") for path in (out / place).iterdir() if path.suffix}
    names = ("disclosure", "participation", "insured", "refusals", "complaints", "complaint_clock", "duties")
    assert {f"{name}{suffix}" for name in names for suffix in (".html", ".xlsx")} <= made
    page = (out / "offices" / "refusals.html").read_text(encoding="utf-8")
    assert "某市应急管理局" in page and "文号" in page and "企业F00" in page


def test_insurers_are_assessed_by_the_indicators_that_the_province_gives(folder, tmp_path, capsys):
    """By one indicator, services delivered of services planned: what the list of services says of each insurer."""
    card = tmp_path / "考核指标.toml"
    card.write_text(
        '[[indicator]]\nname = "delivered"\nmeasure = "delivered"\nweight = 1\nworst = 0\nbest = 1\n'
        'source = "made up for this test"\n',
        encoding="utf-8",
    )
    words = ["report", "year", str(folder), "--year", str(YEAR), "-o", str(tmp_path / "年"), "--lang", "zh"]
    main([*words, "--indicators", str(card)])
    place = tmp_path / "年" / "offices" / "assessment_insurer"
    assert read(place / "weights.csv").indicator.tolist() == ["delivered"]
    shares = read(place / "indicators.csv").set_index("insurer")
    services = small_year()["services"]
    delivered = services.delivered_date.notna().groupby(services.insurer)
    assert shares.numerator.astype(float).to_dict() == delivered.sum().to_dict()
    assert shares.denominator.astype(float).to_dict() == delivered.count().to_dict()
    capsys.readouterr()
    card.write_text(card.read_text(encoding="utf-8").replace("weight = 1", "weigth = 1"), encoding="utf-8")
    assert main([*words[:-1], "en", "--indicators", str(card)]) == 1, "a slip is told before the papers are made"
    assert "weigth" in capsys.readouterr().err


def test_who_is_not_insured_as_the_law_asks(papers):
    gaps = read(papers[0] / "offices" / "participation" / "gaps.csv").set_index("credit_code")
    assert dict(gaps.gap) == {"U1": "uninsured", "U2": "uninsured", "U3": "uninsured", "F04": "short_of_heads"}
    assert gaps.loc["F04", ["insurer", "policy_no", "phone"]].tolist() == ["he", "PF04", "0431-0000"]
    own = read(papers[0] / "offices" / "participation" / "gaps-division-220200.csv")
    assert own.credit_code.tolist() == ["U3"]
    states = read(papers[0] / "offices" / "insured" / "insured_on.csv").insured.value_counts()
    assert dict(states) == {"insured": 40, "not_insured": 3}


def test_who_refuses_and_what_was_complained_of(papers):
    refused = read(papers[0] / "offices" / "refusals" / "refused.csv")
    assert refused.hazard_id.tolist() == ["H1"], "H2 was not refused, H3 is no major hazard"
    assert refused.policy_no.tolist() == ["PF00"] and refused.overdue_days.tolist() == ["305"]  # 1 March to 31 December
    by = read(papers[0] / "public" / "complaints" / "complaints_by_insurer.csv").set_index("insurer")
    assert by.loc["yun", ["received", "answered_late", "overdue", "upheld"]].tolist() == ["2", "1", "1", "1"]
    clock = read(papers[0] / "offices" / "complaint_clock" / "complaint_list.csv")
    assert clock.working_days.tolist()[:2] == ["11", "12"]


def test_nothing_public_names_an_enterprise(papers, folder):
    people = [f"F{at:02d}" for at in range(40)] + ["U1", "U2", "U3"]
    for path in (papers[0] / "public").rglob("*"):
        if path.suffix in (".csv", ".html"):
            said = path.read_text(encoding="utf-8")
            assert "企业F" not in said and not [code for code in people if f">{code}<" in said or f",{code}," in said]


def test_a_folder_with_other_things_is_not_written_to(folder, tmp_path, capsys):
    (tmp_path / "mine.txt").write_text("x")
    assert main(["report", "year", str(folder), "--year", str(YEAR), "-o", str(tmp_path), "--lang", "en"]) == 1
    assert "RM767" in capsys.readouterr().err


@pytest.mark.parametrize("said", ["0", "99999", "-5", "２０２５", "今年"])
def test_a_year_that_is_none_is_refused_at_the_door(folder, tmp_path, capsys, said):
    words = ["report", "year", str(folder), f"--year={said}", "-o", str(tmp_path / "out"), "--lang", "zh"]
    assert main(words) == 2
    assert f"“{said}”不是1900至2199之间的年份" in capsys.readouterr().err
    with pytest.raises(ModelError) as caught:
        year_of_papers(folder, 0)
    assert [item.code for item in caught.value.problems] == ["RM676"]


def lists_of(folder, **frames):
    """Return a folder of its own with some lists changed."""
    for noun, frame in frames.items():
        as_clerks_keep_them(noun, frame).to_excel(folder / f"{table(noun).label_zh}.xlsx", index=False)
    return open_folder(folder)


def test_a_row_that_cannot_be_used_is_said_in_every_paper_that_needs_it(tmp_path):
    policies = small_year()["policies"].assign(start_date=lambda rows: rows.start_date.astype(str))
    policies.loc[7, "start_date"] = "2025-02-30"
    people = pd.DataFrame({"credit_code": ["F07", "F08"], "division_code": "220100", "sector": "矿山", "staff": 9})
    given = YearInputs(
        lists=lists_of(tmp_path, policies=policies, enterprises=people),
        year=YEAR,
        day=dt.date(YEAR, 12, 31),
        rule=ParticipationRule(sectors=SECTORS),
        register=None,
        synthetic=False,
        names={},
    )
    paper = insured_paper(given)
    assert paper.data["insured_on"]["insured"].to_pylist() == ["not_known", "insured"]
    assert [(item.code, item.row) for item in paper.refused] == [("RM206", 9)]
    made = YearOfPapers(
        year=YEAR, day=given.day, papers=(paper,), absent=(), checks=(), told=None, synthetic=False, names={}
    )
    write_year(made, tmp_path / "out", "zh")
    assert "清单中有 1 行未采用" in (tmp_path / "out" / "offices" / "insured.html").read_text(encoding="utf-8")


def test_what_two_papers_say_is_held_together_by_what_it_is():
    """The disclosure publishes as used what the ledger pays; the fund uses 900 fen of services and has paid 500."""
    line = FundLine("he", 0, accrued_fen=700, released_fen=0, used_fen=500, closing_fen=200)
    row = {"insurer": "he", "fund_year": YEAR, "accrued_fen": 701, "released_fen": 0, "used_fen": 900, "paid_fen": 500}
    given = SimpleNamespace(
        year=YEAR,
        disclosure=SimpleNamespace(fund=(line,)),
        ledger=SimpleNamespace(statement_table=lambda: pa.Table.from_pylist([row, row | {"fund_year": YEAR - 1}])),
    )
    found = shared_figures(given, {"disclosure", "fund"})
    assert [(one.name, one.holds) for one in found] == [
        ("accrued_fen", False),
        ("released_fen", True),
        ("used_fen", True),
    ]
    assert found[0].cells("zh", {"insurer": {"he": "和保险"}})[:2] == ["预防费计提", "和保险"]
    assert found[0].cells("zh", {})[3:] == ["7.00", "7.01"]
    assert shared_figures(given, {"fund"}) == () == shared_figures(given, {"disclosure"})


def test_working_days_by_the_calendar_on_the_wall():
    clock = read_working_days()

    def days(start, end):
        return int(clock.between(as_days(np.datetime64(start)), as_days(np.datetime64(end)))[0])

    assert days("2025-09-30", "2025-10-09") == 1, "the holidays of October 2025"
    assert days("2025-09-26", "2025-09-29") == 2, "Sunday the 28th is worked"
    assert days("2025-01-24", "2025-02-08") == 6, "26 and 27 January, 5 to 7 February 2025 and Saturday the 8th"
    assert days("2026-02-13", "2026-02-28") == 6, "14, 24 to 27 and 28 February 2026"
    assert days("2024-12-31", "2025-01-02") == 1 and days("2025-03-03", "2025-03-03") == 0
    with pytest.raises(ModelError) as caught:
        days("2026-12-31", "2027-01-04")
    assert [item.code for item in caught.value.problems] == ["RM763"]


def test_an_answer_that_comes_after_the_day_is_not_known_yet():
    rows = {
        "投诉编号": ["1"],
        "受理日期": ["2025-09-26"],
        "保险公司": ["A"],
        "投诉事项": ["理赔"],
        "答复日期": ["2025-10-20"],
    }
    found = complaints_of(rows, YEAR, dt.date(2025, 10, 10))
    assert found.table["state"].to_pylist() == ["open"] and found.table["working_days"].to_pylist() == [5]
    assert found.table["answered_date"].to_pylist() == [None]
