"""What the yearly disclosure reads of each shared table: columns that it needs, and those it can do without."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ratemod.vocabulary.codes.industry import SECTORS
from ratemod.vocabulary.table import column

CAUSE_LEVELS = column("cause").levels
CAUSES = tuple(level.code for level in CAUSE_LEVELS)
ENTRIES = ("accrual", "release", "payment")

DISCLOSED: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "policies": (
        ("policy_no", "credit_code", "insurer", "division_code", "sector", "start_date", "heads"),
        ("premium_fen",),
    ),
    "endorsements": (("policy_no",), ("effective_date", "premium_change_fen", "endorsement_no")),
    "claims": (
        ("claim_no", "policy_no", "event_date", "cause"),
        ("deaths", "serious_injuries", "paid_fen", "case_reserve_fen"),
    ),
    "payments": (("claim_no", "payment_date"), ("amount_fen", "payment_no")),
    "services": (
        ("policy_no", "insurer"),
        ("service_no", "planned_date", "delivered_date", "cost_fen", "score", "hazards_found"),
    ),
    "ledger": (("date", "kind", "insurer", "policy_no"), ("entry_no", "amount_fen")),
}
# The eight sectors must insure, and the fund is accrued, released and paid; other words refuse their rows.
NARROWER: Mapping[str, Mapping[str, Sequence[str]]] = {"policies": {"sector": SECTORS}, "ledger": {"kind": ENTRIES}}
# Amounts that are published: a row of a list that has them says how much, 0 where nothing.
STATED: Mapping[str, Sequence[str]] = {
    "policies": ("premium_fen",),
    "ledger": ("amount_fen",),
    "payments": ("amount_fen",),
}
