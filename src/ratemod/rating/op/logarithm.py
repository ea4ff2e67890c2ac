"""e to a value, and the natural logarithm."""

from __future__ import annotations

from decimal import Context

import numpy as np

from ratemod.plan.interval import UNIT, operand_range
from ratemod.plan.op.logarithm import Exponential, Logarithm
from ratemod.rating.block import Block
from ratemod.rating.compiling import Compiling, Readings, Run
from ratemod.rating.op.rounding import no_decimal
from ratemod.rating.rational import Rational
from ratemod.rating.working import Here


def _exact_exponential(operation: Exponential, here: Here) -> Rational:
    (of,) = here.of(operation)
    return no_decimal(Context.exp, operation.unit, (of,), of.ok)


def _exact_logarithm(operation: Logarithm, here: Here) -> Rational:
    (of,) = here.of(operation)
    return no_decimal(Context.ln, operation.unit, (of,), of.ok & (of.num > 0).astype(bool))


def _transcendental(operation: Exponential | Logarithm, compiling: Compiling) -> Run:
    """Fill a step with e^x or ln x, rounded half-up; what lies within its float error of a tie is left open.

    e^x moves by e^x times the error of x, ln x by the error of x over x.
    """
    of, constants, unit = operation.of[0], compiling.floats, float(operation.unit)
    numerator, denominator = operation.unit.as_integer_ratio()
    known, raises = operand_range(of, compiling.known), isinstance(operation, Exponential)

    def filled(block: Block) -> None:
        out = block.buffer(compiling.name)
        x = np.broadcast_to(block.get(of, constants), block.inputs.n)
        error = known.rel * np.abs(x) + known.abs
        with np.errstate(all="ignore"):
            if raises:
                raw = np.exp(x)
                spread = raw * (error + 8 * UNIT)
            else:
                raw = np.log(np.where(x > 0, x, np.nan))
                spread = np.abs(raw) * 8 * UNIT + 2 * error / x
                block.suspect |= np.abs(x) <= error
            raw, spread = raw / unit, spread / unit + 4 * UNIT * np.abs(raw / unit)
            count = np.floor(np.abs(raw) + 0.5)
            near = np.abs(np.abs(raw) + 0.5 - np.rint(np.abs(raw) + 0.5)) > spread
            block.suspect |= ~(near & (spread < 0.25)) & ~np.isnan(raw)
            np.copyto(out, np.copysign(count, raw) * numerator / denominator)

    return filled


READINGS: Readings = {
    Exponential: (_exact_exponential, _transcendental),
    Logarithm: (_exact_logarithm, _transcendental),
}
