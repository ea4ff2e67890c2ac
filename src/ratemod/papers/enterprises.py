"""Papers about enterprises: who is not insured as the law asks, who is insured, who refuses to rectify."""

from __future__ import annotations

from ratemod.errors import Lang, text
from ratemod.papers.inputs import YearInputs
from ratemod.papers.paper import Paper, listed_paper, packages
from ratemod.registers.insured import insured_on
from ratemod.registers.refusals import refusals
from ratemod.registers.register import read_register


def participation_paper(given: YearInputs) -> Paper:
    """Return the lists of 应投未投, 未全员 and 未足额 with a package for each county and sector department."""
    found = given.coverage
    gaps = found.table()

    def notes(lang: Lang) -> tuple[str, ...]:
        first, last = f"{given.year}-01-01", f"{given.year + 1}-01-01"
        counts = {
            "obliged": int(found.must.sum()),
            "uninsured": int(found.uninsured.sum()),
            "part": int(found.part_of_year.sum()),
            "heads": int(found.short_of_heads.sum()),
            "limit": int((found.limit_short_yuan > 0).sum()),
            "full": int(found.in_full.sum()),
        }
        return (
            text("UI_coverage_note", lang, first=first, last=last, limit=given.rule.minimum_limit_yuan),
            text("UI_coverage_counts", lang, **counts),
        )

    return listed_paper(
        "participation",
        {"by_place": found.by_division_and_sector(), "gaps": gaps},
        names=given.names,
        notes=notes,
        data=packages("gaps", gaps),
        refused=found.enterprises.refused + found.policies.refused,
    )


def insured_paper(given: YearInputs) -> Paper:
    """Return whether each enterprise is insured on the day, for licence and standardisation offices."""
    found = insured_on(given.enterprises, given.policies, given.day)
    refused = given.enterprises.refused + given.policies.refused
    return listed_paper("insured", {"insured_on": found}, names=given.names, refused=refused)


def refusals_paper(given: YearInputs) -> Paper:
    """Return who refuses to rectify a major hazard, with a package for each department."""
    hazards = read_register(given.lists.table("hazards"), "hazards")
    found = refusals(given.enterprises, given.policies, hazards, given.day)
    totals = found.group_by(["division_code", "sector"], use_threads=False).aggregate(
        [("credit_code", "count_distinct"), ("hazard_id", "count")]
    )
    totals = totals.rename_columns(["division_code", "sector", "insureds", "hazards"])
    order: list[tuple[str, str]] = [("division_code", "ascending"), ("sector", "ascending")]
    totals = totals.sort_by(order)
    return listed_paper(
        "refusals",
        {"refused_by_place": totals, "refused": found},
        names=given.names,
        data=packages("refused", found),
        refused=given.enterprises.refused + given.policies.refused + hazards.refused,
    )
