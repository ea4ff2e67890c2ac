"""Where every claim of a list went: counted, outside its firm's window, of no firm, or of a refused firm.

    claims listed = counted + before the window + after the window + of no firm + of refused firms
in number and in fen. A claim that meets no firm makes its firm look free of claims, so each is named with the firm
whose code is nearest.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ratemod.errors import Lang, nearest_of, text
from ratemod.rules.options import strict

if TYPE_CHECKING:
    import pandas as pd

    from ratemod.experience.losses import ClaimList, Dates, Integers

FATES = ("counted", "before_window", "after_window", "of_no_firm", "refused")
COUNTED, BEFORE, AFTER, NO_FIRM, REFUSED = range(5)
MOST_COMPARED = 2_000


@dataclass(frozen=True, eq=False)
class ClaimAccount:
    """The fate of each claim of a list.

    Attributes
    ----------
    claims : ClaimList, k claims
    fate : (k,) int8, a place in `FATES`
    firms : names of the firms that claims were looked up among
    """

    claims: ClaimList
    fate: npt.NDArray[np.int8]
    firms: tuple[str, ...]

    @property
    def number(self) -> dict[str, int]:
        """Claims by fate; they add up to those listed."""
        return dict(zip(FATES, np.bincount(self.fate, minlength=len(FATES)).tolist()))

    @property
    def fen(self) -> dict[str, int]:
        """Incurred fen by fate; they add up to the list's."""
        return {name: int(self.claims.incurred_fen[self.fate == place].sum()) for place, name in enumerate(FATES)}

    @strict
    def left_out(self, lang: Lang = "en") -> pd.DataFrame:
        """Return the claims that modify no firm, one row each: number, code, day, yuan, why, and the nearest firm."""
        import pandas as pd

        rows = np.flatnonzero(self.fate != COUNTED)
        codes = [None] * len(rows) if self.claims.code is None else self.claims.code.take(rows).to_pylist()
        stray = dict.fromkeys(code for code, at in zip(codes, rows) if self.fate[at] == NO_FIRM and code)
        among = nearest_of(self.firms)
        near = {code: among(code) for code in list(stray)[:MOST_COMPARED]}
        why = [text(f"UI_claim_{name}", lang) for name in FATES]
        return pd.DataFrame(
            {
                "claim_no": [None if self.claims.number is None else str(self.claims.number[int(at)]) for at in rows],
                "credit_code": codes,
                "event_date": self.claims.event_date[rows],
                "incurred_yuan": self.claims.incurred_fen[rows] / 100,
                "fate": [FATES[self.fate[at]] for at in rows],
                "why": [why[self.fate[at]] for at in rows],
                "nearest_firm": [near.get(code) if self.fate[at] == NO_FIRM else None for code, at in zip(codes, rows)],
            }
        )


def account_of(
    claims: ClaimList, first: Dates, after: Dates, refused: npt.NDArray[np.bool_], firms: tuple[str, ...]
) -> ClaimAccount:
    """Return where every claim went.

    Parameters
    ----------
    claims : ClaimList, k claims
    first, after : (n,) dates, each firm's window [first, after)
    refused : (n,) bool, firms that are not modified
    firms : n names
    """
    known: Integers = np.maximum(claims.firm, 0)
    day = claims.event_date
    n = len(first)
    if n == 0:
        return ClaimAccount(claims, np.full(len(day), NO_FIRM, dtype=np.int8), firms)
    fate = np.full(len(day), COUNTED, dtype=np.int8)
    fate[day < first[known]] = BEFORE
    fate[day >= after[known]] = AFTER
    fate[refused[known] | np.isnat(day)] = REFUSED
    if claims.wrong is not None:
        fate[claims.wrong > 0] = REFUSED
    fate[claims.firm < 0] = NO_FIRM
    return ClaimAccount(claims, fate, firms)
