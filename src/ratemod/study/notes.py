"""NOTES.md of a studied edition: what it is, the indication line by line, what was assumed, what was set aside."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ratemod.study.accounts import account_lines
from ratemod.study.said import level_lines, warning_lines

if TYPE_CHECKING:
    from ratemod.study.fit import Study

SYNTHETIC = (
    "The history is SYNTHETIC: it was drawn from known parameters. These rates show the method and are no tariff."
)


def notes_of(study: Study, edition: str) -> str:
    """Return NOTES.md of an edition."""
    parts = [
        _head(study, edition),
        _indication(study),
        _section("How sure", [*level_lines(study, "en"), *(warning_lines(study, "en") or ["no warnings"])]),
        _section("Judgements", _judgements(study)),
        _section("Thin data", _thin(study)),
        _section("What came in and where it went", _set_aside(study)),
        _cells(study),
    ]
    return "\n\n".join(parts) + "\n"


def _section(title: str, items: Sequence[str]) -> str:
    return "\n".join([f"## {title}", "", *(f"- {item}" for item in items)])


def _head(study: Study, edition: str) -> str:
    plan, data = study.plan, study.data
    stands = f"; it stands no higher than that plan: {plan.warning_en}" if plan.warning_en else "."
    tables = ", ".join(table.name for table in study.tables)
    lines = [
        f"# {plan.scheme} {edition}: edition from a rate study",
        "",
        f"Made from {plan.id} ({plan.standing}){stands}",
    ]
    lines += ["", SYNTHETIC] if study.history.synthetic else []
    lines += [
        "",
        f"Tables studied: {tables}. History: accident years {data.years[0]} to {data.years[-1]}, valued on",
        f"{data.valuation}; {int(data.counts.sum()):,} claims on {int(study.base.good.sum()):,} policies. All of it is",
        "in `study/record.json`, which runs again to the same bytes.",
    ]
    return "\n".join(lines)


def _indication(study: Study) -> str:
    rates = study.rates
    rows = [f"| {line.name} | {line.formula} | {line.value:,.6g} |" for line in rates.indication.lines]
    said = (
        f"Target loss ratio {rates.target:.2%}; the book to be priced lands on {rates.reached:.2%} with bounds and\n"
        f"minimums in force. Off-balance factor on the rates: {rates.off_balance:.6f}. Catastrophe load\n"
        f"{rates.catastrophe:.4f} of the capped losses; excess over {study.assumed.large_loss_yuan:,.0f} yuan: "
        f"{rates.excess.overall_rate:.4f}."
    )
    return "\n".join(["## Indication", "", "| line | how | value |", "|---|---|---|", *rows, "", said])


def _judgements(study: Study) -> list[str]:
    stated = [f"{name}: {value}" for name, value in study.assumed.plain().items()]
    trends = [f"{name} trend {item.rate:+.4f} a year: {item.why}" for name, item in study.trends.of.items()]
    said = "expense shares that are not the plan's own constants, and the profit, are assumptions of this study"
    return [*stated, *trends, said]


def _thin(study: Study) -> list[str]:
    merged = [
        f"{item.factor} {item.level} was fitted together with {item.into}: {item.reason}" for item in study.model.merges
    ]
    return [*(merged or ["no level had to be merged"]), "levels lean on the current table: study/relativities.csv"]


def _set_aside(study: Study) -> list[str]:
    return [*account_lines(study, "en"), "every row that was left out, with its reason: study/refused.csv"]


def _cells(study: Study) -> str:
    rows = [
        f"| {cell.path} | {cell.current:f} | {cell.indicated:.4f} | {cell.selected:f} | {cell.reason} |"
        for cell in study.rates.cells
    ]
    head = ["## Cells", "", "| cell | current | indicated | selected | reason |", "|---|---|---|---|---|"]
    return "\n".join([*head, *rows])
