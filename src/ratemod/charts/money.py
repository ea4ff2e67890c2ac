"""Charts of money: how one premium comes about, who pays more or less, where the prevention fund goes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ratemod.charts.style import BLUE, GREEN, GREY, INK, ORANGE, VERMILION, Chart, heading, ragged, slanted
from ratemod.errors import Lang, ModelError, problem
from ratemod.vocabulary.currency import YUAN, Currency


def waterfall(
    labels: Sequence[str],
    level_yuan: npt.ArrayLike,
    *,
    title: str | None = None,
    lang: Lang = "en",
    money: Currency = YUAN,
) -> Chart:
    """Draw how a premium comes about: a bar from each level to the next, the first and the last from zero.

    Parameters
    ----------
    labels : (n,) texts
    level_yuan : (n,) float, yuan, or what else the money is
        The premium as it stands after each step; the last is the premium charged.

    Returns
    -------
    Chart
        Frame: label, level_yuan, change_yuan.

    Raises
    ------
    ModelError
        RM913 different lengths or nothing to draw.

    Examples
    --------
    >>> waterfall(["Base", "Hazards", "Bound"], [100.0, 150.0, 130.0]).frame["change_yuan"].tolist()
    [100.0, 50.0, -20.0]
    """
    import pandas as pd

    level = np.asarray(level_yuan, float)
    ragged(labels, level, names=("labels", "level_yuan"))
    change = np.diff(level, prepend=0.0)
    frame = pd.DataFrame({"label": list(labels), "level_yuan": level, "change_yuan": change})
    named = title or heading("How the premium comes about", "保费构成", lang)

    def draw(figure: Any) -> None:
        axes, at = figure.subplots(), np.arange(len(level))
        before = np.concatenate([[0.0], level[:-1]])
        axes.bar(at, change, bottom=before, width=0.62, color=_signs(change, first=True), edgecolor=INK, linewidth=0.6)
        axes.bar(len(level), level[-1], width=0.62, color=BLUE, edgecolor=INK, linewidth=0.6)
        axes.hlines(level, at - 0.31, at + 1.31, color=GREY, linewidth=0.8)
        for place, moved, top in zip(at, change, np.maximum(level, before)):
            said = f"{moved:,.2f}" if place == 0 else f"{moved:+,.2f}"
            axes.annotate(said, (place, top), (0, 3), textcoords="offset points", ha="center", fontsize=8)
        axes.annotate(
            f"{level[-1]:,.2f}", (len(level), level[-1]), (0, 3), textcoords="offset points", ha="center", fontsize=8
        )
        words = [*labels, heading("Premium", "保费", lang)]
        axes.set_xticks(range(len(words)), words, **slanted(words))
        axes.set_ylabel(money.name(lang))
        axes.yaxis.set_major_formatter("{x:,.0f}")
        axes.set_ylim(min(0.0, 1.12 * level.min()), 1.12 * max(level.max(), 0.01))  # room for the figures

    premium = f"{level[-1]:,.{money.decimals}f}"
    alt = heading(
        f"{len(level)} steps lead to {premium} {money.name_en}",
        f"共{len(level)}步，得保费{premium}{money.name_zh}",
        lang,
    )
    return Chart(named, alt, frame, draw)


def dislocation(
    before_yuan: npt.ArrayLike,
    after_yuan: npt.ArrayLike,
    *,
    uncapped_yuan: npt.ArrayLike | None = None,
    width: float = 0.05,
    limit: float = 0.5,
    title: str | None = None,
    lang: Lang = "en",
) -> Chart:
    """Draw how many policies change by how much, after caps and (as an outline) before them.

    Parameters
    ----------
    before_yuan, after_yuan : (n,) float, yuan, before > 0
    uncapped_yuan : (n,) float, yuan, optional
    width : float
        Width of a class of relative change.
    limit : float
        Changes beyond ±limit stand in the two outermost classes.

    Returns
    -------
    Chart
        Frame: change_from, change_below, policies, policies_uncapped (where given). Classes are [from, below).

    Raises
    ------
    ModelError
        RM913 different lengths or nothing to draw, RM914 a premium before that is not above zero.

    Examples
    --------
    >>> frame = dislocation([100, 100, 100], [100, 104, 260], limit=0.1).frame
    >>> frame["policies"].tolist()
    [0, 0, 0, 2, 0, 1]
    """
    import pandas as pd

    before, after = np.asarray(before_yuan, float), np.asarray(after_yuan, float)
    ragged(before, after, names=("before_yuan", "after_yuan"))
    if not (before > 0).all():
        raise ModelError(problem("RM914", name="before_yuan", rows=int((~(before > 0)).sum())))
    inner = round(limit / width)
    edges = np.arange(-inner, inner + 1) * width

    def count(premium: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
        # A change of exactly one class width must not fall below its class for a last bit.
        return np.bincount(np.searchsorted(edges, premium / before - 1 + 1e-12, side="right"), minlength=len(edges) + 1)

    table = {
        "change_from": np.concatenate([[-np.inf], edges]),
        "change_below": np.concatenate([edges, [np.inf]]),
        "policies": count(after),
    }
    if uncapped_yuan is not None:
        free = np.asarray(uncapped_yuan, float)
        ragged(before, free, names=("before_yuan", "uncapped_yuan"))
        table["policies_uncapped"] = count(free)
    frame = pd.DataFrame(table)
    middle = np.concatenate([[edges[0] - width / 2], edges + width / 2])

    def draw(figure: Any) -> None:
        axes = figure.subplots()
        for rises, colour, said in (
            (True, VERMILION, heading("charged: the same or more", "实收：不降", lang)),
            (False, GREEN, heading("charged: less", "实收：下降", lang)),
        ):  # a colour of its own is a key of its own
            chosen = (middle > 0) == rises
            if frame["policies"][chosen].any():
                axes.bar(middle[chosen], frame["policies"][chosen], width * 0.92, color=colour, label=said)
        if uncapped_yuan is not None:
            said = heading("before caps", "限幅前", lang)
            outline = np.concatenate([[edges[0] - width], edges, [edges[-1] + width]])
            axes.stairs(frame["policies_uncapped"], outline, color=INK, linewidth=1.3, label=said)
            axes.legend()
        axes.axvline(0, color=GREY, linewidth=0.8)
        axes.xaxis.set_major_formatter(_percent)
        axes.yaxis.set_major_formatter("{x:,.0f}")
        axes.set_xlabel(heading("change of premium (outermost bars: beyond)", "保费变动（两端含以外各档）", lang))
        axes.set_ylabel(heading("policies", "保单数", lang))

    up, down = int((after > before).sum()), int((after < before).sum())
    alt = heading(
        f"{up:,} of {len(before):,} policies pay more, {down:,} less",
        f"{len(before):,}张保单中{up:,}张上升、{down:,}张下降",
        lang,
    )
    return Chart(title or heading("Who pays more, who less", "保费变动分布", lang), alt, frame, draw)


def fund_flow(
    insurers: Sequence[str],
    accrued_yuan: npt.ArrayLike,
    used_yuan: npt.ArrayLike,
    *,
    title: str | None = None,
    lang: Lang = "en",
) -> Chart:
    """Draw the prevention fund of every insurer: accrued, used, and what is left (or overspent).

    Parameters
    ----------
    insurers : (n,) texts
    accrued_yuan, used_yuan : (n,) float, yuan

    Returns
    -------
    Chart
        Frame: insurer, accrued_yuan, used_yuan, left_yuan, used_share (NaN where nothing accrued).

    Raises
    ------
    ModelError
        RM913 different lengths or nothing to draw.

    Examples
    --------
    >>> fund_flow(["A"], [100.0], [80.0]).frame[["left_yuan", "used_share"]].values.tolist()
    [[20.0, 0.8]]
    """
    import pandas as pd

    accrued, used = np.asarray(accrued_yuan, float), np.asarray(used_yuan, float)
    ragged(insurers, accrued, used, names=("insurers", "accrued_yuan", "used_yuan"))
    share = np.divide(used, accrued, out=np.full(len(used), np.nan), where=accrued > 0)
    frame = pd.DataFrame(
        {
            "insurer": list(insurers),
            "accrued_yuan": accrued,
            "used_yuan": used,
            "left_yuan": accrued - used,
            "used_share": share,
        }
    )

    def draw(figure: Any) -> None:
        axes, at, unit, word = figure.subplots(), np.arange(len(accrued)), *_unit(np.maximum(accrued, used), lang)
        axes.barh(at - 0.2, accrued / unit, 0.38, color=BLUE, label=heading("accrued", "提取", lang))
        axes.barh(at + 0.2, used / unit, 0.38, color=ORANGE, label=heading("used", "使用", lang), hatch="//")
        for place, amount, part in zip(at, np.maximum(accrued, used) / unit, share):
            said = "—" if np.isnan(part) else f"{part:.0%}"
            axes.annotate(said, (amount, place), (4, 0), textcoords="offset points", va="center", fontsize=8)
        axes.set_yticks(at, list(insurers))
        axes.invert_yaxis()
        axes.set_xlabel(word + heading("; label: share used", "；标注为使用率", lang))
        axes.xaxis.set_major_formatter("{x:,.0f}")
        axes.legend(loc="lower right")
        axes.margins(x=0.1)

    alt = heading(
        f"{len(accrued)} insurers accrued {accrued.sum():,.0f} yuan and used {used.sum():,.0f}",
        f"{len(accrued)}家公司共提取{accrued.sum():,.0f}元，使用{used.sum():,.0f}元",
        lang,
    )
    named = title or heading("Prevention fund by insurer", "各公司事故预防费用", lang)
    return Chart(named, alt, frame, draw, (8.0, 1.6 + 0.45 * len(accrued)))


def _signs(value: npt.NDArray[np.float64], first: bool = False) -> list[str]:
    """Return a colour for every value: up, down, and the first in blue where it is a start."""
    said = [VERMILION if one > 0 else GREEN for one in value]
    return [BLUE, *said[1:]] if first else said


def _percent(value: float, _: int) -> str:
    return f"{value:+.0%}"


def _unit(value: npt.NDArray[np.float64], lang: Lang) -> tuple[float, str]:
    """Return a unit that keeps axis figures short, and its name."""
    if value.max(initial=0.0) >= 1e6:
        return (
            (1e4, "万元") if lang == "zh" else (1e6, "million yuan") if value.max() >= 1e7 else (1e3, "thousand yuan")
        )
    return 1.0, heading("yuan", "元", lang)
