"""`credibility`: a table of firms and periods in, one row a firm out, by any of the methods.

Nothing is estimated here: the rows become a (firms, periods) panel, a method of this package does the work, and its
parts are laid side by side. A firm whose rows contradict themselves is refused with the reason; the others are not
affected.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from ratemod.errors import BookError, Lang, Problem, default_language, nearest, problem
from ratemod.experience.methods import PANELS
from ratemod.experience.methods import Method as Registered
from ratemod.experience.panel import Floats, Integers, refuse
from ratemod.experience.panel_methods import Panel, Parts
from ratemod.reading.book import Book
from ratemod.reading.header import HeaderMap
from ratemod.reading.rows import is_sum
from ratemod.reading.text_levels import one_spelling
from ratemod.rules.options import strict
from ratemod.rules.within import Amount, Chance, Factor
from ratemod.vocabulary.column import Column
from ratemod.vocabulary.measure import ANY

if TYPE_CHECKING:
    import pandas as pd

Method = Literal[
    "limited_fluctuation",
    "buhlmann",
    "buhlmann_straub",
    "buhlmann_straub_iterative",
    "hierarchical",
    "hierarchical_ohlsson",
    "hierarchical_iterative",
    "hachemeister",
    "poisson_gamma",
    "semiparametric_poisson",
]
MOST_TOLD = 20
DEFAULTS = {"risk": "firm", "risk_period": "period", "risk_value": "value", "risk_weight": "weight"}


@strict
def credibility(
    data: Any,
    method: Method = "buhlmann_straub",
    *,
    firm: str = "firm",
    period: str = "period",
    value: str = "value",
    weight: str = "weight",
    levels: Sequence[str] = (),
    header_map: HeaderMap | None = None,
    lang: Lang | None = None,
    full: Factor | None = None,
    probability: Chance | None = None,
    within: Factor | None = None,
    variation: Amount | None = None,
    variance_to_mean: Amount | None = None,
) -> pd.DataFrame:
    """Return the credibility estimate of every firm with the parts that explain it.

    Parameters
    ----------
    data : any frame with the Arrow interface, or path (csv, xlsx, parquet); one row a firm and period
    method : "limited_fluctuation" (weights are claims; z = √(claims / full)), "buhlmann" (weights only say whether a
        period was seen), "buhlmann_straub", "buhlmann_straub_iterative", "hierarchical" (needs `levels`),
        "hierarchical_ohlsson", "hierarchical_iterative", "hachemeister" (estimate of the period after the last),
        "poisson_gamma" (values are claims, weights are expected claims; the estimate is the modification of all
        periods together), or "semiparametric_poisson" (values are claims, weights exposure; of the frequency)
    firm, period, value, weight : names of the columns; value is per unit of weight except for counts. A column that
        the table lacks under its default name is looked for under those of the shared table "risk_periods".
    levels : names of columns, from the top down, such as ("sector", "region")
    header_map : header in the file -> name above; lang : language of the reasons
    full, probability, within, variation, variance_to_mean : of limited fluctuation, see `by_limited_fluctuation`

    Returns
    -------
    pandas.DataFrame, one row a firm, ascending: firm, periods, weight, own, complement, z, estimate, code, reason.
        estimate = z · own + (1 − z) · complement (for "hachemeister" z is that of the level). A refused firm has NaN, a
        code and a reason. `attrs` holds the structure: method, collective, variances, warnings (in `lang`;
        in both languages: warnings_in).

    Raises
    ------
    BookError
        When the table cannot be read.
    ModelError
        RM663 hierarchical without levels; RM461 an option that the method does not use; RM644, RM645 and others of the
        methods.

    Examples
    --------
    >>> import pandas as pd
    >>> rows = pd.DataFrame({"firm": list("aabbcc"), "period": [1, 2] * 3, "value": [1, 2, 3, 5, 4, -0.5],
    ...                      "weight": [1.0, 1, 2, 2, 1, 0]})
    >>> found = credibility(rows)
    >>> found["estimate"].round(3).tolist(), found["code"].tolist()
    ([1.95, 3.775, nan], ['', '', 'RM665'])
    """
    chosen = PANELS[method]
    assert chosen.panel is not None  # `PANELS` are those that have it
    options = {
        "full": full,
        "probability": probability,
        "within": within,
        "variation": variation,
        "variance_to_mean": variance_to_mean,
    }
    said = {name: option for name, option in options.items() if option is not None}
    _refuse_options(chosen, [*said, *(["levels"] if levels else [])])
    panel = read_panel(data, firm, period, value, weight, levels, header_map, counts=chosen.counts)
    if len(panel.kept) == 0 and panel.refused:  # no firm is left: the reasons, not what their absence leads to
        refuse(list({item.line(): item for item in panel.refused.values()}.values())[:MOST_TOLD])
    return _frame(panel, chosen.panel(panel, **said), method, lang or default_language())


def _refuse_options(chosen: Registered, said: Sequence[str]) -> None:
    """Refuse options that a method does not use, and a method without the levels that it needs."""
    used = (*chosen.options, *(["levels"] if chosen.needs_levels else []))
    wrong = [problem("RM461", option=name, method=chosen.name) for name in said if name not in used]
    refuse(wrong + ([problem("RM663")] if chosen.needs_levels and "levels" not in said else []))


def _frame(panel: Panel, parts: Parts, method: str, lang: Lang) -> pd.DataFrame:
    """Return one row a firm, those refused with their reason, and the structure as attributes."""
    import pandas as pd

    size = len(panel.names)
    columns: dict[str, Any] = {"firm": list(panel.names)}
    seen = np.isfinite(panel.value) & (panel.weight > 0)
    for name, column in (
        ("periods", seen.sum(axis=1).astype(np.float64)),
        ("weight", np.where(seen, panel.weight, 0.0).sum(axis=1)),
        ("own", parts.own),
        ("complement", parts.complement),
        ("z", parts.z),
        ("estimate", parts.estimate),
    ):
        whole = np.full(size, np.nan)
        whole[panel.kept] = column
        columns[name] = whole
    codes, reasons = [""] * size, [""] * size
    for at, why in panel.refused.items():
        codes[at], reasons[at] = why.code, why.what(lang)
    found = pd.DataFrame(columns | {"code": codes, "reason": reasons})
    noted = [problem("RM949", n=panel.blank)] if panel.blank else []
    told: dict[Lang, list[str]] = {
        tongue: [item.line(tongue) for item in (*noted, *parts.warnings)] for tongue in get_args(Lang)
    }
    found.attrs.update({"method": method, **parts.structure, "warnings": told[lang], "warnings_in": told})
    return found


def read_panel(
    data: Any,
    firm: str = "firm",
    period: str = "period",
    value: str = "value",
    weight: str = "weight",
    levels: Sequence[str] = (),
    header_map: HeaderMap | None = None,
    *,
    counts: bool = False,
) -> Panel:
    """Return a table as a panel; contradictory firms are set aside with a reason (RM654, RM664, RM665, RM668).

    Periods that are numbers, such as years, are ordered and spaced as numbers; all others as text or days, evenly. With
    `counts`, values must be whole and not negative.

    Examples
    --------
    >>> import pandas as pd
    >>> read_panel(pd.DataFrame({"firm": ["b", "a"], "period": [1, 2], "value": [3, 4.0], "weight": [1, 1]})).value
    array([[nan,  4.],
           [ 3., nan]])
    """
    book, amounts = _read(data, (firm, period, value, weight), levels, header_map)
    who, names = _sorted_codes(one_spelling(book.table[firm]))
    when, periods = _sorted_codes(one_spelling(book.table[period]))
    refused: dict[int, Problem] = {}
    lost = np.flatnonzero((who < 0) | (when < 0))
    refuse([problem("RM667", wrong=len(lost), first=int(lost[0]))] if len(lost) else [])
    firm_sums, period_sums = (
        [at for at, name in enumerate(said) if isinstance(name, str) and is_sum(name)] for said in (names, periods)
    )
    for at in (*firm_sums, *who[np.isin(when, period_sums)].tolist()):
        refused.setdefault(at, problem("RM693"))
    when, periods = _by_number(when, periods)
    x, m = (_amount(book, column, who, refused) for column in amounts)
    if counts:
        for place_of in np.flatnonzero((x < 0) | (x != np.floor(x)) & np.isfinite(x)):
            refused.setdefault(int(who[place_of]), problem("RM664", name=value, value=f"{x[place_of]:g}"))
    _contradictions(x, m, who, when, len(periods), refused)
    groups = [_level(book.table[name], name, who, len(names), refused) for name in levels]
    usable = np.ones(len(names), dtype=bool)
    usable[list(refused)] = False
    kept = np.flatnonzero(usable)
    place = np.where(usable, np.cumsum(usable) - 1, -1)
    grid = np.full((2, len(kept), len(periods)), np.nan)
    row = place[who]
    good = row >= 0
    for at, amount in enumerate((x, m)):
        grid[at][row[good], when[good]] = amount[good]
    return Panel(
        names=names,
        periods=periods,
        value=grid[0],
        weight=grid[1],
        kept=kept,
        levels=tuple(group[kept] for group in groups),
        refused=refused,
        blank=int((good & np.isnan(x) & (m > 0)).sum()),
    )


def _read(
    data: Any, names: tuple[str, str, str, str], levels: Sequence[str], header_map: HeaderMap | None
) -> tuple[Any, list[Column]]:
    """Return the table, and its columns of values and weights; what it lacks may go by the words of the vocabulary."""
    from ratemod.reading.read import read_book
    from ratemod.vocabulary.table import column

    firm, period, value, weight = names
    amounts = [
        Column(value, "number", decimals=15, optional=True, measure=ANY),
        Column(weight, "number", decimals=15, low=Decimal(0), optional=True, measure=ANY),
    ]
    plain = [*(Column(name, "text") for name in (firm, period, *levels)), *amounts]
    wanted = {one.name: one for one in plain}
    known = dict(zip(names, ("risk", "risk_period", "risk_value", "risk_weight")))
    try:
        book = read_book(data, wanted, header_map=header_map)
        missing = [name for name in wanted if name not in book.table.column_names]
    except BookError as error:
        if {item.code for item in error.problems} != {"RM221"}:
            raise
        missing = list(wanted)
    if not missing:
        return book, amounts
    for name in missing:
        if name == DEFAULTS.get(known.get(name, "")):
            word = column(known[name])
            wanted[name] = replace(
                wanted[name],
                label_en=word.label_en,
                label_zh=word.label_zh,
                aliases=tuple(one for one in word.aliases if one not in wanted),
            )
    try:
        book = read_book(data, wanted, header_map=header_map)
    except BookError as error:
        if {item.code for item in error.problems} == {"RM221"}:
            refuse(problem("RM666", name=name) for name in wanted)
        raise
    given = book.table.column_names
    refuse(problem("RM666", name=name, nearest=nearest(name, given)) for name in wanted if name not in given)
    return book, amounts


def _sorted_codes(column: Any) -> tuple[Integers, list[Any]]:
    """Return the place of every cell among the ascending different values, -1 where empty, and those values."""
    import pyarrow as pa
    import pyarrow.compute as pc

    from ratemod.reading.checks import codes_of

    whole = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if not pa.types.is_dictionary(whole.type):
        whole = pc.dictionary_encode(whole)
    if isinstance(whole, pa.ChunkedArray):
        whole = whole.combine_chunks()
    codes = codes_of(whole)
    order = np.asarray(pc.array_sort_indices(whole.dictionary)).astype(np.int64)
    order = order[np.isin(order, codes)]  # a category that no row has is no firm
    rank = np.full(len(whole.dictionary) + 1, -1, dtype=np.int64)
    rank[order] = np.arange(len(order))
    return rank[codes], whole.dictionary.take(pa.array(order)).to_pylist()


def _by_number(when: Integers, periods: list[Any]) -> tuple[Integers, list[Any]]:
    """Return periods in the order of their numbers, where all are numbers: text would put 10 before 9."""
    try:
        number = np.array([float(name) for name in periods])
    except (TypeError, ValueError):
        return when, periods
    ascending, place = np.unique(number, return_inverse=True)
    return place.astype(np.int64)[when], ascending.tolist()


def _amount(book: Book, column: Column, who: Integers, refused: dict[int, Problem]) -> Floats:
    """Return numbers; firms with a cell that cannot be used are refused."""
    import pyarrow as pa

    from ratemod.reading.convert import convert

    array, size = book.table[column.name], book.conversions.get(column.name)
    if pa.types.is_floating(array.type) or pa.types.is_integer(array.type):
        found: Floats = array.cast(pa.float64(), safe=False).to_numpy().astype(np.float64) * float(size or 1)
        low = -np.inf if column.low is None else float(column.low)
        for at in np.flatnonzero(np.isinf(found) | (found < low)):
            refused.setdefault(int(who[at]), problem("RM664", name=column.name, value=f"{found[at]:g}"))
        return found
    coded = convert(array, column, size)
    if coded.problem_of is not None:
        for at in np.flatnonzero(coded.problem_of):
            refused.setdefault(int(who[at]), coded.problems[coded.problem_of[at] - 1])
    return np.asarray(coded.values, dtype=np.float64)


def _contradictions(
    value: Floats, weight: Floats, who: Integers, when: Integers, periods: int, refused: dict[int, Problem]
) -> None:
    """Refuse firms with a period twice, or with losses in a period that has no weight."""
    for cell in np.flatnonzero(np.bincount(who * periods + when) > 1):
        refused.setdefault(int(cell) // periods, problem("RM654"))
    bare = np.isfinite(value) & (value != 0) & ~(weight > 0)
    for at in np.flatnonzero(bare):
        refused.setdefault(int(who[at]), problem("RM665"))


def _level(column: Any, name: str, who: Integers, firms: int, refused: dict[int, Problem]) -> npt.NDArray[np.int64]:
    """Return one level code a firm; a firm that stands at two, or at none, is refused."""
    codes, _ = _sorted_codes(column)
    low, high = np.full(firms, np.iinfo(np.int64).max), np.full(firms, -1)
    np.minimum.at(low, who, codes)
    np.maximum.at(high, who, codes)
    for firm in np.flatnonzero((low != high) | (low < 0)):
        refused.setdefault(int(firm), problem("RM668", name=name))
    return high
