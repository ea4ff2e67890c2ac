"""Size classes of 2017: every bound of the table, a row-by-row reference, and what has no class."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ratemod.vocabulary.codes.code_table import load_codes
from ratemod.vocabulary.codes.size_class import MEASURES, SIZES, size_class

NAN = float("nan")
# 国统字〔2017〕213号 again, by hand and apart from the shipped table: lower bounds of large, medium, small in persons
# and 万元 by one code of each industry.
TABLE = {
    "0111": {"revenue_yuan": (20000, 500, 50)},
    "0610": {"staff": (1000, 300, 20), "revenue_yuan": (40000, 2000, 300)},
    "2671": {"staff": (1000, 300, 20), "revenue_yuan": (40000, 2000, 300)},
    "4610": {"staff": (1000, 300, 20), "revenue_yuan": (40000, 2000, 300)},
    "4710": {"revenue_yuan": (80000, 6000, 300), "assets_yuan": (80000, 5000, 300)},
    "5166": {"staff": (200, 20, 5), "revenue_yuan": (40000, 5000, 1000)},
    "5265": {"staff": (300, 50, 10), "revenue_yuan": (20000, 500, 100)},
    "5435": {"staff": (1000, 300, 20), "revenue_yuan": (30000, 3000, 200)},
    "5910": {"staff": (1000, 300, 20), "revenue_yuan": (30000, 3000, 200)},
    "5942": {"staff": (200, 100, 20), "revenue_yuan": (30000, 1000, 100)},
    "6020": {"staff": (1000, 300, 20), "revenue_yuan": (30000, 2000, 100)},
    "6110": {"staff": (300, 100, 10), "revenue_yuan": (10000, 2000, 100)},
    "6210": {"staff": (300, 100, 10), "revenue_yuan": (10000, 2000, 100)},
    "6311": {"staff": (2000, 100, 10), "revenue_yuan": (100000, 1000, 100)},
    "6510": {"staff": (300, 100, 10), "revenue_yuan": (10000, 1000, 50)},
    "7010": {"revenue_yuan": (200000, 1000, 100), "assets_yuan": (10000, 5000, 2000)},
    "7020": {"staff": (1000, 300, 100), "revenue_yuan": (5000, 1000, 500)},
    "7211": {"staff": (300, 100, 10), "assets_yuan": (120000, 8000, 100)},
    "8510": {"staff": (300, 100, 10)},
}


def unit(measure):
    return 1 if measure == "staff" else 10_000


def reference(code, values):
    """The rule as the table's note words it: from large down, all lower bounds or the next class."""
    rule = TABLE.get(code)
    if rule is None or any(not values[measure] >= 0 for measure in rule):
        return -1
    for at, size in enumerate(("large", "medium", "small")):
        if all(values[measure] >= bounds[at] * unit(measure) for measure, bounds in rule.items()):
            return SIZES.index(size)
    return SIZES.index("micro")


def one(code, staff=NAN, revenue_yuan=NAN, assets_yuan=NAN):
    return size_class([code], [staff], [revenue_yuan], [assets_yuan])[0]


CELLS = [(code, measure, at) for code, rule in TABLE.items() for measure in rule for at in range(3)]


@pytest.mark.parametrize(("code", "measure", "at"), CELLS)
def test_each_bound_is_included_and_one_below_is_the_next_class_down(code, measure, at):
    bound = TABLE[code][measure][at] * unit(measure)
    others = dict.fromkeys(TABLE[code], 1e13)
    assert one(code, **{**others, measure: bound}) == 3 - at
    assert one(code, **{**others, measure: math.nextafter(bound, 0)}) == 2 - at


def test_one_low_measure_brings_a_firm_down_as_far_as_it_must():
    # 1,000 persons are large, 1,999.99万元 are small, 299.99万元 micro: the lowest counts, more than one class down.
    assert one("0610", 1000, 19_999_900) == SIZES.index("small")
    assert one("0610", 1000, 2_999_900) == SIZES.index("micro")
    assert one("0610", 5, 1e12) == SIZES.index("micro")


near = st.sampled_from(
    sorted({b * unit(m) + d for rule in TABLE.values() for m, bs in rule.items() for b in bs for d in (-1, 0, 1)})
)
measure = st.one_of(near, st.floats(-10, 3e9), st.just(NAN), st.just(-1.0))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from([*TABLE, "9999", "", "5311"]), measure, measure, measure), max_size=40))
def test_agrees_with_the_rule_row_by_row(rows):
    columns = [list(column) for column in zip(*rows)] or [[], [], [], []]
    wanted = [reference(code, dict(zip(MEASURES, values))) for code, *values in rows]
    found = size_class(*columns)
    assert found.dtype == np.int8 and found.tolist() == wanted


@pytest.mark.parametrize(
    "code", [None, "", "5", "05435", "5435 x", "X5435", "A5435", "59", "70", "5311", "6610", "7040"]
)
def test_no_class_where_the_code_does_not_tell_one(code):
    assert one(code, 1e4, 1e12, 1e12) == -1


@pytest.mark.parametrize("code", ["5910", "591", "G5910", "g591", " 5910 "])
def test_handling_follows_transport_and_not_storage(code):
    assert one(code, 299, 30_000_000) == SIZES.index("small")  # as storage it would be medium


@pytest.mark.parametrize("missing", [NAN, -1.0])
def test_only_the_measures_of_the_rule_are_needed(missing):
    assert one("0610", 300, 2e7, missing) == SIZES.index("medium")
    assert one("4710", missing, 8e8, 8e8) == SIZES.index("large")
    assert one("0610", missing, 1e12, 1e12) == -1
    assert one("0610", 1, missing, 1e12) == -1  # micro by its staff, and still not classed on half of the data


def test_any_kind_of_text_array_and_single_numbers_will_do():
    codes = ["0610", "4710", None]
    wanted = [3, 3, -1]
    kinds = [codes, np.array(codes, dtype=object), np.array(codes, dtype=np.dtypes.StringDType(na_object=None))]
    assert all(size_class(kind, 1000, 8e8, 8e8).tolist() == wanted for kind in kinds)
    with pytest.raises(TypeError):
        size_class([610], 1000, 8e8, 8e8)


def test_the_shipped_table_has_a_source_on_every_row_and_no_code_twice():
    rows = load_codes("size_classes")
    assert all(row["source"] for row in rows)
    owner: dict[str, str] = {}
    for row in rows:
        assert float(row["large"]) > float(row["medium"]) > float(row["small"]) > 0
        assert all(owner.setdefault(prefix, row["name_zh"]) == row["name_zh"] for prefix in row["prefixes"].split())
