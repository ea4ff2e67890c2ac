"""The shipped plan of Jilin cut down to a dozen steps: what a search does to it costs a tenth."""

from __future__ import annotations

import shutil
from pathlib import Path

import tomlkit

import ratemod as rm

SHIPPED = "jilin-spli/2025-04"
STEPS = [
    "base_rate", "limit_factor", "base_premium", "general_accident_loading", "larger_accident_loading",
    "accident_record", "claim_free_credit", "standard_credit", "integrity_factor", "float_before_bounds",
    "total_float", "annual_premium", "renewal_cap", "term_months", "short_period", "term_premium", "minimum_premium",
    "premium",
]  # fmt: skip
TABLES = [
    "base_rate", "limit_factor", "general_accidents", "larger_accidents", "claim_free", "standard_credit", "integrity",
    "short_period",
]  # fmt: skip
COLUMNS = [
    "policy_no", "name", "business", "start_date", "end_date", "sector", "size_class", "industry_code", "staff",
    "revenue_yuan", "assets_yuan", "heads", "limit_yuan", "general_accidents", "larger_accidents", "claim_free_years",
    "standardisation", "certificate_expiry", "integrity_grade", "expiring_premium_yuan",
]  # fmt: skip
RULES = ["certificate_expired"]


def small_plan(folder: Path) -> rm.Plan:
    """Write the plan under a folder, with the tables of its steps, and return it loaded."""
    shipped = Path(rm.load_plan(SHIPPED).folder)
    place = folder / SHIPPED
    (place / "tables").mkdir(parents=True)
    for name in TABLES:
        shutil.copy(shipped / "tables" / f"{name}.csv", place / "tables")
    said = tomlkit.parse((shipped / "plan.toml").read_text(encoding="utf-8"))
    plan = said.unwrap()
    del plan["check"], plan["legal"], plan["plan"]["fund"]
    plan["constant"] = {"no_certificate": plan["constant"]["no_certificate"]}
    plan["column"] = {name: plan["column"][name] for name in COLUMNS}
    plan["rule"] = [rule for rule in plan["rule"] if rule["name"] in RULES]
    plan["step"] = [step for step in plan["step"] if step["name"] in STEPS]
    for step in plan["step"]:
        if step["op"] in ("product", "largest"):
            step["of"] = [name for name in step["of"] if name in STEPS or name not in _dropped(said)]
    (place / "plan.toml").write_text(tomlkit.dumps(plan), encoding="utf-8")
    return rm.load_plan(place)


def _dropped(said: tomlkit.TOMLDocument) -> set[str]:
    """Return the steps of the shipped plan that this one does without."""
    return {step["name"] for step in said.unwrap()["step"]} - set(STEPS)
