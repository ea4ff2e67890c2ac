"""``ratemod rate book.parquet -o out.parquet`` and ``ratemod verify``."""

from __future__ import annotations

import csv
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from benchmarks.books import table
from tests.rating import renewals

from ratemod.cli import main
from ratemod.commands import rate
from ratemod.plan.editions import load_plan

AT = "2026-01-01"


@pytest.fixture
def book(tmp_path: Path) -> Path:
    rows = table(load_plan("jilin-spli", AT), 500)
    heads = [0, *rows["heads"].to_pylist()[1:]]
    rows = rows.set_column(rows.column_names.index("heads"), "heads", pa.array(heads))
    rows = rows.append_column("note", pa.array([f"n{at}" for at in range(500)]))
    pq.write_table(rows, tmp_path / "book.parquet")
    return tmp_path / "book.parquet"


def test_rate_then_verify(book: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "out.parquet"
    said = ["--lang", "en", "rate", str(book), "--plan", "jilin-spli", "--at", AT, "-o", str(target)]
    assert main([*said, "--keep", "note"]) == 3
    shown = capsys.readouterr().out
    assert "500 rows: 499 priced, 1 not priced" in shown
    assert "RM204" in shown
    assert pq.read_table(target)["note"].to_pylist()[:2] == ["n0", "n1"]
    assert main(["--lang", "en", "verify", str(target), "--book", str(book)]) == 0
    assert "500 rows" in capsys.readouterr().out
    target.write_bytes(target.read_bytes()[:-9])
    assert main(["--lang", "en", "verify", str(target)]) == 1
    assert "RM346" in capsys.readouterr().err


def test_a_folder(book: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "in" / "insurer=A"
    folder.mkdir(parents=True)
    book.rename(folder / "b.parquet")
    out = tmp_path / "out"
    assert main(["rate", str(tmp_path / "in"), "--plan", "jilin-spli", "--at", AT, "-o", str(out), "--resume"]) == 3
    assert (out / "insurer=A" / "b.parquet").is_file()
    assert main(["verify", str(out), "--book", str(tmp_path / "in")]) == 0


def test_bench_with_a_book_of_ones_own(book: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--lang", "en", "bench", "--book", str(book), "--plan", "jilin-spli", "--at", AT]) == 0
    assert "MiB" in capsys.readouterr().out
    assert main(["--lang", "en", "bench", "--book", str(book)]) == 1
    assert "RM350" in capsys.readouterr().err


def test_text_lists_in_chunks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A CSV goes to Parquet in chunks, and to CSV too when it is large: the same bytes as at once."""
    rows = renewals.rows(60, seed=1)
    book = tmp_path / "名册.csv"
    with book.open("w", encoding="gb18030", newline="") as file:
        csv.writer(file).writerows([[renewals.HEADERS[name] for name in rows[0]], *(row.values() for row in rows)])
        file.write("合计")
    said = ["--lang", "en", "rate", str(book), "--plan", "jilin-spli", "--at", AT, "-o"]
    assert main([*said, str(tmp_path / "out.parquet")]) in (0, 3)
    shown = capsys.readouterr().out
    assert "60 rows" in shown
    assert "RM231" in shown
    assert pq.read_table(tmp_path / "out.parquet").num_rows == 60
    assert main([*said, str(tmp_path / "once.csv")]) in (0, 3)
    monkeypatch.setattr(rate, "LARGE", 0)
    assert main([*said, str(tmp_path / "chunks.csv")]) in (0, 3)
    for end in (".csv", "-refused.csv"):
        assert (tmp_path / f"once{end}").read_bytes() == (tmp_path / f"chunks{end}").read_bytes()
    for name in ("once.csv", "chunks.csv"):
        assert main(["--lang", "en", "verify", str(tmp_path / name), "--book", str(book)]) == 0
    capsys.readouterr()
    assert main([*said, str(tmp_path / "chunks.csv"), "--resume"]) == 1
    assert "RM354" in capsys.readouterr().err


def test_registers_are_never_left_aside(book: Path) -> None:
    """A book to be filled from registers is read whole: streaming knows no registers."""
    from ratemod.cli import build_parser

    base = ["rate", str(book), "--plan", "jilin-spli", "--at", "2026-01-01", "-o", "out.parquet"]
    from ratemod.commands.project import settle

    def streamed(*words: str) -> bool:
        args = build_parser("en").parse_args([*base, "--no-project", *words])
        settle(args, "en")
        return rate.streams(args)

    assert streamed()
    assert not streamed("--hazards", "hazards.csv")
    assert not streamed("--fill", "heads=1")
