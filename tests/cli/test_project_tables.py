"""What is said of headers and units reaches every shared table that a command reads, where its column belongs."""

from __future__ import annotations

from pathlib import Path

import pytest

import ratemod as rm
from ratemod.cli import main
from ratemod.errors import BookError

ONE, OTHER = "91220101MA0000001X", "91220101MA0000002X"
CLAIMS = f"信用代码,日期,赔了多少\n{ONE},2023-05-01,30\n{OTHER},2023-06-01,1.5\n"
EXPOSURE = f"统一社会信用代码,日期,预期,预期首段\n{ONE},2025-01-01,500000,200000\n{OTHER},2025-01-01,50000,20000\n"
PLAIN = (
    f"credit_code,event_date,paid_yuan\n{ONE},2023-05-01,300000\n{OTHER},2023-06-01,15000\n",
    f"credit_code,start_date,expected_losses_yuan,expected_primary_losses_yuan\n"
    f"{ONE},2025-01-01,500000,200000\n{OTHER},2025-01-01,50000,20000\n",
)
PROJECT = """\
plan = "jilin-spli"
sheet = "清单"
[columns]
"预期" = "期望损失"
"今年多少人" = "投保人数"
[table.firm_claims.columns]
"日期" = "出险日期"
[profile."某经纪".table.exposure.columns]
"日期" = "保险起期"
"预期首段" = "期望初级损失"
[profile."某经纪".table.firm_claims.columns]
"赔了多少" = "已付赔款"
[profile."某经纪".table.firm_claims.units]
paid_yuan = "万元"
"""
MODS = ["mods", "claims.csv", "--exposure", "exposure.csv"]


@pytest.fixture(autouse=True)
def tables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder with two odd tables, the same two in plain words, and the working directory."""
    (tmp_path / "plain").mkdir()
    for name, odd, plain in zip(("claims", "exposure"), (CLAIMS, EXPOSURE), PLAIN):
        (tmp_path / f"{name}.csv").write_text(odd, encoding="utf-8")
        (tmp_path / "plain" / f"{name}.csv").write_text(plain, encoding="utf-8")
    monkeypatch.chdir(tmp_path)


def test_tables_are_read_as_a_profile_says_of_each(capsys):
    Path("ratemod.toml").write_text(PROJECT, encoding="utf-8")
    assert main([*MODS, "--profile", "某经纪", "-o", "odd.csv", "--lang", "en"]) == 0
    out, err = capsys.readouterr()
    assert "[firm_claims] 日期 → 出险日期, 赔了多少 → 已付赔款, paid_yuan → 万元" in err and "plan" not in err
    assert "RM306 claims.csv read as asked: 日期 → event_date, 赔了多少 → paid_yuan" in out
    assert "日期 → start_date, 预期 → expected_losses_yuan" in out and "赔了多少 ×10,000" in out
    plain = [word if word in ("mods", "--exposure") else f"plain/{word}" for word in MODS]
    assert main([*plain, "-o", "plain.csv", "--no-project", "--lang", "en"]) == 0
    assert Path("odd.csv").read_bytes() == Path("plain.csv").read_bytes()


def test_options_apply_where_their_column_belongs_and_go_before_the_file(capsys):
    Path("ratemod.toml").write_text('[table.firm_claims.columns]\n"赔了多少" = "未决赔款"\n', encoding="utf-8")
    Path("exposure.csv").write_text(EXPOSURE.replace("日期", "起保日期"), encoding="utf-8")
    said = "日期=出险日期,赔了多少=已付赔款（万元）,预期=期望损失,预期首段=expected_primary_losses_yuan,备注=-"
    noted = "\n".join(f"{line},{note}" for line, note in zip(CLAIMS.split(), ("备注", "", "")))
    Path("claims.csv").write_text(noted, encoding="utf-8")
    assert main([*MODS, "--columns", said, "-o", "odd.csv", "--lang", "en"]) == 0
    plain = [word if word in ("mods", "--exposure") else f"plain/{word}" for word in MODS]
    assert main([*plain, "-o", "plain.csv", "--no-project", "--lang", "en"]) == 0
    assert Path("odd.csv").read_bytes() == Path("plain.csv").read_bytes()
    capsys.readouterr()
    assert main([*MODS, "--columns", said, "--units", "保费=万元,heads=百人", "--lang", "en"]) == 1
    err = capsys.readouterr().err
    assert err.count("RM410") == 1 and "'heads'" in err  # a premium is a column of firms, heads of none


def test_what_is_meant_by_no_table_is_named_with_what_is_near_even_where_reading_fails_for_it(capsys):
    said = "日期=出险日期,赔了多少=已付赔款,预期=期望损矢,预期首段=期望初级损失"
    assert main([*MODS, "--columns", said, "--lang", "en"]) == 1
    err = capsys.readouterr().err
    assert "RM417" in err and "did you mean '期望损失'" in err and "RM619" in err


def test_tables_and_columns_that_are_none_are_refused_with_their_line():
    Path("ratemod.toml").write_text(
        '[table.claims.columns]\n"日期" = "出险时期"\n[table.claims.units]\n"-" = "元"\n[table.claim]\n'
        '[profile.a.table.hazards.columns]\n"日期" = "出险日期"\n[table.policies.columns]\n"矿" = "a plan\'s own"\n',
        encoding="utf-8",
    )
    with pytest.raises(BookError) as caught:
        rm.load_project("ratemod.toml")
    found = [(item.code, item.row) for item in caught.value.problems]
    assert sorted(found, key=str) == [("RM309", 2), ("RM309", 4), ("RM309", 7), ("RM952", 5)]
    assert "出险日期" in str(caught.value)


def test_what_was_found_out_about_a_table_is_kept_too(capsys):
    Path("ratemod.toml").write_text('[units]\n"已付赔款" = "元"\n[columns]\n"预期" = "期望损失"\n', encoding="utf-8")
    Path("exposure.csv").write_text(EXPOSURE.replace("日期", "起保日期"), encoding="utf-8")
    said = ["--columns", "日期=出险日期,赔了多少=已付赔款,预期首段=期望初级损失", "--units", "paid_yuan=万元"]
    assert main([*MODS, *said, "--remember", "-o", "a.csv"]) == 0
    assert '"已付赔款" = "万元"' in Path("ratemod.toml").read_text("utf-8")  # one column, by whatever name
    assert "paid_yuan" not in Path("ratemod.toml").read_text("utf-8")
    assert main([*MODS, "-o", "b.csv"]) == 0
    assert Path("a.csv").read_bytes() == Path("b.csv").read_bytes()


def test_a_register_beside_a_list_is_read_by_the_same_words(tmp_path, capsys):
    import pandas as pd

    rm.synthesize(enterprises=60, years=2, seed=5, out=tmp_path / "province")
    hazards = pd.read_parquet("province/hazards.parquet")
    given = ["rate", "province/renewals.parquet", "--plan", "jilin-spli/2025-04", "--lang", "en"]
    assert main([*given, "--hazards", "province/hazards.parquet", "-o", "plain.csv"]) in (0, 3)
    hazards.rename(columns={"found_date": "看见的日子"}).to_csv("hazards.csv", index=False)
    words = ["--hazards", "hazards.csv", "--columns", "看见的日子=发现日期", "-o", "odd.csv"]
    capsys.readouterr()
    assert main([*given, *words]) in (0, 3), capsys.readouterr().err
    assert "看见的日子 → found_date" in capsys.readouterr().out
    assert Path("odd.csv").read_bytes() == Path("plain.csv").read_bytes()
    for wrong, code in (("看见的曰子=发现日期", "RM418"), ("看见的日子=发现曰期", "RM417")):
        Path("odd.csv").unlink(missing_ok=True)
        assert main([*given, *words[:3], f"看见的日子=发现日期,{wrong}" if code == "RM418" else wrong, *words[4:]]) == 1
        assert code in capsys.readouterr().err and not Path("odd.csv").exists()


def test_what_is_said_of_a_users_tables_does_not_reach_those_of_a_rule(tmp_path):
    """A plan of modifications may have a table of classes with amounts of its own."""
    from ratemod.experience.class_rates import COLUMNS
    from ratemod.reading.header import HeaderWords
    from ratemod.reading.read import read_table
    from ratemod.reading.spoken import Spoken, spoken

    (tmp_path / "rates.csv").write_text("class_code,elr\n1,0.5\n", encoding="utf-8")
    with spoken(Spoken(standing=HeaderWords(aliases={"class_code": "-"}))):
        own = read_table(tmp_path / "rates.csv", COLUMNS)
        given = read_table(tmp_path / "rates.csv", COLUMNS, shared="class_rates")
    assert "class_code" in own.headers and "class_code" not in given.headers
