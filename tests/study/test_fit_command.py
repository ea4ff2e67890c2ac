"""`ratemod fit` as an analyst meets it."""

from __future__ import annotations

from pathlib import Path

import pytest

import ratemod as rm
from ratemod.cli import main

PROVINCE = Path(__file__).parents[2] / "data" / "province"
WORDS = ["fit", str(PROVINCE), "--plan", "jilin-spli/2025-04"]


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    folder = tmp_path_factory.mktemp("province") / "small"
    rm.synthesize(enterprises=1500, years=4, seed=3, out=folder)
    return ["fit", str(folder), "--plan", "jilin-spli/2025-04"]


def test_fit_writes_an_edition_with_figures_in_chinese(small, tmp_path, capsys):
    pytest.importorskip("matplotlib")
    folder = tmp_path / "next"
    assert main([*small, "--from", "2026-01-01", "-o", str(folder), "--lang", "zh"]) == 0
    said = capsys.readouterr().out
    assert "目标赔付率58.0%" in said
    assert "合成数据" in said
    assert main(["check", str(folder / "jilin-spli" / "2026-01")]) == 0
    drawn = {path.stem for path in (folder / "study" / "figures").glob("*.svg")}
    assert {
        "triangle_incurred",
        "development_counts",
        "relativities_sector",
        "actual_expected_year",
        "lift",
        "lorenz",
        "severity",
    } <= drawn


def test_choices_come_from_a_file_and_stay_in_the_record(small, tmp_path, capsys):
    picks = tmp_path / "picks.csv"
    picks.write_text('path,selected,reason\n"tables.base_rate[mining, small].value",1.30,two steps\n', "utf-8-sig")
    first, again = tmp_path / "a", tmp_path / "b"
    assert main([*small, "--from", "2026-01-01", "--selections", str(picks), "-o", str(first)]) == 0
    assert main([*small, "--assumptions", str(first / "study" / "record.json"), "-o", str(again)]) == 0
    assert _contents(first) == _contents(again)
    assert "two steps" in (first / "jilin-spli" / "2026-01" / "tables" / "base_rate.csv").read_text("utf-8")


def _contents(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_without_a_first_day_it_says_what_is_missing(tmp_path, capsys):
    assert main([*WORDS, "-o", str(tmp_path / "next"), "--lang", "en"]) == 1
    assert "new_from" in capsys.readouterr().err
    assert not (tmp_path / "next").exists()


def test_a_setting_that_is_none(tmp_path, capsys):
    assert main([*WORDS, "--set", "profit", "-o", str(tmp_path / "next"), "--lang", "en"]) == 1
    assert "NAME=VALUE" in capsys.readouterr().err
