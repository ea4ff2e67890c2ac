"""An `experience` step, written out in the basic operations.

Nothing downstream knows the operation: the fast path, the exact path, the worksheet and Excel see only products,
sums and ratios, so an experience modification is exact and explained like any other step.

Sources: NCCI, *ABCs of Experience Rating* (split formula); Bühlmann & Gisler, *A Course in Credibility Theory*, 2005.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

from ratemod.plan.model import NOTHING, Operand, Step

ONE = Decimal(1)


def expand_experience(step: Step, method: str, given: Mapping[str, Operand]) -> tuple[Step, ...]:
    """Return the basic steps of one experience modification; the last carries the step's own name and labels.

    ``split``: (Ap + W·Ae + (1-W)·Ee + B) / (E + B). ``credibility``: Z·A/E + 1 - Z, as (Z·A + (1-Z)·E) / E.
    ``buhlmann``: the same with Z = m / (m + K), as (m·A + K·E) / ((m + K)·E).
    ``poisson_gamma``: (a + N) / (a + E), claims against expected claims with a gamma risk of shape a.
    """
    parts: list[Step] = []

    def part(name: str, op: str, *of: Operand, label_en: str, label_zh: str) -> str:
        full = f"{step.name}.{name}"
        parts.append(
            replace(
                step,
                name=full,
                op=op,
                of=of,
                otherwise=NOTHING if step.when else None,
                headline=False,
                label_en=label_en,
                label_zh=label_zh,
                unit=None,
            )
        )
        return full

    if method == "split":
        weight, ballast = given["weight"], given["ballast"]
        actual = part(
            "weighted_actual_excess",
            "product",
            weight,
            given["actual_excess"],
            label_en="W × actual excess losses",
            label_zh="权数×实际超额损失",
        )
        rest = part("one_minus_weight", "difference", ONE, weight, label_en="1 - W", label_zh="1－权数")
        expected = part(
            "weighted_expected_excess",
            "product",
            rest,
            given["expected_excess"],
            label_en="(1 - W) × expected excess losses",
            label_zh="（1－权数）×期望超额损失",
        )
        top = part(
            "numerator",
            "sum",
            given["actual_primary"],
            actual,
            expected,
            ballast,
            label_en="Ap + W·Ae + (1-W)·Ee + B",
            label_zh="分子：初级＋加权超额＋压舱值",
        )
        below = part(
            "denominator", "sum", given["expected"], ballast, label_en="E + B", label_zh="分母：期望损失＋压舱值"
        )
    elif method == "credibility":
        own = part(
            "own", "product", given["credibility"], given["actual"], label_en="Z × actual", label_zh="可信度×实际损失"
        )
        rest = part("one_minus_z", "difference", ONE, given["credibility"], label_en="1 - Z", label_zh="1－可信度")
        other = part(
            "complement",
            "product",
            rest,
            given["expected"],
            label_en="(1 - Z) × expected",
            label_zh="（1－可信度）×期望损失",
        )
        top = part("numerator", "sum", own, other, label_en="Z·A + (1-Z)·E", label_zh="分子")
        below = part("denominator", "sum", given["expected"], label_en="E", label_zh="期望损失")
    elif method == "poisson_gamma":
        shape = given["shape"]
        top = part("numerator", "sum", shape, given["claims"], label_en="a + claims", label_zh="形状参数＋赔案数")
        below = part(
            "denominator",
            "sum",
            shape,
            given["expected"],
            label_en="a + expected claims",
            label_zh="形状参数＋期望赔案数",
        )
    else:
        own = part(
            "own", "product", given["exposure"], given["actual"], label_en="m × actual", label_zh="风险单位×实际损失"
        )
        other = part(
            "complement", "product", given["k"], given["expected"], label_en="K × expected", label_zh="K×期望损失"
        )
        top = part("numerator", "sum", own, other, label_en="m·A + K·E", label_zh="分子")
        size = part("exposure_plus_k", "sum", given["exposure"], given["k"], label_en="m + K", label_zh="风险单位＋K")
        below = part("denominator", "product", size, given["expected"], label_en="(m + K)·E", label_zh="分母")
    return (*parts, replace(step, op="ratio", of=(top, below)))
