"""Documents as HTML: pages that hold everything they show, and cards for a notebook; no script, nothing from elsewhere.

Every text is escaped where it becomes HTML, here and nowhere else, so that an insured called ``<script>`` is harmless.
A page may hold the same report in several languages: the language is switched by style alone, and prints as it is
shown. The same document gives the same bytes.
"""

from __future__ import annotations

import base64
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from html import escape
from importlib import resources
from typing import Any

import numpy as np

from ratemod.document.figures import said as figure
from ratemod.document.model import (
    Beside,
    Block,
    Blocks,
    Column,
    Document,
    Facts,
    Heading,
    Listing,
    Paragraph,
    Picture,
    Quoted,
    Said,
    Section,
    Span,
    Table,
)
from ratemod.errors import Lang, text

TAGS: Mapping[str, str] = {"zh": "zh-CN", "en": "en"}
NAMES: Mapping[Lang, str] = {"zh": "中文", "en": "English"}
LOOKS = {"strong": "strong", "code": "code", "below": "code"}
BAR = 180  # pixels
REGION = '<div class="wide" role="region" aria-label="'


def page(documents: Sequence[Document], lang: Lang) -> str:
    """Return a whole page: the same report in several languages, one of them shown.

    Parameters
    ----------
    documents : one for each language
    lang : the language that is shown first, and printed
    """
    named = {one.lang: one for one in documents}
    parts = ["<main>"]
    if len(named) > 1:
        for tag in named:
            chosen = " checked" if tag == lang else ""
            parts.append(f'<input type="radio" name="language" id="to-{tag}" class="switch"{chosen}>')
        labels = "".join(f'<label for="to-{tag}" lang="{TAGS[tag]}">{NAMES[tag]}</label>' for tag in named)
        parts.append(f'<header class="switch">{labels}</header>')
    parts.append(f'<div class="{"either" if len(named) > 1 else "single"}">')
    parts += [_told_apart(_article(one)) for one in documents]
    return whole_page("\n".join([*parts, "</div>", "</main>"]), named[lang].title, lang, style("page.css"))


def _told_apart(article: str) -> str:
    """Return an article in which tables of one name are numbered for those who hear them."""
    seen: Counter[str] = Counter()

    def numbered(match: re.Match[str]) -> str:
        seen[match[2]] += 1
        return match[0] if seen[match[2]] == 1 else f'{match[1]}{match[2]} {seen[match[2]]}"'

    return re.sub(f'({REGION})([^"]*)"', numbered, article)


def whole_page(body: str, title: str, lang: Lang, rules: str) -> str:
    """Return a page that needs nothing from elsewhere: what stands in its body, its title, its style."""
    head = [
        "<!doctype html>",
        f'<html lang="{TAGS[lang]}">',
        "<head>",
        '<meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{escape(title)}</title>",
        f"<style>\n{rules}</style>",
        "</head>",
        "<body>",
    ]
    return "\n".join([*head, body, "</body>", "</html>"]) + "\n"


def card(document: Document) -> str:
    """Return a document as a piece of HTML that fits a screen, for a notebook."""
    title = f"<h3>{escape(document.title)}</h3>" if document.title else ""
    parts = [title, _blocks(document.head, document.lang)]
    parts += [f"<h4>{escape(part.title)}</h4>{_blocks(part.blocks, document.lang)}" for part in document.sections]
    rules = f"<style>{style('card.css')}</style>"
    return f'<div class="ratemod" lang="{TAGS[document.lang]}">{rules}{"".join(parts)}</div>'


def style(name: str) -> str:
    """Return a style sheet that ships."""
    return resources.files("ratemod.document").joinpath(name).read_text(encoding="utf-8")


def _article(one: Document) -> str:
    """Return a document in one language: its head, then the sections, numbered and listed where there are several."""
    tag = one.lang
    parts = [f'<article id="{tag}" lang="{TAGS[tag]}">', f"<h1>{escape(one.title)}</h1>", _blocks(one.head, tag)]
    if len(one.sections) > 1:
        label = escape(text("UI_contents", tag))
        items = "".join(f'<li><a href="#{tag}-{part.name}">{escape(part.title)}</a></li>' for part in one.sections)
        parts += [f'<nav class="contents" aria-label="{label}"><h2>{label}</h2><ol>{items}</ol></nav>']
    parts += [_section(part, at, tag) for at, part in enumerate(one.sections, 1)]
    return "\n".join([*parts, "</article>"])


def _section(part: Section, at: int, tag: Lang) -> str:
    label = f'<h2 id="{tag}-{part.name}">{at}. {escape(part.title)}</h2>'
    return "\n".join(["<section>", label, _blocks(part.blocks, tag), "</section>"])


def _blocks(blocks: Blocks, lang: Lang) -> str:
    return "\n".join(_block(block, lang) for block in blocks)


def _block(block: Block, lang: Lang) -> str:
    match block:
        case Heading(said, level):
            return f"<h{level}>{shown(said)}</h{level}>"
        case Paragraph(said, look):
            return f"<p{_class(look)}>{shown(said)}</p>"
        case Facts():
            return _facts(block)
        case Listing(items, ordered):
            tag = "ol" if ordered else "ul"
            return f"<{tag}>" + "".join(f"<li>{shown(item)}</li>" for item in items) + f"</{tag}>"
        case Table():
            return _table(block, lang)
        case Picture():
            return _picture(block)
        case Beside(parts):
            return f'<div class="beside">{"".join(f"<div>{_blocks(part, lang)}</div>" for part in parts)}</div>'
        case Quoted(blocks, tongue):
            return f'<div class="notes" lang="{TAGS[tongue]}">{_blocks(blocks, lang)}</div>'


def shown(said: Said) -> str:
    """Return a text as HTML.

    Examples
    --------
    >>> shown("<script>"), shown(("a ", Span("b", "code")))
    ('&lt;script&gt;', 'a <code>b</code>')
    """
    if isinstance(said, str):
        return escape(said)
    if isinstance(said, Span):
        inside = escape(said.said)
        if said.look in LOOKS:
            inside = f"<{LOOKS[said.look]}>{inside}</{LOOKS[said.look]}>"
        elif said.look:
            inside = f'<span class="{said.look}">{inside}</span>'
        if said.title:
            inside = f'<abbr style="text-decoration:none" title="{escape(said.title)}">{inside}</abbr>'
        if said.lang:
            inside = f'<span lang="{TAGS[said.lang]}">{inside}</span>'
        return f"<br>{inside}" if said.look == "below" else inside
    return "".join(map(shown, said))


def _facts(block: Facts) -> str:
    caption = escape(block.title)
    if block.many:
        body = "".join(f"<div><dt>{escape(label)}</dt><dd>{shown(value)}</dd></div>" for label, value in block.pairs)
        return f'<p class="caption">{caption}</p><dl class="pairs">{body}</dl>'
    body = "\n".join(
        f'<tr><th scope="row">{escape(label)}</th><td>{shown(value)}</td></tr>' for label, value in block.pairs
    )
    head = f"<caption>{caption}</caption>" if caption else ""
    return f'<table class="facts">{head}<tbody>\n{body}\n</tbody></table>'


def _table(block: Table, lang: Lang) -> str:
    """Return a table with header cells that say what they head, figures to the right, and how many rows more."""
    columns = block.columns
    n = block.n if block.most is None else min(block.n, block.most)
    heads = "".join(
        _header("col", shown(column.label), column) + ("<td></td>" if column.bar else "") for column in columns
    )
    cells = [[shown(said_of(value, column.unit, lang)) for value in column.cells[:n]] for column in columns]
    bars = {at: _bars(column.cells[:n]) for at, column in enumerate(columns) if column.bar}
    body = "\n".join(_line([part[row] for part in cells], columns, {at: bar[row] for at, bar in bars.items()})
                     for row in range(n))  # fmt: skip
    foot = ""
    if block.has_total:
        totals = [shown(said_of(column.total, column.unit, lang) if column.total is not None else "")
                  for column in columns]  # fmt: skip
        foot = f"<tfoot>{_line(totals, columns, dict.fromkeys(bars, ''))}</tfoot>"
    caption = f"<caption>{escape(block.title)}</caption>" if block.title else ""
    inside = f"{caption}<thead><tr>{heads}</tr></thead><tbody>\n{body}\n</tbody>{foot}"
    # A wide table scrolls by keyboard too, which needs a name and a place in the order of tabs.
    name = escape(block.title or text("UI_table", lang))
    region = f'{REGION}{name}" tabindex="0">'
    more = f'<p class="soft">{escape(text("UI_more_rows", lang, rows=f"{block.n - n:,}"))}</p>' if block.n > n else ""
    return f"{region}<table{_class(block.look)}>{inside}</table></div>{more}"


def said_of(value: Any, unit: str, lang: Lang) -> Said:
    """Return a cell as it is said: texts as they are, values by their unit."""
    return value if isinstance(value, str | Span | tuple) else figure(value, unit, lang)


def _line(cells: Sequence[str], columns: Sequence[Column], bars: Mapping[int, str]) -> str:
    parts = []
    for at, (cell, column) in enumerate(zip(cells, columns)):
        parts.append(_header("row", cell, column) if at == 0 else f"<td{_side(column)}>{cell}</td>")
        parts += [f"<td>{bars[at]}</td>"] if at in bars else []
    return f"<tr>{''.join(parts)}</tr>"


def _header(scope: str, said: str, column: Column) -> str:
    """Return a cell that heads a column or a row; one that says nothing heads none."""
    return f'<th scope="{scope}"{_side(column)}>{said}</th>' if said else f"<td{_side(column)}></td>"


def _bars(values: Sequence[Any]) -> list[str]:
    """Return a bar a value; one that would leave the others no room is cut, and pale."""
    numbers = np.array([float(value or 0) for value in values])
    if not len(numbers):
        return []
    most = int(numbers.argmax())
    rest = np.delete(numbers, most)
    top = max(float(rest.max(initial=0)), 1.0) if len(rest) else max(float(numbers[most]), 1.0)
    found = []
    for at, number in enumerate(numbers):
        cut = at == most and number > 3 * top
        width = min(round(BAR * number / top), BAR)
        found.append(f'<span class="bar{" cut" if cut else ""}" style="width:{width}px"></span>')
    return found


def _picture(block: Picture) -> str:
    """Return a chart as a figure: an image of its own, with what it shows in words."""
    chart = block.chart
    held = base64.b64encode(chart.svg().encode()).decode("ascii")
    said = escape(f"{chart.title}. {chart.alt}", quote=True)
    image = f'<img alt="{said}" src="data:image/svg+xml;base64,{held}">'
    caption = f"<figcaption>{escape(chart.alt)}</figcaption>" if chart.alt != chart.title else ""
    return f"<figure>{image}{caption}</figure>"


def _side(column: Column) -> str:
    return _class("n" if column.unit else "")


def _class(name: str) -> str:
    return f' class="{name}"' if name else ""
