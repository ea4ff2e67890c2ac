"""Experience schemes beside each other: a table for a terminal, a document with charts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ratemod.document.model import Blocks, Document, Paragraph, pictures, table
from ratemod.errors import Lang, text

if TYPE_CHECKING:
    from ratemod.experience.compare_schemes import SchemeComparison
    from ratemod.experience.movement import Movement

DIGITS = {"gini": 3, "lift": 2, "off_balance": 3, "at_bound": 3}


def rows_of(found: SchemeComparison, lang: Lang) -> list[list[str]]:
    """Return header and rows of a comparison, as text."""
    frame = found.frame()
    rows = [[text(f"UI_judge_{name}", lang) for name in frame.columns]]
    for record in frame.to_dict("records"):
        row = [text(f"UI_scheme_{record['scheme']}", lang)]
        row += [f"{record[name]:.{DIGITS.get(str(name), 4)}f}" for name in frame.columns[1:]]
        rows.append(row)
    return rows


def heading_of(found: SchemeComparison, lang: Lang) -> list[str]:
    """Return what was compared, in two sentences."""
    small, large = (f"{end:,.0f}" for end in found.size_ends)
    return [
        text(
            "UI_judged",
            lang,
            firms=found.firms,
            year=found.years[-1],
            first=found.years[0],
            before=found.years[-2],
            least=found.least,
            most=found.most,
            claim=f"{found.claim_yuan:,.0f}",
            aside=found.set_aside,
        ),
        text("UI_judged_small", lang, small=small, large=large),
    ]


def comparison_text(found: SchemeComparison, lang: Lang = "en") -> str:
    """Return a comparison for a terminal: one block a scheme, so that no line is too long to read."""
    header, *rows = rows_of(found, lang)
    lines = heading_of(found, lang)
    for row in rows:
        lines.append(row[0])
        for start in (1, 6):
            pairs = zip(header[start : start + 5 + start // 6], row[start : start + 5 + start // 6])
            lines.append("  " + "; ".join(f"{name} {value}" for name, value in pairs))
    return "\n".join(lines)


def comparison_document(found: SchemeComparison, lang: Lang = "en") -> Document:
    """Return a comparison: the table, each scheme's quintile test, and the Lorenz curves."""
    from ratemod.charts.model import lorenz, quintiles

    header, *rows = rows_of(found, lang)
    drawn = []
    for item in found.results:
        title = text(f"UI_scheme_{item.fitted.name}", lang)
        drawn.append(quintiles(item.all.after, item.all.before, title=title, lang=lang))
        drawn.append(lorenz(item.lorenz[0], item.lorenz[1], gini=item.gini, title=title, lang=lang))
    title = text("UI_judge_title", lang)
    head: Blocks = (
        *(Paragraph(line) for line in heading_of(found, lang)),
        table(title, header, rows, [False] + [True] * (len(header) - 1)),
        pictures(*drawn),
    )
    return Document(lang=lang, title=title, head=head)


def movement_text(found: Movement, lang: Lang = "en") -> str:
    """Return why mods moved, on average, for a terminal."""
    from ratemod.experience.movement import CAUSES

    change = float((found.after - found.before).mean())
    lines = [text("UI_moved", lang, firms=len(found.firms), change=f"{change:+.4f}")]
    lines += [f"  {text(f'UI_moved_{name}', lang)}: {found.parts[:, at].mean():+.4f}" for at, name in enumerate(CAUSES)]
    return "\n".join(lines)
