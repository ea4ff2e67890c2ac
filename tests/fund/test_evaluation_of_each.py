"""A report of every insurer and one of the province: by hand, each is of its own alone, and they add up."""

from __future__ import annotations

import pandas as pd
import pytest

from ratemod.cli import main
from ratemod.errors import BookError, problem
from ratemod.fund.evaluation import Evaluation
from ratemod.fund.evaluation_document import evaluation_document, summary, write_evaluations
from ratemod.fund.of_folder import evaluation_of
from ratemod.fund.quality import COUNTS
from ratemod.reading.folder import open_folder
from tests.fund.test_papers_accounted import HAZARDS, ask, day, lists, said


def evaluated(folder) -> Evaluation:
    """Two hazards of the first insurer's enterprises, one of the second's; a gift of each year; nothing of a third."""
    given = lists()
    third = given["保单"].iloc[[3]].assign(保单号="A5", 保险公司="丙财险", 统一社会信用代码="91220101MA0000099X")
    given["保单"] = pd.concat([given["保单"], third])
    gifts = [
        ("F3", day("2026-07-01"), "甲财险", 50.0, None, "礼品"),
        ("F4", day("2025-07-01"), "甲财险", 70.0, None, "礼品"),
    ]
    given["预防费支付"] = pd.concat([given["预防费支付"], pd.DataFrame(gifts, columns=given["预防费支付"].columns)])
    more = HAZARDS.iloc[[0]].assign(隐患编号="H3", 统一社会信用代码=given["保单"].iloc[3]["统一社会信用代码"])
    given["隐患"] = pd.concat([HAZARDS, more])
    for name, frame in given.items():
        frame.to_excel(folder / f"{name}.xlsx", index=False)
    return evaluation_of(open_folder(folder), day("2026-12-31"), year=2026)


def test_each_insurer_has_a_report_of_its_own_services_payments_hazards_and_duties(tmp_path):
    whole = evaluated(tmp_path)
    assert whole.insurers == ("丙财险", "乙财险", "甲财险"), "who has policies and served nobody, too"
    parts = {name: whole.of_insurer(name) for name in whole.insurers}
    totals = {name: part.quality.total for name, part in parts.items()}
    assert [totals[name]["delivered"] for name in ("甲财险", "乙财险", "丙财险")] == [2, 0, 0]
    assert [totals[name]["pending"] for name in ("甲财险", "乙财险", "丙财险")] == [0, 1, 0]
    assert [totals[name]["cost_fen"] for name in ("甲财险", "乙财险", "丙财险")] == [1_000_000, 0, 0]
    assert {name: part.quality.hazard_total["found"] for name, part in parts.items()} == {
        "甲财险": 2,
        "乙财险": 1,
        "丙财险": 0,
    }
    for name in COUNTS:
        assert sum(part.quality.total[name] for part in parts.values()) == whole.quality.total[name]
    for name, part in parts.items():
        assert part.reconcile() > 20
        for table in part.tables().values():
            assert "insurer" not in table.column_names or set(table["insurer"].to_pylist()) <= {name}
    flags = {
        name: dict(zip(*part.tables()["flags"].select(["rule", "flags"]).to_pydict().values()))
        for name, part in parts.items()
    }
    assert flags["甲财险"]["no_gifts"] == 1, "the gift of 2025 is not one of 2026"
    assert flags["乙财险"]["no_gifts"] == 0
    owed = {name: part.tables()["duties"]["owed"].to_pylist() for name, part in parts.items()}
    assert owed == {"甲财险": [1], "乙财险": [], "丙财险": []}, "A1's falls due on 31 December, the others next year"


def test_the_pages_say_whose_they_are_and_that_the_effect_is_of_all(tmp_path, capsys):
    whole = evaluated(tmp_path)
    for lang, title in (
        ("zh", "乙财险事故预防服务评估报告（2026年度）"),
        ("en", "Evaluation of accident-prevention services, 2026: 乙财险"),
    ):
        assert evaluation_document(whole.of_insurer("乙财险"), lang).title == title
    assert "计划服务1次" in summary(whole.of_insurer("乙财险"), "zh")[0]
    words = ("--year", "2026", "--reports", str(tmp_path / "each"))
    code, lines = ask(tmp_path, capsys, "evaluate", None, *words)
    assert code == 3 and len([line for line in lines if line.startswith("已写入")]) == 3
    page = (tmp_path / "each" / "甲财险.html").read_text(encoding="utf-8")
    assert "乙财险" not in page and "本报告仅就甲财险" in page
    assert not said(lines, "RM39")


def test_all_reports_are_written_or_none(tmp_path, monkeypatch, capsys):
    whole, each = evaluated(tmp_path), tmp_path / "each"
    each.mkdir()
    (each / "丙财险.html").write_text("of another year", "utf-8")
    assert main(["fund", "evaluate", "--province", str(tmp_path), "--reports", str(each), "--at", "2026-12-31"]) == 1
    told = capsys.readouterr()
    assert "RM816" in told.err and not told.out, "before any work is done"
    with pytest.raises(BookError):
        write_evaluations(whole, each, "zh")
    assert [path.read_text("utf-8") for path in each.iterdir()] == ["of another year"]
    (each / "丙财险.html").unlink()
    of_insurer, made = Evaluation.of_insurer, []

    def fails_at_the_third(self, name):
        made.append(name)
        if len(made) == 3:
            raise BookError(problem("RM816", file=name))
        return of_insurer(self, name)

    monkeypatch.setattr(Evaluation, "of_insurer", fails_at_the_third)
    with pytest.raises(BookError):
        write_evaluations(whole, each, "zh")
    assert not list(each.iterdir()) and not list(tmp_path.glob(".each*")), "two reports of three are none"
    monkeypatch.undo()
    assert [path.name for path in write_evaluations(whole, each, "zh")] == ["丙财险.html", "乙财险.html", "甲财险.html"]


def test_a_hazard_without_a_day_to_rectify_it_by_is_found_and_open(tmp_path):
    """H1 was rectified in time; H2, due in 2027, is open; so is one found in December that nobody was told of yet."""
    given = lists()
    late = HAZARDS.iloc[[1]].assign(隐患编号="H3", 发现日期=day("2026-12-28"), 整改期限=None)
    given["隐患"] = pd.concat([HAZARDS, late]).astype(object)
    for name, frame in given.items():
        frame.to_excel(tmp_path / f"{name}.xlsx", index=False)
    found = evaluation_of(open_folder(tmp_path), day("2026-12-31"), year=2026)
    total = found.quality.hazard_total
    assert (total["found"], total["rectified_in_time"], total["open"]) == (3, 1, 2)
    assert [item.code for item in found.refused] == ["RM968"]
