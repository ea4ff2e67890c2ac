"""Random plans as authors write them: every reading of a plan gives what working it out by hand gives.

`make fuzz` draws others; thousands were drawn when this was written.
"""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from pathlib import Path

import numpy as np
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from ratemod.plan.op.registry import OPERATIONS
from ratemod.rating.encode import prepare
from ratemod.rating.exact import evaluate
from ratemod.rating.rate import dating, rate
from ratemod.rating.rational import nearest_float
from ratemod.rating.verdict import STATUS
from tests.rating import written_plans
from tests.rating.by_hand import Sheet
from tests.rating.written_plans import frame, read, rows

DRAWN = (Phase.explicit, Phase.reuse, Phase.generate)  # a plan of many steps takes long to make smaller
FEW = settings(max_examples=12, deadline=None, phases=DRAWN, suppress_health_check=list(HealthCheck))
EPOCH = date(1970, 1, 1)


def numbered(step, values):
    """What steps give as the engine holds it: levels by their place, days since 1970."""
    codes = [level.code for level in step.operation.levels]
    if codes:
        return [None if value is None else Fraction(codes.index(value)) for value in values]
    if step.operation.gives == "date":
        return [None if value is None else Fraction((value - EPOCH).days) for value in values]
    return values


@FEW
@given(written=written_plans.written_plans(), seed=st.integers(0, 2**32))
def test_every_reading_is_what_the_plan_comes_to_by_hand(written, seed):
    plan, cells = read(written), rows(seed, 30)
    sheet = Sheet(written.said, written.tables, cells, written.levels)
    traced, bare = (rate(frame(cells), plan, lang="en", trace=trace) for trace in (True, False))
    by_hand = sheet.results()
    for rated in (traced, bare):
        priced, out = rated.verdict.status < 2, rated.outputs
        assert [STATUS[status] for status in rated.verdict.status] == [status for status, *_ in by_hand]
        assert [int(one) if held else None for one, held in zip(out.premium_fen, priced)] == [p for _, p, _ in by_hand]
        if plan.fund:
            assert [int(one) if held else None for one, held in zip(out.fund_fen, priced)] == [f for *_, f in by_hand]
    coding = prepare(traced.book, plan, dating(plan, None, "new"))
    state = evaluate(plan, coding.code(slice(0, coding.n)).inputs)
    for step in plan.steps:
        if step.name not in sheet.rows[0]:  # a part of a step that is written as one
            continue
        values = numbered(step, [row[step.name] for row in sheet.rows])
        assert state.values[step.name].fractions() == values, step
        floats = np.array([np.nan if value is None else nearest_float(value) for value in values])
        np.testing.assert_allclose(traced.outputs.steps[step.name], floats, rtol=1e-9, atol=1e-9, err_msg=step.name)


def test_an_operation_that_is_added_is_drawn_too():
    drawn = Path(written_plans.__file__).read_text(encoding="utf-8")
    assert not [op for op in (*OPERATIONS, "choose", "experience") if f'"{op}"' not in drawn]
