"""File to file: the same rows as in memory, the same bytes however it is cut up, and nothing half done."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from benchmarks.books import table as seeded
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import ratemod as rm
from ratemod.rating import across, pricer
from ratemod.rating.identity import digest_of
from ratemod.reading.checks import differs_within, repeats
from ratemod.reading.chunks import open_chunks
from tests.own_plan import own_plan
from tests.rating import renewals

ROWS, CHUNK = 5_000, 700
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def plan():
    return rm.load_plan("jilin-spli", at="2026-01-01")


@pytest.fixture(scope="module")
def messy(plan) -> pa.Table:
    """Good rows, and some with empty cells, unknown levels, wrong numbers, repeated keys, limits that differ."""
    table = seeded(plan, ROWS, seed=3)
    rng = np.random.default_rng(4)
    insurer = pa.array(rng.choice(["甲公司", "乙公司", "丙公司"], ROWS).tolist())
    table = table.append_column("insurer", insurer)
    spoilt = {
        "policy_no": ("P000000007", 0.002),
        "credit_code": ("910000000000000011", 0.002),
        "sector": ("farming", 0.003),
        "heads": (0, 0.004),
        "expiring_premium_yuan": (12.345, 0.004),
        "size_class": (None, 0.003),
    }
    for name, (value, share) in spoilt.items():
        cells = np.array(table[name].to_pylist(), dtype=object)
        cells[rng.random(ROWS) < share] = value
        table = table.set_column(table.column_names.index(name), name, pa.array(cells.tolist()))
    return table


@pytest.fixture(scope="module")
def book(messy, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("book") / "book.parquet"
    pq.write_table(messy, path, row_group_size=1_300)
    return path


def read(path: Path) -> dict[str, list]:
    return pq.read_table(path).to_pydict()


@pytest.mark.parametrize("trace", [False, True])
def test_the_file_holds_what_rate_gives(plan, book, tmp_path, trace):
    done = rm.rate_file(book, plan, tmp_path / "out.parquet", lang="en", trace=trace, chunk=CHUNK)
    rated = rm.rate(book, plan, lang="en", trace=trace)
    found, known = read(done.target), rated.table.to_pydict()
    assert done.counts == rated.counts
    assert done.counts["refused"] > 20
    assert done.counts["referred"] > 0
    assert {"policy_no", "credit_code", "insurer", "total_float", "premium_fen", "reason", "bounds"} <= set(found)
    assert ("float_before_bounds" in found) == trace
    for name, cells in found.items():
        assert cells == known[name], name
    assert (done.tally.premium_fen, done.tally.fund_fen) == (rated.premium_fen, rated.fund_fen)
    assert sum(done.tally.problems.values()) == sum(item.count for item in rated.problems)


def test_summary_is_that_of_rate(plan, book, tmp_path):
    by = ("sector", "size_class")
    done = rm.rate_file(book, plan, tmp_path / "out.parquet", lang="en", by=by, chunk=CHUNK)
    known = rm.rate(book, plan, lang="en").summary(by)
    found = done.summary(by)
    assert found.columns.tolist() == known.columns.tolist()
    for name in known:
        assert found[name].fillna(-1).tolist() == known[name].fillna(-1).tolist(), name


@pytest.mark.parametrize(("groups", "threads", "block"), [(ROWS, 1, 65_536), (97, 2, 64), (701, 3, 333), (2_500, 1, 1)])
def test_bytes_do_not_depend_on_how_it_is_cut_up(plan, messy, book, tmp_path, groups, threads, block):
    if block == 1:
        messy = messy.slice(0, 300)
        pq.write_table(messy, tmp_path / "first.parquet")
        book = tmp_path / "first.parquet"
    one, other = tmp_path / "one.parquet", tmp_path / "other.parquet"
    pq.write_table(messy, tmp_path / "book.parquet", row_group_size=groups)
    rm.rate_file(book, plan, one, lang="zh", chunk=CHUNK)
    rm.rate_file(tmp_path / "book.parquet", plan, other, lang="zh", threads=threads, block=block, chunk=CHUNK)
    assert one.read_bytes() == other.read_bytes()


def test_text_lists_stream_too(plan, tmp_path):
    """Everything as text under Chinese headers, one of them with a unit, as a database export gives it."""
    rows = renewals.rows(400, seed=1)
    cells = {
        renewals.HEADERS[name]: [None if row[name] is None else str(row[name]) for row in rows] for name in rows[0]
    }
    pq.write_table(pa.table(cells), tmp_path / "book.parquet", row_group_size=150)
    done = rm.rate_file(tmp_path / "book.parquet", plan, tmp_path / "out.parquet", lang="zh", chunk=100)
    rated = rm.rate(tmp_path / "book.parquet", plan, lang="zh")
    found = read(done.target)
    assert found["premium_fen"] == rated.table["premium_fen"].to_pylist()
    assert found["reason"] == rated.table["reason"].to_pylist()
    assert done.counts["rated"] > 350


def test_moments_are_refused_by_their_own_name(plan, tmp_path):
    """Days with a time of day: the message must not depend on which rows were read together."""
    table = seeded(plan, 60)
    days = table["start_date"].cast(pa.timestamp("us")).cast(pa.int64()).to_pylist()
    moments = [day + (at % 3 == 2) * at * 3_600_000_000 // 60 for at, day in enumerate(days)]
    place = table.column_names.index("start_date")
    table = table.set_column(place, "start_date", pa.array(moments, pa.int64()).cast(pa.timestamp("us")))
    pq.write_table(table, tmp_path / "book.parquet")
    bytes_ = []
    for block, threads in ((7, 1), (64, 2)):
        done = rm.rate_file(
            tmp_path / "book.parquet", plan, tmp_path / "out.parquet", lang="en", block=block, threads=threads, chunk=50
        )
        bytes_.append(done.target.read_bytes())
    assert bytes_[0] == bytes_[1]
    assert done.counts["refused"] == 20
    assert len({reason for reason in read(done.target)["reason"] if reason}) == 20


def test_no_pandas_on_the_way(plan, book, tmp_path):
    code = (
        "import sys, ratemod as rm\n"
        f"rm.rate_file({str(book)!r}, 'jilin-spli', {str(tmp_path / 'o.parquet')!r}, at='2026-01-01', chunk=2000)\n"
        "assert 'pandas' not in sys.modules, 'pandas was loaded'\n"
        "assert 'pyarrow.dataset' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env=environment())


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)])}


# ---------------------------------------------------------------- checks across rows

keys = st.lists(st.one_of(st.none(), st.sampled_from(["", "a", "b", "ab", "abcdefgh", "abcdefghi", "甲"])), max_size=30)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(found=keys.filter(len), size=st.integers(1, 9), groups=st.integers(1, 9), collide=st.booleans(), data=st.data())
def test_across_rows_as_in_memory(plan, tmp_path, found, size, groups, collide, data):
    """Keys that repeat and limits that differ, whatever the chunks, and even if all hashes collide."""
    limits = data.draw(
        st.lists(st.sampled_from([400_000.0, 500_000.0, None]), min_size=len(found), max_size=len(found))
    )
    table = pa.table(
        {
            "policy_no": pa.array(found, pa.string()),
            "credit_code": pa.array(found, pa.string()),
            "limit_yuan": pa.array(limits, pa.float64()),
        }
    )
    pq.write_table(table, tmp_path / "book.parquet", row_group_size=groups)
    columns = {name: plan.columns[name] for name in table.column_names}
    chunks = open_chunks(tmp_path / "book.parquet", columns, size=size)
    with pytest.MonkeyPatch.context() as patch:
        if collide:
            original = across.text_words
            patch.setattr(
                across, "text_words", lambda column: (original(column)[0] * np.uint64(0), original(column)[1])
            )
        broken = {item.check.name: item.rows.tolist() for item in across.broken(plan, chunks, tmp_path)}
    values = np.array([np.nan if limit is None else limit for limit in limits])
    said = pa.chunked_array([pa.array([key or None for key in found], pa.string())])  # a blank is no key
    twice = np.flatnonzero(repeats(said)).tolist()
    differ = np.flatnonzero(differs_within(values, said)).tolist()
    assert broken.get("policy_number_repeats", []) == twice
    assert broken.get("one_limit_for_all", []) == differ


@pytest.mark.parametrize("at", [0, 6, 2_999])
def test_one_key_out_of_order_is_found(plan, tmp_path, at):
    """Keys ascend but for one row, which repeats the first key: the run must begin anew with a pass over all keys."""
    table = seeded(plan, 3_000)
    keys = table["policy_no"].to_pylist()
    keys[2_999] = keys[at]
    table = table.set_column(table.column_names.index("policy_no"), "policy_no", pa.array(keys))
    pq.write_table(table, tmp_path / "book.parquet")
    done = rm.rate_file(tmp_path / "book.parquet", plan, tmp_path / "out.parquet", lang="en", chunk=CHUNK)
    status = read(done.target)["status"]
    found = [row for row, said in enumerate(status) if said == "refused"]
    assert found == ([at, 2_999] if at < 2_999 else [])


def test_hashes_tell_texts_apart():
    texts = [f"{head}{number}" for head in ("", "P", "91000000") for number in range(20_000)]
    words, valid = across.text_words(pa.array(texts))
    assert valid.all()
    assert len(set(words.tolist())) == len(texts)
    sliced, _ = across.text_words(pa.array(texts).slice(5, 7))
    assert sliced.tolist() == words[5:12].tolist()


# ---------------------------------------------------------------- what can go wrong


def refusal(work) -> rm.Problem:
    with pytest.raises(rm.BookError) as error:
        work()
    return error.value.problems[0]


def test_a_corrupt_row_group_is_named(plan, book, tmp_path):
    data = bytearray(book.read_bytes())
    column = pq.ParquetFile(book).metadata.row_group(2).column(0)
    at = column.dictionary_page_offset or column.data_page_offset
    data[at : at + 60] = b"\xff" * 60
    (tmp_path / "bad.parquet").write_bytes(data)
    target = tmp_path / "out.parquet"
    target.write_bytes(b"what was there before")
    said = refusal(lambda: rm.rate_file(tmp_path / "bad.parquet", plan, target, chunk=CHUNK))
    assert (said.code, said.args["group"]) == ("RM341", 2)
    assert target.read_bytes() == b"what was there before"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bad.parquet", "out.parquet"]


def test_inputs_that_are_not_there(plan, book, tmp_path):
    assert refusal(lambda: rm.rate_file(tmp_path / "no.parquet", plan, tmp_path / "o.parquet")).code == "RM340"
    (tmp_path / "text.parquet").write_text("not Parquet")
    assert refusal(lambda: rm.rate_file(tmp_path / "text.parquet", plan, tmp_path / "o.parquet")).code == "RM340"
    (tmp_path / "empty").mkdir()
    assert refusal(lambda: rm.rate_file(tmp_path / "empty", plan, tmp_path / "o.parquet")).code == "RM343"
    chunks = open_chunks(book, plan.columns)
    assert chunks.n == ROWS


def test_an_input_that_vanishes_between_files(plan, messy, tmp_path):
    folder = tmp_path / "books"
    folder.mkdir()
    for at in range(3):
        pq.write_table(messy.slice(at * 1000, 1000), folder / f"{at}.parquet")

    def vanish(rows: int, _: int) -> None:
        (folder / "2.parquet").unlink(missing_ok=True)

    said = refusal(lambda: rm.rate_file(folder, plan, tmp_path / "o.parquet", chunk=100, threads=1, tick=vanish))
    assert said.code == "RM340"
    assert "2.parquet" in str(said.file)
    assert not (tmp_path / "o.parquet").exists()


def test_an_input_that_is_replaced_is_noticed(plan, messy, tmp_path):
    folder = tmp_path / "books"
    folder.mkdir()
    for at in range(3):
        pq.write_table(messy.slice(at * 1000, 1000), folder / f"{at}.parquet")

    def renew(rows: int, _: int) -> None:
        pq.write_table(messy.slice(0, 999), folder / "2.parquet")

    said = refusal(lambda: rm.rate_file(folder, plan, tmp_path / "o.parquet", chunk=100, threads=1, tick=renew))
    assert said.code in ("RM347", "RM340")


def test_schemas_that_change_are_refused_all_at_once(plan, messy, tmp_path):
    folder = tmp_path / "books"
    folder.mkdir()
    pq.write_table(messy.slice(0, 1000), folder / "a.parquet")
    other = messy.slice(1000, 1000)
    other = other.set_column(other.column_names.index("heads"), "heads", other["heads"].cast(pa.string()))
    pq.write_table(other.drop_columns(["sector"]), folder / "b.parquet")
    with pytest.raises(rm.BookError) as error:
        rm.rate_file(folder, plan, tmp_path / "o.parquet")
    said = {(item.code, item.args["column"], item.args["found"], item.args["known"]) for item in error.value.problems}
    assert said == {("RM342", "heads", "text", "number"), ("RM342", "sector", "absent", "text")}


def test_a_column_that_is_in_one_file_alone_is_no_other_column_and_not_passed_over(tmp_path):
    """Empty in the first file and absent in the second it stays empty: premiums as of each file by itself."""
    body = """[column.heads]
kind = "number"
min = 1
max = 1000
[column.load]
kind = "number"
min = 0
max = 9
optional = true
[[step]]
name = "raw"
op = "sum"
of = ["heads", "load"]
when = { of = "load", missing = false }
otherwise = "heads"
[[step]]
name = "premium"
op = "round"
of = "raw"
unit = "0.01"
source = "s"
"""
    plan = own_plan(tmp_path, body, "no")
    folder = tmp_path / "books"
    folder.mkdir()
    heads, last = pa.array([10.0]), pa.array([5.0])
    first = {"no": ["1"], "heads": heads, "load": pa.nulls(1), "last": last}
    pq.write_table(pa.table(first), folder / "a.parquet")
    pq.write_table(pa.table({"no": ["2"], "heads": heads, "last": last}), folder / "b.parquet")
    rm.rate_file(folder, plan, tmp_path / "o.parquet")
    assert pq.read_table(tmp_path / "o.parquet")["premium_fen"].to_pylist() == [1000, 1000]
    pq.write_table(pa.table({"no": ["0"], "heads": heads}), folder / "a.parquet")
    pq.write_table(pa.table({"no": ["2"], "heads": heads, "load": last}), folder / "b.parquet")
    said = refusal(lambda: rm.rate_file(folder, plan, tmp_path / "o.parquet"))
    assert (said.code, said.args["column"], Path(str(said.file)).name) == ("RM342", "load", "b.parquet")
    assert "数字" in said.line("zh") and "缺失" in said.line("zh")


def test_files_of_one_book_may_store_it_differently(plan, messy, tmp_path):
    """Numbers of other widths, levels with or without a dictionary, other row groups: the same bytes."""
    folder = tmp_path / "books"
    folder.mkdir()
    one, two = messy.slice(0, 1234), messy.slice(1234)
    wider = two.set_column(two.column_names.index("heads"), "heads", two["heads"].cast(pa.int64()))
    wider = wider.set_column(wider.column_names.index("sector"), "sector", wider["sector"].cast(pa.string()))
    pq.write_table(one, folder / "a.parquet")
    pq.write_table(wider, folder / "b.parquet", store_schema=False, row_group_size=333)
    pq.write_table(messy, tmp_path / "whole.parquet")
    rm.rate_file(folder, plan, tmp_path / "one.parquet", lang="en", chunk=CHUNK)
    rm.rate_file(tmp_path / "whole.parquet", plan, tmp_path / "two.parquet", lang="en", chunk=CHUNK)
    assert (tmp_path / "one.parquet").read_bytes() == (tmp_path / "two.parquet").read_bytes()


def test_a_full_disk_leaves_what_was_there(plan, book, tmp_path):
    target = tmp_path / "out.parquet"
    target.write_bytes(b"before")
    code = (
        "import resource, signal, sys, ratemod as rm\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))\n"
        "try:\n"
        f"    rm.rate_file({str(book)!r}, 'jilin-spli', {str(target)!r}, at='2026-01-01', chunk=700)\n"
        "except rm.BookError as error:\n"
        "    sys.exit(error.problems[0].code)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], env=environment(), capture_output=True, text=True)
    assert done.stderr.strip().endswith("RM805"), done.stderr
    assert target.read_bytes() == b"before"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.parquet"]


def test_plans_of_several_lines_are_not_streamed(plan, book, tmp_path, monkeypatch):
    program = pricer.compile_plan(plan)
    monkeypatch.setattr(pricer, "compile_plan", lambda _: replace(program, whole=True))
    assert refusal(lambda: rm.rate_file(book, plan, tmp_path / "o.parquet")).code == "RM344"


# ---------------------------------------------------------------- stopped and gone on with


class Stop(Exception):
    pass


def test_a_stopped_run_goes_on_behind_the_last_chunk(plan, book, tmp_path):
    whole, target = tmp_path / "whole.parquet", tmp_path / "out.parquet"
    rm.rate_file(book, plan, whole, lang="en", chunk=CHUNK)

    def stop(rows: int, _: int) -> None:
        if rows >= 3 * CHUNK:
            raise Stop

    with pytest.raises(Stop):
        rm.rate_file(book, plan, target, lang="en", chunk=CHUNK, resume=True, tick=stop)
    parts = sorted(path.name for path in (tmp_path / ".out.parquet.parts").glob("*.arrow"))
    assert len(parts) >= 3
    marks = {name: (tmp_path / ".out.parquet.parts" / name).stat().st_mtime_ns for name in parts}
    seen = []

    def look(rows: int, _: int) -> None:
        seen.append({name: (tmp_path / ".out.parquet.parts" / name).stat().st_mtime_ns for name in parts})

    rm.rate_file(book, plan, target, lang="en", chunk=CHUNK, resume=True, tick=look)
    assert all(found == marks for found in seen)  # the finished ones were not priced again
    assert target.read_bytes() == whole.read_bytes()
    assert not (tmp_path / ".out.parquet.parts").exists()
    ours, theirs = (
        json.loads((tmp_path / f"{name}.manifest.json").read_text()) for name in ("out.parquet", "whole.parquet")
    )
    assert ours["counts"] == theirs["counts"]
    assert ours["problems"] == theirs["problems"]


def test_parts_of_another_run_are_thrown_away(plan, book, tmp_path):
    target = tmp_path / "out.parquet"

    def stop(rows: int, _: int) -> None:
        raise Stop

    with pytest.raises(Stop):
        rm.rate_file(book, plan, target, lang="en", chunk=CHUNK, resume=True, tick=stop)
    dearer = plan.replace({"constants.fund_share": "0.15"})
    rm.rate_file(book, dearer, target, lang="en", chunk=CHUNK, resume=True)
    rm.rate_file(book, dearer, tmp_path / "whole.parquet", lang="en", chunk=CHUNK)
    assert target.read_bytes() == (tmp_path / "whole.parquet").read_bytes()


def test_killed_at_any_moment(plan, book, tmp_path):
    """kill -9 at random moments: the target is absent or whole, and the last run gives the same bytes."""
    whole, target = tmp_path / "whole.parquet", tmp_path / "out.parquet"
    rm.rate_file(book, plan, whole, lang="en", chunk=CHUNK)
    expected = whole.read_bytes()
    code = (
        "import sys, ratemod as rm\n"
        "plan = rm.load_plan('jilin-spli', at='2026-01-01')\n"
        "print('ready', flush=True)\n"
        "while True:\n"
        f"    rm.rate_file({str(book)!r}, plan, {str(target)!r}, lang='en', chunk=700, resume=True, threads=2)\n"
    )
    rng = random.Random(7)
    finished = 0
    for _ in range(10):
        process = subprocess.Popen([sys.executable, "-c", code], env=environment(), stdout=subprocess.PIPE)
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(rng.uniform(0.0, 0.5))
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        if target.exists():
            finished += 1
            assert target.read_bytes() == expected
    rm.rate_file(book, plan, target, lang="en", chunk=CHUNK, resume=True)
    assert target.read_bytes() == expected
    rm.verify(target, book, plan)


# ---------------------------------------------------------------- manifest


def test_the_manifest_is_borne_out_and_notices(plan, book, tmp_path):
    target = tmp_path / "out.parquet"
    done = rm.rate_file(book, plan, target, lang="en", by=("sector",), chunk=CHUNK)
    facts = rm.verify(target, book, plan)
    table = pq.read_table(target)
    assert facts["plan"] == plan.id
    assert facts["premium_fen"] == sum(fen or 0 for fen in table["premium_fen"].to_pylist())
    assert sum(cell["premium_fen"] for cell in facts["insurers"].values()) == facts["premium_fen"]
    assert set(facts["insurers"]) == {"甲公司", "乙公司", "丙公司"}
    said = json.loads(done.manifest.read_text(encoding="utf-8"))
    said["premium_fen"] += 1
    done.manifest.write_text(json.dumps(said), encoding="utf-8")
    assert refusal(lambda: rm.verify(target)).args["what"] == "manifest sha256"
    said["groups"][0][-2] += 1  # a forger who knows how a manifest signs itself
    del said["sha256"]
    done.manifest.write_text(json.dumps(said | {"sha256": digest_of(said)}), encoding="utf-8")
    assert refusal(lambda: rm.verify(target)).args["what"] == "premium_fen"
    rm.rate_file(book, plan, target, lang="en", chunk=CHUNK)
    other = plan.replace({"constants.fund_share": "0.15"})
    assert refusal(lambda: rm.verify(target, plan=other)).args["what"] == "fingerprint"
    data = bytearray(target.read_bytes())
    data[len(data) // 2] ^= 1
    target.write_bytes(data)
    assert refusal(lambda: rm.verify(target)).args["what"] == "output sha256"
    target.with_name("out.parquet.manifest.json").unlink()
    assert refusal(lambda: rm.verify(target)).code == "RM404"


# ---------------------------------------------------------------- partitions


@pytest.fixture
def folder(messy, tmp_path) -> Path:
    root = tmp_path / "books"
    for insurer in ("甲公司", "乙公司"):
        for year in (2025, 2026):
            path = root / f"insurer={insurer}" / f"year={year}"
            path.mkdir(parents=True)
            at = 1000 * ((insurer == "甲公司") * 2 + year - 2025)
            pq.write_table(messy.slice(at, 1000).drop_columns(["insurer"]), path / "part.parquet")
    (root / ".hidden.parquet").write_text("not to be read")
    return root


def test_a_folder_in_and_out(plan, folder, tmp_path):
    out = tmp_path / "out"
    done = rm.rate_folder(folder, plan, out, lang="en", chunk=CHUNK)
    rm.rate_file(folder, plan, tmp_path / "one.parquet", lang="en", chunk=CHUNK)
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("part.parquet"))
    assert names == sorted(path.relative_to(out).as_posix() for path in out.rglob("*.parquet"))
    whole = (
        pq.read_table(tmp_path / "one.parquet").select(["policy_no", "insurer", "premium_fen", "reason"]).to_pylist()
    )
    apart = [row for name in names for row in pq.ParquetFile(out / name).read().select(list(whole[0])).to_pylist()]
    assert apart == whole  # checks across rows look at all files
    assert {row["insurer"] for row in apart} == {"甲公司", "乙公司"}
    assert done.counts["rows"] == 4000
    assert done.tally.premium_fen == sum(row["premium_fen"] or 0 for row in whole)
    for name in names:
        rm.verify(out / name, folder / name, plan)
    assert refusal(lambda: rm.rate_folder(folder, plan, folder / "out")).code == "RM348"


def test_a_stopped_folder_goes_on(plan, folder, tmp_path):
    out = tmp_path / "out"
    known = rm.rate_folder(folder, plan, out, lang="en", chunk=CHUNK)
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*.parquet")}
    bytes_ = {path: path.read_bytes() for path in before}
    first = min(before)
    first.unlink()
    found = rm.rate_folder(folder, plan, out, lang="en", chunk=CHUNK, resume=True)
    assert {path: path.read_bytes() for path in before} == bytes_
    assert found.tally == known.tally
