"""Other ways to divide than by largest remainder: divisor methods, claims on too little money, the Shapley value.

Divisor methods give units one by one to whoever has the largest w / d(s), s being the units held: d(s) = s (Adams),
2s(s + 1)/(2s + 1) (Dean), √(s(s + 1)) (Huntington–Hill), s + ½ (Sainte-Laguë, Webster), s + 1 (D'Hondt, Jefferson).
None loses a unit when there is more to divide, as largest remainder may. Rules for an estate E below the claims c:
    proportional E·c / Σc;   equal awards min(c, λ);   equal losses max(c − λ, 0);   λ such that the parts sum to E;
    Talmud: equal awards of c/2 while E <= Σc/2, beyond it c less the equal awards of c/2 of what is missing;
    random arrival: the Shapley value of v(S) = max(E − Σ claims outside S, 0).

Source: Balinski & Young, *Fair Representation* (2001); Aumann & Maschler, J. Econ. Theory 36 (1985); O'Neill, Math.
Soc. Sci. 2 (1982); Shapley (1953).
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from fractions import Fraction
from math import factorial, floor, lcm
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from ratemod.errors import ModelError, problem
from ratemod.money import apportion
from ratemod.registers.shapley import weighted
from ratemod.rules.options import strict
from ratemod.rules.within import Whole

DivisorMethod = Literal["adams", "dean", "huntington", "sainte_lague", "dhondt"]
EstateRule = Literal["proportional", "equal_awards", "equal_losses", "talmud", "random_arrival"]
MOST_PLAYERS = 16  # 65,536 values

# The square of d(s), so that Huntington's is a fraction too.
_SQUARES: dict[str, Callable[[int], Fraction]] = {
    "adams": lambda s: Fraction(s**2),
    "dean": lambda s: Fraction(2 * s * (s + 1), 2 * s + 1) ** 2,
    "huntington": lambda s: Fraction(s * (s + 1)),
    "sainte_lague": lambda s: Fraction(2 * s + 1, 2) ** 2,
    "dhondt": lambda s: Fraction((s + 1) ** 2),
}


@strict
def divide_by_divisor(units: Whole, weights: npt.ArrayLike, method: DivisorMethod) -> npt.NDArray[np.int64]:
    """Divide whole units (fen, visits, seats) among parties by a divisor method, exactly.

    Parameters
    ----------
    units : how many, >= 0
    weights : (k,) integers, Decimals or floats >= 0; one of weight 0 gets nothing
    method : "adams", "dean", "huntington", "sainte_lague" or "dhondt"

    Returns
    -------
    (k,) int64, which sum to `units`; ties go to the greater weight, then to the first party. With fewer units than
    parties, the methods whose d(0) is 0 give one to each of the greatest weights.

    Raises
    ------
    ModelError
        RM011 when a weight is negative or not finite, or all are zero.

    Examples
    --------
    >>> divide_by_divisor(10, [53, 24, 23], "dhondt").tolist()
    [6, 2, 2]
    """
    share, square = _fractions(weights), _SQUARES[method]
    if min(share, default=Fraction(-1)) < 0 or not sum(share):
        raise ModelError(problem("RM011"))

    def rank(at: int, held: int) -> tuple[bool, Fraction, Fraction, int]:
        d = square(held)
        return d == 0, share[at] ** 2 / d if d else share[at], share[at], -at

    total = sum(share)
    # Near the end at once: what these hold is within k of it, so that the rest is at most a few rounds of the rule.
    held = [floor(w * units / total) for w in share]
    parties = [at for at, w in enumerate(share) if w > 0]
    while sum(held) < units:
        held[max(parties, key=lambda at: rank(at, held[at]))] += 1
    while True:  # no unit may lie where it is worth less than with another
        worst = min((at for at in parties if held[at]), key=lambda at: rank(at, held[at] - 1), default=None)
        best = max(parties, key=lambda at: rank(at, held[at]))
        if worst is None or rank(worst, held[worst] - 1) >= rank(best, held[best]):
            return np.array(held, dtype=np.int64)
        held[worst], held[best] = held[worst] - 1, held[best] + 1


@strict
def divide_estate(estate_fen: Whole, claims_fen: npt.ArrayLike, rule: EstateRule) -> npt.NDArray[np.int64]:
    """Divide money that does not meet all claims on it; whole fen by largest remainder, no part above its claim.

    Parameters
    ----------
    estate_fen : int >= 0, at most the sum of the claims
    claims_fen : (k,) int >= 0
    rule : "proportional", "equal_awards", "equal_losses", "talmud" or "random_arrival"

    Returns
    -------
    (k,) int64 fen, which sum to `estate_fen`

    Raises
    ------
    ModelError
        RM700 when a claim is negative or no whole number, or the estate is above all of them; RM701 when
        "random_arrival" has more than 16 claims.

    Examples
    --------
    >>> [divide_estate(200, [100, 200, 300], rule).tolist() for rule in ("talmud", "equal_awards", "equal_losses")]
    [[50, 75, 75], [67, 67, 66], [0, 50, 150]]
    """
    claims = _fractions(claims_fen)
    if any(claim < 0 or claim.denominator != 1 for claim in claims) or estate_fen > sum(claims):
        raise ModelError(problem("RM700", estate=estate_fen, claims=str(sum(claims))))
    if estate_fen == 0:
        return np.zeros(len(claims), dtype=np.int64)
    estate = Fraction(estate_fen)
    parts = _RULES[rule](estate, claims)
    common = lcm(*(part.denominator for part in parts))
    return apportion(estate_fen, np.array([int(part * common) for part in parts], dtype=object))


def shapley(
    players: Sequence[Hashable], value: Callable[[frozenset[Any]], float | Fraction]
) -> dict[Any, float | Fraction]:
    """Return what each player adds on average, over all orders in which they may come together.

    Parameters
    ----------
    players : up to 16 different names
    value : of any set of them, the empty set included; a Fraction or whole number keeps the result exact

    Returns
    -------
    player -> part; the parts sum to value(all) − value(none)

    Raises
    ------
    ModelError
        RM701 too many players, RM702 one named twice or a value that is not a finite number.

    Examples
    --------
    >>> shapley(["a", "b"], lambda them: Fraction(len(them) ** 2))
    {'a': Fraction(2, 1), 'b': Fraction(2, 1)}
    """
    names = list(players)
    if not 1 <= len(names) <= MOST_PLAYERS:
        raise ModelError(problem("RM701", players=len(names), most=MOST_PLAYERS))
    if len(set(names)) < len(names):
        raise ModelError(problem("RM702", name=str(next(name for name in names if names.count(name) > 1))))
    sets = (frozenset(name for at, name in enumerate(names) if which >> at & 1) for which in range(2 ** len(names)))
    worth = []
    for them in sets:
        found = value(them)
        if isinstance(found, int | np.integer) and not isinstance(found, bool):
            found = Fraction(int(found))
        if not isinstance(found, Fraction) and not np.isfinite(_number(found)):
            raise ModelError(problem("RM702", name=", ".join(map(str, sorted(map(str, them)))) or "{}"))
        worth.append(found if isinstance(found, Fraction) else float(found))
    parts = weighted(np.array(worth, dtype=object)[:, None])[:, 0]
    return {name: part / factorial(len(names)) for name, part in zip(names, parts)}


def _number(found: Any) -> float:
    try:
        return float(found)
    except (TypeError, ValueError):
        return float("nan")


def _fractions(values: npt.ArrayLike) -> list[Fraction]:
    """Return numbers exactly as they are.

    Raises
    ------
    ModelError
        RM011 for what is no finite number.
    """
    given = np.asarray(values)
    flat = given.ravel().tolist()
    try:
        if given.ndim != 1 or any(isinstance(one, bool | str) for one in flat):
            raise ModelError(problem("RM011"))
        return [Fraction(one) for one in flat]
    except (TypeError, ValueError, OverflowError):
        raise ModelError(problem("RM011")) from None


def _equal_awards(estate: Fraction, claims: list[Fraction]) -> list[Fraction]:
    parts, left = [Fraction(0)] * len(claims), estate
    for place, at in enumerate(sorted(range(len(claims)), key=lambda at: claims[at])):
        parts[at] = min(claims[at], left / (len(claims) - place))
        left -= parts[at]
    return parts


def _equal_losses(estate: Fraction, claims: list[Fraction]) -> list[Fraction]:
    return [claim - lost for claim, lost in zip(claims, _equal_awards(sum(claims, Fraction(0)) - estate, claims))]


def _talmud(estate: Fraction, claims: list[Fraction]) -> list[Fraction]:
    half, total = [claim / 2 for claim in claims], sum(claims, Fraction(0))
    if estate <= total / 2:
        return _equal_awards(estate, half)
    return [claim - lost for claim, lost in zip(claims, _equal_awards(total - estate, half))]


def _random_arrival(estate: Fraction, claims: list[Fraction]) -> list[Fraction]:
    total = sum(claims, Fraction(0))

    def left_to(them: frozenset[int]) -> Fraction:
        return max(estate - total + sum((claims[at] for at in them), Fraction(0)), Fraction(0))

    return [Fraction(part) for part in shapley(range(len(claims)), left_to).values()]


_RULES: dict[str, Callable[[Fraction, list[Fraction]], list[Fraction]]] = {
    "proportional": lambda estate, claims: [estate * claim / sum(claims) for claim in claims],
    "equal_awards": _equal_awards,
    "equal_losses": _equal_losses,
    "talmud": _talmud,
    "random_arrival": _random_arrival,
}
