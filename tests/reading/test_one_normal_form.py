"""A value means the same whatever type it comes in and whatever else stands in its column."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ratemod.reading.convert import MISSING_DATE, convert
from ratemod.reading.identifiers import keys, lost_digits
from ratemod.vocabulary.column import FLAG_LEVELS, Column, Level

YUAN = Column("amount_yuan", "number", unit="yuan", decimals=2, low=Decimal(0), high=Decimal(10**9))
DAY = Column("start_date", "date")
NAME = Column("firm_name", "text")
POLICY = Column("policy_no", "text")
LISTED = Column("listed", "flag", levels=FLAG_LEVELS)
SIZE = Column("size", "level", levels=(Level("small", "Small", "小型"), Level("large", "Large", "大型")))
COLUMNS = (YUAN, DAY, NAME, POLICY, LISTED, SIZE, Column("industry_code", "text"), Column("credit_code", "text"))


def verdict(array: pa.Array, column: Column = YUAN, at: int = 0) -> tuple[object, str | None]:
    coded = convert(array, column)
    value = coded.values[at]
    code = None
    if coded.problem_of is not None and coded.problem_of[at]:
        code = coded.problems[coded.problem_of[at] - 1].code
    return (None if code else value.as_py() if isinstance(value, pa.Scalar) else value.item()), code


def forms(value: float) -> dict[str, pa.Array]:
    """One double in every type that can hold it exactly."""
    told = repr(value)
    made = {
        "float": pa.array([value]),
        "text": pa.array([told]),
        "large text": pa.array([told], pa.large_string()),
        "view": pa.array([told], pa.string_view()),
        "bytes": pa.array([told.encode()]),
        "dictionary of text": pa.array([told]).dictionary_encode(),
        "dictionary of floats": pa.array([value]).dictionary_encode(),
        "run ends": pa.RunEndEncodedArray.from_arrays(pa.array([1], pa.int32()), pa.array([value])),
        "beside a stroke": pa.array([told, "/"]),
        "beside nothing": pa.array([value, None]),
        "beside another": pa.array([value, 0.123456789]),
    }
    exact = Decimal(told)
    if -exact.as_tuple().exponent <= 20:
        made["decimal"] = pa.array([exact], pa.decimal256(60, 25))
    if value == int(value):
        made["whole number"] = pa.array([int(value)])
    return made


@given(
    st.one_of(
        st.integers(0, 10**11).map(lambda fen: fen / 100),
        st.tuples(st.integers(1, 10**9), st.integers(-40, 40)).map(
            lambda pair: float(pair[0] / 100 + pair[1] * np.spacing(pair[0] / 100))
        ),
        st.floats(-10, 2e9, allow_nan=False),
    )
)
def test_a_double_has_one_verdict_in_every_type(value):
    seen = {name: verdict(array) for name, array in forms(value).items()}
    assert len(set(seen.values())) == 1, seen
    amount, _ = next(iter(seen.values()))
    if amount is not None:  # and what is accepted is the very double of its decimal
        assert amount == float(Decimal(amount).quantize(Decimal("0.01")))


@pytest.mark.parametrize(
    ("value", "right"),
    [
        (0.7 + 0.1, 0.8),  # two sums that binary arithmetic leaves a unit off
        (0.1 * 3 * 240_000, 72_000.0),
        (5004.02 - 4e-9, None),  # nearer to a cent than anyone writes, but no noise
        (0.005, None),
    ],
)
def test_noise_is_taken_off_and_nothing_else(value, right):
    assert verdict(pa.array([value]))[0] == right


def test_floats_of_32_bits_are_read_by_their_own_digits():
    assert verdict(pa.array([np.float32(0.1)]))[0] == 0.1
    assert verdict(pa.array([np.float32(400_000.55)]))[1] == "RM283"  # its neighbours are three cents apart


ODD = {
    "durations": pa.array([1, None], pa.duration("s")),
    "times": pa.array([1, None], pa.time64("us")),
    "lists": pa.array([[1], None]),
    "records": pa.array([{"a": 1}, None]),
    "maps": pa.array([[("a", 1)], None], pa.map_(pa.string(), pa.int64())),
    "intervals": pa.array([(1, 2, 3), None], pa.month_day_nano_interval()),
    "bytes that are no text": pa.array([b"\xff", None]),
    "text that is no text": pa.Array.from_buffers(pa.string(), 1, pa.array([b"\xff"]).buffers()),
    "dictionary of such": pa.array([b"\xff", None]).dictionary_encode(),
}


@pytest.mark.parametrize("column", COLUMNS, ids=lambda column: column.name)
@pytest.mark.parametrize("odd", ODD)
def test_a_type_of_which_nothing_can_be_made_is_refused_by_row(odd, column):
    coded = convert(ODD[odd], column)
    item = coded.problems[coded.problem_of[0] - 1]
    assert item.code == "RM282" and item.args["column"] == column.name and item.args["kind"]


PLAIN = {
    "floats": pa.array([float("nan"), float("inf"), 1e300, -1.5]),
    "halves": pa.array(np.array([1.5, np.nan], dtype=np.float16)),
    "whole numbers": pa.array([2**63 - 1, -(2**63), 0, None]),
    "unsigned": pa.array([2**64 - 1], pa.uint64()),
    "truth values": pa.array([True, False, None]),
    "far days": pa.array([2**31 - 1, -(2**31)], pa.int32()).cast(pa.date32()),
    "far moments": pa.array([2**62, -(2**62)]).cast(pa.timestamp("s")),
    "days with a time": pa.array([1, None]).view(pa.date64()),
    "an unknown zone": pa.array([0]).cast(pa.timestamp("ns", "No/Where")),
    "long text": pa.array(["9" * 5000, "1e99", "", "\u200b"]),
    "nothing": pa.nulls(2),
    "no rows": pa.chunked_array([], pa.int64()),
    "wide decimals": pa.array([Decimal(10) ** 60], pa.decimal256(70, 5)),
}


@pytest.mark.parametrize("column", COLUMNS, ids=lambda column: column.name)
@pytest.mark.parametrize("held", PLAIN)
def test_every_value_is_accepted_or_refused(held, column):
    coded = convert(PLAIN[held], column)
    assert len(coded.values) == len(PLAIN[held])
    if column is DAY:
        known = coded.values[coded.values != MISSING_DATE]
        assert ((known >= -25_567) & (known <= 84_005)).all()  # 1900-01-01 .. 2199-12-31


@pytest.mark.parametrize(
    ("written", "day"),
    [
        ("2026-01-01", "2026-01-01"),
        ("2026年3月1日", "2026-03-01"),
        ("20260301", "2026-03-01"),
        ("2025-12-31 24:00", "2026-01-01"),
        ("2025年12月31日二十四时", "2026-01-01"),
        ("2026年1月1日零时起", "2026-01-01"),
        ("1850-01-01", None),
        ("9999-12-31", None),
        ("2026-01/02", None),
        ("2026-01-01 08:00", None),
    ],
)
def test_days_as_people_write_them(written, day):
    found = convert(pa.array([written]), DAY).values[0]
    assert found == (MISSING_DATE if day is None else np.datetime64(day, "D").astype(int))


@pytest.mark.parametrize("written", ["p１", " P1", "P1\u200b", "ｐ1 ", "P 1"])
def test_one_identifier_however_it_is_written(written):
    assert keys(pa.array([written])).to_pylist() == ["P1"]


@pytest.mark.parametrize(
    ("written", "code"),
    [("9.122010100000001e+17", "RM207"), ("", "RM201"), ("  ", "RM201"), ("/", "RM201"), ("0411", None)],
)
def test_a_key_that_is_none_is_refused(written, code):
    assert verdict(pa.array([written, "P9"]), POLICY)[1] == code


@pytest.mark.parametrize(("written", "code"), [("0411", None), ("411", "RM285"), ("C411", None), ("6", "RM285")])
def test_an_industry_code_that_may_have_lost_its_zero_is_refused(written, code):
    assert verdict(pa.array([written]), Column("industry_code", "text"))[1] == code


def test_a_number_of_sixteen_digits_has_lost_some():
    """A spreadsheet keeps fifteen digits, so an identifier of more that came as a number is not the one written."""
    cells = pa.array([999_999_999_999_999.0, 1e15, -1e15, 912201011e8, 1e17, None])
    assert lost_digits(cells).tolist() == [False, True, True, True, True, False]
    assert lost_digits(pa.array(["9.1220101E+17", "912201010000000001"])).tolist() == [True, False]
    assert lost_digits(pa.array([10**17])).tolist() == [False]
