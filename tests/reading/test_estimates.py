"""Columns that a model writes: the same float from a frame, a workbook and a text file, in the unit that is said."""

from __future__ import annotations

from decimal import Decimal

import pandas as pd
import pyarrow as pa
import pytest

from ratemod.reading.convert import convert
from ratemod.reading.shared_table import read_shared
from ratemod.vocabulary.column import Column

VALUES = [59.0, 66.18082191780822, 0.4849315068493151, 1.25e6]


@pytest.mark.parametrize("kind", ["frame", "csv", "xlsx"])
@pytest.mark.parametrize(("header", "size"), [("年预期损失", 1), ("年预期损失（万元）", 10_000)])
def test_every_door_gives_the_same_estimate(tmp_path, kind, header, size):
    frame = pd.DataFrame({"保单号": ["A", "B", "C", "D"], header: VALUES})
    source = frame if kind == "frame" else tmp_path / f"a.{kind}"
    if kind == "csv":
        frame.to_csv(source, index=False)
    if kind == "xlsx":
        frame.to_excel(source, index=False)
    told = read_shared(source, "insureds", ("policy_no", "annual_losses_yuan"))
    assert not told.refused
    found = told.cells["annual_losses_yuan"].values.tolist()
    assert found == pytest.approx([value * size for value in VALUES], rel=1e-15)


@pytest.mark.parametrize(("cell", "code"), [("", "RM201"), ("约3", "RM203"), ("-1", "RM204")])
def test_what_is_no_estimate_is_refused(cell, code):
    frame = {"保单号": ["A", "B"], "年预期损失": ["1.5", cell]}
    told = read_shared(frame, "insureds", ("policy_no", "annual_losses_yuan"))
    assert [item.code for item in told.refused] == [code] and told.good.tolist() == [True, False]


def test_a_blank_among_estimates_is_blank_and_not_out_of_range():
    """A float that is missing is missing at any number of places; only an infinite one has lost its digits."""
    for places in (2, 6, 15):
        declared = Column("x", "number", decimals=places, low=Decimal(0), high=Decimal(10))
        coded = convert(pa.array([1.5, float("nan"), 11.0]), declared)
        assert [coded.problems[at - 1].code if at else "" for at in coded.problem_of] == ["", "RM201", "RM204"]
