"""An `experience` step, written out in the basic operations.

Nothing downstream knows the operation: the fast path, the exact path, the worksheet and Excel see only products,
sums and ratios, so an experience modification is exact and explained like any other step.

Sources: NCCI, *ABCs of Experience Rating* (split formula); Bühlmann & Gisler, *A Course in Credibility Theory*, 2005.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from ratemod.plan.model import Step
from ratemod.plan.op.arithmetic import Arithmetic, Difference, Product, Ratio, Sum
from ratemod.plan.operand import NOTHING, Operand

ONE = Decimal(1)


def expand_experience(method: str, given: Mapping[str, Operand], name: str, **said: Any) -> tuple[Step, ...]:
    """Return the basic steps of one experience modification; the last carries the step's own name and labels.

    ``split``: (Ap + W·Ae + (1-W)·Ee + B) / (E + B). ``credibility``: Z·A/E + 1 - Z, as (Z·A + (1-Z)·E) / E.
    ``buhlmann``: the same with Z = m / (m + K), as (m·A + K·E) / ((m + K)·E).
    ``poisson_gamma``: (a + N) / (a + E), claims against expected claims with a gamma risk of shape a.
    """
    parts: list[Step] = []

    def part(last: str, kind: type[Arithmetic], *of: Operand, label_en: str, label_zh: str) -> str:
        full = f"{name}.{last}"
        own = {**said, "headline": False, "unit": None, "label_en": label_en, "label_zh": label_zh}
        own["otherwise"] = NOTHING if said.get("when") else None
        parts.append(Step(full, kind(of=of), **own))
        return full

    if method == "split":
        weight, ballast = given["weight"], given["ballast"]
        actual = part(
            "weighted_actual_excess",
            Product,
            weight,
            given["actual_excess"],
            label_en="W × actual excess losses",
            label_zh="权数×实际超额损失",
        )
        rest = part("one_minus_weight", Difference, ONE, weight, label_en="1 - W", label_zh="1－权数")
        expected = part(
            "weighted_expected_excess",
            Product,
            rest,
            given["expected_excess"],
            label_en="(1 - W) × expected excess losses",
            label_zh="（1－权数）×期望超额损失",
        )
        top = part(
            "numerator",
            Sum,
            given["actual_primary"],
            actual,
            expected,
            ballast,
            label_en="Ap + W·Ae + (1-W)·Ee + B",
            label_zh="分子：初级＋加权超额＋压舱值",
        )
        below = part(
            "denominator", Sum, given["expected"], ballast, label_en="E + B", label_zh="分母：期望损失＋压舱值"
        )
    elif method == "credibility":
        own = part(
            "own", Product, given["credibility"], given["actual"], label_en="Z × actual", label_zh="可信度×实际损失"
        )
        rest = part("one_minus_z", Difference, ONE, given["credibility"], label_en="1 - Z", label_zh="1－可信度")
        other = part(
            "complement",
            Product,
            rest,
            given["expected"],
            label_en="(1 - Z) × expected",
            label_zh="（1－可信度）×期望损失",
        )
        top = part("numerator", Sum, own, other, label_en="Z·A + (1-Z)·E", label_zh="分子")
        below = part("denominator", Sum, given["expected"], label_en="E", label_zh="期望损失")
    elif method == "poisson_gamma":
        shape = given["shape"]
        top = part("numerator", Sum, shape, given["claims"], label_en="a + claims", label_zh="形状参数＋赔案数")
        below = part(
            "denominator",
            Sum,
            shape,
            given["expected"],
            label_en="a + expected claims",
            label_zh="形状参数＋期望赔案数",
        )
    else:
        own = part(
            "own", Product, given["exposure"], given["actual"], label_en="m × actual", label_zh="风险单位×实际损失"
        )
        other = part(
            "complement", Product, given["k"], given["expected"], label_en="K × expected", label_zh="K×期望损失"
        )
        top = part("numerator", Sum, own, other, label_en="m·A + K·E", label_zh="分子")
        size = part("exposure_plus_k", Sum, given["exposure"], given["k"], label_en="m + K", label_zh="风险单位＋K")
        below = part("denominator", Product, size, given["expected"], label_en="(m + K)·E", label_zh="分母")
    return (*parts, Step(name, Ratio(of=(top, below)), **said))
