from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ratemod.errors import ModelError
from ratemod.synth.mess import KINDS, messy
from ratemod.synth.province import Province, synthesize
from ratemod.vocabulary.codes import credit_code


def clean(province: Province) -> list[list[str]]:
    return messy(province.renewals, 0, 1)[1]


def test_key_names_every_difference_and_nothing_else(small: Province) -> None:
    header, rows, key = messy(small.renewals, 2 * len(KINDS) + 3, seed=5)
    assert Counter(item.kind for item in key).keys() == KINDS.keys()
    before = clean(small)
    assert len(header) == len(before[0])
    added = {item.line for item in key if item.outcome == "skip" or item.kind == "limits_differ_in_one_unit"}
    kept = [(line, row) for line, row in enumerate(rows, start=2) if line not in added]
    assert len(kept) == len(before)
    touched = {item.line: item for item in key}
    for (line, row), old in zip(kept, before, strict=True):
        changed = [name for name, new, was in zip(header, row, old, strict=True) if new != was]
        assert changed == ([touched[line].column] if line in touched else [])
        if line in touched:
            item = touched[line]
            assert row[header.index(item.column)] == item.planted != item.original == old[header.index(item.column)]
    assert all(item.line != other.partner_line for item in key for other in key if other is not item)


def test_kinds_are_what_they_say(small: Province) -> None:
    header, rows, key = messy(small.renewals, 4 * len(KINDS), seed=6)
    at = {name: place for place, name in enumerate(header)}

    def cells(kind: str) -> list[tuple[list[str], str]]:
        return [(rows[item.line - 2], item.original) for item in key if item.kind == kind]

    wrong = np.array([row[at["credit_code"]] for row, _ in cells("wrong_check_character")])
    assert len(wrong) == 4 and not np.asarray(credit_code.is_valid(wrong)).any()
    assert all(row[at["end_date"]] < row[at["start_date"]] for row, _ in cells("end_before_start"))
    for item in key:
        partner = rows[item.partner_line - 2]
        if item.kind == "duplicated_policy_no":
            assert partner[at["policy_no"]] == item.planted
        if item.kind == "limits_differ_in_one_unit":
            assert partner[at["credit_code"]] == rows[item.line - 2][at["credit_code"]]
            assert partner[at["limit_yuan"]] == item.original
    for row, old in cells("serial_date"):
        day = np.datetime64("1899-12-30") + int(row[at["start_date"]])
        assert str(day) == old
    for row, old in cells("ten_thousands"):
        assert int(row[at["limit_yuan"]].removesuffix("万元")) * 10_000 == int(old)
    for row, old in cells("full_width_digits"):
        assert int(row[at["heads"]]) == int(old) and not row[at["heads"]].isascii()
    assert all(not any(row) for row, _ in cells("blank_row"))


def test_files_hold_rows_and_key(tmp_path: Path) -> None:
    synthesize(200, 2, seed=8, out=tmp_path, mess=56)
    with open(tmp_path / "renewals_messy.csv", encoding="utf-8-sig", newline="") as file:
        lines = list(csv.reader(file))
    with open(tmp_path / "mess_key.csv", encoding="utf-8", newline="") as file:
        key = list(csv.DictReader(file))
    assert len(key) == 56
    for item in key:
        if item["column"]:
            assert lines[int(item["line"]) - 1][lines[0].index(item["column"])] == item["planted"]


def test_too_many_errors_and_unknown_kinds_are_refused(small: Province) -> None:
    with pytest.raises(ModelError, match="RM904"):
        messy(small.renewals, small.renewals.num_rows, seed=1)
    with pytest.raises(ModelError, match=r"RM907.*blank_row"):
        messy(small.renewals, 3, seed=1, kinds=("blank_rows",))


@given(seed=st.integers(0, 2**32), errors=st.integers(0, 200))
@settings(max_examples=8, deadline=None)
def test_number_of_errors_is_what_was_asked(small: Province, seed: int, errors: int) -> None:
    _, rows, key = messy(small.renewals, errors, seed)
    assert len(key) == errors
    more = sum(item.outcome == "skip" or item.kind == "limits_differ_in_one_unit" for item in key)
    assert len(rows) == small.renewals.num_rows + more
