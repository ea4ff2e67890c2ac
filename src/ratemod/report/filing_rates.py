"""The causes in a filing: what changed and on whose authority, the indication line by line, relativities."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ratemod import charts
from ratemod.document.model import (
    Block,
    Blocks,
    Heading,
    Paragraph,
    Picture,
    Quoted,
    Said,
    Span,
    Table,
    facts,
    joined,
    listed,
    pictures,
    plain,
    table,
)
from ratemod.errors import Lang, catalogue, text
from ratemod.plan import said as words
from ratemod.plan.edit import row_path
from ratemod.plan.path_labels import path_labels
from ratemod.report.filing import Filing, policies_by_row
from ratemod.report.filing_changes import Change
from ratemod.report.notes import notes_blocks
from ratemod.report.study_charts import frame_charts

if TYPE_CHECKING:
    import pandas as pd

    from ratemod.plan.model import Plan, Step
    from ratemod.report.filing_study import KeptStudy

_CHINESE = re.compile(r"[㐀-鿿]")
_WORD = re.compile(r"[a-z]+(?:[ -][a-z]+)*")


def heading(name: str, lang: Lang) -> Heading:
    """Return a heading of the catalogue."""
    return Heading(w(name, lang))


def w(name: str, lang: Lang, /, **args: Any) -> str:
    """Return words of the filing."""
    return text(f"UI_filing_{name}", lang, **args)


def told(found: Filing, name: str, lang: Lang, /, **args: Any) -> str:
    """Return words of the filing that may name the plan's money."""
    return found.new.text(f"UI_filing_{name}", lang, **args)


def spoken(said: str, lang: Lang) -> str | Span:
    """Return a phrase of a study in the page's language: known phrases translated, others marked as English."""
    if lang == "en" or not said:
        return said
    whole = _known(said)
    if whole:
        return whole
    parts = _WORD.sub(lambda found: _known(found[0]) or found[0], said)
    return parts if not _WORD.search(parts) else Span(said, lang="en")


def _known(said: str) -> str:
    folded = re.sub(r"\W+", "_", said.lower()).strip("_")
    code = f"UI_say_{folded}"
    return text(code, "zh") if code in catalogue() else ""


def number(value: float, digits: int = 6) -> str:
    """Return a figure of a study: whole amounts with separators, shares with their digits; a dash where none is."""
    if value is None or not np.isfinite(value):
        return "—"
    return f"{value:,.0f}" if abs(value) >= 10_000 else f"{value:,.{digits}g}"


def tuples(frame: pd.DataFrame) -> Iterator[Any]:
    """Yield the rows of a frame, whose cells are whatever its columns hold."""
    yield from frame.itertuples(index=False)


def changes_section(found: Filing, lang: Lang) -> Blocks:
    """Return what changed and why: tables by kind with sources, then the sources, then the edition's notes."""
    labels = {side: path_labels(plan, lang) for side, plan in (("old", found.current), ("new", found.new))}
    parts: list[Block] = [Paragraph(w("changes_lead", lang, count=len(found.changes)))]
    for kind in dict.fromkeys(change.kind for change in found.changes):
        chosen = [change for change in found.changes if change.kind == kind]
        heads = [w(name, lang) for name in ("what", "current", "new", "change", "source", "note")]
        rows = [_change(change, labels["new" if change.new else "old"], found, lang) for change in chosen]
        parts.append(table(w(f"kind_{kind}", lang), heads, rows, [False, True, True, True, False, False]))
    used = dict.fromkeys(change.source for change in found.changes if change.source)
    if used:
        items = [f"{name}: {words.source_words(plan.sources[name], lang)}" for name in used
                 for plan in (found.new, found.current) if name in plan.sources]  # fmt: skip
        parts += joined(heading("sources_of_changes", lang), listed(dict.fromkeys(items)))
    return joined(*parts, _notes(found.new, lang))


def _change(change: Change, labels: dict[str, str] | Any, found: Filing, lang: Lang) -> list[Said]:
    label = labels.get(change.path, change.path)
    said: Said = label if label == change.path else (label, Span(change.path, "below"))
    ratio = "" if change.ratio is None else f"{change.ratio:+.1%}"
    return [said, change.old or "—", change.new or "—", ratio, change.source, _note(change.note, lang)]


def _note(raw: str, lang: Lang) -> Said:
    said = [spoken(part.strip(), lang) for part in raw.split(";")]
    return Span(raw, lang="en") if any(isinstance(part, Span) for part in said) else "; ".join(map(plain, said))


def _notes(plan: Plan, lang: Lang) -> Blocks:
    """Return the notes of an edition in a frame; they are in the language of whoever wrote them."""
    file = Path(plan.folder) / "NOTES.md"
    if not plan.folder or not file.is_file():
        return (Paragraph(w("no_notes", lang), "soft"),)
    said = file.read_text(encoding="utf-8")
    tongue = "zh" if len(_CHINESE.findall(said)) * 8 > len(said) else "en"
    lead = Paragraph(w("notes_lead", lang), "soft")
    return (heading("notes", lang), lead, Quoted(notes_blocks(said, 4), tongue))


def indication_section(found: Filing, lang: Lang) -> Blocks:
    """Return the derivation of the indicated change, or that there is none and what that means."""
    study = found.study
    if study is None:
        return (Paragraph(w("no_study", lang)),)
    frames = study.frames
    summary = dict(zip(frames["summary"].name, frames["summary"].value))
    parts: list[Block] = [
        Paragraph(w("indication_lead", lang, change=f"{study.record['results']['indicated_change']:+.2%}",
                    target=f"{summary['target loss ratio']:.2%}", reached=f"{summary['reached loss ratio']:.2%}",
                    balance=f"{summary['off-balance factor']:.4f}")),
    ]  # fmt: skip
    if study.is_synthetic:
        parts.append(Paragraph(w("synthetic_study", lang), "alarm"))
    rows = [
        [f"{at}", spoken(str(line.line), lang), spoken(str(line.formula), lang), number(line.value)]
        for at, line in enumerate(tuples(frames["indication"]), 1)
    ]
    heads = [w(name, lang) for name in ("line", "what", "how", "value")]
    parts.append(table(w("derivation", lang), heads, rows, [True, False, False, True]))
    said = [[spoken(str(name), lang), number(value)] for name, value in summary.items()]
    parts.append(table(w("study_summary", lang), [w("what", lang), w("value", lang)], said, [False, True]))
    if "uncertainty" in frames:
        sure = [
            [spoken(str(row.of), lang), *(number(value) for value in (row.value, row.low, row.high))]
            for row in tuples(frames["uncertainty"])
        ]
        heads = [w(name, lang) for name in ("what", "value", "trend_low", "trend_high")]
        parts.append(table(w("how_sure", lang), heads, sure, [False, True, True, True]))
    parts += [*_history(study, lang), *_judgements(study, lang)]
    return joined(*parts)


def _history(study: KeptStudy, lang: Lang) -> list[Block]:
    """Return years, development and trends."""
    years = study.frames["years"]
    names = [name for name in years.columns if name != "year"]
    rows = [[w(f"years_{name}", lang), *(number(value, 5) for value in years[name])] for name in names]
    heads = ["", *(str(int(year)) for year in years.year)]
    parts: list[Block] = [heading("history", lang), table(w("years", lang), heads, rows, [False] + [True] * len(years))]
    drawn = frame_charts_of(study, lang)
    for name in ("incurred", "counts"):
        if f"triangle_{name}" in drawn:
            parts.append(pictures(drawn[f"triangle_{name}"], drawn[f"development_{name}"]))
    if "development" in study.frames:
        found = study.frames["development"]
        heads = [w(f"development_{name}", lang) for name in found.columns]
        rows = [[number(value) for value in row] for row in tuples(found)]
        parts.append(table(w("development", lang), heads, rows, [True] * len(heads)))
    heads = [w(f"trend_{name}", lang) for name in study.frames["trends"].columns]
    trends = [_trend(row, lang) for row in tuples(study.frames["trends"])]
    parts.append(table(w("trends", lang), heads, trends, [False, True, False, True, True, True, True]))
    return parts


def _trend(row: Any, lang: Lang) -> list[Said]:
    """Return the cells of one trend."""
    cells: list[Said] = [spoken(str(row.of), lang), f"{row.used:+.2%}", spoken(str(row.why), lang)]
    cells += [number(value, 3) for value in (row.fitted, row.low, row.high, row.weight)]
    return cells


def _judgements(study: KeptStudy, lang: Lang) -> list[Block]:
    """Return what the analyst decided, and what was merged or set aside."""
    assumed = study.record["assumptions"]
    rows: list[list[Said]]
    reasons = assumed.get("reasons") or {}
    rows = [
        [spoken(name.replace("_", " "), lang), _said(value, lang), reasons.get(name, "")]
        for name, value in assumed.items() if name != "reasons"
    ]  # fmt: skip
    rows += [[spoken(name, lang), f"{value:.2%}", ""] for name, value in study.record["expenses"].items()]
    heads = [w(name, lang) for name in ("what", "value", "reason")]
    parts: list[Block] = [heading("judgements", lang), table(w("assumptions", lang), heads, rows, ["", "", ""])]
    merged = [
        w(
            "merged",
            lang,
            factor=study.plan.label(str(row.factor), lang),
            level=study.plan.level_label(str(row.factor), str(row.level), lang),
            into=study.plan.level_label(str(row.factor), str(row.into), lang),
            reason=plain(spoken(str(row.reason), lang)),
        )
        for row in tuples(study.frames["merges"])
    ]
    aside = [w("set_aside", lang, table=name, rows=f"{count:,}") for name, count in study.record["refused"].items()]
    return [*joined(*parts, listed([*merged, *aside]))]


def _said(value: Any, lang: Lang) -> str:
    if value in (None, "", [], {}):
        return w("by_itself", lang)
    if isinstance(value, dict):
        return "; ".join(f"{name} {part}" for name, part in value.items())
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def frame_charts_of(study: KeptStudy, lang: Lang) -> dict[str, charts.Chart]:
    """Return the figures of a study that was kept."""
    return frame_charts(study.frames, study.plan, study.axes, lang)


def relativities_section(found: Filing, lang: Lang) -> Blocks:
    """Return relativities current, indicated and selected; without a study the changed tables over the book."""
    parts: list[Block] = []
    if found.study is not None:
        drawn = frame_charts_of(found.study, lang)
        frame = found.study.frames["relativities"]
        parts.append(Paragraph(w("relativities_lead", lang)))
        for name, part in frame.groupby("factor", sort=False):
            parts.append(Heading(found.new.label(str(name), lang)))
            if str(name) not in found.study.axes:
                parts.append(Paragraph(w("control", lang), "soft"))
            parts += [Picture(drawn[f"relativities_{name}"]), _relativities(part, str(name), found, lang)]
        parts += joined(heading("cells", lang), _selections(found, lang), heading("validation", lang))
        parts.append(Paragraph(w("validation_lead", lang)))
        ratios = [drawn[f"actual_expected_{name}"] for name in (*found.study.axes, "year")]
        order = [drawn[name] for name in ("lift", "lorenz") if name in drawn]
        parts += joined(pictures(*order, *ratios), _tests(found.study, lang))
    else:
        parts.append(Paragraph(w("relativities_without_study", lang)))
    changed = {change.table for change in found.changes if change.table}
    for step in found.new.steps:
        table = step.operation.table
        if table in changed and (found.study is None or table not in _studied(found.study)):
            parts += _table_of(found, step, lang)
    return joined(*parts)


def _studied(study: KeptStudy) -> set[str]:
    cells = study.record["results"]["cells"]
    return {cell["path"].removeprefix("tables.").partition("[")[0] for cell in cells}


def _relativities(part: pd.DataFrame, name: str, found: Filing, lang: Lang) -> Table:
    used = found.study is not None and name in found.study.axes
    figures = ["exposure", "claims", "current", "fitted", "low", "high", "credibility", *(["used"] if used else [])]
    heads = [found.new.label(name, lang), *(w(f"relativity_{figure}", lang) for figure in figures)]
    digits = {"exposure": 0, "claims": 0}
    rows = []
    for row in part.to_dict("records"):
        cells = [
            "—" if not np.isfinite(row[figure]) else f"{row[figure]:,.{digits.get(figure, 3)}f}" for figure in figures
        ]
        rows.append([found.new.level_label(name, str(row["level"]), lang), *cells])
    return table(found.new.label(name, lang), heads, rows, [False] + [True] * len(figures))


def _selections(found: Filing, lang: Lang) -> Blocks:
    """Return every cell of the studied tables: current, indicated, selected, and the reason for a departure."""
    assert found.study is not None
    labels = path_labels(found.new, lang)
    rows = []
    for row in tuples(found.study.frames["selections"]):
        figures = [f"{row.exposure:,.0f}", f"{row.claims:,.0f}", number(row.current, 4), number(row.indicated, 4),
                   number(row.balanced, 4), number(row.selected, 4), f"{row.change:+.1%}"]  # fmt: skip
        rows.append([labels.get(row.path, row.path), *figures, spoken(str(row.reason), lang)])
    names = ("relativity_exposure", "relativity_claims", "current", "indicated", "balanced", "selected", "change")
    heads = [w(name, lang) for name in ("what", *names, "reason")]
    lead = Paragraph(w("cells_lead", lang))
    return joined(lead, table(w("cells", lang), heads, rows, [False] + [True] * 7 + [False]))


def _tests(study: KeptStudy, lang: Lang) -> Table | None:
    if "tests" not in study.frames:
        return None
    rows = [
        [spoken(str(row.model), lang), study.plan.label(str(row.term), lang), f"{int(row.df)}", str(row.kind),
         f"{row.statistic:,.2f}", "< 0.0001" if row.p_value < 1e-4 else f"{row.p_value:.4f}"]
        for row in tuples(study.frames["tests"])
    ]  # fmt: skip
    heads = [w(f"test_{name}", lang) for name in study.frames["tests"].columns]
    return table(w("tests", lang), heads, rows, [False, False, True, False, True, True])


def _table_of(found: Filing, step: Step, lang: Lang) -> list[Block]:
    """Return a changed table cell by cell, with the policies of the book that read each."""
    new, old = found.new.tables[step.operation.table], found.current.tables.get(step.operation.table)
    counts, labels = policies_by_row(found.moved.after, step), path_labels(found.new, lang)
    rows_before = () if old is None else old.rows
    before = {row_path(new, row, n): v for row in rows_before for n, v in zip(new.value_names, row.values)}
    rows: list[Sequence[str]] = []
    levels, current, selected = list[str](), list[float](), list[float]()
    exposure: list[int] = []
    for at, row in enumerate(new.rows):
        path = row_path(new, row, step.operation.column)
        now, was = row.values[new.value_names.index(step.operation.column)], before.get(path)
        count = None if counts is None else int(counts[at])
        coded = bool(new.codes(step.operation.column))
        change = "" if coded or was is None or now is None or not was else f"{float(now / was) - 1:+.1%}"
        said = [value if value is None else new.shown(step.operation.column, value) for value in (was, now)]
        figures = ["—" if value is None else f"{value}" if coded else f"{value:f}" for value in said]
        rows.append([labels[path], *figures, change, "—" if count is None else f"{count:,}"])
        if was is not None and now is not None and count is not None and not coded:
            levels.append(labels[path].partition(": ")[2])
            current.append(float(was))
            selected.append(float(now))
            exposure.append(count)
    heads = [w(name, lang) for name in ("what", "current", "new", "change", "policies")]
    label = labels[row_path(new, new.rows[0], step.operation.column)].partition(": ")[0]
    parts: list[Block] = [Heading(label), table(label, heads, rows, [False, True, True, True, True])]
    if 1 < len(levels) <= 40 and any(exposure):
        points = (selected, selected, selected, exposure)
        called = w("new", lang)
        chart = charts.relativities(levels, *points, current=current, indicated_label=called, title=label, lang=lang)
        parts.insert(1, Picture(chart))
    return parts


def sources_section(found: Filing, lang: Lang) -> Blocks:
    """Return every source of the new edition, and the identity of everything the filing rests on."""
    from ratemod.rating.identity import versions

    plans = [(w(side, lang), plan) for side, plan in (("current_edition", found.current), ("new_edition", found.new))]
    pairs = [(label, plan.id) for label, plan in plans]
    for label, plan in plans:
        said = f"{words.standing(plan, lang)} · {w(f'status_{plan.status}', lang)}"
        pairs.append((f"{label} · {text('UI_standing', lang)}", said))
    pairs += (found.facts or {}).get(lang, ())
    pairs += [(text("UI_digest", lang), found.digest)] if found.digest else []
    if found.study is not None:
        pairs.append((w("study_plan", lang), found.study.record["plan"]))
        pairs += [(w("study_input", lang, name=name), digest) for name, digest in found.study.record["inputs"].items()]
    pairs += [(name, version) for name, version in versions().items()]
    listed_ = [f"{name}: {words.source_words(source, lang)}" for name, source in found.new.sources.items()]
    return joined(facts(w("identity", lang), pairs), heading("sources", lang), listed(listed_))
