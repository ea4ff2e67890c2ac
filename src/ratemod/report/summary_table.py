"""The summary of a rated book by a few columns: one table for the terminal and the workbook."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from ratemod.errors import BookError, Lang, nearest, problem, text
from ratemod.rating.summary import default_by
from ratemod.reading.header import fold, near_column, spellings

if TYPE_CHECKING:
    from ratemod.plan.model import Plan
    from ratemod.rating.rated import Rated
    from ratemod.rating.stream import Streamed

Cell = str | int | Decimal | None


@dataclass(frozen=True, slots=True)
class SummaryTable:
    """Headers, rows, a total, and the look of each column: ``text``, ``whole`` or ``money``."""

    headers: tuple[str, ...]
    looks: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    total: tuple[Cell, ...]


def by_columns(plan: Plan, given: str | None, *, texts: bool = True) -> tuple[str, ...]:
    """Return the columns to summarise by: those named, as `named_columns`, or the default."""
    return named_columns(plan, given, texts=texts) if given else default_by(plan)


def named_columns(plan: Plan, given: str | None, *, texts: bool = True) -> tuple[str, ...]:
    """Return the columns that are named, by name, label or alias and with commas.

    Raises
    ------
    BookError
        RM813 for what is no level or flag column of the plan, nor, with `texts`, a text column.
    """
    kinds = ("level", "flag", "text") if texts else ("level", "flag")
    fitting = {name: column for name, column in plan.columns.items() if column.kind in kinds}
    known = spellings(fitting)
    named = [name.strip() for name in (given or "").replace("，", ",").split(",") if name.strip()]
    wrong = [
        problem(
            "RM813",
            name=name,
            known=", ".join(fitting),
            labels="、".join(one.label("zh") for one in fitting.values()),
            nearest=near_column(name, list(fitting), fitting) or nearest(name, fitting),
        )
        for name in named
        if fold(name) not in known
    ]
    if wrong:
        raise BookError(wrong)
    return tuple(known[fold(name)] for name in named)


def summary_table(rated: Rated | Streamed, by: Sequence[str], lang: Lang) -> SummaryTable:
    """Return policies, premium, mean premium, prevention fund and unpriced rows for each combination of `by`.

    Premiums count priced rows only; what could not be priced stands in a column of its own and is never averaged in.
    """
    plan, funded = rated.plan, rated.plan.fund is not None
    headers = [text("UI_plan", lang) if name == "plan" else plan.label(name, lang) for name in by]
    headers += [plan.text(f"UI_{name}", lang) for name in ("policies", "premium_yuan", "mean_yuan")]
    looks = ["text"] * len(by) + ["whole", "money", "money"]
    if funded:
        headers.append(plan.text("UI_fund_yuan", lang))
        looks.append("money")
    headers.append(text("UI_unpriced", lang))
    looks.append("whole")
    rows = []
    sums = [0, 0, 0, 0]
    for key, (policies, unpriced, premium, fund) in rated.totals(by).items():
        sums = [total + part for total, part in zip(sums, (policies, premium, fund, unpriced))]
        names = [_level(plan, name, value, lang) for name, value in zip(by, key)]
        rows.append((*names, *_figures(plan, policies, premium, fund, unpriced, funded)))
    lead = [text("UI_total", lang), *[""] * (len(by) - 1)] if by else []
    return SummaryTable(
        tuple(headers),
        tuple(looks),
        tuple(rows) if by else (),
        (*lead, *_figures(plan, sums[0], sums[1], sums[2], sums[3], funded)),
    )


def _figures(plan: Plan, policies: int, premium: int, fund: int, unpriced: int, funded: bool) -> tuple[Cell, ...]:
    amount = plan.money.amount
    mean = amount((2 * premium + policies) // (2 * policies)) if policies else None  # half-up to the smallest unit
    return (policies, amount(premium), mean, *((amount(fund),) if funded else ()), unpriced)


def _level(plan: Plan, name: str, value: str, lang: Lang) -> str:
    if value == "":
        return text("UI_not_given", lang)
    return plan.level_label(name, value, lang)  # the edition of a row is no column of the plan
