"""Lists for methods: a unit of a weight or a value is obeyed, one that is none is named, by option or project file."""

from __future__ import annotations

from pathlib import Path

import pytest

import ratemod as rm
from ratemod.cli import main
from ratemod.errors import BookError
from ratemod.reading.header import HeaderWords

ROWS = [("A", 2020, 1, 2), ("A", 2021, 2, 3), ("B", 2020, 4, 5), ("B", 2021, 4, 6)]


def frame(weight: str, value: str = "value") -> list[dict[str, object]]:
    return [dict(zip(("firm", "period", weight, value), row)) for row in ROWS]


def test_a_multiple_is_the_same_as_the_numbers_written_out():
    found = rm.credibility(frame("weight（万元）", "value（千元）"))
    plain = [row | {"weight": row["weight"] * 10_000, "value": row["value"] * 1_000} for row in frame("weight")]
    assert found["weight"].tolist() == [30_000, 80_000]
    assert found["estimate"].tolist() == pytest.approx(rm.credibility(plain)["estimate"].tolist(), rel=1e-12)


def test_texts_and_models_obey_it_too():
    texts = [
        {"g": g, "n": n, "w（万元）": w}
        for g, n, w in (("a", "1", "2"), ("b", "2", "2.5"), ("a", "3", "4"), ("b", 1, "1"))
    ]
    plain = [
        {"g": g, "n": n, "w": w} for g, n, w in (("a", 1, 20_000), ("b", 2, 25_000), ("a", 3, 40_000), ("b", 1, 10_000))
    ]
    one, other = (rm.rate_model(rows, total="n", weight="w", factors=["g"]) for rows in (texts, plain))
    assert one.base_rate == pytest.approx(other.base_rate, rel=1e-12)


@pytest.mark.parametrize("header", ["weight（箱）", "weight(cases)", "weight【盒】"])
def test_what_is_no_unit_is_named_with_its_header(header):
    with pytest.raises(BookError) as caught:
        rm.credibility(frame(header))
    (problem,) = caught.value.problems
    assert (problem.code, problem.args["column"]) == ("RM336", "weight")
    assert len(rm.credibility(frame(header), header_map=HeaderWords(headers={header: "weight"}))) == 2


def test_a_header_like_the_column_that_is_lacking_is_named():
    with pytest.raises(BookError, match="the header 'wieght' is not used, while 'weight' is not filled"):
        rm.credibility(frame("wieght"), lang="en")


def test_units_and_a_project_file_are_taken_by_the_command(tmp_path: Path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    lines = ["firm,period,保费（箱）,value", *(",".join(map(str, row)) for row in ROWS)]
    Path("list.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    Path("ratemod.toml").write_text('[columns]\n"保费（箱）" = "weight"\n', encoding="utf-8")
    assert main(["credibility", "list.csv", "--units", "weight=万元", "-o", "out.csv", "--lang", "en"]) == 0
    assert "80,000" in capsys.readouterr().out
    assert main(["credibility", "list.csv", "--no-project", "--lang", "en"]) != 0


def test_money_above_a_list_of_numbers_of_any_kind_is_not_taken_for_the_unit_of_all(tmp_path: Path):
    above = ["单位：万元,,,", "firm,period,weight,value", *(",".join(map(str, row)) for row in ROWS)]
    (tmp_path / "list.csv").write_text("\n".join(above) + "\n", encoding="utf-8")
    with pytest.raises(BookError, match="RM264"):
        rm.credibility(tmp_path / "list.csv")
    above[1] = "firm,period,weight（元）,value（万元）"
    (tmp_path / "list.csv").write_text("\n".join(above) + "\n", encoding="utf-8")
    assert rm.credibility(tmp_path / "list.csv")["weight"].tolist() == [3, 8]
