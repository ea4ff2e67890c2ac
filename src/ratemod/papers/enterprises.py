"""Papers about enterprises: who is not insured as the law asks, who is insured, who refuses to rectify."""

from __future__ import annotations

import datetime as dt

from ratemod.errors import Lang, text
from ratemod.papers.paper import Names, Paper, listed_paper, packages
from ratemod.reading.folder import Folder
from ratemod.registers.insured import insured_on
from ratemod.registers.participation import Coverage, coverage
from ratemod.registers.refusals import refusals
from ratemod.registers.register import Register, read_register
from ratemod.registers.rules import ParticipationRule


def coverage_of(lists: Folder, year: int, rule: ParticipationRule) -> Coverage:
    """Return who had to insure in a year, and what is missing."""
    enterprises, policies = (read_register(lists.table(noun), noun) for noun in ("enterprises", "policies"))
    changes = read_register(lists.table("endorsements"), "endorsements") if "endorsements" in lists else None
    return coverage(enterprises, policies, (f"{year}-01-01", f"{year + 1}-01-01"), rule, endorsements=changes)


def participation_paper(found: Coverage, year: int, rule: ParticipationRule, names: Names) -> Paper:
    """Return the lists of 应投未投, 未全员 and 未足额 with a package for each county and sector department."""
    gaps = found.table()

    def notes(lang: Lang) -> tuple[str, ...]:
        first, last = f"{year}-01-01", f"{year + 1}-01-01"
        counts = {
            "obliged": int(found.must.sum()),
            "uninsured": int(found.uninsured.sum()),
            "part": int(found.part_of_year.sum()),
            "heads": int(found.short_of_heads.sum()),
            "limit": int((found.limit_short_yuan > 0).sum()),
            "full": int(found.in_full.sum()),
        }
        return (
            text("UI_coverage_note", lang, first=first, last=last, limit=rule.minimum_limit_yuan),
            text("UI_coverage_counts", lang, **counts),
        )

    return listed_paper(
        "participation",
        {"by_place": found.by_division_and_sector(), "gaps": gaps},
        names=names,
        notes=notes,
        data=packages("gaps", gaps),
        refused=found.enterprises.refused + found.policies.refused,
    )


def insured_paper(enterprises: Register, policies: Register, day: dt.date, names: Names) -> Paper:
    """Return whether each enterprise is insured on a day, for licence and standardisation offices."""
    return listed_paper("insured", {"insured_on": insured_on(enterprises, policies, day)}, names=names)


def refusals_paper(enterprises: Register, policies: Register, hazards: Register, day: dt.date, names: Names) -> Paper:
    """Return who refuses to rectify a major hazard, with a package for each department."""
    found = refusals(enterprises, policies, hazards, day)
    totals = found.group_by(["division_code", "sector"], use_threads=False).aggregate(
        [("credit_code", "count_distinct"), ("hazard_id", "count")]
    )
    totals = totals.rename_columns(["division_code", "sector", "insureds", "hazards"])
    order: list[tuple[str, str]] = [("division_code", "ascending"), ("sector", "ascending")]
    totals = totals.sort_by(order)
    return listed_paper(
        "refusals",
        {"refused_by_place": totals, "refused": found},
        names=names,
        data=packages("refused", found),
        refused=hazards.refused,
    )
