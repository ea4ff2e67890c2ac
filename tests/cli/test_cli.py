"""The command line as a user meets it: exit codes, languages, what is printed where."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from openpyxl import load_workbook
from tests.cli.books import BAD, GOOD, HEADERS, PLAN, PREMIUMS_FEN, write_book

from ratemod.cli import main

ROOT = Path(__file__).parents[2]


@pytest.fixture
def book(tmp_path: Path) -> Path:
    return write_book(tmp_path / "renewals.xlsx")


def said(capsys: pytest.CaptureFixture[str]) -> tuple[str, str]:
    captured = capsys.readouterr()
    return captured.out, captured.err


def run(*words: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    where = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "PYTHONIOENCODING": "utf-8"}
    return subprocess.run(
        [sys.executable, *words],
        capture_output=True,
        text=True,
        encoding="utf-8",
        env=where,
        cwd=cwd,
        timeout=120,
        check=False,
    )


def test_a_slip_in_a_command_or_a_verb_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    for words, meant in ((["what-iff"], "what-if"), (["fund", "lev"], "levy"), (["--lang", "zh", "raet", "x"], "rate")):
        assert main(words) == 2
        assert f"did you mean '{meant}'" in (told := said(capsys)[1]) or f"是否应为“{meant}”" in told


def test_a_command_loads_no_other() -> None:
    found = run(
        "-c",
        "import sys\nfrom ratemod.cli import main\nmain(['plans'])\n"
        "print([name for name in sys.modules if name.startswith('ratemod.commands.fund')])",
    )
    assert found.stdout.strip().endswith("[]"), found.stdout


def test_help_loads_nothing_heavy() -> None:
    found = run(
        "-c",
        "import sys\nfrom ratemod.cli import main\nmain(['--help'])\n"
        "print([m for m in ('numpy', 'pyarrow', 'pandas', 'scipy') if m in sys.modules])",
    )
    assert found.returncode == 0, found.stderr
    assert found.stdout.strip().endswith("[]")


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["no-such"],
        ["rate"],
        ["rate", "book.xlsx"],
        ["rate", "b.xlsx", "--plan", "p", "--at", "yesterday"],
        ["rate", "b.xlsx", "--plan", "p", "--business", "old"],
        ["bench", "--rows", "0"],
        ["plans", "--what"],
    ],
)
def test_wrong_usage_is_2(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*words, "--lang", "zh"]) == 2
    out, err = said(capsys)
    assert not out
    assert "错误：" in err and "用法：" in err


def test_language_comes_from_the_locale(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("LC_ALL", "zh_CN.UTF-8")
    main(["--help"])
    assert "用法：" in said(capsys)[0]


def test_some_refused_is_3(book: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "priced.xlsx"
    assert main(["rate", str(book), "--plan", str(PLAN), "--at", "2026-02-01", "-o", str(target), "--lang", "zh"]) == 3
    out, err = said(capsys)
    assert not err  # no bar: this is no terminal
    assert "共7行：已定价4行，未定价3行" in out
    assert f"{sum(PREMIUMS_FEN.values()) / 100:,.2f}" in out
    assert "仅供测试的虚构费率。" in out and "tiny/2026-01@" in out
    assert "第6行" in out and "矿山”？" in out  # which row, and what was probably meant
    assert str(target) in out and target.exists()


def test_all_rated_is_0(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good = write_book(tmp_path / "good.xlsx", GOOD)
    assert main(["rate", str(good), "--plan", str(PLAN), "--lang", "en"]) == 0
    out, _ = said(capsys)
    assert "4 rows: 4 priced, 0 not priced" in out
    assert "Nothing was written" in out
    assert sorted(tmp_path.iterdir()) == [good]


@pytest.mark.parametrize("name", ["no-such-plan", "tiny/2020"])
def test_unusable_plan_is_1(name: str, book: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rate", str(book), "--plan", name, "--lang", "zh"]) == 1
    out, err = said(capsys)
    assert not out and "RM170" in err and name in err


def test_unusable_book_is_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rate", str(tmp_path / "none.xlsx"), "--plan", str(PLAN)]) == 1
    assert "RM" in said(capsys)[1]


def test_strict_prices_nothing(book: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "priced.csv"
    assert main(["rate", str(book), "--plan", str(PLAN), "--strict", "-o", str(target), "--lang", "en"]) == 1
    out, err = said(capsys)
    assert not out and "RM320" in err
    assert sorted(tmp_path.iterdir()) == [book]


@pytest.mark.parametrize("target", ["renewals.xlsx", "link.xlsx"])
def test_input_is_never_overwritten(target: str, book: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = book.read_bytes()
    (book.parent / "link.xlsx").symlink_to(book)
    assert main(["rate", str(book), "--plan", str(PLAN), "-o", str(book.parent / target)]) == 1
    assert "RM803" in said(capsys)[1]
    assert book.read_bytes() == before


def test_refused_file_of_a_csv_is_not_the_input_either(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    book = tmp_path / "priced-refused.csv"
    book.write_text("保单号\n", encoding="utf-8")
    assert main(["rate", str(book), "--plan", str(PLAN), "-o", str(tmp_path / "priced.csv")]) == 1
    assert "RM803" in said(capsys)[1]


@pytest.mark.parametrize(
    ("output", "code"), [("priced.doc", "RM800"), ("no/such/priced.xlsx", "RM801"), (".xlsx", "RM800")]
)
def test_impossible_outputs_fail_before_the_work(
    output: str, code: str, book: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["rate", str(book), "--plan", str(PLAN), "-o", str(book.parent / output)]) == 1
    assert code in said(capsys)[1]


def test_parquet_is_the_table(book: Path, tmp_path: Path) -> None:
    target = tmp_path / "priced.parquet"
    assert main(["rate", str(book), "--plan", str(PLAN), "--trace", "-o", str(target)]) == 3
    table = pq.read_table(target)
    found = dict(zip(table["policy_no"].to_pylist(), table["premium_fen"].to_pylist()))
    assert {key: fen for key, fen in found.items() if fen is not None} == PREMIUMS_FEN
    assert table.num_rows == len(GOOD + BAD)
    assert "size_factor" in table.column_names  # traced, though no headline


def test_odd_headers_are_mapped(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    odd = tmp_path / "odd.xlsx"
    write_book(odd, GOOD)
    sheet = load_workbook(odd)
    sheet.active.cell(1, HEADERS.index("投保人数") + 1).value = "今年多少人"
    sheet.save(odd)
    base = ["rate", str(odd), "--plan", str(PLAN), "--lang", "en"]
    assert main(base) == 1
    assert "heads" in said(capsys)[1]
    assert main([*base, "--columns", "今年多少人=heads"]) == 0
    mapping = tmp_path / "map.toml"
    mapping.write_text('"今年多少人" = "heads"\n', encoding="utf-8")
    assert main([*base, "--columns", str(mapping)]) == 0
    said(capsys)
    assert main([*base, "--columns", "今年多少人=head"]) == 1
    assert "did you mean 'heads'" in said(capsys)[1]
    assert main([*base, "--columns", "今年多少人=,b=heads"]) == 1
    assert "RM810" in said(capsys)[1]
    assert main([*base, "--columns", str(tmp_path / "none.toml")]) == 1
    assert "RM017" in said(capsys)[1]
    for content, code in (('"a" = 3', "RM103"), ('"a" = "heads', "RM107"), ('[columns]\n[extra]\n"a" = "b"', "RM101")):
        mapping.write_text(content, encoding="utf-8")
        assert main([*base, "--columns", str(mapping)]) == 1
        assert code in said(capsys)[1]


def test_by_names_the_summary(book: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rate", str(book), "--plan", str(PLAN), "--by", "size", "--lang", "en"]) == 3
    out, _ = said(capsys)
    table = out.partition("\nSize ")[2].partition("\n\n")[0]
    assert "Small firm" in table and "Mines" not in table
    assert main(["rate", str(book), "--plan", str(PLAN), "--by", "sise", "--lang", "en"]) == 1
    assert "did you mean 'size'" in said(capsys)[1]


def test_explain_in_both_languages(book: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", str(book), "--plan", str(PLAN), "P001", "--lang", "zh"]) == 0
    out, _ = said(capsys)
    assert "基准费率" in out and "按上限计" in out and "38,220.00" in out and "base_rate[mining]" in out
    assert main(["explain", str(book), "--plan", str(PLAN), "P001", "--lang", "en"]) == 0
    out, _ = said(capsys)
    assert "Base rate" in out and "high end held" in out
    assert main(["explain", str(book), "--plan", str(PLAN), "P006", "--lang", "en"]) == 3
    assert "Reason" in said(capsys)[0]
    assert main(["explain", str(book), "--plan", str(PLAN), "P1000", "--lang", "en"]) == 1
    assert "RM321" in said(capsys)[1]


def test_check_a_good_and_a_bad_plan(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(PLAN), "--lang", "en"]) == 0
    assert "1 worked cases agree" in said(capsys)[0]
    import shutil

    shutil.copytree(PLAN, tmp_path / "tiny")
    table = tmp_path / "tiny" / "2026-01" / "tables" / "base_rate.csv"
    table.write_text(table.read_text().replace("2.1,made", "2.2,made"))
    assert main(["check", str(tmp_path / "tiny"), "--lang", "en"]) == 1
    assert "RM190" in said(capsys)[0]


def test_plans_says_what_a_book_needs(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plans", str(PLAN), "--lang", "zh"]) == 0
    out, _ = said(capsys)
    assert "投保人数" in out and "矿山, 交通运输, 烟花爆竹" in out
    assert main(["plans", "--lang", "en"]) == 0
    assert "jilin-spli/" in said(capsys)[0]


def test_diff_in_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import shutil

    after = tmp_path / "tiny" / "2026-01"
    shutil.copytree(PLAN / "2026-01", after)
    assert main(["diff", str(PLAN), str(after), "--lang", "en"]) == 0
    assert "price alike" in said(capsys)[0]
    table = after / "tables" / "base_rate.csv"
    table.write_text(table.read_text().replace("2.1,made", "2.2,made"))
    assert main(["diff", str(PLAN), str(after), "--lang", "en"]) == 0
    assert "tables.base_rate[mining].value: 2.1 → 2.2" in said(capsys)[0]


def test_module_in_a_pipe_is_silent_and_codes_reach_the_shell(book: Path) -> None:
    found = run("-m", "ratemod", "--lang", "zh", "rate", str(book), "--plan", str(PLAN))
    assert found.returncode == 3
    assert found.stderr == ""
    assert "\x1b" not in found.stdout and "\r" not in found.stdout


def test_reader_that_stops_early_is_no_error(book: Path) -> None:
    command = f"{sys.executable} -m ratemod rate {book} --plan {PLAN} | head -n 1"
    where = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    found = subprocess.run(["bash", "-c", command], capture_output=True, text=True, env=where, timeout=120, check=False)
    assert "Traceback" not in found.stderr and "BrokenPipe" not in found.stderr


def test_same_book_same_bytes(book: Path, tmp_path: Path) -> None:
    for name in ("xlsx", "csv", "parquet"):
        one, other = tmp_path / f"one.{name}", tmp_path / f"other.{name}"
        for target in (one, other):
            main(["rate", str(book), "--plan", str(PLAN), "-o", str(target), "--lang", "zh"])
        assert one.read_bytes() == other.read_bytes()


def test_bench_prints_a_speed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "--rows", "1,000", "--lang", "en"]) == 0
    assert "1,000 rows in" in said(capsys)[0]


def test_a_list_is_summed_by_labels_and_by_text_columns(capsys):
    book = str(ROOT / "src" / "ratemod" / "demo" / "renewals.xlsx")
    words = ["rate", book, "--plan", "jilin-spli/2025-04", "--business", "renewal", "--lang", "zh"]
    assert main([*words, "--by", "行业领域，标准化等级"]) == 3
    said = capsys.readouterr().out
    assert "安全生产标准化等级" in said and "矿山" in said
    assert main([words[0], str(ROOT / "data" / "province" / "renewals.parquet"), *words[2:], "--by", "保险公司"]) == 0
    assert "songhua" in capsys.readouterr().out
    assert main([*words, "--by", "行页"]) == 1
    assert "RM813" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words", [["fund", "levy", "--basis", "x"], ["mods", "a.csv", "--exposure", "b.csv", "--by", "x"]]
)
def test_an_option_of_another_command_is_no_near_match(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*words, "--lang", "en"]) == 2
    err = said(capsys)[1]
    assert err.startswith(f"usage: ratemod {' '.join(words[: 2 if words[0] == 'fund' else 1])} ")
    known = set(re.findall(r"--[a-z-]+", err.partition("error:")[0]))
    assert set(re.findall(r"did you mean '(--[a-z-]+)'", err)) <= known


@pytest.mark.parametrize("word", ["--busines", "--bussiness"])
def test_an_option_cut_short_or_misspelt_is_refused_with_the_one_that_is_meant(book, word, capsys):
    assert main(["rate", str(book), "--plan", str(PLAN), word, "renewal", "--lang", "en"]) == 2
    assert "did you mean '--business'" in said(capsys)[1]
