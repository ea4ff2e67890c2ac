"""Every command of the command line, with inputs that are none and with a system that fails between two renames.

The commands, their arguments and their options are taken from the parser, so that one added tomorrow is tried too: a
command of which no valid call is written down here fails the first test.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

import ratemod as rm
from ratemod import whole_file
from ratemod.cli import UNUSABLE, USAGE, build_parser, main

PLAN = "jilin-spli/2025-04"
pytestmark = pytest.mark.usefixtures("no_pictures")
EVERY = os.environ.get("HYPOTHESIS_PROFILE") == "fuzz"
# By the word that stands for an argument in the help, what is read; by name, what is written.
READ = {"FILE", "LIST", "BOOK", "DIR", "FOLDER", "PLAN", "PLAN_A", "PLAN_B", "CLAIMS", "HISTORY", "PROVINCE"}
READ |= {"PATH", "RULE", "OUT", "MAP"}
WRITTEN = {"out", "output", "export", "graph", "receipt", "report", "refused", "panel"}
# One call of each command that ends well: {p} the province, {b} its renewals, {o} where it may write.
CALLS = {
    "demo": "--out {o}/x",
    "plans": PLAN + " --export {o}/x.xlsx",
    "check": "{plan}",
    "diff": "{plan} {plan}",
    "rate": "{b} --plan " + PLAN + " -o {o}/x.xlsx",
    "verify": "{rated}",
    "explain": "{b} {key} --plan " + PLAN,
    "quote": "{b} --plan " + PLAN + " --only {key} -o {o}/x.html",
    "second-opinion": "{theirs} --plan " + PLAN + " --premium theirs -o {o}/x.html",
    "compare": "{b} --plan " + PLAN + " --with {plan}",
    "what-if": "{b} --plan " + PLAN + " --grid steps.minimum_premium.low=300,400 --panel {o}/x.html",
    "solve": "{b} --plan " + PLAN + " --find steps.minimum_premium.low=100..400 --target premium=1000000",
    "fit": "{p} --plan " + PLAN + " --from 2026-01-01 -o {o}/x",
    "mods": "{p}/claims.parquet --exposure {b} -o {o}/x.csv",
    "triangle": "{triangle} -o {o}/x.xlsx",
    "credibility": "{risks} -o {o}/x.csv",
    "severity": "{losses} --families lognormal,exponential -o {o}/x.html",
    "model": "{model} --target claims --weight heads --factors sector -o {o}/x.xlsx",
    "registers authority-report": "{b} --plan " + PLAN + " --hazards {p}/hazards.parquet -o {o}/x.xlsx",
    "registers coverage": "--plan "
    + PLAN
    + " --enterprises {p}/enterprises.parquet --policies {p}/policies.parquet"
    + " --from 2025-01-01 --until 2025-12-31 -o {o}/x.xlsx",
    "registers controllable": "{b} --plan " + PLAN + " -o {o}/x.xlsx",
    "registers movement": "{b} --before {b} --plan " + PLAN + " -o {o}/x.xlsx",
    "fund levy": "--province {p} --out {o}/x.csv",
    "fund duties": "--province {p} --out {o}/x.csv",
    "fund allocate": "--province {p} --out {o}/x.csv",
    "fund ledger": "--province {p} --out {o}/x.csv",
    "fund evaluate": "--province {p} --permutations 2 --out {o}/x.csv --report {o}/y.html",
    "fund scorecard": "--province {p} --out {o}/x.csv --report {o}/y.html",
    "fund subsidy": "--province {p} --budget 100000 --out {o}/x.csv",
    "data tables": "claims",
    "data template": PLAN + " -o {o}/x.xlsx",
    "data check": "{p}",
    "data package": "{p} -o {o}/x.json",
    "report disclosure": "{p} --year 2025 -o {o}/x",
    "report filing": "{b} --plan {plan} --against " + PLAN + " -o {o}/x.html",
    "report attack": "{b}",
    "report year": "{p} --year 2025 -o {o}/x",
    "synth": "{o}/x --enterprises 60 --years 2",
    "bench": "",
}


def commands(parser: argparse.ArgumentParser, name: str = "") -> Iterator[tuple[str, argparse.ArgumentParser]]:
    """Yield every command that does something, and its parser."""
    below = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    if not below:
        yield name, parser
    for action in below:
        for word, one in action.choices.items():
            yield from commands(one, f"{name} {word}".strip())


# What takes long and reads its tables as the others do: their headers are tried by `make fuzz`.
LONG = {"fit", "report disclosure", "report filing", "second-opinion", "demo", "fund evaluate", "fund scorecard"}
LONG |= {"registers movement", "report year"}
LEAVES = dict(commands(build_parser("en")))


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    folder = tmp_path_factory.mktemp("world")
    province = folder / "province"
    rm.synthesize(enterprises=200, years=3, seed=5, first_year=2023, out=province)
    for file in province.glob("*.parquet"):  # a disclosure of few cells takes a second
        table = pq.read_table(file)
        for name, few in (("division_code", ["220100", "220200"]), ("sector", ["mining", "construction"])):
            if name in table.column_names:
                said = table[name].cast("string")
                said = pc.if_else(pc.is_in(said, pa.array(few)), said, few[0])
                table = table.set_column(table.column_names.index(name), name, said)
        pq.write_table(table, file)
    book = pq.read_table(province / "renewals.parquet").to_pandas()
    book["theirs"] = rm.rate(province / "renewals.parquet", rm.load_plan(PLAN)).table["premium_fen"].to_pandas() / 100
    book.to_csv(folder / "theirs.csv", index=False)
    shutil.copytree(rm.load_plan(PLAN).folder, folder / "plan" / "jilin-spli" / "2025-04")
    rm.rate_file(province / "renewals.parquet", rm.load_plan(PLAN), folder / "rated.parquet", lang="en")
    lists = {
        "triangle": "origin,12,24,36,48\n1,100,150,165,170\n2,110,168,180,\n3,90,130,,\n4,95,,,\n",
        "risks": "firm,period,value,weight\na,1,1,5\na,2,3,5\nb,1,5,9\nb,2,4,8\n",
        "losses": "loss_yuan\n" + "\n".join(str(7 * at * at + 3) for at in range(1, 40)) + "\n",
        "model": "sector,heads,claims\nmine,10,4\nshop,20,3\nmine,12,3\nshop,30,5\n",
    }
    for name, said in lists.items():
        (folder / f"{name}.csv").write_text(said, encoding="utf-8")
    return {
        **{name: folder / f"{name}.csv" for name in lists},
        "p": province,
        "b": province / "renewals.parquet",
        "key": book["policy_no"][0],
        "plan": folder / "plan" / "jilin-spli" / "2025-04",
        "rated": folder / "rated.parquet",
        "theirs": folder / "theirs.csv",
        "folder": folder,
    }


@pytest.fixture(scope="module")
def hostile(tmp_path_factory, world):
    """Paths of things that no command can use."""
    folder = tmp_path_factory.mktemp("hostile")
    book = world["b"].read_bytes()
    contents = {
        "empty.parquet": b"",
        "cut.parquet": book[: len(book) // 2],
        "bytes.csv": bytes(range(256)) * 8,
        "page.xls": "<html><table><tr><td>保单号</td></tr></table></html>".encode(),
        "text.xlsx": b"PK\x03\x04 no archive",
        "odd.toml": b'name = ["a", 1]\n[[steps]]\nop = 1\n[columns]\nx = {y = [1979-05-27]}\n',
        "deep.json": b"[" * 5000,
        "one.csv": "甲,乙\n=1+1,\x1b[31m\n".encode(),
    }
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    (folder / "folder").mkdir()
    os.mkfifo(folder / "pipe.csv")
    return [*(folder / name for name in contents), folder / "folder", folder / "pipe.csv", folder / "missing.csv"]


def call(name: str, world, out: Path) -> list[str]:
    return [*name.split(), *(word.format(o=out, **world) for word in CALLS[name].split())]


def test_every_command_is_tried():
    assert set(LEAVES) == set(CALLS)


@contextmanager
def not_for_ever() -> Iterator[None]:
    """A guard against waiting on what never ends, not a measurement."""

    def waited(*_: object) -> None:
        raise AssertionError("waits for ever")

    signal.signal(signal.SIGALRM, waited)
    signal.alarm(120)
    try:
        yield
    finally:
        signal.alarm(0)


def _inputs(name: str, argv: list[str]) -> Iterator[tuple[list[str], str]]:
    """Yield the calls of a command with one input left open, marked by ``{}``."""
    begin = len(name.split())
    parser = LEAVES[name]
    for action in parser._actions:
        if (action.metavar or action.dest.upper()) not in READ or action.dest in WRITTEN:
            continue
        if action.option_strings:
            given = next((word for word in action.option_strings if word in argv), None)
            at = argv.index(given) + 1 if given else len(argv) + 1
            yield [*argv[: at - 1], action.option_strings[-1], "{}", *argv[at + 1 :]], action.dest
    places = [at for at in range(begin, len(argv)) if not argv[at].startswith("-") and not argv[at - 1].startswith("-")]
    for at in places:
        yield [*argv[:at], "{}", *argv[at + 1 :]], f"argument {at}"


@pytest.mark.parametrize("name", sorted(set(CALLS) - {"bench", "demo"}))
def test_hostile_inputs_are_refused_by_name(name, world, hostile, tmp_path, capsys):
    first = sorted(CALLS).index(name)  # each begins with another thing; `make fuzz` tries all of them everywhere
    for at, (argv, what) in enumerate(_inputs(name, call(name, world, tmp_path)), first):
        for thing in hostile if EVERY else [hostile[at % len(hostile)]]:
            with not_for_ever():
                code = main([*(str(thing) if word == "{}" else word for word in argv), "--lang", "en"])
            shown = capsys.readouterr()
            told = f"{' '.join(argv)} with {what} = {thing.name}: {code}\n{shown.err[-600:]}"
            assert "RM39" not in shown.err and "Traceback" not in shown.err, told
            assert code in (0, UNUSABLE, USAGE, 3), told
            assert "\x1b" not in shown.out + shown.err, told


def test_every_command_that_reads_tables_is_told_their_headers():
    assert not [
        name
        for name, words in CALLS.items()
        if ("{p}" in words or "{b}" in words)
        and name != "report attack"  # what was published has headers of this program
        and "--columns" not in LEAVES[name]._option_string_actions
    ]


@pytest.mark.parametrize(
    "name", sorted(name for name, parser in LEAVES.items() if "--columns" in parser._option_string_actions)
)
def test_a_header_that_no_table_has_is_refused_before_anything_is_written(name, world, tmp_path, capsys):
    if name in LONG and not EVERY:
        pytest.skip("takes long: make fuzz")
    argv = [*call(name, world, tmp_path), "--lang", "en", "--columns"]
    for said, wanted in (("没有此头=policy_no,甲=credit_code", 2), ("甲=credit_codex", 1)):
        assert main([*argv, said]) == UNUSABLE
        err = capsys.readouterr().err
        assert sum(err.count(code) for code in ("RM224", "RM223", "RM417", "RM418")) == wanted, err
        assert not _contents(tmp_path)


class Stopped(OSError):
    """The system fails."""


OLD = b"an earlier result"


REPLACES_NOTHING = {"data template"}  # what stands there may be a form that somebody has filled in


@pytest.mark.parametrize("name", sorted(name for name, words in CALLS.items() if "{o}" in words))
def test_whatever_stops_a_run_at_a_rename_leaves_old_or_new(name, world, tmp_path, capsys, monkeypatch):
    """What stands there before a rename is what a kill leaves; what a failing rename leaves, a forked process shows."""
    out = tmp_path / "out"
    for folder in (out, tmp_path / "temporary"):
        folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    argv = [*call(name, world, out), "--lang", "en"]
    for word in argv:
        if Path(word).parent == out and Path(word).suffix and name not in REPLACES_NOTHING:
            Path(word).write_bytes(OLD)
    stands: list[dict[str, bytes]] = []
    real, told = os.replace, []

    def replaced(*given: object) -> None:
        stands.append(_visible(out))
        kept = shutil.copytree(tmp_path, tmp_path.with_name(f"{tmp_path.name}-kept"), copy_function=os.link)
        read, write = os.pipe()
        if not os.fork():
            signal.alarm(100)  # a guard, as above: its end is a failure
            told.append(write)
            raise Stopped(5, "Input/output error")
        os.close(write)
        with os.fdopen(read) as said:
            assert said.read() == f"{UNUSABLE} whole", f"rename {len(stands)} of {name} fails"
        os.wait()
        for path in kept.rglob("*"):  # what the other process swept away
            again = tmp_path / path.relative_to(kept)
            if path.is_dir():
                again.mkdir(exist_ok=True)
            elif not again.exists():
                os.link(path, again)
        shutil.rmtree(kept)
        real(*given)

    monkeypatch.setattr(whole_file.os, "replace", replaced)
    try:
        code: object = main(argv)
    finally:
        if told:  # this is the forked process
            shown = capsys.readouterr()
            left = "whole" if _contents(out) == stands[-1] else f"left {sorted(_contents(out))}"
            os.write(told[0], f"{code} {left if 'RM391' not in shown.err else shown.err}".encode())
            os._exit(0)
    assert code in (0, 3), capsys.readouterr().err
    whole = _contents(out)
    assert whole == _visible(out) and OLD not in whole.values()
    assert stands, "nothing is written at once"
    for found in stands:
        assert all(content in (OLD, whole[path]) for path, content in found.items()), found.keys()


def _visible(folder: Path) -> dict[str, bytes]:
    """What has its name: a name that is being written ends in .part."""
    return {path: said for path, said in _contents(folder).items() if ".part" not in path}


def _contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
