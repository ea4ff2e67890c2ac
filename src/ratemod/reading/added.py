"""Which headers this program adds to a list that it writes, so that a list that comes back is known by them.

A list of refused rows begins with what is said of each; a priced one ends with its result, its steps and the remarks.
None of them is a column of the list, whatever columns a plan has under the same words.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence

from ratemod.errors import LANGUAGES, Lang, text

SAID = ("row", "status", "code", "reason", "suggestion")
PRICED = ("row", "premium_yuan", "bounds", "notes", "plan")  # and more, of MORE
MORE = ("fund_yuan", "status")


def added(texts: Sequence[object]) -> frozenset[int]:
    """Return the places of the headers that this program added; none where the list is not one of its own.

    Examples
    --------
    >>> sorted(added(["Original row", "Status", "Code", "Reason", "Suggestion", "Policy number", "Reason"]))
    [0, 1, 2, 3, 4]
    >>> priced = ["Original row", "Grade", "Premium (yuan)", "Status", "Grade", "What bound", "Notes", "Plan"]
    >>> sorted(added(priced)), added(["Reason", "Status"])
    ([0, 2, 3, 4, 5, 6, 7], frozenset())
    """
    given = [said.strip() if isinstance(said, str) else "" for said in texts]
    for lang in LANGUAGES:
        if text("UI_row", lang) not in given:
            continue
        refused, remarks = _words(lang)
        if set(refused) <= set(given):
            return frozenset(given.index(word) for word in refused)
        begin = next((at for at, said in enumerate(given) if _is_premium(said, lang)), None)
        ends = [_last(given, word) for word in remarks if word in given]
        if begin is not None and len(ends) == len(remarks) and begin < ends[0]:
            return frozenset([given.index(text("UI_row", lang)), *range(begin, ends[0]), *ends])
    return frozenset()


@functools.cache
def _words(lang: Lang) -> tuple[tuple[str, ...], tuple[str, ...]]:
    return tuple(text(f"UI_{name}", lang) for name in SAID), tuple(text(f"UI_{name}", lang) for name in PRICED[2:])


def _is_premium(said: str, lang: Lang) -> bool:
    """Return whether a header is that of the premium, in whatever money."""
    before, after = text("UI_premium_yuan", lang, money="\0").split("\0")
    return said.startswith(before) and said.endswith(after)


def _last(given: Sequence[str], word: str) -> int:
    return len(given) - 1 - given[::-1].index(word)
