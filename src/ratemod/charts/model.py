"""Charts of a model: relativities, actual against expected, lift, Lorenz, quintiles of experience rating, severity."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ratemod.charts.style import (
    ABOVE,
    BLUE,
    GREY,
    INK,
    ORANGE,
    PALE,
    SKY,
    VERMILION,
    Chart,
    heading,
    ragged,
    slanted,
    sparse,
)  # fmt: skip
from ratemod.errors import Lang

Floats = npt.NDArray[np.float64]


def relativities(
    levels: Sequence[str],
    indicated: npt.ArrayLike,
    low: npt.ArrayLike,
    high: npt.ArrayLike,
    exposure: npt.ArrayLike,
    *,
    current: npt.ArrayLike | None = None,
    selected: npt.ArrayLike | None = None,
    indicated_label: str | None = None,
    title: str | None = None,
    lang: Lang = "en",
) -> Chart:
    """Draw the relativities of one factor with their intervals over bars of exposure.

    Parameters
    ----------
    levels : (n,) texts
    indicated, low, high : (n,) float, factors
        Low and high are the ends of the interval.
    exposure : (n,) float, any unit
    current, selected : (n,) float, factors, optional
    indicated_label : str, optional
        What the points with the interval are called.

    Returns
    -------
    Chart
        Frame: level, exposure, indicated, low, high, and current and selected where given.

    Raises
    ------
    ModelError
        RM913 different lengths or nothing to draw.

    Examples
    --------
    >>> relativities(["a", "b"], [1, 2], [1, 1.5], [1, 2.7], [90, 10], selected=[1, 1.8]).frame["selected"].tolist()
    [1.0, 1.8]
    """
    import pandas as pd

    table: dict[str, Any] = {"level": list(levels), "exposure": np.asarray(exposure, float)}
    given = {"indicated": indicated, "low": low, "high": high, "current": current, "selected": selected}
    table |= {name: np.asarray(value, float) for name, value in given.items() if value is not None}
    ragged(*table.values(), names=tuple(table))
    frame = pd.DataFrame(table)

    def draw(figure: Any) -> None:
        axes, at = figure.subplots(), np.arange(len(frame))
        _exposure_bars(axes, at, frame["exposure"].to_numpy(), lang)
        spread = [frame["indicated"] - frame["low"], frame["high"] - frame["indicated"]]
        said = indicated_label or heading("indicated, with interval", "指示值及区间", lang)
        axes.errorbar(
            at, frame["indicated"], spread, color=BLUE, marker="o", linestyle="none", capsize=4, label=said, zorder=4
        )
        others = (
            ("current", heading("current", "现行", lang), "s", INK, -0.16),
            ("selected", heading("selected", "选定", lang), "D", ORANGE, 0.16),
        )
        for name, said, marker, colour, aside in others:
            if name in frame:
                axes.plot(at + aside, frame[name], marker, color=colour, label=said, zorder=5, markersize=6)
        axes.axhline(1, color=GREY, linewidth=0.8, linestyle=":")
        axes.set_xticks(at, sparse(list(levels)), **slanted(levels))
        axes.set_ylabel(heading("relativity", "相对系数", lang))
        axes.legend(**ABOVE)

    ordered = frame[frame["indicated"].notna()].sort_values("indicated", kind="stable")
    outer = ordered.iloc[[0, -1][: len(ordered)]]
    ends = " – ".join(f"{row.indicated:.2f} ({row.level})" for row in outer.itertuples())
    alt = heading(f"{len(frame)} levels; indicated {ends}", f"{len(frame)}个水平；指示值 {ends}", lang)
    return Chart(title or heading("Relativities", "相对系数", lang), alt, frame, draw)


def actual_expected(
    levels: Sequence[str],
    actual: npt.ArrayLike,
    expected: npt.ArrayLike,
    exposure: npt.ArrayLike,
    *,
    standard_error: npt.ArrayLike | None = None,
    title: str | None = None,
    lang: Lang = "en",
) -> Chart:
    """Draw actual over expected losses of every level of a factor, over bars of exposure.

    Parameters
    ----------
    levels : (n,) texts
    actual, expected : (n,) float, the same unit; expected > 0 else the ratio is empty
    exposure : (n,) float
    standard_error : (n,) float, of the ratio, optional
        Drawn as ±1.96 of it about one: a ratio outside is more than chance.

    Returns
    -------
    Chart
        Frame: level, exposure, actual, expected, ratio, and standard_error where given.

    Raises
    ------
    ModelError
        RM913 different lengths or nothing to draw.

    Examples
    --------
    >>> actual_expected(["a"], [90.0], [100.0], [5.0]).frame["ratio"].tolist()
    [0.9]
    """
    import pandas as pd

    table: dict[str, Any] = {"level": list(levels)}
    given = {"exposure": exposure, "actual": actual, "expected": expected, "standard_error": standard_error}
    table |= {name: np.asarray(value, float) for name, value in given.items() if value is not None}
    ragged(*table.values(), names=tuple(table))
    divisor = table["expected"]
    ratio = np.divide(table["actual"], divisor, out=np.full(len(divisor), np.nan), where=divisor > 0)
    frame = pd.DataFrame({**table, "ratio": ratio})

    def draw(figure: Any) -> None:
        axes, at = figure.subplots(), np.arange(len(frame))
        _exposure_bars(axes, at, frame["exposure"].to_numpy(), lang)
        if "standard_error" in frame:
            said = heading("what chance allows (95 %)", "随机波动范围（95%）", lang)
            axes.errorbar(
                at, np.ones(len(at)), 1.96 * frame["standard_error"], fmt="none", ecolor=GREY, elinewidth=5, alpha=0.5,
                label=said, zorder=3,
            )  # fmt: skip
        axes.plot(at, ratio, "o-", color=BLUE, zorder=4, label=heading("actual / expected", "实际/预期", lang))
        axes.axhline(1, color=INK, linewidth=0.8)
        axes.set_xticks(at, sparse(list(levels)), **slanted(levels))
        axes.set_ylabel(heading("actual / expected", "实际/预期", lang))
        axes.legend(**ABOVE)

    alt = heading(f"{len(frame)} levels, actual over expected", f"{len(frame)}个水平的实际与预期之比", lang)
    return Chart(title or heading("Actual over expected", "实际与预期", lang), alt, frame, draw)


def lift(
    predicted: npt.ArrayLike, actual: npt.ArrayLike, exposure: npt.ArrayLike, *, title: str | None = None,
    lang: Lang = "en",
) -> Chart:  # fmt: skip
    """Draw mean prediction and mean actual in bands of ascending prediction.

    Parameters
    ----------
    predicted, actual : (bands,) float, means of the band
    exposure : (bands,) float

    Returns
    -------
    Chart
        Frame: band (1-based), exposure, predicted, actual.

    Raises
    ------
    ModelError
        RM913 different lengths or nothing to draw.

    Examples
    --------
    >>> lift([1, 2], [1.1, 1.9], [5, 5]).frame["band"].tolist()
    [1, 2]
    """
    import pandas as pd

    table = {
        "exposure": np.asarray(exposure, float),
        "predicted": np.asarray(predicted, float),
        "actual": np.asarray(actual, float),
    }
    ragged(*table.values(), names=tuple(table))
    frame = pd.DataFrame({"band": np.arange(1, len(table["actual"]) + 1), **table})

    def draw(figure: Any) -> None:
        axes, at = figure.subplots(), frame["band"].to_numpy()
        _exposure_bars(axes, at, frame["exposure"].to_numpy(), lang)
        axes.plot(at, frame["predicted"], "D--", color=ORANGE, label=heading("predicted", "预测", lang), zorder=4)
        axes.plot(at, frame["actual"], "o-", color=BLUE, label=heading("actual", "实际", lang), zorder=5)
        axes.set_xticks(at)
        axes.set_xlabel(heading("bands of ascending prediction", "按预测由低到高分档", lang))
        axes.set_ylabel(heading("loss cost", "纯风险保费", lang))
        axes.legend(loc="upper left")

    alt = heading(f"{len(frame)} bands of prediction", f"{len(frame)}档预测", lang)
    return Chart(title or heading("Lift", "提升图", lang), alt, frame, draw)


def lorenz(
    exposure_share: npt.ArrayLike, loss_share: npt.ArrayLike, *, gini: float | None = None, title: str | None = None,
    lang: Lang = "en",
) -> Chart:  # fmt: skip
    """Draw the ordered Lorenz curve: share of losses against share of exposure, safest first.

    Parameters
    ----------
    exposure_share, loss_share : (n,) float, cumulative shares from 0 to 1
    gini : float, optional
        Printed in the chart; else computed as 1 − 2·area by trapezoids.

    Returns
    -------
    Chart
        Frame: exposure_share, loss_share.

    Raises
    ------
    ModelError
        RM913 different lengths or nothing to draw.

    Examples
    --------
    >>> lorenz([0, 0.5, 1], [0, 0.25, 1]).alt
    'Gini 0.250'
    """
    import pandas as pd

    x, y = np.asarray(exposure_share, float), np.asarray(loss_share, float)
    ragged(x, y, names=("exposure_share", "loss_share"))
    value = float(1 - 2 * np.trapezoid(y, x)) if gini is None else gini
    frame = pd.DataFrame({"exposure_share": x, "loss_share": y})
    said = heading(f"Gini {value:.3f}", f"基尼系数 {value:.3f}", lang)

    def draw(figure: Any) -> None:
        axes = figure.subplots()
        axes.plot([0, 1], [0, 1], color=GREY, linestyle=":", label=heading("no discrimination", "无区分力", lang))
        axes.plot(x, y, color=BLUE, linewidth=2, label=said)
        axes.fill_between(x, x, y, color=SKY, alpha=0.3)
        axes.set(xlim=(0, 1), ylim=(0, 1), aspect="equal")
        axes.set_xlabel(heading("share of exposure, lowest prediction first", "风险暴露累计占比（预测由低到高）", lang))
        axes.set_ylabel(heading("share of losses", "赔款累计占比", lang))
        axes.legend(loc="upper left")

    return Chart(title or heading("Lorenz curve", "洛伦兹曲线", lang), said, frame, draw, (5.0, 5.2))


def quintiles(
    standard_ratio: npt.ArrayLike, manual_ratio: npt.ArrayLike, *, title: str | None = None, lang: Lang = "en"
) -> Chart:
    """Draw the quintile test of experience rating: loss ratios before and after the modification, by its size.

    Parameters
    ----------
    standard_ratio : (groups,) float
        Loss ratio to the modified premium of groups of ascending modification: flat if the modification works.
    manual_ratio : (groups,) float
        Loss ratio to the unmodified premium: rising if there is something to tell apart.

    Returns
    -------
    Chart
        Frame: group (1-based), manual_ratio, standard_ratio.

    Raises
    ------
    ModelError
        RM913 different lengths or nothing to draw.

    Source
    ------
    The test of Dorweiler (1934) and Gillam (1992): credits and debits should leave groups equally desirable.

    Examples
    --------
    >>> quintiles([0.9, 1.1], [0.6, 1.4]).frame["group"].tolist()
    [1, 2]
    """
    import pandas as pd

    before, after = np.asarray(manual_ratio, float), np.asarray(standard_ratio, float)
    ragged(after, before, names=("standard_ratio", "manual_ratio"))
    frame = pd.DataFrame({"group": np.arange(1, len(after) + 1), "manual_ratio": before, "standard_ratio": after})

    def draw(figure: Any) -> None:
        axes, at = figure.subplots(), frame["group"].to_numpy()
        axes.bar(at - 0.2, before, 0.38, color=PALE, edgecolor=GREY, label=heading("before", "浮动前", lang))
        axes.bar(at + 0.2, after, 0.38, color=BLUE, label=heading("after modification", "浮动后", lang))
        axes.axhline(1, color=INK, linewidth=0.8)
        axes.set_xticks(at)
        axes.set_xlabel(heading("groups of ascending modification", "按浮动系数由低到高分组", lang))
        axes.set_ylabel(heading("loss ratio relative to average", "相对赔付率", lang))
        axes.legend(loc="upper left")

    alt = heading(f"{len(after)} groups", f"{len(after)}组", lang)
    return Chart(title or heading("Quintile test", "五分位检验", lang), alt, frame, draw)


def severity_fit(
    loss_yuan: npt.ArrayLike,
    fitted_quantile_yuan: npt.ArrayLike,
    survival: npt.ArrayLike,
    fitted_survival: npt.ArrayLike,
    *,
    title: str | None = None,
    lang: Lang = "en",
) -> Chart:
    """Draw a severity fit twice: quantiles against quantiles, and survival on logarithmic axes.

    Parameters
    ----------
    loss_yuan : (n,) float, ascending, yuan
    fitted_quantile_yuan : (n,) float, yuan
        Quantiles of the fitted distribution at the plotting positions of the losses.
    survival, fitted_survival : (n,) float, shares
        Empirical and fitted share of claims above each loss.

    Returns
    -------
    Chart
        Frame: loss_yuan, fitted_quantile_yuan, survival, fitted_survival.

    Raises
    ------
    ModelError
        RM913 different lengths or nothing to draw.

    Examples
    --------
    >>> severity_fit([1, 2], [1.1, 2.2], [0.5, 0.1], [0.5, 0.1]).frame.shape
    (2, 4)
    """
    import pandas as pd

    table = {
        "loss_yuan": np.asarray(loss_yuan, float),
        "fitted_quantile_yuan": np.asarray(fitted_quantile_yuan, float),
        "survival": np.asarray(survival, float),
        "fitted_survival": np.asarray(fitted_survival, float),
    }
    ragged(*table.values(), names=tuple(table))
    frame = pd.DataFrame(table)

    def draw(figure: Any) -> None:
        left, right = figure.subplots(1, 2)
        x, y = frame["fitted_quantile_yuan"], frame["loss_yuan"]
        left.plot(x, y, "o", color=BLUE, markersize=3)
        ends = [min(x.min(), y.min()), max(x.max(), y.max())]
        left.plot(ends, ends, color=VERMILION, linewidth=1)
        left.set(xscale="log", yscale="log", xlabel=heading("fitted quantile, yuan", "拟合分位数（元）", lang))
        left.set_ylabel(heading("loss, yuan", "赔款（元）", lang))
        right.step(y, frame["survival"], where="post", color=BLUE, label=heading("observed", "观测", lang))
        right.plot(y, frame["fitted_survival"], color=ORANGE, linestyle="--", label=heading("fitted", "拟合", lang))
        right.set(xscale="log", yscale="log", xlabel=heading("loss, yuan", "赔款（元）", lang))
        right.set_ylabel(heading("share of claims above", "超过该额的案件占比", lang))
        right.legend()
        for axis in (left.xaxis, left.yaxis, right.xaxis, right.yaxis):
            axis.set_major_formatter(_powers)
            axis.set_minor_formatter("")

    alt = heading(f"{len(frame):,} claims against the fitted curve", f"{len(frame):,}件赔案与拟合曲线", lang)
    return Chart(title or heading("Severity fit", "赔款强度拟合", lang), alt, frame, draw, (9.0, 4.2))


def _exposure_bars(axes: Any, at: npt.NDArray[Any], exposure: Floats, lang: Lang) -> None:
    """Draw pale bars of the share of exposure behind, on an axis of their own."""
    behind = axes.twinx()
    behind.bar(at, exposure / max(exposure.sum(), 1e-300), 0.8, color=PALE, zorder=0)
    top = 2.2 * float(exposure.max()) / max(float(exposure.sum()), 1e-300) or 1.0
    behind.set_ylim(0, top)
    behind.set_yticks([tick for tick in behind.get_yticks() if tick <= min(top, 1.0) + 1e-9])  # no share is above 100 %
    behind.yaxis.set_major_formatter(lambda value, _: f"{100 * value:.3g}%")
    behind.set_ylabel(heading("share of exposure (bars)", "风险暴露占比（柱）", lang), color=GREY)
    behind.spines["right"].set_visible(True)
    axes.set_zorder(behind.get_zorder() + 1)
    axes.patch.set_visible(False)


def _powers(value: float, _: int) -> str:
    """Return a tick of a logarithmic axis in plain figures: 10,000 rather than a power."""
    return f"{value:,.0f}" if value >= 1 else f"{value:g}"
