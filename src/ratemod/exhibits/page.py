"""Pages that hold everything they show: one HTML file, both languages, no script, nothing from elsewhere.

Every text is escaped where it becomes HTML, here and nowhere else, so that an insured called ``<script>`` is harmless.
The language is switched by style alone, and prints as it is shown. The same content gives the same bytes.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from html import escape
from importlib import resources
from typing import TYPE_CHECKING

from ratemod.errors import Lang

if TYPE_CHECKING:
    from ratemod.exhibits.chart_style import Chart

TAGS: Mapping[Lang, str] = {"zh": "zh-CN", "en": "en"}
NAMES: Mapping[Lang, str] = {"zh": "中文", "en": "English"}
SMALL = (5.2, 3.9)  # inches


class Html(str):
    """A text that is HTML already; any other text is escaped before it is shown."""

    __slots__ = ()


def shown(said: str) -> Html:
    """Return a text as HTML.

    Examples
    --------
    >>> shown("<script>")
    '&lt;script&gt;'
    >>> shown(Html("<b>"))
    '<b>'
    """
    return said if isinstance(said, Html) else Html(escape(said))


def joined(*parts: str) -> Html:
    """Return parts one after another, those that are no HTML escaped."""
    return Html("\n".join(shown(part) for part in parts if part))


def paragraph(said: str, look: str = "") -> Html:
    """Return a paragraph; ``look`` is a class of the style sheet."""
    return Html(f"<p{_class(look)}>{shown(said)}</p>")


def foreign(said: str, lang: Lang) -> Html:
    """Return a text in another language than the page's, marked as such for screen readers and fonts."""
    return Html(f'<span lang="{TAGS[lang]}">{shown(said)}</span>')


def listed(items: Sequence[str], *, ordered: bool = False) -> Html:
    """Return a list; nothing where there are no items."""
    if not items:
        return Html("")
    tag = "ol" if ordered else "ul"
    return Html(f"<{tag}>" + "".join(f"<li>{shown(item)}</li>" for item in items) + f"</{tag}>")


def table(
    caption: str,
    heads: Sequence[str],
    rows: Sequence[Sequence[str]],
    right: Sequence[bool],
    *,
    total: Sequence[str] | None = None,
    look: str = "",
) -> Html:
    """Return a table with its caption, header cells that say what they head, and figures to the right.

    Parameters
    ----------
    caption : str
        Says what the table is, also to those who hear it.
    heads : (k,) texts
    rows : (n, k) texts; the first cell of a row is its header
    right : (k,) bool
        Columns of figures.
    total : (k,) texts, optional
        A last row, set apart.
    """

    def line(cells: Sequence[str], side: str = "") -> str:
        said = [
            f'<th scope="row"{_class("n" if right[at] else "")}>{shown(cell)}</th>'
            if at == 0
            else f"<td{_class('n' if right[at] else '')}>{shown(cell)}</td>"
            for at, cell in enumerate(cells)
        ]
        return f"<tr{_class(side)}>{''.join(said)}</tr>"

    head = "".join(
        f'<th scope="col"{_class("n" if side else "")}>{shown(said)}</th>' for said, side in zip(heads, right)
    )
    foot = f"<tfoot>{line(total)}</tfoot>" if total is not None else ""
    body = "\n".join(line(row) for row in rows)
    inside = f"<caption>{shown(caption)}</caption><thead><tr>{head}</tr></thead><tbody>\n{body}\n</tbody>{foot}"
    # A wide table scrolls by keyboard too, which needs a name and a place in the order of tabs.
    region = f'<div class="wide" role="region" aria-label="{escape(str(caption))}" tabindex="0">'
    return Html(f"{region}<table{_class(look)}>{inside}</table></div>")


def facts(caption: str, pairs: Sequence[tuple[str, str]]) -> Html:
    """Return labels and values as a table of two columns without header row."""
    body = "\n".join(f'<tr><th scope="row">{shown(label)}</th><td>{shown(value)}</td></tr>' for label, value in pairs)
    return Html(f'<table class="facts"><caption>{shown(caption)}</caption><tbody>\n{body}\n</tbody></table>')


def pairs(caption: str, items: Sequence[tuple[str, str]]) -> Html:
    """Return many short labels and values as a list in several columns."""
    body = "".join(f"<div><dt>{shown(label)}</dt><dd>{shown(value)}</dd></div>" for label, value in items)
    return Html(f'<p class="caption">{shown(caption)}</p><dl class="pairs">{body}</dl>')


def picture(chart: Chart) -> Html:
    """Return a chart as a figure: an image of its own, with what it shows in words.

    Raises
    ------
    ModelError
        As `Chart.svg`.
    """
    held = base64.b64encode(chart.svg().encode()).decode("ascii")
    said = escape(f"{chart.title}. {chart.alt}", quote=True)
    image = f'<img alt="{said}" src="data:image/svg+xml;base64,{held}">'
    return Html(f"<figure>{image}<figcaption>{escape(chart.alt)}</figcaption></figure>")


def pictures(*charts: Chart) -> Html:
    """Return charts beside each other where there is room, drawn smaller so that their words stay readable."""
    return side_by_side(*(picture(replace(chart, size_inches=SMALL)) for chart in charts))


def side_by_side(*parts: str) -> Html:
    """Return parts beside each other where there is room."""
    return Html(f'<div class="beside">{"".join(f"<div>{shown(part)}</div>" for part in parts)}</div>')


@dataclass(frozen=True, slots=True)
class Section:
    """A numbered section of a report.

    Attributes
    ----------
    name : str
        Of its address; the same in every language.
    title : str
    body : Html
    """

    name: str
    title: str
    body: Html


@dataclass(frozen=True, slots=True)
class Article:
    """A report in one language: its head, then the sections, which are numbered and listed."""

    lang: Lang
    title: str
    head: Html
    contents: str
    sections: tuple[Section, ...]

    def html(self) -> Html:
        """Return the article."""
        tag = self.lang
        items = [Html(f'<a href="#{tag}-{part.name}">{escape(part.title)}</a>') for part in self.sections]
        parts = [f'<article id="{tag}" lang="{TAGS[tag]}">', f"<h1>{escape(self.title)}</h1>", self.head]
        parts.append(f'<nav class="contents" aria-label="{escape(self.contents)}">')
        parts += [f"<h2>{escape(self.contents)}</h2>", listed(items, ordered=True), "</nav>"]
        for at, part in enumerate(self.sections, 1):
            label = f'<h2 id="{tag}-{part.name}">{at}. {escape(part.title)}</h2>'
            parts += ["<section>", label, part.body, "</section>"]
        return Html("\n".join([*parts, "</article>"]))


def page(articles: Sequence[Article], lang: Lang) -> str:
    """Return a whole page: the same report in several languages, one of them shown.

    Parameters
    ----------
    articles : one for each language
    lang : the language that is shown first, and printed
    """
    named = {article.lang: article for article in articles}
    style = resources.files("ratemod.exhibits").joinpath("page.css").read_text(encoding="utf-8")
    parts = [
        "<!doctype html>",
        f'<html lang="{TAGS[lang]}">',
        "<head>",
        '<meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{escape(named[lang].title)}</title>",
        f"<style>\n{style}</style>",
        "</head>",
        "<body>",
    ]
    if len(named) > 1:
        for tag in named:
            chosen = " checked" if tag == lang else ""
            parts.append(f'<input type="radio" name="language" id="to-{tag}" class="switch"{chosen}>')
        labels = "".join(f'<label for="to-{tag}" lang="{TAGS[tag]}">{NAMES[tag]}</label>' for tag in named)
        parts += [f'<header class="switch">{labels}</header>', "<main>"]
    else:
        parts.append('<main class="single">')
    parts += [article.html() for article in articles]
    return "\n".join([*parts, "</main>", "</body>", "</html>"]) + "\n"


def _class(name: str) -> str:
    return f' class="{name}"' if name else ""
