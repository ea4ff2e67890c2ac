"""A plan's graph to look at: Mermaid text for documents, SVG for a page. Left to right, from inputs to premium."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import TYPE_CHECKING

from ratemod.errors import Lang
from ratemod.rules.options import strict

if TYPE_CHECKING:
    from ratemod.plan.graph import Graph, Kind

# Colour-blind safe (Okabe and Ito 2008), light enough for black words.
FILL: Mapping[Kind, str] = {
    "column": "#dbeefa",
    "constant": "#fdf3cf",
    "table": "#fbe3c4",
    "step": "#ffffff",
    "rule": "#f8d5c8",
    "check": "#f8d5c8",
    "legal": "#d5efe6",
}
SHAPE: Mapping[Kind, tuple[str, str]] = {
    "column": ("([", "])"),
    "constant": ("([", "])"),
    "table": ("[(", ")]"),
    "step": ("[", "]"),
    "rule": ("{{", "}}"),
    "check": ("{{", "}}"),
    "legal": ("{{", "}}"),
}
WIDTH, HEIGHT, ACROSS, DOWN, MOST_LETTERS = 190, 24, 270, 34, 26


@strict
def label(graph: Graph, node: str, lang: Lang) -> str:
    """Return what a node is called: its label in the plan, else its name."""
    name = node if graph.kinds[node] in ("column", "constant", "step") else node.partition(".")[2]
    return graph.plan.label(name, lang)


def shown(graph: Graph) -> list[str]:
    """Return the nodes worth drawing: all that anything reads, and all that decides."""
    return [name for name in graph.kinds if graph.reads[name] or graph.readers[name]]


@strict
def mermaid(graph: Graph, lang: Lang) -> str:
    """Return the graph as a Mermaid flow chart."""
    nodes = {name: f"n{at}" for at, name in enumerate(shown(graph))}
    lines = ["flowchart LR"]
    for name, key in nodes.items():
        before, after = SHAPE[graph.kinds[name]]
        said = label(graph, name, lang).replace('"', "#quot;")
        lines.append(f'  {key}{before}"{said}"{after}:::{graph.kinds[name]}')
    lines += [f"  {nodes[read]} --> {nodes[name]}" for name in nodes for read in graph.reads[name] if read in nodes]
    lines += [f"  classDef {kind} fill:{fill},stroke:#555,color:#000" for kind, fill in FILL.items()]
    return "\n".join(lines) + "\n"


@strict
def svg(graph: Graph, lang: Lang) -> str:
    """Return the graph as SVG: a node stands one column to the right of the furthest node it reads."""
    depth: dict[str, int] = {}
    nodes = shown(graph)
    for name in nodes:  # steps read earlier nodes only; what decides stands last
        depth[name] = 1 + max((depth.get(read, 0) for read in graph.reads[name]), default=-1)
    for name in nodes:  # what is read once stands beside its reader
        if not graph.reads[name]:
            depth[name] = min((depth[reader] for reader in graph.readers[name]), default=1) - 1
    rows: dict[int, int] = {}
    place: dict[str, tuple[int, int]] = {}
    for name in nodes:
        at = rows.get(depth[name], 0)
        rows[depth[name]] = at + 1
        place[name] = 10 + depth[name] * ACROSS, 10 + at * DOWN
    width, height = 20 + (max(rows, default=0) + 1) * ACROSS, 20 + max(rows.values(), default=0) * DOWN
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'font-family="sans-serif" font-size="12">',
        f"<title>{escape(graph.plan.id)}</title>",
    ]
    for name in nodes:
        for read in graph.reads[name]:
            if read in place:
                (x, y), (to_x, to_y) = place[read], place[name]
                x, y, to_y = x + WIDTH, y + HEIGHT // 2, to_y + HEIGHT // 2
                half = (x + to_x) // 2
                parts.append(
                    f'<path d="M{x} {y}C{half} {y} {half} {to_y} {to_x} {to_y}" fill="none" stroke="#888" '
                    'stroke-opacity="0.6"/>'
                )
    for name, (x, y) in place.items():
        said = label(graph, name, lang)
        short = said if len(said) <= MOST_LETTERS else said[: MOST_LETTERS - 1] + "…"
        fill, curve = FILL[graph.kinds[name]], 3 if graph.kinds[name] == "step" else 12
        parts.append(
            f'<g><title>{escape(f"{said} ({name})")}</title><rect x="{x}" y="{y}" width="{WIDTH}" height="{HEIGHT}" '
            f'rx="{curve}" fill="{fill}" stroke="#555"/><text x="{x + 8}" y="{y + 16}">{escape(short)}</text></g>'
        )
    return "\n".join([*parts, "</svg>"]) + "\n"
