"""CSV in, in bounded memory: cell for cell what `read_book` reads, and the same results."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import ratemod as rm
from ratemod.reading import text_chunks
from ratemod.reading.convert import _numbers, _plainly_written
from ratemod.reading.text_chunks import LINE, _clean, open_text
from ratemod.report.priced_csv import write_priced_csv
from ratemod.report.streamed_csv import rate_to_csv
from tests.rating import renewals


@pytest.fixture(scope="module")
def plan():
    return rm.load_plan("jilin-spli", at="2026-01-01")


def quoted(cell: str | None) -> str:
    said = "" if cell is None else cell
    return '"' + said.replace('"', '""') + '"' if set(said) & set(',"\r\n') else said


def messy_text(n: int = 400) -> str:
    """A list as people keep it: a title, blanks, totals, cells over several lines, short rows and long ones."""
    rows = renewals.rows(n, seed=1)
    names = list(rows[0])
    lines = ["吉林省安责险续保清单", ",".join([*(renewals.HEADERS[name] for name in names), "备注"])]
    for at, row in enumerate(rows):
        cells = [quoted(None if row[name] is None else str(row[name])) for name in names]
        remark = {1: quoted("一,二"), 2: quoted('他说"好"'), 3: quoted("上\r\n下"), 4: quoted("甲\n乙\n丙")}
        lines.append(",".join([*cells, remark.get(at % 7, "")]))
        if at % 50 == 9:
            lines += ["", "," * len(names), "合 计" + "," * len(names)]
        if at % 60 == 5:
            lines[-1] = lines[-1].rstrip(",")  # a short row
        if at % 90 == 11:
            lines[-1] += ",,, "  # a long one, of blank cells
    return "\r\n".join([*lines, "总计：", "制表人：张三 2026-01-05", "注：1. 含续保", ""])


def read_all(path: Path, plan, **given) -> tuple[pa.Table, tuple]:
    chunks = open_text(path, plan.columns, keep=("all",), **given)
    return pa.concat_tables(list(chunks.tables())), chunks.receipt().remarks


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize(("stretch", "size"), [(1 << 22, 1000), (3_000, 37), (1, 5)])
def test_cells_lines_and_what_is_left_out(plan, tmp_path, monkeypatch, encoding, stretch, size):
    monkeypatch.setattr(text_chunks, "STRETCH", stretch)
    path = tmp_path / "名册.csv"
    path.write_bytes(messy_text(120 if stretch == 1 else 400).encode(encoding))
    found, skipped = read_all(path, plan, size=size)
    known = rm.read_book(path, plan)
    assert found[LINE].to_pylist() == known.rows.tolist()
    for name in known.table.column_names:
        if not name.startswith("column "):  # cells under no header
            assert found[name].to_pylist() == known.table[name].to_pylist(), name
    assert skipped == known.skipped


def test_units_of_the_whole_list(plan, tmp_path):
    """A line that names a unit for all amounts, and a row of units below the header, mean what they mean in memory."""
    rows = renewals.rows(40, seed=1)
    names = list(rows[0])
    plain = [",".join(quoted(None if row[name] is None else str(row[name])) for name in names) for row in rows]
    head = ",".join(renewals.HEADERS[name] for name in names)
    for at, above in enumerate((["单位：元", head], [head, ",".join("人" if n == "heads" else "" for n in names)])):
        path = tmp_path / f"{at}.csv"
        path.write_text("\n".join([*above, *plain]), encoding="utf-8")
        done = rm.rate_file(path, plan, tmp_path / "out.parquet", lang="en", chunk=7)
        rated = rm.rate(path, plan, lang="en")
        assert pq.read_table(done.target)["premium_fen"].to_pylist() == rated.table["premium_fen"].to_pylist()
        assert done.skipped == rated.book.skipped


cells = st.text(st.sampled_from(list('ab ,;"\r\n１合计')), max_size=6)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(body=[";\r ,", ""], stretch=1, size=1)  # a blank row at the very start of a stretch
@given(body=st.lists(cells, max_size=40), stretch=st.integers(1, 30), size=st.integers(1, 6))
def test_any_text_is_read_alike(plan, tmp_path, body, stretch, size):
    """Marks, delimiters and line ends anywhere, stretches that end anywhere: as Python's csv reads the whole."""
    path = tmp_path / "book.csv"
    path.write_bytes(("保单号,用工人数,备注\n" + ",".join(body)).encode())
    few = SimpleNamespace(columns={name: plan.columns[name] for name in ("policy_no", "heads")})
    try:
        known = rm.read_book(path, few)
    except rm.BookError as error:
        with pytest.raises(rm.BookError) as same:
            read_all(path, few, size=size)
        assert same.value.problems[0] == error.problems[0]  # a later stretch is not read any more
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text_chunks, "STRETCH", stretch)
        found, skipped = read_all(path, few, size=size)
    assert found[LINE].to_pylist() == known.rows.tolist()
    shown = [name for name in known.table.column_names if name in found.column_names]
    assert len(shown) >= 2
    for name in shown:
        assert found[name].to_pylist() == known.table[name].to_pylist(), name
    assert skipped == known.skipped


def test_parquet_from_text_is_what_rate_gives(plan, tmp_path, monkeypatch):
    monkeypatch.setattr(text_chunks, "STRETCH", 5_000)
    path = tmp_path / "book.csv"
    path.write_bytes(messy_text().encode("gb18030"))
    done = rm.rate_file(path, plan, tmp_path / "out.parquet", lang="zh", chunk=100, threads=2)
    rated = rm.rate(path, plan, lang="zh")
    found = pq.read_table(done.target)
    for name in found.column_names:
        assert found[name].to_pylist() == rated.table[name].to_pylist(), name
    assert done.counts == rated.counts
    assert done.skipped == rated.book.skipped
    facts = rm.verify(done.target, path, plan)
    assert facts["inputs"][0]["rows"] == done.counts["rows"]
    once = done.target.read_bytes()
    rm.rate_file(path, plan, tmp_path / "out.parquet", lang="zh", chunk=100, threads=1, block=64)
    assert done.target.read_bytes() == once


def test_a_stopped_run_from_text_goes_on(plan, tmp_path):
    path, whole = tmp_path / "book.csv", tmp_path / "whole.parquet"
    path.write_bytes(messy_text().encode())
    rm.rate_file(path, plan, whole, lang="en", chunk=60)

    def stop(rows: int, _: int) -> None:
        if rows >= 180:
            raise RuntimeError

    with pytest.raises(RuntimeError):
        rm.rate_file(path, plan, tmp_path / "out.parquet", lang="en", chunk=60, resume=True, tick=stop)
    assert len(list((tmp_path / ".out.parquet.parts").glob("*.arrow"))) >= 3
    done = rm.rate_file(path, plan, tmp_path / "out.parquet", lang="en", chunk=60, resume=True)
    assert done.target.read_bytes() == whole.read_bytes()
    assert done.skipped == rm.read_book(path, plan).skipped


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_csv_in_chunks_has_the_bytes_of_csv_at_once(plan, tmp_path, lang, kind):
    path = tmp_path / f"book.{kind}"
    if kind == "csv":
        path.write_bytes(messy_text().encode())
    else:
        rows = renewals.rows(400, seed=1)
        spoilt = [{**row, "limit_yuan": 7} if at % 17 == 0 else row for at, row in enumerate(rows)]
        text = {name: [None if row[name] is None else str(row[name]) for row in spoilt] for name in rows[0]}
        pq.write_table(pa.table(text), path, row_group_size=90)
    done = rate_to_csv(path, plan, tmp_path / "out.csv", lang=lang, chunk=70, threads=2)
    one, two = write_priced_csv(rm.rate(path, plan, lang=lang, trace=False), tmp_path / "known.csv", lang=lang)
    assert done.target.read_bytes() == one.read_bytes()
    assert (tmp_path / "out-refused.csv").read_bytes() == two.read_bytes()
    rm.verify(done.target, path, plan)
    (tmp_path / "out-refused.csv").write_bytes(b"")
    with pytest.raises(rm.BookError, match="refused rows"):
        rm.verify(done.target)


def test_keys_that_repeat_far_apart_in_text(plan, tmp_path):
    rows = renewals.rows(300, seed=1)
    rows[290] = {**rows[290], "policy_no": rows[3]["policy_no"]}
    cells = ([quoted(None if cell is None else str(cell)) for cell in row.values()] for row in rows)
    lines = [",".join(rows[0]), *map(",".join, cells)]
    path = tmp_path / "book.csv"
    path.write_text("\n".join(lines), encoding="utf-8")
    done = rm.rate_file(path, plan, tmp_path / "out.parquet", lang="en", chunk=40)
    status = pq.read_table(done.target)["status"].to_pylist()
    assert [status[3], status[290]] == ["refused", "refused"]
    assert done.counts == rm.rate(path, plan).counts


def refusal(work) -> str:
    with pytest.raises(rm.BookError) as error:
        work()
    return error.value.problems[0].code


def test_texts_that_cannot_be_read(plan, tmp_path):
    out = tmp_path / "o.parquet"
    assert refusal(lambda: rm.rate_file(tmp_path / "no.csv", plan, out)) == "RM211"
    (tmp_path / "bytes.csv").write_bytes("保单号\n".encode() + b"\xff\xff\xff")
    assert refusal(lambda: rm.rate_file(tmp_path / "bytes.csv", plan, out)) == "RM212"
    (tmp_path / "nul.csv").write_bytes("保单号\n1\x00".encode())
    assert refusal(lambda: rm.rate_file(tmp_path / "nul.csv", plan, out)) == "RM212"
    head = messy_text(3).split("\r\n")[:2]
    (tmp_path / "empty.csv").write_text("\r\n".join(head), encoding="utf-8")
    assert refusal(lambda: rm.rate_file(tmp_path / "empty.csv", plan, out)) == "RM225"
    huge = "\r\n".join([*head, "x" * 200_000 + ',"'])
    (tmp_path / "huge.csv").write_text(huge, encoding="utf-8")
    assert refusal(lambda: rm.rate_file(tmp_path / "huge.csv", plan, out)) == "RM267"
    assert refusal(lambda: rm.read_book(tmp_path / "huge.csv", plan)) == "RM267"
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".csv"] * 4


@settings(max_examples=60, deadline=None)
@given(data=st.data(), name=st.sampled_from(["expected_losses_yuan", "heads", "schedule_factor", "limit_yuan"]))
def test_plain_numbers_at_once_are_those_one_by_one(data, name):
    from ratemod.reading.convert import Refusals

    column = rm.load_plan("jilin-spli", at="2026-01-01").columns[name]
    places = column.decimals
    whole = st.from_regex(rf"[0-9]{{1,{15 - places}}}", fullmatch=True)
    part = st.from_regex(rf"\.[0-9]{{1,{places}}}", fullmatch=True) if places else st.just("")
    texts = data.draw(st.lists(st.builds(lambda a, b: a + b, whole, st.one_of(st.just(""), part)), max_size=30))
    found = _plainly_written(pa.array(texts * 300, pa.string()), column) if texts else None
    refusals = Refusals(column)
    known = _numbers(texts * 300, refusals, None)
    if found is not None:
        assert found == known
    elif texts:
        assert refusals.found  # something is out of range


def test_progress_of_pricing_in_memory(plan, tmp_path):
    path = tmp_path / "book.csv"
    path.write_bytes(messy_text().encode())
    seen: list[tuple[int, int]] = []
    rated = rm.rate(path, plan, threads=1, block=64, tick=lambda *told: seen.append(told))
    n = rated.coding.n
    assert seen == [(done, n) for done in range(0, n, 64)]


def test_a_full_disk_leaves_both_csv_as_they_were(plan, tmp_path):
    import os
    import subprocess
    import sys

    root = Path(__file__).parents[2]
    book, out = tmp_path / "book.csv", tmp_path / "out"
    book.write_bytes(messy_text().encode())
    out.mkdir()
    for name in ("o.csv", "o-refused.csv"):
        (out / name).write_bytes(b"before")
    code = (
        "import resource, signal, sys, ratemod as rm\n"
        "from ratemod.report.streamed_csv import rate_to_csv\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))\n"
        "plan = rm.load_plan('jilin-spli', at='2026-01-01')\n"
        "try:\n"
        f"    rate_to_csv({str(book)!r}, plan, {str(out / 'o.csv')!r}, lang='en', chunk=70)\n"
        "except rm.BookError as error:\n"
        "    sys.exit(error.problems[0].code)\n"
    )
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(root / "src"), str(root)])}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True)
    assert done.stderr.strip().endswith("RM805"), done.stderr
    assert {path.name: path.read_bytes() for path in out.iterdir()} == {"o.csv": b"before", "o-refused.csv": b"before"}


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("a,b\n1,2\n", True),
        ('a,"b"\n1,"x,y"\n', True),
        ('a,"b\nc"\n1,2\n', False),  # a line ends within a cell, of several that end outside
        ('a,b"c"\n1,2\n', False),
        ('a,"b\n1,2\n', False),
    ],
)
def test_marks_that_every_reader_takes_alike(text, clean):
    assert _clean(np.frombuffer(text.encode(), dtype=np.uint8), ord(",")) is clean
