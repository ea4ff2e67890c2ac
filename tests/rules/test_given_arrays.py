"""No array that is given ends in a traceback: each call that a page shows, with each of its arrays made odd in turn."""

from __future__ import annotations

import doctest
import inspect
import sys
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import ratemod.experience
import ratemod.ratemaking
from ratemod.errors import ModelError, RatemodError
from ratemod.ratemaking.reserve import reserve
from ratemod.rules.floats import floats, whole_numbers

ODD = {
    "one alone": 1.0,
    "a table": [[1.0, 2.0], [3.0, 4.0]],
    "tables": np.ones((2, 2, 2)),
    "none": [],
    "too many": [1.0] * 17,
    "ragged": [[1.0], [2.0, 3.0]],
    "texts": ["a", "b"],
    "a text": "x",
    "a day": ["2020-01-01"],
    "missing": [float("nan")] * 2,
    "negative": [-1.0, -1.0],
    "names": {"a": 1.0},
    "huge": [2**70, -(2**70)],
    "infinite": [np.inf, 1.0],
    "nullable": pd.array([1, None], dtype="Int64"),
    "categories": pd.Categorical(["a", "b"]),
    "arrow": pd.Series([1.0, None], dtype=pd.ArrowDtype(pa.float64())),
    "a polars column": pl.Series([1, None]),
    "a polars frame": pl.DataFrame({"a": [1.0, 2.0], "b": [3.0, 4.0]}),
    "objects": np.array([1, Decimal("2.5")], dtype=object),
    "complex": [1 + 2j, 0],
}


def of_arrays():
    """Return every public function that takes an array."""
    for package in (ratemod.ratemaking, ratemod.experience):
        for name in package.__all__:
            found = getattr(package, name)
            if inspect.isfunction(found) and any(arrays(found)):
                yield pytest.param(found, id=f"{found.__module__}.{name}")


def arrays(function):
    return [name for name, one in inspect.signature(function).parameters.items() if "ArrayLike" in str(one.annotation)]


def shown(function):
    """Return the arguments of the first call in a docstring."""
    calls = []

    def noted(*args, **named):
        calls.append(inspect.signature(function).bind(*args, **named))
        return function(*args, **named)

    module = sys.modules[function.__module__]
    for test in doctest.DocTestFinder(recurse=False).find(function, function.__name__, module=module):
        test.globs = {**vars(module), function.__name__: noted}
        doctest.DocTestRunner(verbose=False).run(test, out=lambda said: None)
    assert calls, f"{function.__name__} shows no call of itself"
    return calls[0]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("function", list(of_arrays()))
def test_an_odd_array_is_used_or_refused(function):
    call = shown(function)
    broken = []
    for name in arrays(function):
        for kind, value in ODD.items():
            given = dict(call.arguments)
            try:
                function(**{**given, name: value})
            except RatemodError:
                pass
            except Exception as error:
                broken.append(f"{name}, {kind}: {type(error).__name__}: {error}")
    assert not broken, "\n".join(broken)


def test_whole_numbers_keep_every_digit_and_no_other_becomes_one():
    wide = 2**53 + 1
    assert whole_numbers("code", np.array([wide])).tolist() == [wide]
    assert whole_numbers("code", pl.Series([wide])).tolist() == [wide]
    assert whole_numbers("code", pd.array([wide], dtype="Int64")).tolist() == [wide]
    for odd in ([1.5], [np.nan], [1e300], [2**63], np.array([2**64 - 1], dtype=np.uint64), [None], [2**70]):
        with pytest.raises(ModelError) as caught:
            whole_numbers("code", odd)
        assert caught.value.problems[0].code == "RM655", odd


def test_what_a_frame_calls_missing_is_missing():
    for column in (
        pd.Series([1.0, None], dtype="Float64"),
        pd.Series([1.0, None], dtype=pd.ArrowDtype(pa.float64())),
        pl.Series([1.0, None]),
        pa.array([1.0, None]),
        [1.0, pd.NA],
    ):
        np.testing.assert_array_equal(floats("losses", column), [1.0, np.nan])


@pytest.mark.parametrize("odd", [2e100, 1e302, -1e305])
def test_what_no_longer_can_be_squared_is_refused_and_what_can_gives_errors(odd):
    square = np.array([[100, 150, 165, 170], [110, 168, 180, np.nan], [90, 130, np.nan, np.nan], [95] + [np.nan] * 3])
    for call in (lambda: reserve(square * odd, "mack"), lambda: floats("losses", [1.0, odd, np.inf])):
        with pytest.raises(ModelError) as caught:
            call()
        assert [item.code for item in caught.value.problems] == ["RM839"]
    small, large = (reserve(square * unit, "mack").frame()["standard_error"] for unit in (1.0, 1e97))
    np.testing.assert_allclose(large / 1e97, small, rtol=1e-12)  # Mack's error moves in proportion with the unit
