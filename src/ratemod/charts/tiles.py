"""Jilin's divisions as tiles: one square each, roughly where the division lies, so that none is too small to see.

A tile chart draws no border and claims no area: the grid below is this project's own arrangement.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ratemod.charts.style import PALE, SEQUENTIAL, Chart, heading, ragged
from ratemod.errors import Lang, ModelError, nearest, problem
from ratemod.vocabulary.codes.division import division_names

# code -> (column from the west, row from the north)
PLACES = {
    "220800": (0, 0), "220700": (1, 0), "220100": (2, 1), "220200": (3, 1), "222400": (4, 1), "220300": (1, 2),
    "220184": (2, 2), "220400": (2, 3), "220581": (3, 3), "220500": (3, 4), "220600": (4, 3), "22CBS": (4, 4),
}  # fmt: skip
SHORT = {"222400": ("Yanbian", "延边州"), "22CBS": ("Changbai Mt.", "长白山")}


def division_tiles(
    codes: Sequence[str],
    values: npt.ArrayLike,
    *,
    title: str | None = None,
    unit: str = "",
    digits: int = 0,
    lang: Lang = "en",
) -> Chart:
    """Draw one number for each of Jilin's divisions, where it lies.

    Parameters
    ----------
    codes : (n,) texts
        Keys of `codes/divisions.csv`; divisions not named stay grey, marked "—".
    values : (n,) float; NaN is drawn as suppressed, "×"
    unit : str
        Said beside the colours.
    digits : int
        Decimals printed.

    Returns
    -------
    Chart
        Frame: code, name, value.

    Raises
    ------
    ModelError
        RM913 different lengths or nothing to draw, RM915 a code that is not a division of Jilin.

    Examples
    --------
    >>> division_tiles(["220100", "220200"], [3, 4]).frame["name"].tolist()
    ['Changchun', 'Jilin City']
    """
    import pandas as pd

    value = np.asarray(values, float)
    ragged(codes, value, names=("codes", "values"))
    if unknown := [code for code in codes if code not in PLACES]:
        raise ModelError([problem("RM915", division=code, nearest=nearest(code, PLACES)) for code in unknown])
    names = division_names(lang)
    said = [SHORT[code][lang == "zh"] if code in SHORT else names[code].removesuffix("市") for code in codes]
    frame = pd.DataFrame({"code": list(codes), "name": said, "value": value})
    rest = [code for code in PLACES if code not in codes]

    def draw(figure: Any) -> None:
        from matplotlib import colormaps
        from matplotlib.cm import ScalarMappable
        from matplotlib.colors import Normalize
        from matplotlib.patches import Rectangle

        axes = figure.subplots()
        known = value[~np.isnan(value)]
        norm = Normalize(min(0.0, known.min(initial=0.0)), known.max(initial=0.0) or 1.0)
        scale = ScalarMappable(norm, colormaps[SEQUENTIAL])
        labels = {code: (name, one) for code, name, one in zip(codes, said, value)}
        labels |= {
            code: (SHORT[code][lang == "zh"] if code in SHORT else names[code].removesuffix("市"), None)
            for code in rest
        }
        for code, (name, one) in labels.items():
            column, row = PLACES[code]
            blank = one is None or np.isnan(one)
            fill: Any = PALE if blank else scale.to_rgba(one)
            shown = "—" if one is None else "×" if np.isnan(one) else f"{one:,.{digits}f}"
            dark = not blank and 0.2126 * fill[0] + 0.7152 * fill[1] + 0.0722 * fill[2] < 0.45
            axes.add_patch(Rectangle((column, row), 0.94, 0.94, facecolor=fill, edgecolor="none"))
            ink = "white" if dark else "black"
            axes.text(column + 0.47, row + 0.36, name, ha="center", va="center", color=ink, fontsize=9)
            axes.text(column + 0.47, row + 0.64, shown, ha="center", va="center", color=ink, fontsize=9, weight="bold")
        axes.set(xlim=(0, 5), ylim=(5, 0), aspect="equal")
        axes.axis("off")
        figure.colorbar(scale, ax=axes, shrink=0.6, label=unit)

    alt = heading(f"{len(codes)} divisions of Jilin", f"吉林省{len(codes)}个地区", lang)
    return Chart(title or heading("Divisions of Jilin", "吉林省各地区", lang), alt, frame, draw, (7.2, 6.0))
