"""An insurer is one however its name is written: width, script and blanks; the levy of both spellings is one sum."""

from __future__ import annotations

import pyarrow as pa

import ratemod as rm
from ratemod.reading.convert import convert
from ratemod.vocabulary.table import column

SPELT = ["ＡＢＣ財險", "ABC财险", " ABC 财险", "ABC\u200b财险"]


def test_spellings_of_an_insurer_are_one():
    for array in (pa.array(SPELT[:2] + SPELT[3:]), pa.array(SPELT[:2]).dictionary_encode()):
        assert set(convert(array, column("insurer")).values.to_pylist()) == {"ABC财险"}
    assert convert(pa.array(["songhua", "Songhua"]), column("insurer")).values.to_pylist() == ["songhua", "Songhua"]


def test_the_levy_of_an_insurer_spelt_twice_is_one_sum():
    common = {"sector": "mining", "size_class": "small", "start_date": "2025-01-01", "end_date": "2026-01-01"}
    rows = [
        {"policy_no": f"P{at}", "insurer": name, "premium_yuan": 100_000, **common} for at, name in enumerate(SPELT[:2])
    ]
    levied = rm.levy(pa.Table.from_pylist(rows))
    assert set(levied.insurer) == {"ABC财险"} and levied.base_fen.tolist() == [10_000_000] * 2


def test_a_name_may_be_written_as_a_formula_and_an_identifier_may_not():
    """What is told is told as it stands and cannot run where it goes out; a code that is computed names nobody."""
    odd = '=HYPERLINK("http://x")'
    for array in (pa.array([odd, "B"]), pa.array([odd, "B"]).dictionary_encode()):
        name, key = (convert(array, column(which)) for which in ("insurer", "policy_no"))
        assert (name.values.to_pylist(), name.problems) == ([odd, "B"], ())
        assert [item.code for item in key.problems] == ["RM294"]
