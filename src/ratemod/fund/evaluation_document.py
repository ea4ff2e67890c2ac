"""The yearly evaluation as a written report, and as a workbook of all its tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from ratemod.document.arrow_table import NO_UNITS
from ratemod.document.figures import said, unit_of
from ratemod.document.files import write_document
from ratemod.document.model import (
    Blocks,
    Column,
    Document,
    Drawing,
    Paragraph,
    Picture,
    Section,
    Table,
    joined,
    listed,
)
from ratemod.document.svg import intervals
from ratemod.errors import Lang, text
from ratemod.fund.fund_document import NO_NAMES, Names, called, shown_label, value_label, write_fund
from ratemod.fund.fund_table import in_language
from ratemod.money import yuan_text
from ratemod.rating.target import check_new_folder, file_name
from ratemod.rules.options import strict
from ratemod.whole_file import whole_folder

if TYPE_CHECKING:
    from ratemod.fund.evaluation import Evaluation

# What the report shows of each table, in this order; workbooks hold all columns.
SECTIONS: Sequence[tuple[str, str, tuple[str, ...]]] = (
    ("money", "ledger", ("insurer", "opening_fen", "accrued_fen", "released_fen", "used_fen", "forfeited_fen",
                         "closing_fen", "budget_fen", "paid_fen", "beyond_fen")),
    ("money", "flags", ("rule", "flags", "amount_fen", "source")),
    ("duties", "duties", ("insurer", "owed", "met", "late", "missing", "pending", "ended")),
    *(("quality", f"by_{name}", (name, "planned", "delivered", "missing", "delivered_share", "in_time_share",
                                 "hazards_per_service", "score_mean", "cost_fen", "cost_per_service_fen"))
      for name in ("insurer", "provider", "sector", "service_type")),
    ("quality", "service_items", ("insurer", "item", "items_due", "items_done", "done_share")),
    *(("hazards", f"hazards_by_{name}", (name, "found", "rectified_in_time", "rectified_late", "refused", "overdue",
                                         "open", "rectified_share"))
      for name in ("insurer", "sector")),
)  # fmt: skip
INTERVALS = {"delivered_share": "delivered", "in_time_share": "in_time", "rectified_share": "rectified",
             "score_mean": "score", "done_share": "done"}  # fmt: skip

PAGES = (".html", ".pdf")


@strict
def write_evaluation(found: Evaluation, path: str | Path, lang: Lang, names: Names = NO_NAMES) -> Path:
    """Write the report as the ending says: .html, .pdf, .xlsx (all tables), .csv or .parquet (services by insurer).

    Raises
    ------
    BookError
        Those of `write_document` and `write_fund`.
    """
    if Path(path).suffix.lower() in PAGES:
        return write_document(evaluation_document(found, lang, names), path)
    return write_fund(list(found.tables().items()), path, lang, names=names)


@strict
def write_evaluations(found: Evaluation, folder: str | Path, lang: Lang, names: Names = NO_NAMES) -> list[Path]:
    """Write the report of every insurer into a new or empty folder: all of them, or nothing; return the files.

    Raises
    ------
    BookError
        Those of `ratemod.rating.target.check_new_folder`, `write_document` and `ratemod.whole_file`.
    """
    target, taken = check_new_folder(folder), set[str]()
    with whole_folder(target) as part:
        for name in found.insurers:
            own = found.of_insurer(name)
            own.reconcile()
            write_evaluation(
                own, part / f"{file_name(names.get('insurer', {}).get(name, name), taken)}.html", lang, names
            )
        written = sorted(path.name for path in part.iterdir())
    return [target / name for name in written]


@strict
def evaluation_document(found: Evaluation, lang: Lang, names: Names = NO_NAMES) -> Document:
    """Return the report; the same evaluation gives the same document."""
    year = str(found.year) if found.year else text("UI_report_all_years", lang)
    who = found.evaluator or text("UI_report_self", lang)
    whose = names.get("insurer", {}).get(found.insurer, found.insurer)
    alone = Paragraph(text("UI_report_alone", lang, insurer=whose)) if whose else None
    marks = [text("UI_report_synthetic", lang)] if found.synthetic else []
    head = joined(
        Paragraph(text("UI_report_facts", lang, who=who, day=found.as_of.isoformat()), "soft"),
        Paragraph(" ".join([*marks, text("UI_report_illustrative", lang)]), "alarm"),
        alone,
    )
    tables = found.tables()
    sections = [_section("summary", joined(listed(summary(found, lang))), lang)]
    for part in dict.fromkeys(part for part, name, _ in SECTIONS if name in tables):
        shown = [
            told_table(called(tables[name], names), columns, lang)
            for own, name, columns in SECTIONS
            if own == part and name in tables
        ]
        sections.append(_section(part, joined(Paragraph(text(f"UI_report_about_{part}", lang)), *shown), lang))
    sections.append(_section("effect", _effect(found, lang), lang))
    proof = Paragraph(text("UI_report_proved", lang, count=found.reconcile()))
    sections.append(_section("proof", (proof,), lang))
    title = text("UI_report_title", lang, year=year)
    title = text("UI_report_title_of", lang, title=title, insurer=whose) if whose else title
    return Document(lang=lang, title=title, head=head, sections=tuple(sections))


def _section(name: str, blocks: Blocks, lang: Lang) -> Section:
    return Section(name, _word(name, lang), blocks)


@strict
def summary(found: Evaluation, lang: Lang) -> list[str]:
    """Return what a reader in a hurry must know, in sentences."""
    total = found.quality.total
    due = total["delivered"] + total["missing"]
    lines = [
        text("UI_report_sum_services", lang, delivered=total["delivered"], planned=total["planned"],
             share=_percent(total["delivered"], due), cost=yuan_text(total["cost_fen"])),
    ]  # fmt: skip
    if found.quality.hazard_total:
        hazard = found.quality.hazard_total
        lines.append(
            text("UI_report_sum_hazards", lang, found=hazard["found"], refused=hazard["refused"],
                 share=_percent(hazard["rectified_in_time"], hazard["found"] - hazard["open"]))
        )  # fmt: skip
    effect, each = found.effect, found.avoided_per_million
    if found.insurer and effect is not None:
        return [*lines, text("UI_report_all_insurers", lang)]
    if effect is None or each is None:
        return [*lines, *_not_told(found, lang)]
    ratio, low, high = effect.ratio()
    adjusted = effect.ratio("adjusted")
    judged = [passed for passed in effect.placebos["passed"].to_pylist() if passed is not None]
    verdict = "UI_report_sum_effect" if high < 1 or low > 1 else "UI_report_sum_no_effect"
    lines += [
        text(verdict, lang, change=f"{ratio - 1:+.0%}", low=f"{low - 1:+.0%}", high=f"{high - 1:+.0%}"),
        text("UI_report_sum_naive", lang, change=f"{adjusted[0] - 1:+.0%}"),
        text("UI_report_sum_avoided", lang, avoided=f"{effect.avoided:,.0f}", low=f"{effect.avoided_low:,.0f}",
             high=f"{effect.avoided_high:,.0f}", each=f"{each[0]:.1f}", each_low=f"{each[1]:.1f}",
             each_high=f"{each[2]:.1f}"),
        text("UI_report_sum_placebo", lang, passed=sum(judged), of=len(judged)),
    ]  # fmt: skip
    return lines


def _percent(part: int, whole: int) -> str:
    return f"{part / whole:.1%}" if whole else "—"


def _not_told(found: Evaluation, lang: Lang) -> list[str]:
    """Return that the effect cannot be told, and why."""
    return [text("UI_report_sum_not_told", lang, why=item.what(lang)) for item in found.no_effect]


def _effect(found: Evaluation, lang: Lang) -> Blocks:
    effect = found.effect
    if effect is None:
        return joined(*(Paragraph(line) for line in _not_told(found, lang)))
    return joined(
        Paragraph(text("UI_report_all_insurers", lang)) if found.insurer else None,
        Paragraph(text("UI_report_about_effect", lang)),
        Picture(forest(effect.estimates.filter(effect.estimates["rate_ratio"].is_valid()), lang)),
        told_table(effect.estimates, ("method", "rate_ratio", "low", "high", "policies"), lang),
        Paragraph(text("UI_report_doses", lang)),
        told_table(effect.doses, ("services", "rate_ratio", "low", "high", "policies"), lang),
        Paragraph(text("UI_report_placebos", lang)),
        told_table(effect.placebos, ("test", "rate_ratio", "low", "high", "p_value", "passed"), lang),
        listed(text(f"UI_report_limit_{at}", lang) for at in range(1, 5)),
    )


@strict
def forest(estimates: pa.Table, lang: Lang) -> Drawing:
    """Return the estimates with their intervals as a picture: left of the line, fewer claims with services."""
    rows = estimates.to_pylist()
    lines = [
        (value_label(row["method"], lang), row["low"], row["rate_ratio"], row["high"], row["method"] == "fixed")
        for row in rows
    ]
    least, most = min(0.5, *(row["low"] for row in rows)), max(1.3, *(row["high"] for row in rows))
    ticks = [tick / 10 for tick in range(2, 31, 2) if least <= tick / 10 <= most]
    return intervals(
        _word("effect", lang), text("UI_report_axis", lang), lines, (least, most), ticks, digits=2, line_at=1.0
    )


def told_table(
    table: pa.Table, columns: Sequence[str], lang: Lang, units: Mapping[str, str] = NO_UNITS, title: str = ""
) -> Table:
    """Return some columns as a table: amounts in yuan, codes in words, intervals beside what they belong to.

    `units` are those of columns that their name does not tell (see `figures.SHAPES`).
    """
    table = in_language(table, lang)
    rows, found = table.to_pylist(), []
    for name in (name for name in columns if name in table.column_names):
        unit = units.get(name) or unit_of(name, table[name])
        cells = [_cell(name, row, unit, lang) for row in rows]
        found.append(Column(label=shown_label(name, lang), cells=cells, unit=unit))
    return Table(title=title, columns=tuple(found))


def _cell(name: str, row: Mapping[str, Any], unit: str, lang: Lang) -> Any:
    value = row[name]
    if isinstance(value, str):
        return value_label(value, lang, name)
    ends = [row.get(f"{INTERVALS.get(name)}_{end}") for end in ("low", "high")]
    if None in (value, *ends):
        return value
    return f"{said(value, unit, lang)} ({'–'.join(said(end, unit, lang) for end in ends)})"


def _word(name: str, lang: Lang) -> str:
    return text(f"UI_report_{name}", lang)
