"""Steps of plans that tests write down: an operation by its name, with the keys of a plan file."""

from __future__ import annotations

from typing import Any

from ratemod.plan.model import Step
from ratemod.plan.op.registry import OPERATIONS


def step_of(name: str, op: str, **given: Any) -> Step:
    """A step; `unit` and `by` are the operation's where it has such a key."""
    keys = OPERATIONS[op].keys()
    own = {key: value for key, value in given.items() if key in keys}
    return Step(name, OPERATIONS[op].made(own), **{key: value for key, value in given.items() if key not in own})
