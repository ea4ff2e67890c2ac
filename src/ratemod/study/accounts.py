"""The account of a study: of every table, rows and money that came in = used + left out, each with its reason."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ratemod.errors import Lang, Problem, problem, text
from ratemod.rules.options import strict
from ratemod.study.losses import CATASTROPHE, COUNTED, NO_EXPOSURE, UNRATED, WITHOUT_COST

if TYPE_CHECKING:
    from ratemod.study.fit import Study

USES = ((COUNTED, "models"), (CATASTROPHE, "catastrophes"), (WITHOUT_COST, "without_cost"))
MOST_LINES = 12


@dataclass(frozen=True, slots=True)
class Account:
    """One line: rows of a table that came in, were used in one way, or were left out for one reason.

    Attributes
    ----------
    table : name of the table
    state : "came_in", "used" or "left_out"
    use : of what is used in one of several ways; else empty
    why : Problem of what is left out
    numbers : row numbers of what is left out
    rows : int; yuan : float, NaN where the table holds no money
    """

    table: str
    state: str
    use: str
    why: Problem | None
    numbers: tuple[int, ...]
    rows: int
    yuan: float


def accounts(study: Study) -> tuple[Account, ...]:
    """Return the account of every table; of each, the rows and the money that came in are those used and left out."""
    found: list[Account] = []
    for name, intake in study.history.intake.items():
        money = not np.isnan(intake.yuan).all()
        left = [
            Account(name, "left_out", "", why, rows, len(rows), yuan if money else np.nan)
            for why, rows, yuan in intake.left()
        ]
        used = np.flatnonzero(intake.good)
        uses: list[Account] = []
        if name == "policies":
            rated = study.base.good
            uses = [_used(name, "", intake.yuan[used[rated]], money)]
            left += _unrated(study, intake.numbers[used], intake.yuan[used], money)
        elif name == "claims":
            fate, yuan, numbers = study.data.fate, intake.yuan[used], intake.numbers[used]
            uses = [_used(name, use, yuan[fate == code], money) for code, use in USES]
            for code, why in ((UNRATED, "RM994"), (NO_EXPOSURE, "RM995")):
                at = fate == code
                if at.any():
                    rows = tuple(np.sort(numbers[at]).tolist())
                    left.append(Account(name, "left_out", "", problem(why), rows, len(rows), float(yuan[at].sum())))
        else:
            uses = [_used(name, "", intake.yuan[used], money)]
        whole = Account(
            name, "came_in", "", None, (), len(intake.numbers), float(np.nansum(intake.yuan)) if money else np.nan
        )
        found += [whole, *uses, *left]
    return tuple(found)


def _used(table: str, use: str, yuan: np.ndarray[tuple[int], np.dtype[np.float64]], money: bool) -> Account:
    return Account(table, "used", use, None, (), len(yuan), float(np.nansum(yuan)) if money else np.nan)


def _unrated(
    study: Study,
    numbers: np.ndarray[tuple[int], np.dtype[np.int64]],
    yuan: np.ndarray[tuple[int], np.dtype[np.float64]],
    money: bool,
) -> list[Account]:
    """Return the policies that the plan could not rate, by its reasons."""
    reasons = np.array(study.base.reasons, dtype=object)
    bad = ~study.base.good
    found = []
    for why in sorted(set(reasons[bad].tolist())):
        at = bad & (reasons == why)
        rows = tuple(np.sort(numbers[at]).tolist())
        lost = float(np.nansum(yuan[at])) if money else np.nan
        found.append(Account("policies", "left_out", "", problem("RM993", why=why or "?"), rows, len(rows), lost))
    return found


def refused_counts(study: Study) -> Counter[str]:
    """Return how many rows each table lost."""
    lost: Counter[str] = Counter()
    for line in accounts(study):
        if line.state == "left_out":
            lost[line.table] += line.rows
    return lost


@strict
def account_lines(study: Study, lang: Lang) -> list[str]:
    """Return the account in words: what came in and was used, then what was left out, the most money first."""
    lines = accounts(study)
    whole = {line.table: line for line in lines if line.state == "came_in"}
    said = []
    for table, came in whole.items():
        used = [line for line in lines if line.table == table and line.state == "used"]
        rows = f"{sum(line.rows for line in used):,}"
        if np.isnan(came.yuan):
            said.append(text("UI_account_used", lang, table=table, rows=f"{came.rows:,}", used=rows))
        else:
            money = f"{sum(line.yuan for line in used):,.2f}"
            said.append(
                text("UI_account_used_money", lang, table=table, rows=f"{came.rows:,}", yuan=f"{came.yuan:,.2f}",
                     used=rows, used_yuan=money)
            )  # fmt: skip
    left = [line for line in lines if line.state == "left_out" and line.why is not None]
    left.sort(key=lambda line: (-np.nan_to_num(line.yuan), -line.rows, line.table))
    for line in left[:MOST_LINES]:
        reason = f"{line.why.code} {line.why.what(lang)}" if line.why else ""
        if np.isnan(line.yuan):
            said.append(text("UI_account_left", lang, table=line.table, rows=f"{line.rows:,}", reason=reason))
        else:
            share = f"{line.yuan / whole[line.table].yuan:.1%}" if whole[line.table].yuan else "—"
            said.append(
                text("UI_account_left_money", lang, table=line.table, rows=f"{line.rows:,}", yuan=f"{line.yuan:,.2f}",
                     share=share, reason=reason)
            )  # fmt: skip
    if len(left) > MOST_LINES:
        rest = left[MOST_LINES:]
        reason = "study/accounts.csv"
        said.append(
            text("UI_account_left", lang, table="…", rows=f"{sum(line.rows for line in rest):,}", reason=reason)
        )
    return said
