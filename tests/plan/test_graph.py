"""The graph of a plan: what rests on what, held against an oracle that tries it, and drawn."""

from __future__ import annotations

from decimal import Decimal
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ratemod.cli import main
from ratemod.errors import PlanError
from ratemod.plan.edit import paths
from ratemod.plan.editions import load_plan
from ratemod.plan.graph import node_of
from ratemod.rating.exact import evaluate, holds, outside_range
from ratemod.whatif.scenario import current_values
from tests.rating import random_plans


def reactions(plan, inputs):
    """What every step, rule and legal range gives, priced exactly: bytes to compare."""
    state = evaluate(plan, inputs)
    found = {name: state.values[name].fractions() for name in plan.step_names}
    found |= {f"rule.{rule.name}": holds(rule.when, plan, state).tolist() for rule in plan.rules}
    for item in plan.legal:
        outside = outside_range(item, state)
        if item.exception is not None:
            outside = outside & ~holds(item.exception.when, plan, state)
        found[f"legal.{item.name}"] = outside.tolist()
    return found


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(plan=random_plans.plans(), seed=st.integers(0, 2**32), data=st.data())
def test_nothing_reacts_to_an_edit_that_the_graph_does_not_name(plan, seed, data):
    now = current_values(plan)
    path = data.draw(st.sampled_from(sorted(path for path in paths(plan) if path in now)))
    try:
        changed = plan.replace({path: now[path] * Decimal("1.7") + 1})
    except PlanError:
        return
    inputs = random_plans.inputs(seed, 40, plan)
    before, after = reactions(plan, inputs), reactions(changed, inputs)
    moved = {name for name in before if before[name] != after[name]}
    assert moved <= plan.graph().touched_by([path])
    assert changed.graph().differing(plan) == {node_of(path)}


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(plan=random_plans.plans())
def test_upstream_and_downstream_are_each_others_mirror(plan):
    graph = plan.graph()
    for node in graph.kinds:
        assert all(node in graph.upstream([other]) for other in graph.downstream([node]))
        assert all(node in graph.downstream([other]) for other in graph.upstream([node]))
    assert {plan.premium, *(f"legal.{item.name}" for item in plan.legal)} <= graph.live


def test_the_law_and_what_it_rests_on_stay(tmp_path):
    plan = load_plan("jilin-spli/2025-04")
    assert not {node_of(path) for path in paths(plan)} & plan.graph().fixed
    with pytest.raises(PlanError) as error:
        plan.graph().upstream(["premum"])
    assert [item.code for item in error.value.problems] == ["RM380"] and "premium" in str(error.value)


def test_a_plan_draws_itself(tmp_path, capsys):
    plan = load_plan("jilin-spli/2025-04")
    picture = ElementTree.fromstring(plan.graph().svg("zh"))
    said = [text.text for text in picture.iter("{http://www.w3.org/2000/svg}text")]
    assert (
        "最低保费" in said
        and len(said) == len({title.text for title in picture.iter() if title.tag.endswith("title")}) - 1
    )
    lines = plan.graph().mermaid("en").splitlines()
    edges = sum(" --> " in line for line in lines)
    assert lines[0] == "flowchart LR" and edges == sum(map(len, plan.graph().reads.values()))
    for ending in ("svg", "mmd"):
        path = tmp_path / f"plan.{ending}"
        assert main(["plans", "jilin-spli/2025-04", "--graph", str(path), "--lang", "zh"]) == 0
        assert "最低保费" in path.read_text(encoding="utf-8")
    assert main(["plans", "jilin-spli/2025-04", "--graph", str(tmp_path / "plan.png")]) != 0
    assert not np.any([path.suffix == ".png" for path in tmp_path.iterdir()])
