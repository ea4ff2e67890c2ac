"""``ratemod rate book.parquet -o out.parquet`` and ``ratemod verify``."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from benchmarks.books import table

from ratemod.cli import main
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
