"""What leaves the engine: a document of headings, texts, facts, tables and pictures, in one language.

Reports and results make documents out of plain values; a renderer a medium (`html`, `excel`, `csv_file`, `terminal`)
shows them. A document knows no medium: a table holds values with their units, not the digits of a page.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Protocol, TypeAlias

from ratemod.errors import Lang

FIGURE = "figure"  # a unit: text that was made of a number, set to the right


class Drawn(Protocol):
    """A chart: what it shows, and its picture."""

    @property
    def title(self) -> str:
        """What it is called."""

    @property
    def alt(self) -> str:
        """What it shows, in one sentence, for those who do not see it."""

    def svg(self) -> str:
        """Return the picture."""


@dataclass(frozen=True, slots=True)
class Drawing:
    """A picture that is drawn already."""

    title: str
    alt: str
    source: str

    def svg(self) -> str:
        """Return the picture."""
        return self.source


Look = Literal["", "strong", "code", "below", "good", "bad"]


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of text that looks or is spoken differently.

    Attributes
    ----------
    said : str
    look : "", "strong", "code", "below" (code on a line of its own), "good" or "bad" (a verdict)
    lang : the language it is in, where that is not the document's
    title : what it means, for those who hear it
    """

    said: str
    look: Look = ""
    lang: str = ""
    title: str = ""


Said: TypeAlias = str | Span | tuple[str | Span, ...]


def plain(said: Said) -> str:
    """Return a text without its looks.

    Examples
    --------
    >>> plain(("a ", Span("b", "code")))
    'a b'
    """
    if isinstance(said, str):
        return said
    if isinstance(said, Span):
        return f" ({said.said})" if said.look == "below" else said.said
    return "".join(map(plain, said))


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading inside a section; `level` 3 is the first below the section's own."""

    said: Said
    level: int = 3


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph; `look` is "", "alarm" (must be seen), "soft" (an aside) or "big"."""

    said: Said
    look: str = ""


@dataclass(frozen=True, slots=True)
class Facts:
    """Labels and values; `many` short ones are set in several columns."""

    title: str
    pairs: tuple[tuple[str, Said], ...]
    many: bool = False


@dataclass(frozen=True, slots=True)
class Listing:
    """A list of texts."""

    items: tuple[Said, ...]
    ordered: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Column:
    """One column of a table.

    Attributes
    ----------
    label : what stands above it
    cells : (n,) values: numbers, days, texts, None
    unit : what they measure, a key of `figures.SHAPES`; "" where they are no numbers
    total : what stands below them
    bar : whether a screen draws the numbers too
    """

    label: Said
    cells: Sequence[Any]
    unit: str = ""
    total: Any = None
    bar: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Table:
    """A table.

    Attributes
    ----------
    title : says what it is, also to those who hear it; "" where a heading has said so
    columns : the first names the row
    has_total : whether a last row, the totals, is set apart
    look : a class of the style sheet
    most : rows that a screen shows, the others are counted; None for all
    """

    title: str
    columns: tuple[Column, ...]
    has_total: bool = False
    look: str = ""
    most: int | None = None

    @property
    def n(self) -> int:
        """Number of rows."""
        return len(self.columns[0].cells) if self.columns else 0


@dataclass(frozen=True, slots=True)
class Picture:
    """A chart; `small` ones stand beside each other."""

    chart: Drawn


@dataclass(frozen=True, slots=True)
class Beside:
    """Blocks beside each other where there is room."""

    parts: tuple[Blocks, ...]


@dataclass(frozen=True, slots=True)
class Quoted:
    """Somebody else's text in a frame, in the language it was written in."""

    blocks: Blocks
    lang: str


Block: TypeAlias = Heading | Paragraph | Facts | Listing | Table | Picture | Beside | Quoted
Blocks: TypeAlias = tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a document: `name` is its address, the same in every language; a sheet of a workbook."""

    name: str
    title: str
    blocks: Blocks


@dataclass(frozen=True, kw_only=True, slots=True)
class Document:
    """A report in one language: a head, then sections."""

    lang: Lang
    title: str
    head: Blocks = ()
    sections: tuple[Section, ...] = field(default=())

    def blocks(self) -> Blocks:
        """Return all blocks in order."""
        return joined(self.head, *(part.blocks for part in self.sections))

    def tables(self) -> tuple[Table, ...]:
        """Return its tables in order."""
        return tuple(block for block in self.blocks() if isinstance(block, Table))


def joined(*parts: Block | Blocks | None) -> Blocks:
    """Return blocks one after another; what is None or empty is left out."""
    found: list[Block] = []
    for part in parts:
        found += part if isinstance(part, tuple) else [] if part is None else [part]
    return tuple(found)


def table(
    title: str,
    heads: Sequence[Said],
    rows: Sequence[Sequence[Any]],
    units: Sequence[str | bool],
    *,
    total: Sequence[Any] | None = None,
    look: str = "",
    most: int | None = None,
) -> Table:
    """Return a table from its rows.

    Parameters
    ----------
    heads : (k,) texts
    rows : (n, k) values
    units : (k,) what each column measures; True for text that was made of numbers
    total : (k,) values of a last row, set apart

    Examples
    --------
    >>> table("", ["a", "b"], [[1, 2], [3, 4]], ["", "count"]).columns[1].cells
    (2, 4)
    """
    cells = list(zip(*rows)) if rows else [()] * len(heads)
    columns = tuple(
        Column(
            label=head,
            cells=cells[at],
            unit=unit if isinstance(unit, str) else FIGURE if unit else "",
            total=None if total is None else total[at],
        )
        for at, (head, unit) in enumerate(zip(heads, units, strict=True))
    )
    return Table(title=title, columns=columns, has_total=total is not None, look=look, most=most)


def facts(title: str, pairs: Iterable[tuple[str, Said]]) -> Facts:
    """Return labels and values."""
    return Facts(title, tuple(pairs))


def listed(items: Iterable[Said], *, ordered: bool = False) -> Listing | None:
    """Return a list; None where it is empty."""
    held = tuple(items)
    return Listing(held, ordered) if held else None


def pictures(*charts: Any) -> Beside:
    """Return charts beside each other, drawn smaller so that their words stay readable."""
    return Beside(tuple((Picture(replace(chart, size_inches=SMALL)),) for chart in charts))


SMALL = (5.2, 3.9)  # inches
