"""A filing as a document: one page in both languages, PDF, or a workbook."""

from __future__ import annotations

from pathlib import Path

from ratemod.document.files import write_document
from ratemod.document.html import page
from ratemod.document.model import Block, Blocks, Document, Facts, Paragraph, Section, facts, table
from ratemod.errors import Lang
from ratemod.plan import said as words
from ratemod.plan.check import proofs
from ratemod.rating.target import check_target
from ratemod.report.filing import Filing
from ratemod.report.filing_effect import (
    bounds_section,
    dislocation_section,
    examples_section,
    law_section,
    movers_section,
    reconciliation_section,
    segments_section,
)
from ratemod.report.filing_rates import (
    changes_section,
    indication_section,
    relativities_section,
    sources_section,
    told,
    w,
)

SUFFIXES = (".html", ".pdf", ".xlsx")
# In the order in which a reviewer asks: what, why, how much for whom, is it lawful, does it add up, whence.
SECTIONS = (
    ("changes", changes_section),
    ("indication", indication_section),
    ("relativities", relativities_section),
    ("dislocation", dislocation_section),
    ("movers", movers_section),
    ("segments", segments_section),
    ("bounds", bounds_section),
    ("examples", examples_section),
    ("law", law_section),
    ("reconciliation", reconciliation_section),
    ("identity", sources_section),
)


def filing_html(found: Filing, lang: Lang = "en") -> str:
    """Return a filing as one page that needs nothing from elsewhere, in both languages, one of them shown.

    Parameters
    ----------
    found : Filing
    lang : "zh" or "en"
        The language shown first; the reader may switch.

    Raises
    ------
    ModelError
        RM911 matplotlib is not installed, RM912 no font has the characters of a chart.
    """
    return page([filing_document(found, "zh"), filing_document(found, "en")], lang)


def filing_document(found: Filing, lang: Lang) -> Document:
    """Return a filing in one language."""
    sections = tuple(Section(name, w(f"section_{name}", lang), make(found, lang)) for name, make in SECTIONS)
    edition = f"{found.new.scheme} {found.new.edition}"
    title = w("title", lang, edition=edition, plan=words.title(found.new, lang))
    return Document(lang=lang, title=title, head=_head(found, lang), sections=sections)


def write_filing(found: Filing, path: str | Path, lang: Lang = "en") -> Path:
    """Write a filing whole or not at all, as ``.html`` (both languages), ``.pdf`` or ``.xlsx`` (one).

    Raises
    ------
    BookError
        RM800 unknown ending, RM870 and RM871 of the browser that prints, and those of `whole_file`.
    ModelError
        As `filing_html`.
    """
    target = check_target(path, suffixes=SUFFIXES)
    other: Lang = "en" if lang == "zh" else "zh"
    return write_document([filing_document(found, one) for one in (lang, other)], target)


def _head(found: Filing, lang: Lang) -> Blocks:
    """Return what stands before the sections: status, key figures, room for signatures."""
    alarms = [plan.warning(lang) for plan in (found.new, found.current)]
    parts: list[Block] = [Paragraph(said, "alarm") for said in dict.fromkeys(alarms) if said]
    if found.synthetic:
        parts.append(Paragraph(w("synthetic", lang), "alarm"))
    failed = [check for check in found.checks if not check.holds]
    if failed:
        parts.append(Paragraph(w("some_fail", lang, failed=len(failed)), "alarm"))
    plans = (("new_edition", found.new), ("current_edition", found.current))
    pairs = [
        (w(name, lang), f"{plan.id} · {words.title(plan, lang)} · {words.standing(plan, lang)} · "
                        f"{w(f'status_{plan.status}', lang)} · {words.period(plan, lang)}")
        for name, plan in plans
    ]  # fmt: skip
    pairs += (found.facts or {}).get(lang, ())
    parts.append(facts(w("subject", lang), pairs))
    parts.append(_key_figures(found, lang))
    rows = [[w(name, lang), "", "", ""] for name in ("prepared", "reviewed", "approved")]
    heads = ["", *(w(name, lang) for name in ("person", "signature", "day"))]
    parts.append(table(w("signatures", lang), heads, rows, [False] * 4, look="sign"))
    return tuple(parts)


def _key_figures(found: Filing, lang: Lang) -> Facts:
    totals, checks = found.moved.totals, found.checks
    after = found.moved.after
    pairs = [
        (w("total_policies", lang), f"{totals['policies']:,} / {after.counts['rows']:,}"),
        (
            told(found, "total_premium", lang),
            " → ".join(found.new.money.shown(totals[f"premium_{side}_fen"]) for side in ("before", "after")),
        ),
        (w("total_change", lang), f"{totals['change']:+.2%}"),
    ]
    if found.free is not None:
        pairs.append((w("change_uncapped", lang), f"{found.free.totals['change']:+.2%}"))
    if found.study is not None:
        pairs.append((w("indicated_change", lang), f"{found.study.record['results']['indicated_change']:+.2%}"))
    pairs += [
        (w("winners_losers", lang), w("winners_losers_said", lang, dearer=f"{totals['dearer']:,}",
                                      cheaper=f"{totals['cheaper']:,}", same=f"{totals['unchanged']:,}")),
        (w("changed_numbers", lang), f"{len(found.changes):,}"),
        (w("section_law", lang), w("law_said", lang, proved=sum(p.proved for p in proofs(found.new)),
                                   count=len(found.new.legal))),
        (w("section_reconciliation", lang), w("checks_said", lang, good=sum(check.holds for check in checks),
                                              count=len(checks))),
    ]  # fmt: skip
    return facts(w("key_figures", lang), pairs)
