"""Results as Markdown, and Markdown as results."""

from __future__ import annotations

from typing import Any


def markdown(title: str, rows: list[dict[str, Any]]) -> str:
    """Return rows as a Markdown table."""
    names = list(rows[0])
    lines = [f"### {title}", "", "| " + " | ".join(names) + " |", "|" + "---|" * len(names)]
    lines += [
        "| " + " | ".join(f"{row[name]:,}" if isinstance(row[name], int) else str(row[name]) for name in names) + " |"
        for row in rows
    ]
    return "\n".join(lines) + "\n"


def tables(text: str) -> list[list[dict[str, str]]]:
    """Return the tables of a Markdown text, a dictionary a row.

    Examples
    --------
    >>> tables("| a | b |\\n|---|---|\\n| 1 | 2 |\\n")
    [[{'a': '1', 'b': '2'}]]
    """
    found: list[list[dict[str, str]]] = []
    head: list[str] | None = None
    for line in text.splitlines():
        if not line.startswith("|"):
            head = None
            continue
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if head is None:
            head = cells
            found.append([])
        elif set(line) - set("|-: "):
            found[-1].append(dict(zip(head, cells)))
    return found
