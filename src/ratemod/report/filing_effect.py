"""The effects in a filing: who moves by how much, what the caps hold back, worked examples, law, reconciliations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ratemod import charts
from ratemod.document.model import (
    Beside,
    Block,
    Blocks,
    Facts,
    Heading,
    Listing,
    Look,
    Paragraph,
    Picture,
    Said,
    Span,
    Table,
    joined,
    listed,
    pictures,
    table,
)
from ratemod.document.problems import problem_words
from ratemod.errors import Lang, text
from ratemod.plan import said as words
from ratemod.plan.check import proofs
from ratemod.plan.model import plain
from ratemod.plan.op.limits import Cap, Limit
from ratemod.rating.premium_levels import premium_levels
from ratemod.rating.verdict import REFUSED
from ratemod.rating.worksheet_words import WorksheetWords
from ratemod.report.filing import MOVERS, Filing
from ratemod.report.filing_rates import heading, told, w

if TYPE_CHECKING:
    from ratemod.plan.model import Step
    from ratemod.rating.rated import Rated
    from ratemod.rating.worksheet import Line
    from ratemod.whatif.dislocation import By, Dislocation

MOST_PROBLEMS = 20


def dislocation_section(found: Filing, lang: Lang) -> Blocks:
    """Return who moves, as charged and without caps side by side, and the same against the expiring premium."""
    sides = [("charged", found.moved), *([("uncapped", found.free)] if found.free is not None else [])]
    lead = w("dislocation_lead" if found.free is not None else "no_caps", lang)
    return joined(
        Paragraph(lead),
        _totals(found, sides, lang),
        _histogram(found, lang),
        _bands(found, sides, lang),
        *_renewals(found, lang),
    )


def _totals(found: Filing, sides: Sequence[tuple[str, Dislocation]], lang: Lang) -> Table:
    names = ("policies", "premium_before_fen", "premium_after_fen", "change", "dearer", "cheaper", "unchanged",
             "above_25_percent", "largest_rise", "largest_fall", "only_before", "only_after")  # fmt: skip
    rows = [
        [told(found, f"total_{name}", lang), *(_figure(found, name, one.totals[name]) for _, one in sides)]
        for name in names
    ]
    heads = ["", *(w(side, lang) for side, _ in sides)]
    return table(w("totals", lang), heads, rows, [False] + [True] * len(sides))


def _figure(found: Filing, name: str, value: Any) -> str:
    if name.endswith("_fen"):
        return found.new.money.shown(value)
    return f"{value:+.2%}" if isinstance(value, float) else f"{value:,}"


def _histogram(found: Filing, lang: Lang) -> Beside | None:
    per_unit = found.new.money.per_unit
    old, new = (side.outputs.premium_fen for side in (found.moved.before, found.moved.after))
    rows = found.moved.both & (old > 0)
    if not rows.any():
        return None
    drawn = [
        charts.dislocation(old[rows] / per_unit, new[rows] / per_unit, title=w("histogram_charged", lang), lang=lang)
    ]
    if found.free is not None:
        old, new = (side.outputs.premium_fen for side in (found.free.before, found.free.after))
        rows = found.free.both & (old > 0)
        drawn.append(
            charts.dislocation(
                old[rows] / per_unit, new[rows] / per_unit, title=w("histogram_uncapped", lang), lang=lang
            )
        )
    return pictures(*drawn)


def _bands(found: Filing, sides: Sequence[tuple[str, Dislocation]], lang: Lang) -> Table:
    frames, shown = [one.bands() for _, one in sides], found.new.money.shown
    rows = []
    for at in range(len(frames[0])):
        first = frames[0].iloc[at]
        cells = [_band(first.change_from, first.change_below, lang)]
        for frame in frames:
            row = frame.iloc[at]
            cells += [
                f"{int(row.policies):,}",
                shown(int(row.premium_before_fen)),
                shown(int(row.premium_after_fen)),
            ]
        rows.append(cells)
    heads = [w("band", lang)]
    for side, _ in sides:
        heads += [f"{w(side, lang)}: {told(found, name, lang)}" for name in ("policies", "before_yuan", "after_yuan")]
    totals = [text("UI_total", lang)]
    for frame in frames:
        totals += [f"{int(frame.policies.sum()):,}", shown(int(frame.premium_before_fen.sum())),
                   shown(int(frame.premium_after_fen.sum()))]  # fmt: skip
    return table(w("bands", lang), heads, rows, [False] + [True] * (len(heads) - 1), total=totals, look="tight")


def _band(low: float, high: float, lang: Lang) -> str:
    if not np.isfinite(low):
        return w("band_below", lang, high=f"{high:+.1%}")
    return w("band_from", lang, low=f"{low:+.1%}") if not np.isfinite(high) else f"{low:+.1%} – {high:+.1%}"


def _renewals(found: Filing, lang: Lang) -> list[Block]:
    """Return what a client sees: the new premium beside the expiring one, before and after each cap."""
    rated, parts = found.moved.after, list[Block]()
    for step in found.new.steps:
        cap = step.operation
        if not isinstance(cap, Cap) or cap.against not in rated.coding.inputs.numbers:
            continue
        was = np.asarray(rated.coding.inputs.numbers[cap.against], float)
        free, held = rated.outputs.steps.get(str(cap.of[0])), rated.outputs.steps[step.name]
        rows = (rated.verdict.status < REFUSED) & (was > 0)
        if free is None or not rows.any():
            continue
        parts.append(Heading(w("expiring", lang, label=found.new.label(cap.against, lang))))
        chart = charts.dislocation(was[rows], held[rows], uncapped_yuan=free[rows], lang=lang,
                                   title=w("expiring_chart", lang, label=found.new.label(step.name, lang)))  # fmt: skip
        parts += [
            Paragraph(w("expiring_lead", lang)),
            Picture(chart),
            _held_back(step, was[rows], free[rows], held[rows], found, lang),
        ]
    return parts


def _held_back(step: Step, was: Any, free: Any, held: Any, found: Filing, lang: Lang) -> Table:
    assert isinstance(step.operation, Cap)
    money = f",.{found.new.money.decimals}f"
    rows = [
        [found.new.label(step.operation.against, lang), f"{was.sum():{money}}", ""],
        [w("uncapped", lang), f"{free.sum():{money}}", f"{free.sum() / was.sum() - 1:+.2%}"],
        [w("charged", lang), f"{held.sum():{money}}", f"{held.sum() / was.sum() - 1:+.2%}"],
        [w("held_down", lang), f"{np.minimum(held - free, 0).sum():{money}}", f"{int((held < free).sum()):,}"],
        [w("held_up", lang), f"{np.maximum(held - free, 0).sum():{money}}", f"{int((held > free).sum()):,}"],
    ]
    heads = ["", told(found, "sum_yuan", lang), w("change_or_policies", lang)]
    return table(w("cap_effect", lang, label=found.new.label(step.name, lang)), heads, rows, [False, True, True])


def movers_section(found: Filing, lang: Lang) -> Blocks:
    """Return the policies that move most, in money and in per cent."""
    key = found.current.key
    label = found.current.label(key, lang) if key else text("UI_row", lang)
    names = {key: found.current.label(key, lang)} if key else {}
    heads = [names.get(key, label) if key else label,
             *(told(found, name, lang) for name in ("before_yuan", "after_yuan", "change_yuan", "change"))]  # fmt: skip
    parts = list[Block]()
    sides: tuple[By, ...] = ("money", "share")
    shown = found.new.money.shown
    for by in sides:
        rows = [
            [str(row[0]), *(shown(int(amount)) for amount in row[1:4]), f"{row[4]:+.2%}"]
            for row in found.moved.movers(MOVERS, by=by).itertuples(index=False)
        ]
        parts.append(table(w(f"movers_{by}", lang), heads, rows, [False, True, True, True, True]))
    return joined(*parts)


def segments_section(found: Filing, lang: Lang) -> Blocks:
    """Return winners and losers by each of the segments' columns."""
    names = ("policies", "before_yuan", "after_yuan", "change", "dearer", "cheaper", "above_25")
    parts: list[Block] = [Paragraph(w("segments_lead", lang))]
    for column, frame in found.segments.items():
        rows = [[_level(found, column, row[column], lang), *_segment(found, row)] for row in frame.to_dict("records")]
        sums = {name: frame[name].sum() for name in frame.columns if name not in (column, "change")}
        sums["change"] = sums["premium_after_fen"] / max(sums["premium_before_fen"], 1) - 1
        heads = [found.current.label(column, lang), *(told(found, name, lang) for name in names)]
        caption = w("by", lang, label=found.current.label(column, lang))
        parts.append(
            table(
                caption,
                heads,
                rows,
                [False] + [True] * len(names),
                total=[text("UI_total", lang), *_segment(found, sums)],
            )
        )
    return joined(*parts)


def _level(found: Filing, column: str, value: Any, lang: Lang) -> str:
    if column == "division_code":
        from ratemod.vocabulary.codes.division import division_names

        return division_names(lang).get(str(value), str(value))
    return found.current.level_label(column, str(value), lang) or text("UI_not_given", lang)


def _segment(found: Filing, row: Mapping[Any, Any]) -> list[str]:
    change = row["change"]
    return [
        f"{int(row['policies']):,}",
        *(found.new.money.shown(int(row[f"premium_{side}_fen"])) for side in ("before", "after")),
        "—" if not np.isfinite(change) else f"{change:+.2%}",
        *(f"{int(row[name]):,}" for name in ("dearer", "cheaper", "above_25_percent")),
    ]  # fmt: skip


def bounds_section(found: Filing, lang: Lang) -> Blocks:
    """Return how many policies each bound and cap holds, and which rules speak, before and after."""
    rows = []
    for row in found.moved.bounds().itertuples():
        name, end = str(row.bound).rsplit(":", 1)
        plan = found.new if name in found.new.step_names else found.current
        label = f"{plan.label(name, lang)} · {w(f'key_{end}', lang)}"
        limits = [_limit(plan_step(side, name), end) for side in (found.moved.before, found.moved.after)]
        if any(limits):
            rows.append([label, limits[0] or "—", limits[1] or "—", f"{row.before:,}", f"{row.after:,}"])
    heads = [w(name, lang) for name in ("bound", "current", "new", "count_before", "count_after")]
    counts = table(w("bounds", lang), heads, rows, [False, True, True, True, True])
    return joined(Paragraph(w("bounds_lead", lang)), counts, *_verdicts(found, lang))


def plan_step(rated: Rated, name: str) -> Step | None:
    """Return a step of the plan behind a priced book, or None."""
    return rated.plan.step(name) if name in rated.plan.step_names else None


def _limit(step: Step | None, end: str) -> str:
    limit = step.operation.ends[end] if step is not None and isinstance(step.operation, Limit) else None
    return "" if limit is None else str(plain(limit))


def _verdicts(found: Filing, lang: Lang) -> list[Block]:
    """Return how many rows are priced, referred, refused, declined, and the reasons, under both."""
    sides = (found.moved.before, found.moved.after)
    rows = []
    for name in sides[0].counts:
        label = w("rows", lang) if name == "rows" else text(f"UI_status_{name}", lang)
        rows.append([label, *(f"{side.counts[name]:,}" for side in sides)])
    heads = ["", w("current_edition", lang), w("new_edition", lang)]
    parts: list[Block] = [heading("verdicts", lang), table(w("verdicts", lang), heads, rows, [False, True, True])]
    for side, name in zip(sides, ("current_edition", "new_edition")):
        listed_problems = side.problems[:MOST_PROBLEMS]
        said = [problem_words(item, lang, " ").replace("\n    → ", "  → ") for item in listed_problems]
        if said:
            parts += joined(Paragraph(w("reasons_of", lang, edition=w(name, lang))), listed(said))
    return parts


def examples_section(found: Filing, lang: Lang) -> Blocks:
    """Return worked examples: the same policy under both editions, step by step, in exact arithmetic."""
    parts: list[Block] = [Paragraph(w("examples_lead", lang))]
    for at, (why, row) in enumerate(found.examples, 1):
        parts += _example(found, at, why, row, lang)
    return joined(*parts)


def _example(found: Filing, at: int, why: str, row: int, lang: Lang) -> list[Block]:
    sheets = [side.explain(row) for side in (found.moved.before, found.moved.after)]
    old, new = (WorksheetWords(sheet, lang) for sheet in sheets)
    title = w("example", lang, number=at, key=sheets[1].key)
    given = tuple(pair for pair in new.inputs() if pair[1] != "—")
    parts: list[Block] = [Heading(title), Paragraph(w(f"why_{why}", lang), "soft")]
    parts.append(Facts(w("inputs_of", lang, key=sheets[1].key), given, many=True))
    if not all(sheet.premium_fen is not None for sheet in sheets):
        reasons = []
        for sheet in sheets:
            reason = sheet.reason_zh if lang == "zh" else sheet.reason_en
            reasons.append(f"{sheet.plan_id}: {text(f'UI_status_{sheet.status}', lang)} {reason}")
        return [*parts, Listing(tuple(reasons))]
    before = {line.name: line for line in sheets[0].lines}
    rows = []
    for line in sheets[1].lines:
        was = before.get(line.name)
        if line.value is None and (was is None or was.value is None):
            continue
        rows.append(_line(line, was, old, new, lang))
    heads = [w(name, lang) for name in ("step", "current", "new", "how_new")]
    parts.append(table(w("worksheet_of", lang, key=sheets[1].key), heads, rows, [False, True, True, False]))
    if why == "median":
        labels, levels = premium_levels(sheets[1], lang)
        parts.append(Picture(charts.waterfall(labels, levels, title=title, lang=lang, money=found.new.money)))
    return parts


def _line(line: Line, was: Line | None, old: WorksheetWords, new: WorksheetWords, lang: Lang) -> list[Said]:
    first, second = "—" if was is None else old.figure(was), new.figure(line)
    how = text("UI_semicolon", lang).join(part for part in (new.how(line), new.bound(line)) if part)
    moved = was is None or was.value != line.value
    return [new.label(line), first, Span(second, "strong") if moved else second, how]


def law_section(found: Filing, lang: Lang) -> Blocks:
    """Return every legal range of the new edition: proved from the plan alone, or guarded row by row."""
    held = {item.name: item for item in found.new.legal}
    rows = []
    for proof in proofs(found.new):
        ends = ["" if end is None else str(plain(end)) for end in (proof.low, proof.high)]
        said = w("proved" if proof.proved else "guarded", lang)
        source = found.new.sources.get(held[proof.name].source)
        rows.append([found.new.label(proof.of, lang), *(end or "—" for end in ends), _seen(found, proof.of), said,
                     words.source_words(source, lang) if source else held[proof.name].source])  # fmt: skip
    if not rows:
        return (Paragraph(w("no_law", lang)),)
    heads = [w(name, lang) for name in ("what", "key_low", "key_high", "seen", "how_held", "source")]
    right = [False, True, True, True, False, False]
    return joined(Paragraph(w("law_lead", lang)), table(w("law", lang), heads, rows, right))


def _seen(found: Filing, name: str) -> str:
    """Return the least and the largest value of a column or step among the priced rows."""
    rated = found.moved.after
    values = rated.coding.inputs.numbers.get(name, rated.outputs.steps.get(name))
    if values is None:
        constant = found.new.constants.get(name)
        return str(plain(constant.value)) if constant else "—"
    known = np.asarray(values, float)[rated.verdict.status < REFUSED]
    known = known[np.isfinite(known)]
    return f"{known.min():,.12g} – {known.max():,.12g}" if len(known) else "—"


def reconciliation_section(found: Filing, lang: Lang) -> Blocks:
    """Return every reconciliation with both of its numbers."""
    rows = []
    for check in found.checks:
        args = dict(check.args)
        if "column" in args:
            args["column"] = found.current.label(args["column"], lang)
        figures = [found.new.money.shown(value) if check.money else f"{value:,}" for value in (check.one, check.other)]
        look: Look = "good" if check.holds else "bad"
        word = "holds" if check.holds else "fails"
        mark = Span(w(word, lang), look)
        rows.append([told(found, f"check_{check.name}", lang, **args), *figures, mark])
    failed = sum(not check.holds for check in found.checks)
    lead = w("all_hold", lang, count=len(found.checks)) if not failed else w("some_fail", lang, failed=failed)
    heads = [w(name, lang) for name in ("check", "one_side", "other_side", "verdict")]
    return joined(
        Paragraph(lead, "" if not failed else "alarm"),
        table(w("checks", lang), heads, rows, [False, True, True, False]),
    )
