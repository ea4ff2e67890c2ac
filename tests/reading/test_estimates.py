"""Columns that a model writes: the same float from a frame, a workbook and a text file, in the unit that is said."""

from __future__ import annotations

import pandas as pd
import pytest

from ratemod.reading.shared_table import read_shared

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
