"""The demonstration: what a newcomer sees first."""

from __future__ import annotations

from pathlib import Path

import pytest
from openpyxl import load_workbook

from ratemod.cli import main


@pytest.mark.parametrize(
    ("lang", "words"),
    [
        ("zh", ("逐步计算", "未定价各行", "示例费率，非官方", "jilin-spli/", "下一步")),
        ("en", ("Step by step", "rows that were not priced", "example rates, not official", "jilin-spli/", "Next:")),
    ],
)
def test_demo_shows_the_whole_way(
    lang: str, words: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "new" / "demo"
    assert main(["demo", "--out", str(folder), "--lang", lang]) == 0
    out = capsys.readouterr().out
    for word in words:
        assert word in out
    names = {"renewals.xlsx", "priced.xlsx", "priced.csv", "priced-refused.csv", "priced.parquet"}
    proofs = {"priced.csv.manifest.json", "priced.parquet.manifest.json"}
    assert {path.name for path in folder.iterdir()} == names | proofs
    assert all(str(folder / name) in out for name in names)
    book = load_workbook(folder / "priced.xlsx")
    priced, referred, refused, declined = (sheet.max_row - 1 for sheet in book.worksheets[:4])
    assert 5 <= refused + declined <= 20  # a few mistakes, each with its reason
    assert referred and priced + referred + refused + declined == 300


def test_demo_twice_gives_the_same_files(tmp_path: Path) -> None:
    for name in ("one", "other"):
        assert main(["demo", "--out", str(tmp_path / name)]) == 0
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "other" / path.name).read_bytes(), path.name


def test_demo_says_when_it_may_not_write(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")
    assert main(["demo", "--out", str(tmp_path / "file")]) == 1
    assert "RM80" in capsys.readouterr().err
