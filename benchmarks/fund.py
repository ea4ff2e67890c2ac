"""The prevention fund: ``python -m benchmarks.fund [insureds]``.

Continuous allocation at one million insureds and twelve budgets; the same at a size that general solvers can take
(SLSQP, and HiGHS on pieces of the benefit); whole visits with their gap; and five co-insurers' shares by largest
remainder beside the usual pandas and NumPy ways. Results are compared before they are timed.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa

from ratemod.fund.allocate import allocate
from ratemod.fund.water_fill import water_fill
from ratemod.money import apportion

SEED, BUDGETS, TURNS = 2026, 12, 5


def portfolio(n: int) -> tuple[Any, ...]:
    draw = np.random.default_rng(SEED)
    return (
        draw.lognormal(9, 1.2, n),
        draw.uniform(0.3, 1.2, n),
        draw.uniform(1000, 9000, n),
        draw.integers(0, BUDGETS, n),
        np.full(BUDGETS, n / BUDGETS * 2000.0),
    )


def slsqp(a: Any, b: Any, c: Any, group: Any, budget: Any) -> Any:
    """Return spending by SLSQP with gradients, in units that suit it."""
    from scipy.optimize import minimize

    owner = np.equal.outer(np.arange(len(budget)), group).astype(float)
    scale = budget.mean()
    limits = {"type": "ineq", "fun": lambda y: budget / scale - owner @ y, "jac": lambda y: -owner}
    whole = (a * b / c).sum() * scale / len(a)
    found = minimize(
        lambda y: -(a * -np.expm1(-b * y * scale / c)).sum() / whole,
        budget[group] / scale / np.bincount(group)[group],
        jac=lambda y: -(a * b / c * scale * np.exp(-b * y * scale / c)) / whole,
        method="SLSQP",
        bounds=[(0, None)] * len(a),
        constraints=[limits],
        options={"maxiter": 200, "ftol": 1e-10},
    )
    return found.x * scale


def highs(a: Any, b: Any, c: Any, group: Any, budget: Any, pieces: int = 40) -> Any:
    """Return spending by a linear programme: the benefit cut into pieces, best first."""
    from scipy.optimize import linprog
    from scipy.sparse import csr_array

    edges = np.linspace(0, 6, pieces + 1)  # visits
    slope = a[:, None] * -np.diff(np.exp(-b[:, None] * edges)) / (np.diff(edges) * c[:, None])
    room = np.repeat(c[:, None] * np.diff(edges), 1, axis=1)
    n = slope.size
    rows = csr_array((np.ones(n), (np.repeat(group, pieces), np.arange(n))), shape=(len(budget), n))
    found = linprog(
        -slope.ravel(), A_ub=rows, b_ub=budget, bounds=np.stack([np.zeros(n), room.ravel()], 1), method="highs"
    )
    return found.x.reshape(slope.shape).sum(axis=1)


def prevented(a: Any, b: Any, c: Any, spend: Any) -> float:
    return float((a * -np.expm1(-b * spend / c)).sum())


def medians(contenders: dict[str, Callable[[], Any]], turns: int = TURNS) -> dict[str, float]:
    """Return the median seconds of each contender, run in turn."""
    took: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(turns):
        for name, run in contenders.items():
            start = time.perf_counter()
            run()
            took[name].append(time.perf_counter() - start)
    return {name: statistics.median(times) for name, times in took.items()}


def show(title: str, took: dict[str, float]) -> None:
    first = next(iter(took.values()))
    print(f"\n{title}\n\n| contender | seconds | × ratemod |\n|---|---|---|")
    for name, seconds in took.items():
        print(f"| {name} | {seconds:.4f} | {seconds / first:,.1f} |")


def solvers(n: int) -> None:
    """Compare with general solvers: nobody may prevent more. Each runs once; SLSQP takes minutes."""
    given = portfolio(n)
    a, b, c = given[:3]
    ours = prevented(a, b, c, water_fill(*given).spend)
    took = medians({"ratemod": lambda: water_fill(*given)})
    for name, run in {"scipy SLSQP": slsqp, "scipy HiGHS, 40 pieces": highs}.items():
        start = time.perf_counter()
        theirs = prevented(a, b, c, run(*given))
        took[name] = time.perf_counter() - start
        assert theirs <= ours * (1 + 1e-6), name
        print(f"{name}: prevents {theirs / ours:.6%} of the closed form")
    show(f"{n:,} insureds, {BUDGETS} budgets, continuous", took)


def shares_pandas(total: Any, weights: Any) -> Any:
    """Return largest-remainder parts as a pandas user writes them: floors, then the ranks of the remainders."""
    import pandas as pd

    quota = pd.DataFrame(total[:, None] * (weights / weights.sum()))
    low = np.floor(quota + 1e-9)
    rank = (quota - low).rank(axis=1, method="first", ascending=False)
    return (low + rank.le(total - low.sum(axis=1), axis=0)).to_numpy().astype(np.int64)


def shares_sorted(total: Any, weights: Any) -> Any:
    """Return largest-remainder parts as a NumPy user writes them: a sort of every row."""
    product = total[:, None] * weights
    low = product // weights.sum()
    rest = product - low * weights.sum()
    rank = np.argsort(np.argsort(-rest, axis=1, kind="stable"), axis=1)
    return low + (rank < (total - low.sum(axis=1))[:, None])


def shares(n: int) -> None:
    total, weights = np.random.default_rng(SEED).integers(0, 10**8, n), np.array([40, 25, 20, 10, 5])
    ours = apportion(total, weights)
    assert (ours.sum(axis=1) == total).all()
    assert (ours == shares_sorted(total, weights)).all()
    off = int((ours != shares_pandas(total, weights)).any(axis=1).sum())
    print(f"\npandas in floats differs in {off:,} of {n:,} rows")
    show(
        f"{n:,} totals among 5 insurers, largest remainder",
        medians(
            {
                "ratemod": lambda: apportion(total, weights),
                "NumPy, rows sorted": lambda: shares_sorted(total, weights),
                "pandas": lambda: shares_pandas(total, weights),
            },
            3,
        ),
    )


def floor(n: int) -> float:
    """Return the seconds of the least that any plan of whole visits takes in NumPy, without duties, limits or proof:
    what every visit of five services prevents, four of an insured's sorted by worth, and their running cost.
    """
    draw = np.random.default_rng(SEED)
    losses, most, rate = draw.lognormal(9, 1.3, n), draw.uniform(0.02, 0.1, 5), draw.uniform(0.3, 1.0, 5)
    cost, turn = draw.integers(400_000, 1_200_000, (n, 5)), np.arange(4)
    start = time.perf_counter()
    gain = losses[:, None, None] * ((most * -np.expm1(-rate))[:, None] * np.exp(-rate[:, None] * turn))[None]
    worth = (gain / cost[:, :, None]).reshape(n, -1)[:, :4].ravel()
    np.cumsum(np.repeat(cost[:, 0], 4)[np.argsort(-worth, kind="stable")])
    return time.perf_counter() - start


def whole_visits(n: int) -> None:
    draw = np.random.default_rng(SEED)
    losses = draw.lognormal(9, 1.3, n)
    size = np.array(["micro", "small", "medium", "large"], dtype=object)[draw.choice(4, n, p=[0.3, 0.5, 0.15, 0.05])]
    book = pa.table(
        {
            "policy_no": [f"P{at:08d}" for at in range(n)],
            "insurer": np.array([f"i{at:02d}" for at in range(BUDGETS)], dtype=object)[draw.integers(0, BUDGETS, n)],
            "size_class": size,
            "division_code": np.array(["220100", "222400"], dtype=object)[draw.integers(0, 2, n)],
            "premium_fen": draw.lognormal(13, 1, n).astype(np.int64),
            "annual_losses_yuan": losses,
            "annual_claims": losses / 80_000,
            "outstanding": np.isin(size.astype(str), ["medium", "large"]).astype(np.int64),
        }
    )
    money = {f"i{at:02d}": n // BUDGETS * 3000 * 100 for at in range(BUDGETS)}
    start = time.perf_counter()
    plan = allocate(book, money)
    seconds = time.perf_counter() - start
    proved = plan.reconcile()
    better = plan.by.avoided.sum() / plan.by.proportional_avoided.sum()
    gain = (plan.by.duty_prevented + plan.by.rest_prevented).sum() / (
        plan.by.duty_prevented + plan.by.proportional
    ).sum()
    print(
        f"\nwhole visits, {n:,} insureds x 5 services, duties first: {seconds:.2f} s; gap to the bound "
        f"{plan.gap:.4%}; losses prevented x {gain:.2f} and accidents avoided "
        f"x {better:.2f} of money by premium; {proved} sums proved; x {seconds / floor(n):.1f} of sorting alone"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("insureds", nargs="?", type=int, default=1_000_000)
    n = parser.parse_args().insureds
    given = portfolio(n)
    found = water_fill(*given)
    print(f"budget error {np.abs(found.spent / given[4] - 1).max():.1e}")
    show(f"{n:,} insureds, {BUDGETS} budgets, continuous", medians({"ratemod": lambda: water_fill(*given)}))
    solvers(min(n, 1000))
    shares(n)
    whole_visits(n)


if __name__ == "__main__":
    main()
