"""Where rate studies land: synthetic provinces whose true expected losses are known, every seed shown.

    python -m benchmarks.landing              24 seeds at 3,000 and 24 at 12,000 firms, then other truths
    python -m benchmarks.landing 3000 21 33   one size, seeds 21 to 32

The answer key (``truth_terms``) holds for every renewal the expected claims and their mean cost; their sum over the
rows that the new rates price is what the premium must carry. ``ratio`` is the study's expected losses over it, ``held``
whether the interval of the indicated change holds the change that is truly needed.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace

import numpy as np

import ratemod as rm
from ratemod.synth.truth import Truth

PLAN = "jilin-spli/2025-04"
SEEDS = 24
TABLES = ("policies", "claims", "valuations", "endorsements", "panel", "rate_changes", "renewals")


@dataclass(frozen=True, slots=True)
class Landing:
    """One study against the truth."""

    firms: int
    seed: int
    ratio: float
    low: float
    high: float
    needed: float
    held_out: float

    @property
    def held(self) -> bool:
        """Return whether the interval holds the change that is truly needed."""
        return self.low <= self.needed <= self.high


def landing(firms: int, seed: int, planted: Truth | None = None) -> Landing:
    """Study one province and compare its expected losses with the planted ones."""
    made = rm.synthesize(enterprises=firms, years=5, seed=seed, **({} if planted is None else {"planted": planted}))
    terms = made.table("truth_terms").to_pandas()
    year = terms[terms.year == terms.year.max()]
    history = {name: made.table(name) for name in TABLES}
    study = rm.fit(history, PLAN, new_from=f"{int(terms.year.max())}-01-01")
    rated = rm.rate(history["renewals"], study.rates.plan, lang="en").to_pandas()
    priced = set(rated.policy_no[rated.premium_fen > 0])
    year = year[year.policy_no.isin(priced)]
    truth = float((year.expected_claims * year.mean_loss_yuan).sum())
    low, high = study.indicated_interval
    return Landing(
        firms=firms,
        seed=seed,
        ratio=study.rates.expected_yuan / truth,
        low=low,
        high=high,
        needed=truth / study.rates.target / (study.rates.current_premium_fen / 100) - 1,
        held_out=getattr(study.held_out, "ratio", float("nan")),
    )


def truths() -> dict[str, Truth]:
    """Return provinces that differ from the usual one in what most moves a level."""
    usual = Truth()
    frequency, severity, market = usual.frequency, usual.severity, usual.market
    return {
        "frequency falls by 8 % a year": replace(usual, frequency=replace(frequency, trend_log=-0.08)),
        "frequency rises by 6 % a year": replace(usual, frequency=replace(frequency, trend_log=0.06)),
        "medical costs rise by 12 % a year": replace(usual, severity=replace(severity, medical_trend_log=0.12)),
        "heavy tail of third-party losses": replace(
            usual, severity=replace(severity, third_party_tail=1.1, third_party_cap=10.0)
        ),
        "no catastrophe": replace(usual, severity=replace(severity, scheduled_catastrophes=0)),
        "a late insurer holds a third": replace(
            usual, market=replace(market, late_reserve_share=tuple(x / 2 for x in market.late_reserve_share))
        ),
        "services go to the worse firms": replace(usual, prevention=replace(usual.prevention, service_selection=2.0)),
        "services without effect": replace(usual, frequency=replace(frequency, service_effect_most=0.0)),
    }


def shown(name: str, found: list[Landing]) -> str:
    """Return a table of every seed and what they come to."""
    lines = [f"## {name}", "", "| seed | study / true | needed | interval | holds it | held-out A/E |",
             "|---:|---:|---:|---|---|---:|"]  # fmt: skip
    lines += [
        f"| {one.seed} | {one.ratio:.3f} | {one.needed:+.1%} | {one.low:+.1%} to {one.high:+.1%} "
        f"| {'yes' if one.held else 'no'} | {one.held_out:.2f} |"
        for one in found
    ]
    ratios = np.array([one.ratio for one in found])
    spread = f", s.d. {ratios.std(ddof=1):.3f}" if len(ratios) > 1 else ""
    held = sum(one.held for one in found)
    last = f"Mean {ratios.mean():.3f}{spread}; the 90 % interval holds {held} of {len(found)}."
    return "\n".join([*lines, "", last, ""])


def main(words: list[str]) -> None:
    """Print the landings asked for, or all."""
    if words:
        firms, first, end = (int(word) for word in words)
        print(shown(f"{firms:,} firms", [landing(firms, seed) for seed in range(first, end)]), flush=True)
        return
    for firms, first in ((3_000, 21), (12_000, 201)):
        print(shown(f"{firms:,} firms", [landing(firms, seed) for seed in range(first, first + SEEDS)]), flush=True)
    for name, planted in truths().items():
        print(shown(f"{name}, 6,000 firms", [landing(6_000, seed, planted) for seed in range(401, 405)]), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
