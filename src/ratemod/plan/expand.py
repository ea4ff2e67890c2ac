"""Steps that stand for several: an `experience`, a `choose`, a look-up by a level of its own; written out here.

Nothing downstream knows them: the fast path, the exact path, the worksheet and Excel see only products,
sums and ratios, so an experience modification is exact and explained like any other step.

Sources: NCCI, *ABCs of Experience Rating* (split formula); Bühlmann & Gisler, *A Course in Credibility Theory*, 2005.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from ratemod.plan.model import Condition, Step
from ratemod.plan.op.arithmetic import Arithmetic, Difference, Product, Ratio, Sum
from ratemod.plan.op.dates import Latest
from ratemod.plan.op.level import OneLevel
from ratemod.plan.operand import NOTHING, Day, Operand

ONE = Decimal(1)
Given = Mapping[str, Operand]


@dataclass(frozen=True, slots=True)
class Pinned:
    """A level that stands in ``by`` instead of a name."""

    code: str


Part = Callable[..., str]  # (name, operation, *operands, label_en, label_zh) -> the name of the step that it adds


def expand_experience(method: str, given: Given, name: str, **said: Any) -> tuple[Step, ...]:
    """Return the basic steps of one experience modification; the last carries the step's own name and labels."""
    parts: list[Step] = []

    def part(last: str, kind: type[Arithmetic], *of: Operand, label_en: str, label_zh: str) -> str:
        full = f"{name}.{last}"
        own = {**said, "headline": False, "unit": None, "label_en": label_en, "label_zh": label_zh}
        own["otherwise"] = NOTHING if said.get("when") else None
        parts.append(Step(full, kind(of=of), **own))
        return full

    above, below = METHODS[method](given, part)
    return (*parts, Step(name, Ratio(of=(above, below)), **said))


def _split(given: Given, part: Part) -> tuple[str, str]:
    """(Ap + W·Ae + (1-W)·Ee + B) / (E + B)."""
    weight, ballast = given["weight"], given["ballast"]
    labels = {"label_en": "W × actual excess losses", "label_zh": "权数×实际超额损失"}
    actual = part("weighted_actual_excess", Product, weight, given["actual_excess"], **labels)
    rest = part("one_minus_weight", Difference, ONE, weight, label_en="1 - W", label_zh="1－权数")
    labels = {"label_en": "(1 - W) × expected excess losses", "label_zh": "（1－权数）×期望超额损失"}
    expected = part("weighted_expected_excess", Product, rest, given["expected_excess"], **labels)
    labels = {"label_en": "Ap + W·Ae + (1-W)·Ee + B", "label_zh": "分子：初级＋加权超额＋压舱值"}
    above = part("numerator", Sum, given["actual_primary"], actual, expected, ballast, **labels)
    labels = {"label_en": "E + B", "label_zh": "分母：期望损失＋压舱值"}
    return above, part("denominator", Sum, given["expected"], ballast, **labels)


def _credibility(given: Given, part: Part) -> tuple[str, str]:
    """Z·A/E + 1 - Z, as (Z·A + (1-Z)·E) / E."""
    labels = {"label_en": "Z × actual", "label_zh": "可信度×实际损失"}
    own = part("own", Product, given["credibility"], given["actual"], **labels)
    rest = part("one_minus_z", Difference, ONE, given["credibility"], label_en="1 - Z", label_zh="1－可信度")
    labels = {"label_en": "(1 - Z) × expected", "label_zh": "（1－可信度）×期望损失"}
    other = part("complement", Product, rest, given["expected"], **labels)
    above = part("numerator", Sum, own, other, label_en="Z·A + (1-Z)·E", label_zh="分子")
    return above, part("denominator", Sum, given["expected"], label_en="E", label_zh="期望损失")


def _buhlmann(given: Given, part: Part) -> tuple[str, str]:
    """Z·A/E + 1 - Z with Z = m / (m + K), as (m·A + K·E) / ((m + K)·E)."""
    exposure, k = given["exposure"], given["k"]
    own = part("own", Product, exposure, given["actual"], label_en="m × actual", label_zh="风险单位×实际损失")
    other = part("complement", Product, k, given["expected"], label_en="K × expected", label_zh="K×期望损失")
    above = part("numerator", Sum, own, other, label_en="m·A + K·E", label_zh="分子")
    size = part("exposure_plus_k", Sum, exposure, k, label_en="m + K", label_zh="风险单位＋K")
    return above, part("denominator", Product, size, given["expected"], label_en="(m + K)·E", label_zh="分母")


def _poisson_gamma(given: Given, part: Part) -> tuple[str, str]:
    """(a + N) / (a + E): claims against expected claims with a gamma risk of shape a."""
    shape = given["shape"]
    above = part("numerator", Sum, shape, given["claims"], label_en="a + claims", label_zh="形状参数＋赔案数")
    labels = {"label_en": "a + expected claims", "label_zh": "形状参数＋期望赔案数"}
    return above, part("denominator", Sum, shape, given["expected"], **labels)


def expand_choice(
    cases: Sequence[tuple[Condition, Operand]], otherwise: Operand, name: str, **said: Any
) -> tuple[Step, ...]:
    """Return the steps of an else-if chain: from the last case to the first, each falls back on the one after it."""
    steps: list[Step] = []
    for at, (when, then) in reversed([*enumerate(cases)]):
        own = said if at == 0 else {**said, "headline": False}
        full = name if at == 0 else f"{name}.case_{at + 1}"
        steps.append(Step(full, Sum(of=(then,)), when=when, otherwise=otherwise, **own))
        otherwise = full
    return tuple(steps)


def expand_pinned(
    by: Sequence[tuple[str, Operand | Pinned]], name: str, line: int, source: str = ""
) -> tuple[tuple[Step, ...], tuple[tuple[str, str], ...]]:
    """Return the steps on which a look-up by values of its own stands, and its ``by`` in names alone."""
    steps, names = [], []
    for axis, value in by:
        if isinstance(value, str):
            names.append((axis, value))
            continue
        full = f"{name}.{axis}"
        one = Latest if isinstance(value, Day) else Sum
        operation = OneLevel(code=value.code) if isinstance(value, Pinned) else one(of=(value,))
        steps.append(Step(full, operation, label_en=axis, label_zh=axis, source=source, line=line))
        names.append((axis, full))
    return tuple(steps), tuple(names)


METHODS: Mapping[str, Callable[[Given, Part], tuple[str, str]]] = MappingProxyType(
    {"split": _split, "credibility": _credibility, "buhlmann": _buhlmann, "poisson_gamma": _poisson_gamma}
)
