"""The part of an amount that one of several parties bears."""

from __future__ import annotations

import numpy as np

from ratemod.money import apportion
from ratemod.plan.interval import operand_range
from ratemod.plan.op.part import Part
from ratemod.rating.block import Block
from ratemod.rating.compiling import Compiling, Readings, Run
from ratemod.rating.rational import Rational
from ratemod.rating.whole import in_smallest, leave, whole
from ratemod.rating.working import Here, smallest_units

MOST_WHOLE = 2.0**50  # a number whose float tells it from the next half


def _exact_part(operation: Part, here: Here) -> Rational:
    of, state = here.state.get(operation.of[0]), here.state
    fen = smallest_units(of, here)
    weights = [state.get(weight).fractions() for weight in operation.among]
    found, ok = np.zeros(here.n, dtype=object), fen.ok.copy()
    for at in range(here.n):
        shares = [weight[at] for weight in weights]
        asked = [share for share in shares if share is not None and share >= 0]
        ok[at] &= len(asked) == len(shares) and sum(asked) > 0
        if ok[at]:
            quotas = [abs(int(fen.num[at])) * share / sum(asked) for share in asked]
            left = abs(int(fen.num[at])) - sum(int(quota) for quota in quotas)
            first = sorted(range(len(quotas)), key=lambda party: (-(quotas[party] % 1), party))[:left]
            size = int(quotas[operation.which - 1]) + (operation.which - 1 in first)
            found[at] = -size if fen.num[at] < 0 else size
    return Rational(found, here.plan.money.per_unit, ok)


def _fill_part(operation: Part, compiling: Compiling) -> Run:
    of, weights = operation.of[0], [whole(weight, compiling) for weight in operation.among]
    known = operand_range(of, compiling.known)
    places, found = known.places, [weight for weight in weights if weight is not None]
    most, money = max((weight[0] for weight in found), default=0), compiling.plan.money

    def parted(block: Block) -> None:
        if places is None or len(found) < len(weights):
            leave(block, compiling.name)
            return
        amount = np.broadcast_to(block.get(of, compiling.floats), block.inputs.n)
        size = np.abs(amount) * 10.0**places
        doubtful = (size >= MOST_WHOLE) | ((known.rel * np.abs(amount) + known.abs) * 10.0**places >= 0.05)
        valid = ~np.isnan(amount)
        block.suspect |= doubtful & valid
        whole = np.rint(np.where(valid & ~doubtful, amount, 0) * 10.0**places).astype(np.int64)
        shares = np.empty((block.inputs.n, len(found)), dtype=np.int64)
        for at, (finest, weigh) in enumerate(found):
            shares[:, at], there = weigh(block)
            shares[:, at] *= 10 ** (most - finest)
            valid = valid & there & (shares[:, at] >= 0)
        valid = valid & (shares.sum(axis=1) > 0)
        shares[~valid] = 1
        part = apportion(in_smallest(whole, places, money.decimals), shares)[:, operation.which - 1]
        block.buffer(compiling.name)[:] = np.where(valid, part / money.per_unit, np.nan)

    return parted


READINGS: Readings = {
    Part: (_exact_part, _fill_part),
}
