"""Small pictures that need no library: values with their intervals, a line each."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from ratemod.document.model import Drawing

LEFT, WIDTH, STEP, TOP = 250, 420, 30, 14
INK, SOFT, BLUE, PALE, GRID = "#1d2733", "#5b6875", "#1f5f99", "#6f7d8b", "#d5dbe1"
FONT = "Noto Sans CJK SC,Noto Sans SC,Source Han Sans SC,Microsoft YaHei,PingFang SC,sans-serif"
Line = tuple[str, float, float, float, bool]  # label, low, value, high, whether it stands out


def intervals(
    title: str,
    alt: str,
    lines: Sequence[Line],
    ends: tuple[float, float],
    ticks: Sequence[float],
    *,
    digits: int,
    line_at: float | None = None,
) -> Drawing:
    """Return values with their intervals.

    Parameters
    ----------
    title, alt : what it is called, and what its axis measures
    lines : from the top
    ends, ticks : of the axis
    digits : decimals of the values beside the lines
    line_at : where a dashed line stands, such as 1 for no effect
    """
    low, high = ends
    bottom = TOP + STEP * len(lines)

    def at(value: float) -> float:
        return LEFT + (value - low) / (high - low) * WIDTH

    height = bottom + 40
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 760 {height}" width="760" height="{height}" role="img" '
        f'aria-label="{escape(title)}" font-family="{FONT}" font-size="13" fill="{INK}">'
    ]
    for tick in ticks:
        x = f"{at(tick):.1f}"
        parts.append(f'<line x1="{x}" x2="{x}" y1="{TOP - 4}" y2="{bottom}" stroke="{GRID}"/>')
        parts.append(f'<text x="{x}" y="{bottom + 16}" text-anchor="middle" fill="{SOFT}">{tick:g}</text>')
    if line_at is not None:
        x = f"{at(line_at):.1f}"
        parts.append(f'<line x1="{x}" x2="{x}" y1="{TOP}" y2="{bottom}" stroke="{SOFT}" stroke-dasharray="4 3"/>')
    for place, (label, least, value, most, stands_out) in enumerate(lines):
        y = TOP + STEP * place + STEP / 2
        colour = BLUE if stands_out else PALE
        parts += [
            f'<text x="{LEFT - 12}" y="{y + 4:.1f}" text-anchor="end">{escape(label)}</text>',
            f'<line x1="{at(least):.1f}" x2="{at(most):.1f}" y1="{y:.1f}" y2="{y:.1f}" stroke="{colour}" '
            'stroke-width="3"/>',
            f'<circle cx="{at(value):.1f}" cy="{y:.1f}" r="5" fill="{colour}"/>',
            f'<text x="{LEFT + WIDTH + 14}" y="{y + 4:.1f}">{value:.{digits}f}</text>',
        ]
    axis = f'<text x="{LEFT + WIDTH / 2}" y="{bottom + 34}" text-anchor="middle" fill="{SOFT}">{escape(alt)}</text>'
    return Drawing(title, alt, "\n".join([*parts, f"{axis}</svg>"]))
