"""A result is a set: whole or absent together, of one run, proved by its manifest, through nothing that was planted."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import ratemod as rm
from ratemod.errors import BookError
from ratemod.rating.identity import digest_of
from ratemod.whole_file import abandoned, file_set, hold, sweep, whole_file, whole_folder
from tests.own_plan import own_plan

ROOT = Path(__file__).parents[2]
SOURCES = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "PYTHONUTF8": "1"}
PLAN = """[column.heads]
kind = "number"
unit = "persons"
min = 1
max = 1000
[column.kind_of_work]
kind = "level"
levels = ["a", "b"]
optional = true
[[step]]
name = "amount"
op = "product"
of = ["heads", "10"]
source = "s"
[[step]]
name = "premium"
op = "round"
of = "amount"
unit = "0.01"
[[rule]]
name = "second"
when = { of = "kind_of_work", is = "b" }
action = "label"
message_en = "B"
message_zh = "B"
source = "s"
"""


@pytest.fixture(scope="module")
def plan(tmp_path_factory):
    return own_plan(tmp_path_factory.mktemp("plans"), PLAN, "line")


def code(raised) -> str:
    return raised.value.problems[0].code


# ---------------------------------------------------------------- files of a set


def test_none_of_a_set_appears_when_one_fails(tmp_path):
    (tmp_path / "a").write_text("old")
    with pytest.raises(ZeroDivisionError), file_set() as files:
        files.new(tmp_path / "a").write_text("new")
        files.new(tmp_path / "b").write_text("new")
        raise ZeroDivisionError
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    assert (tmp_path / "a").read_text() == "old"


def test_the_last_begun_is_the_last_renamed(tmp_path, monkeypatch):
    seen, real = [], os.replace
    monkeypatch.setattr(os, "replace", lambda old, new: (seen.append(Path(new).name), real(old, new)))
    with file_set() as files:
        for name in ("rows", "refused", "manifest"):
            files.new(tmp_path / name).write_text(name)
        assert not seen
    assert seen == ["rows", "refused", "manifest"]


@pytest.mark.parametrize("kind", ["pipe", "link to a pipe", "folder"])
def test_what_is_no_file_is_left_alone(tmp_path, kind):
    target = tmp_path / "out.csv"
    if kind == "folder":
        target.mkdir()
    else:
        pipe = target if kind == "pipe" else tmp_path / "pipe"
        os.mkfifo(pipe)
        if pipe != target:
            target.symlink_to(pipe)
    before = os.stat(target).st_mode
    with pytest.raises(BookError) as raised, whole_file(target) as part:
        part.write_text("x")
    assert code(raised) == ("RM804" if kind == "folder" else "RM390")
    assert os.stat(target).st_mode == before


def test_the_rights_of_a_replaced_file_stay(tmp_path):
    target = tmp_path / "list.csv"
    target.write_text("old")
    target.chmod(0o600)
    with whole_file(target) as part:
        part.write_text("new")
        assert stat.S_IMODE(part.stat().st_mode) == 0o600
    assert stat.S_IMODE(target.stat().st_mode) == 0o600


def test_leftovers_of_the_dead_go_and_those_of_the_living_stay(tmp_path):
    target = tmp_path / "out.csv"
    dead, link, other = (tmp_path / name for name in (".out.csv.7.part", ".out.csv.8.part", ".other.csv.7.part"))
    private = tmp_path / "private"
    private.write_text("dear")
    dead.write_text("half")
    other.write_text("another's")
    link.symlink_to(private)
    with whole_file(target) as living:
        with whole_file(target) as second:
            second.write_text("second")
        assert living.exists() and not dead.exists()
        living.write_text("first")
    assert target.read_text() == "first" and private.read_text() == "dear" and other.exists() and link.is_symlink()
    gone = tmp_path / ".ratemod-1.part"
    gone.mkdir()
    assert sweep(target) == (".ratemod-1.part",) and not gone.exists()
    gone.mkdir()
    handle = hold(gone)
    assert not abandoned(gone) and sweep(target) == ()
    os.close(handle)


def test_a_folder_is_exchanged_in_one_step(tmp_path):
    target = tmp_path / "study"
    for text in ("old", "new"):
        with whole_folder(target) as part:
            (part / "tables").mkdir()
            (part / "tables" / text).write_text(text)
            assert not (target / "tables" / text).exists()
    assert [path.name for path in (target / "tables").iterdir()] == ["new"]
    assert [path.name for path in tmp_path.iterdir()] == ["study"]


def test_two_threads_write_one_file(tmp_path):
    both = threading.Barrier(2)
    faults = []

    def write(text):
        try:
            with whole_file(tmp_path / "out") as part:
                both.wait(10)
                part.write_text(text)
        except Exception as error:
            faults.append(error)

    threads = [threading.Thread(target=write, args=(name,)) for name in ("one", "two")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not faults and (tmp_path / "out").read_text() in ("one", "two")
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


# ---------------------------------------------------------------- of one run


class Stopped(Exception):
    """A power cut."""


def stop(done, of):
    if done >= 200:
        raise Stopped


OTHERWISE = {
    "another column": {"header_map": {"B": "heads"}},
    "another unit": {"header_map": {"A": "heads"}, "language": "zh"},
    "a further column": {"header_map": {"A": "heads"}, "keep": ["B"]},
    "other chunks": {"header_map": {"A": "heads"}, "chunk": 150},
}


@pytest.mark.parametrize("change", OTHERWISE)
def test_a_run_goes_on_from_parts_of_the_very_same_run_only(plan, tmp_path, change):
    book = tmp_path / "list.parquet"
    pq.write_table(pa.table({"line": [f"P{at}" for at in range(300)], "A": [1] * 300, "B": [2] * 300}), book)
    options = dict(OTHERWISE[change])
    lang = options.pop("language", "en")
    with pytest.raises(Stopped):
        rm.rate_file(
            book, plan, tmp_path / "out.parquet", header_map={"A": "heads"}, lang="en", chunk=100, threads=1,
            resume=True, tick=stop,
        )  # fmt: skip
    rm.rate_file(book, plan, tmp_path / "out.parquet", **{"chunk": 100, **options}, lang=lang, resume=True)
    rm.rate_file(book, plan, tmp_path / "anew.parquet", **{"chunk": 100, **options}, lang=lang)
    assert (tmp_path / "out.parquet").read_bytes() == (tmp_path / "anew.parquet").read_bytes()
    assert not list(tmp_path.glob(".*"))


def test_a_run_that_begins_anew_throws_old_parts_away(plan, tmp_path):
    book = tmp_path / "list.parquet"
    pq.write_table(pa.table({"line": [f"P{at}" for at in range(300)], "heads": [1] * 300}), book)
    with pytest.raises(Stopped):
        rm.rate_file(book, plan, tmp_path / "out.parquet", chunk=100, threads=1, resume=True, tick=stop)
    assert list(tmp_path.glob(".*"))
    rm.rate_file(book, plan, tmp_path / "out.parquet", chunk=100)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "list.parquet",
        "out.parquet",
        "out.parquet.manifest.json",
    ]


# ---------------------------------------------------------------- the manifest proves itself

FORGED = {
    "plan": "own/1@000000000000",
    "inputs": [],
    "problems": [],
    "groups": [],
    "premium_fen": 1,
    "counts": {"rows": 3, "rated": 3, "referred": 0, "refused": 0, "declined": 0},
    "by": [],
}


@pytest.fixture(scope="module")
def priced(plan, tmp_path_factory):
    folder = tmp_path_factory.mktemp("priced")
    table = pa.table({"line": ["P1", "P2", "P3"], "heads": [5, 6, 5000], "kind_of_work": ["a", "b", "a"]})
    pq.write_table(table, folder / "list.parquet")
    rm.rate_file(folder / "list.parquet", plan, folder / "out.parquet", by=("kind_of_work",), keep=("kind_of_work",))
    return folder


@pytest.mark.parametrize("what", FORGED)
@pytest.mark.parametrize("signed", [False, True])
def test_a_forged_fact_is_noticed_even_where_the_manifest_is_signed_anew(plan, priced, what, signed):
    manifest = priced / "out.parquet.manifest.json"
    written = manifest.read_bytes()
    rm.verify(priced / "out.parquet", priced / "list.parquet", plan)
    facts = json.loads(written) | {what: FORGED[what]}
    if signed:
        facts.pop("sha256")
        facts["sha256"] = digest_of(facts)
    manifest.write_text(json.dumps(facts), encoding="utf-8")
    try:
        if (what, signed) == ("by", True):  # sums that nobody asks for prove nothing, and claim nothing
            return
        with pytest.raises(BookError):
            rm.verify(priced / "out.parquet", priced / "list.parquet")
    finally:
        manifest.write_bytes(written)


@pytest.mark.parametrize("facts", ["", "[]", "{}", "null", '{"inputs": 5}', "[" * 100_000])
def test_a_manifest_that_is_none_is_refused(priced, facts):
    manifest = priced / "out.parquet.manifest.json"
    written = manifest.read_bytes()
    manifest.write_text(facts, encoding="utf-8")
    try:
        with pytest.raises(BookError) as raised:
            rm.verify(priced / "out.parquet")
        assert code(raised) == "RM345"
    finally:
        manifest.write_bytes(written)


# ---------------------------------------------------------------- killed, and told to stop

DYING = """
import os, signal, sys
at, seen = int(sys.argv[1]), [0]
def deadly(real):
    def moved(*given, **named):
        seen[0] += 1
        if seen[0] == at:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*given, **named)
    return moved
os.replace = deadly(os.replace)
sys.argv = ["ratemod", *sys.argv[2:]]
from ratemod.cli import main
sys.exit(main())
"""


def test_killed_between_two_renames_a_priced_csv_is_old_new_or_refused_by_verify(plan, tmp_path):
    lists = {"old": "line,heads\nP1,5\nP2,5000\n", "new": "line,heads\nP1,6000\nP2,6\n"}
    for name, text in lists.items():
        (tmp_path / f"{name}.csv").write_text(text, encoding="utf-8")
    target = tmp_path / "out.csv"

    def rate(name, kill):
        words = ["--lang", "en", "rate", str(tmp_path / f"{name}.csv"), "--plan", str(plan.folder), "-o", str(target)]
        return subprocess.run(
            [sys.executable, "-c", DYING, str(kill), *words], env=SOURCES, capture_output=True, cwd=tmp_path
        ).returncode

    def pair():
        return target.read_bytes(), (tmp_path / "out-refused.csv").read_bytes()

    assert rate("old", 0) == 3
    old = pair()
    rm.verify(target)
    for kill in (1, 2, 3):
        assert rate("old", 0) == 3
        assert rate("new", kill) == -signal.SIGKILL
        if pair() != old:
            with pytest.raises(BookError):
                rm.verify(target)
        assert rate("new", 0) == 3
        rm.verify(target)
        assert not list(tmp_path.glob(".out*"))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_request_to_stop_unwinds_like_an_interrupt(tmp_path, number):
    asked = (
        "import os, sys, time\n"
        "from pathlib import Path\n"
        "import ratemod.commands.check as check\n"
        "from ratemod.whole_file import whole_file\n"
        "def run(args, lang):\n"
        "    with whole_file('out.csv') as part:\n"
        "        part.write_text('half')\n"
        f"        os.kill(os.getpid(), {int(number)})\n"
        "        time.sleep(20)\n"
        "check.run = run\n"
        "from ratemod.cli import main\n"
        "sys.exit(main(['check', 'x']))\n"
    )
    done = subprocess.run([sys.executable, "-c", asked], cwd=tmp_path, env=SOURCES, capture_output=True, text=True)
    assert done.returncode == 130 and "Traceback" not in done.stderr
    assert not list(tmp_path.iterdir())


def test_what_nobody_foresaw_is_one_line_with_its_details_in_a_file(tmp_path):
    asked = (
        "import sys\n"
        "import ratemod.commands.check as check\n"
        "def run(args, lang):\n"
        "    raise {error}\n"
        "check.run = run\n"
        "from ratemod.cli import main\n"
        "sys.exit(main(['check', 'x']))\n"
    )
    for error, wanted in (
        ("KeyError('premium')", "RM391"),
        ("MemoryError()", "RM393"),
        ("OSError(24, 'Too many open files')", "RM392"),
        ("RecursionError('deep')", "RM391"),
    ):
        done = subprocess.run(
            [sys.executable, "-c", asked.format(error=error)], cwd=tmp_path,
            env={**SOURCES, "TMPDIR": str(tmp_path)}, capture_output=True, text=True,
        )  # fmt: skip
        assert done.returncode == 1 and wanted in done.stderr and "Traceback" not in done.stderr, done.stderr
    assert all("Traceback" in path.read_text() for path in tmp_path.glob("ratemod-*.txt"))
    assert len(list(tmp_path.glob("ratemod-*.txt"))) == 2
