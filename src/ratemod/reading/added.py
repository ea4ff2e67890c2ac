"""Which headers this program adds to a list that it writes, so that a list that comes back is known by them.

A list of refused rows begins with what is said of each; a priced one has its result, from the premium to the remarks,
its steps and its edition in one stretch. None of them is a column of the list, whatever columns a plan has under the
same words. A Parquet file of priced rows has them under names of their own; a shared table may declare one
of those (``premium_fen``).
"""

from __future__ import annotations

import functools
from collections.abc import Sequence

from ratemod.errors import LANGUAGES, Lang, text

SAID = ("row", "status", "code", "reason", "suggestion")
PRICED = ("row", "premium_yuan", "bounds", "notes", "plan")  # and more, of MORE
DECISION = ("decision", "decided_factor", "decided_by", "decided_on")
MORE = ("premium_change", "fund_yuan", "status", *DECISION)
RESULTS = ("premium_fen", "fund_fen", "status", "code", "reason", "bounds", "notes", "plan")
PLACES = ("source_table", "source_row")


def added(texts: Sequence[object]) -> frozenset[int]:
    """Return the places of the headers that this program added; none where the list is not one of its own.

    Examples
    --------
    >>> sorted(added(["Original row", "Status", "Code", "Reason", "Suggestion", "Policy number", "Reason"]))
    [0, 1, 2, 3, 4]
    >>> priced = ["Original row", "Premium (yuan)", "Status", "What bound", "Notes", "Grade", "Plan", "Grade", "Notes"]
    >>> sorted(added(priced)), added(["Reason", "Status"])
    ([0, 1, 2, 3, 4, 5, 6], frozenset())
    """
    given = [said.strip() if isinstance(said, str) else "" for said in texts]
    if is_result_file(given):
        return frozenset(at for at, said in enumerate(given) if said in (*PLACES, *RESULTS))
    for lang in LANGUAGES:
        if text("UI_row", lang) not in given:
            continue
        refused, remarks = _words(lang)
        if set(refused) <= set(given):
            return frozenset(given.index(word) for word in refused)
        at = next((at for at, said in enumerate(given) if _is_premium(said, lang)), None)
        stretch = [at] if at is not None else []
        for word in remarks:  # in this order, whatever stands between
            if stretch and word in given[stretch[-1] :]:
                stretch.append(given.index(word, stretch[-1]))
        if len(stretch) == len(remarks) + 1:
            return frozenset([given.index(text("UI_row", lang)), *range(stretch[0], stretch[-1] + 1)])
    return frozenset()


def is_result_file(names: Sequence[str]) -> bool:
    """Return whether a frame of these columns is priced rows as this program writes them into Parquet.

    Examples
    --------
    >>> is_result_file(["policy_no", *RESULTS]), is_result_file(["premium_fen", "status"])
    (True, False)
    """
    return set(RESULTS) <= set(names)


@functools.cache
def _words(lang: Lang) -> tuple[tuple[str, ...], tuple[str, ...]]:
    return tuple(text(f"UI_{name}", lang) for name in SAID), tuple(text(f"UI_{name}", lang) for name in PRICED[2:])


def _is_premium(said: str, lang: Lang) -> bool:
    """Return whether a header is that of the premium, in whatever money."""
    before, after = text("UI_premium_yuan", lang, money="\0").split("\0")
    return said.startswith(before) and said.endswith(after)
