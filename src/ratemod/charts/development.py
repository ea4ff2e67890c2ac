"""Charts of triangles: age-to-age factors as a heat map, and losses as they develop."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ratemod.charts.style import DIVERGING, PALETTE, SEQUENTIAL, Chart, heading, ragged
from ratemod.errors import Lang


def triangle_heat_map(
    values: npt.ArrayLike,
    origins: Sequence[str],
    ages: Sequence[str],
    *,
    factors: bool = True,
    title: str | None = None,
    lang: Lang = "en",
) -> Chart:
    """Draw a triangle as numbers on colours: age-to-age factors against their column's mean, or the amounts.

    Parameters
    ----------
    values : (origins, ages) float, cumulative; NaN where not yet known
    origins, ages : texts
    factors : bool
        Show ratios of neighbouring ages, coloured by how far each lies from the mean of its age: odd ones stand out.

    Returns
    -------
    Chart
        Frame: origin, age, value; the known cells only.

    Raises
    ------
    ModelError
        RM913 labels and triangle do not fit.

    Examples
    --------
    >>> triangle_heat_map([[100, 150], [200, np.nan]], ["2024", "2025"], ["12", "24"]).frame.values.tolist()
    [['2024', '12-24', 1.5]]
    """
    import pandas as pd

    cells = np.asarray(values, float)
    ragged(cells, origins, names=("values", "origins"))
    ragged(cells.T, ages, names=("values", "ages"))
    names = list(ages)
    if factors:
        below = cells[:, :-1]
        cells = np.divide(cells[:, 1:], below, out=np.full(below.shape, np.nan), where=below > 0)
        names = [f"{one}-{two}" for one, two in itertools.pairwise(ages)]
    row, column = np.nonzero(~np.isnan(cells))
    frame = pd.DataFrame(
        {
            "origin": [origins[at] for at in row.tolist()],
            "age": [names[at] for at in column.tolist()],
            "value": cells[row, column],
        }
    )

    def draw(figure: Any) -> None:
        axes = figure.subplots()
        if factors:
            known = ~np.isnan(cells)
            mean = np.where(known, cells, 0).sum(0) / np.maximum(known.sum(0), 1)
            shade = cells / np.where(mean > 0, mean, 1) - 1
            reach = max(float(np.nanmax(np.abs(shade), initial=0.0)), 0.01) if known.any() else 0.01
            image = axes.imshow(shade, cmap=DIVERGING, vmin=-reach, vmax=reach, aspect="auto")
            said = heading("against the mean of the age", "相对同龄均值", lang)
        else:
            image = axes.imshow(cells, cmap=SEQUENTIAL, aspect="auto")
            said = heading("amount", "金额", lang)
        bar = figure.colorbar(image, ax=axes, label=said)
        if factors:
            bar.ax.yaxis.set_major_formatter(lambda value, _: f"{value:+.0%}")
        for at, value in enumerate(frame["value"]):
            red, green, blue, _ = image.cmap(image.norm(image.get_array()[row[at], column[at]]))
            dark = 0.2126 * red + 0.7152 * green + 0.0722 * blue < 0.45
            shown = f"{value:.3f}" if factors else f"{value:,.0f}"
            axes.text(column[at], row[at], shown, ha="center", va="center", fontsize=8, color="w" if dark else "k")
        axes.set_xticks(range(len(names)), names)
        axes.set_yticks(range(len(origins)), list(origins))
        axes.set_xlabel(heading("age", "进展期", lang))
        axes.set_ylabel(heading("origin", "起期", lang))

    alt = heading(f"{len(frame)} known cells", f"{len(frame)}个已知单元", lang)
    named = title or (
        heading("Age-to-age factors", "进展因子", lang) if factors else heading("Triangle", "流量三角形", lang)
    )
    return Chart(named, alt, frame, draw, (1.8 + 0.85 * len(names), 1.5 + 0.42 * len(origins)))


def development_curves(
    values: npt.ArrayLike,
    origins: Sequence[str],
    ages: npt.ArrayLike,
    *,
    projected: npt.ArrayLike | None = None,
    title: str | None = None,
    lang: Lang = "en",
) -> Chart:
    """Draw the losses of every origin as they develop, and dashed as they are projected.

    Parameters
    ----------
    values : (origins, ages) float, cumulative; NaN where not yet known
    origins : texts
    ages : (ages,) float, months
    projected : (origins, ages) float, optional
        The completed triangle.

    Returns
    -------
    Chart
        Frame: origin, age, value, projected (where given).

    Raises
    ------
    ModelError
        RM913 labels and triangle do not fit.

    Examples
    --------
    >>> development_curves([[1, 2]], ["2025"], [12, 24]).frame["value"].tolist()
    [1.0, 2.0]
    """
    import pandas as pd

    cells, age = np.asarray(values, float), np.asarray(ages, float)
    ragged(cells, origins, names=("values", "origins"))
    ragged(cells.T, age, names=("values", "ages"))
    table: dict[str, Any] = {
        "origin": np.repeat(list(origins), len(age)),
        "age": np.tile(age, len(origins)),
        "value": cells.ravel(),
    }
    full = None if projected is None else np.asarray(projected, float)
    if full is not None:
        ragged(cells.ravel(), full.ravel(), names=("values", "projected"))
        table["projected"] = full.ravel()
    frame = pd.DataFrame(table)

    def draw(figure: Any) -> None:
        axes, marks = figure.subplots(), "osD^vP*X"
        for at, origin in enumerate(origins):
            colour, mark = PALETTE[at % len(PALETTE)], marks[at % len(marks)]
            axes.plot(age, cells[at], marker=mark, markersize=4, color=colour, label=origin)
            if full is not None:
                last = np.flatnonzero(~np.isnan(cells[at]))
                start = last[-1] if len(last) else 0
                axes.plot(age[start:], full[at, start:], color=colour, linestyle="--", linewidth=1)
        axes.set_xticks(age)
        axes.set_xlabel(heading("age, months", "进展期（月）", lang))
        axes.set_ylabel(heading("cumulative", "累计", lang))
        axes.yaxis.set_major_formatter("{x:,.0f}")
        axes.legend(title=heading("origin", "起期", lang), loc="center left", bbox_to_anchor=(1, 0.5))

    alt = heading(f"{len(origins)} origins", f"{len(origins)}个起期", lang)
    return Chart(title or heading("Development", "进展曲线", lang), alt, frame, draw)
