"""What is read of each register: the columns of the shared tables that a register must have, and those it may have."""

from __future__ import annotations

from collections.abc import Mapping

from ratemod.vocabulary.table import column

HAZARD_GRADES = column("hazard_grade").levels
STANDARDS = column("standardisation").levels
INTEGRITY = column("integrity_grade").levels

# Register -> columns that a row must have, columns that it may have.
READ: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "hazards": (
        ("credit_code", "grade", "found_date"),
        ("hazard_id", "notified_date", "due_date", "extension_granted_date", "extended_due_date", "rectified_date",
         "verified_date", "refused_date"),
    ),
    "certificates": (
        ("credit_code", "standardisation", "issue_date", "expiry_date"),
        ("certificate_no", "standard", "withdrawn_date"),
    ),
    "integrity": (("credit_code", "effective_date", "integrity_grade"), ()),
    "blacklist": (("credit_code", "listed_date"), ("removed_date",)),
    "claims": (
        ("credit_code", "event_date", "deaths", "serious_injuries"),
        ("claim_no", "event_no", "report_date", "direct_loss_yuan", "accident_grade", "main_responsibility",
         "paid_fen", "case_reserve_fen"),
    ),
    "policies": (
        ("credit_code", "start_date", "end_date"),
        ("policy_no", "insurer", "cancelled_date", "premium_fen", "heads", "limit_yuan"),
    ),
    "endorsements": (("policy_no", "credit_code", "effective_date", "heads_after"), ()),
    "enterprises": (
        ("credit_code", "division_code", "sector", "staff"),
        ("name", "size_class", "closed_date", "phone"),
    ),
}  # fmt: skip
