"""Rounding to a unit, and powers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Context, Decimal, Overflow
from fractions import Fraction

import numpy as np

from ratemod.plan.op.rounding import Power, Round
from ratemod.rating import rational as q
from ratemod.rating.block import Mask
from ratemod.rating.compiling import Readings
from ratemod.rating.rational import Rational
from ratemod.rating.rounding import fill_rounded
from ratemod.rating.working import Here

POWER_DIGITS = 60


def _exact_round(operation: Round, here: Here) -> Rational:
    return q.round_to(here.state.get(operation.of[0]), operation.unit, operation.mode)


def _exact_power(operation: Power, here: Here) -> Rational:
    of, exponent = here.state.get(operation.of[0]), here.state.get(operation.exponent)
    ok = of.ok & (of.num > 0).astype(bool) & exponent.ok
    return no_decimal(Context.power, operation.unit, (of, exponent), ok)


def no_decimal(raised: Callable[..., Decimal], unit: Decimal, of: Sequence[Rational], ok: Mask) -> Rational:
    """Return what is no decimal, worked out to `POWER_DIGITS` digits and rounded half-up; none beyond all decimals."""
    context, ok = Context(prec=POWER_DIGITS), ok.copy()
    num, den = np.zeros(len(ok), dtype=object), np.ones(len(ok), dtype=object)
    for at in np.flatnonzero(ok).tolist():
        values = [value.fraction(at) or Fraction(0) for value in of]
        try:
            near = raised(context, *(context.divide(Decimal(x.numerator), Decimal(x.denominator)) for x in values))
        except Overflow:
            ok[at] = False
            continue
        num[at], den[at] = near.as_integer_ratio()
    return q.round_to(Rational(num, den, ok), unit, "half_up")


READINGS: Readings = {
    Round: (_exact_round, fill_rounded),
    Power: (_exact_power, fill_rounded),
}
