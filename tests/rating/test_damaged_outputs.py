"""A damaged output, manifest or part of a stopped run is never taken for a whole one; `make fuzz` draws others."""

from __future__ import annotations

import contextlib
import copy
import io
import json
from random import Random

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ratemod.cli import main
from ratemod.errors import BookError
from ratemod.rating.identity import digest_of
from ratemod.rating.manifest import manifest_path, verify
from ratemod.rating.parts import Parts
from ratemod.rating.tally import Tally
from tests.damage import bounded, damaged
from tests.own_plan import own_plan
from tests.rating.test_result_sets import PLAN

SEEDS = st.integers(0, 2**32)
ROWS = 60
LIST = {
    "policy_no": [f"P{at}" for at in range(ROWS)],
    "heads": [5000 if at % 7 == 0 else 1 + at % 40 for at in range(ROWS)],  # 5,000 is refused
    "kind_of_work": pa.array(["a", "b"] * 30).dictionary_encode(),
    "insurer": ["x", "y", "z"] * 20,
}
WRITTEN = ({}, {"compression": "zstd", "row_group_size": 20}, {"compression": "none", "use_dictionary": False},
           {"compression": "gzip", "data_page_version": "2.0"}, {"write_page_checksum": True})  # fmt: skip
ODD = (None, 0, -1, 1.5, 1e308, True, "", "x", "../x", "\ud800", [], {}, [1], {"a": 1}, [[]], 10**40, float("nan"))


def said(words):
    """The exit code of a command, and what it says of what went wrong."""
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()) as wrong, bounded():
        code = main([str(word) for word in words])
    return code, wrong.getvalue()


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A plan, a list priced by it, and the manifest."""
    folder = tmp_path_factory.mktemp("made")
    plan = own_plan(folder / "plans", PLAN)
    pq.write_table(pa.table(LIST), folder / "list.parquet")
    words = [
        "rate",
        folder / "list.parquet",
        "--plan",
        plan.folder,
        "-o",
        folder / "out.parquet",
        "--by",
        "kind_of_work",
    ]
    assert said(words)[0] == 3
    return folder


def plan_of(place):
    return place / "plans" / "own" / "1"


@settings(max_examples=60)
@given(seed=SEEDS)
def test_a_damaged_list_is_priced_or_refused(seed, place, tmp_path_factory):
    draw, path, out = Random(seed), tmp_path_factory.getbasetemp() / "list.parquet", io.BytesIO()
    pq.write_table(pa.table(LIST), out, **draw.choice(WRITTEN))
    path.write_bytes(damaged(draw, out.getvalue()))
    for ending in ("parquet", "xlsx"):
        words = ["rate", path, "--plan", plan_of(place), "-o", path.with_name(f"priced.{ending}"), "--lang", "en"]
        code, wrong = said(words)
        assert code in (0, 3) or (code == 1 and "RM" in wrong)
        assert "RM391" not in wrong and "RM393" not in wrong  # the net under what no one foresaw, and memory


@pytest.mark.parametrize(
    "moments",
    [
        pa.array([10**8] * ROWS, pa.int32()).cast(pa.date32()),
        pa.array([2**62] * ROWS, pa.int64()).cast(pa.timestamp("us")),
        pa.array([0] * ROWS, pa.int64()).cast(pa.timestamp("s", "Nowhere/City")),
        pa.array([2**62] * ROWS, pa.int64()).cast(pa.duration("s")),
    ],
    ids=lambda moments: str(moments.type),
)
def test_moments_beyond_the_calendar_in_a_column_that_no_one_declares(moments, place, tmp_path):
    path = tmp_path / "list.parquet"
    pq.write_table(pa.table(LIST).append_column("seen", moments), path)
    for name, *more in (("out.xlsx",), ("out.csv",), ("out.parquet", "--keep", "seen")):
        code, wrong = said(["rate", path, "--plan", plan_of(place), "-o", tmp_path / name, *more])
        assert code == 3, wrong


@settings(max_examples=200)
@given(seed=SEEDS)
def test_verify_never_says_ok_of_a_changed_output(seed, place):
    out = place / "changed.parquet"
    whole = (place / "out.parquet").read_bytes()
    facts = manifest_path(place / "out.parquet").read_text(encoding="utf-8")
    out.write_bytes(damaged(Random(seed), whole))
    manifest_path(out).write_text(facts, encoding="utf-8")
    if out.read_bytes() != whole:
        with pytest.raises(BookError) as caught:
            verify(out)
        assert {item.code for item in caught.value.problems} == {"RM346"}


@settings(max_examples=200)
@given(seed=SEEDS)
def test_a_changed_manifest_is_refused_by_name(seed, place):
    """Bytes of it, or a fact left out, repeated or made odd, with the old digest or a new one."""
    draw, out = Random(seed), place / "again.parquet"
    out.write_bytes((place / "out.parquet").read_bytes())
    text = manifest_path(place / "out.parquet").read_text(encoding="utf-8")
    facts, how = json.loads(text), draw.randrange(3)
    if how == 0:
        changed = damaged(draw, text.encode("utf-8"))
    else:
        odd = twisted(draw, facts)
        if how == 2:
            with contextlib.suppress(UnicodeEncodeError):
                odd["sha256"] = digest_of({name: value for name, value in odd.items() if name != "sha256"})
        changed = json.dumps(odd).encode("utf-8")
    manifest_path(out).write_bytes(changed)
    try:
        found = verify(out)
    except BookError as error:
        assert {item.code for item in error.problems} <= {"RM345", "RM346", "RM395"}
        return
    held = ("plan", "fingerprint", "output", "counts", "premium_fen", "fund_fen")
    assert all(found[name] == facts[name] for name in held)
    assert how == 2 or found == facts  # by a new digest, what only the list can tell may be forged


def twisted(draw, facts):
    """The same facts but for one or two of them, anywhere within."""
    facts = copy.deepcopy(facts)

    def places(value, way=()):
        if way:
            yield way
        for key in value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
            yield from places(value[key], (*way, key))

    for _ in range(draw.choice((1, 1, 2))):
        *way, last = draw.choice(list(places(facts)))
        inner = facts
        for key in way:
            inner = inner[key]
        how = draw.randrange(3)
        if how == 0 and isinstance(inner, dict):
            del inner[last]
        elif how == 1 and isinstance(inner, list):
            inner.append(inner[last])
        else:
            inner[last] = draw.choice(ODD)
    return facts


@pytest.mark.parametrize(
    "change",
    [
        {"counts": {"rows": ROWS}},
        {"inputs": [{"name": "list.parquet", "rows": "60", "bytes": 1, "sha256": ""}]},
        {"inputs": [{"name": "../list.parquet", "rows": 60, "bytes": 1, "sha256": ""}]},
        {"groups": [["x", 1]]},
        {"problems": [3]},
        {"insurers": {"x": {}}},
        {"by": None},
        {"format": 1},
        {"plan": "\ud800"},
        {"run": []},
    ],
)
def test_what_is_no_manifest_is_refused_before_it_is_used(change, place, tmp_path):
    facts = json.loads(manifest_path(place / "out.parquet").read_text(encoding="utf-8"))
    (tmp_path / "out.parquet").write_bytes((place / "out.parquet").read_bytes())
    manifest_path(tmp_path / "out.parquet").write_text(json.dumps(facts | change), encoding="utf-8")
    with pytest.raises(BookError) as caught:
        verify(tmp_path / "out.parquet")
    assert [item.code for item in caught.value.problems] == ["RM345"]


def test_inputs_of_the_run_are_those_of_the_manifest(place, tmp_path):
    facts = json.loads(manifest_path(place / "out.parquet").read_text(encoding="utf-8"))
    facts["run"]["inputs"] = [["other.parquet", "0" * 64]]
    facts["sha256"] = digest_of({name: value for name, value in facts.items() if name != "sha256"})
    (tmp_path / "out.parquet").write_bytes((place / "out.parquet").read_bytes())
    manifest_path(tmp_path / "out.parquet").write_text(json.dumps(facts), encoding="utf-8")
    with pytest.raises(BookError) as caught:
        verify(tmp_path / "out.parquet")
    assert [(item.code, item.args["what"]) for item in caught.value.problems] == [("RM346", "inputs of the run")]


def test_a_damaged_part_of_a_stopped_run_is_done_again(tmp_path):
    """Every byte of it counts: a flipped one would otherwise go into the result that a resumed run puts together."""
    table, tally = (
        pa.table({"premium_fen": list(range(1000))}),
        Tally((2, 0, 1, 0), 40, 0, problems={("a", "b", "c"): 1}),
    )
    parts = Parts.open(tmp_path / "out.parquet", {"run": 1})
    parts.save(0, table, tally)
    path = parts.folder / "000000.arrow"
    content = path.read_bytes()
    found, counted = parts.load(0)
    assert found.equals(table) and counted == tally
    for at in range(0, len(content), 7):
        path.write_bytes(content[:at] + bytes([content[at] ^ 4]) + content[at + 1 :])
        assert parts.load(0) is None
    path.write_bytes(content[:40])
    assert parts.load(0) is None and parts.load(1) is None
    parts.close()
