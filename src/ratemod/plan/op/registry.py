"""The closed set of operations, by the name that a plan file gives."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from ratemod.plan.op.arithmetic import AddPercentages, Difference, Largest, Product, Ratio, Smallest, Sum
from ratemod.plan.op.base import Operation
from ratemod.plan.op.dates import Days, Months
from ratemod.plan.op.judgement import Judgement
from ratemod.plan.op.limits import Bound, Cap
from ratemod.plan.op.lines import Rollup, ShareOut
from ratemod.plan.op.look_up import Classify, Interpolate, Lookup
from ratemod.plan.op.progressive import Progressive
from ratemod.plan.op.rounding import Power, Round

EVERY: tuple[type[Operation], ...] = (
    Lookup, Interpolate, Classify, Progressive, Product, Sum, Difference, Ratio, Largest, Smallest, AddPercentages,
    Bound, Cap, Round, Judgement, Days, Months, Power, Rollup, ShareOut,
)  # fmt: skip
OPERATIONS: Mapping[str, type[Operation]] = MappingProxyType({kind.op: kind for kind in EVERY})
