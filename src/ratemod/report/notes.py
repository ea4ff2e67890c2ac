"""A plan's NOTES.md as blocks of a document: headings, lists, tables, paragraphs, code; everything else stays text.

Only these shapes are known, and everything is text, so that notes cannot bring markup of their own.
"""

from __future__ import annotations

import re

from ratemod.document.model import Block, Blocks, Heading, Listing, Paragraph, Said, Span, Table, table

_HEADING = re.compile(r"(#{1,6})\s+(.*)")
_ITEM = re.compile(r"\s*(?:[-*]|\d+\.)\s+(.*)")
_RULE = re.compile(r"\|?(\s*:?-{2,}:?\s*\|)+\s*(:?-{2,}:?\s*)?")
_MARKED = re.compile(r"`([^`]+)`|\*\*([^*]+)\*\*")
_NUMBER = re.compile(r"[-+±]?[\d,]+(\.\d+)?(e[-+]?\d+)?( ?[%‰])?")


def notes_blocks(said: str, level: int = 3) -> Blocks:
    """Return notes as blocks, their first heading at a level and the others below it, none deeper than by one.

    Examples
    --------
    >>> [type(block).__name__ for block in notes_blocks("# Title\\n\\n- one `code`")]
    ['Heading', 'Listing']
    """
    parts: list[Block] = []
    last, base, title = level - 1, None, ""
    for block in _blocks(said):
        heading = _HEADING.fullmatch(block[0])
        if heading:
            base = len(heading[1]) if base is None else base
            last = min(level + max(0, len(heading[1]) - base), last + 1, 6)
            title = heading[2]
            parts.append(Heading(inline(title), last))
        elif _ITEM.fullmatch(block[0]):
            parts.append(_items(block))
        elif len(block) > 1 and block[0].startswith("|") and _RULE.fullmatch(block[1]):
            parts.append(_table(block, title))
        else:
            parts.append(Paragraph(inline(" ".join(line.strip() for line in block))))
    return tuple(parts)


def inline(said: str) -> Said:
    """Return a line with its code and its bold words."""
    found: list[str | Span] = []
    at = 0
    for mark in _MARKED.finditer(said):
        found += [said[at : mark.start()]] if mark.start() > at else []
        found.append(Span(mark[1], "code") if mark[1] else Span(mark[2], "strong"))
        at = mark.end()
    found += [said[at:]] if at < len(said) else []
    return said if not found or found == [said] else tuple(found)


def _blocks(said: str) -> list[list[str]]:
    """Return lines that belong together; a heading is a block of its own."""
    blocks: list[list[str]] = [[]]
    for line in said.splitlines():
        if not line.strip():
            blocks.append([])
        elif _HEADING.fullmatch(line):
            blocks += [[line], []]
        elif _ITEM.fullmatch(line) and blocks[-1] and not _ITEM.fullmatch(blocks[-1][0]):
            blocks.append([line])
        else:
            blocks[-1].append(line)
    return [block for block in blocks if block]


def _items(block: list[str]) -> Listing:
    items: list[str] = []
    for line in block:
        item = _ITEM.fullmatch(line)
        if item:
            items.append(item[1])
        else:
            items[-1] += " " + line.strip()
    return Listing(tuple(map(inline, items)), ordered=block[0].lstrip()[0].isdigit())


def _table(block: list[str], title: str) -> Table:
    rows = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in block]
    width = len(rows[0])
    body = [[*row, *[""] * width][:width] for row in rows[2:]]
    right = [at > 0 and all(_NUMBER.fullmatch(row[at]) for row in body) for at in range(width)]
    said = [[inline(cell) for cell in row] for row in body]
    return table(title or rows[0][0], [inline(cell) for cell in rows[0]], said, right)
