"""What a header says, word by word: 去年实缴保费 and 上年保费 say the same, 本年保费 does not."""

from __future__ import annotations

import functools
import re
import tomllib
from importlib.resources import files

from ratemod.vocabulary.spelling import folded, simplified

_LETTERS = re.compile(r"[a-z]+")


@functools.cache
def _words() -> tuple[dict[str, str], int]:
    """Return every word and what stands for it, "" where it says nothing, and how long the longest is."""
    data = tomllib.loads(files("ratemod.vocabulary").joinpath("header_words.toml").read_text(encoding="utf-8"))
    known = {word: group[0] for group in data["same"] for word in group} | dict.fromkeys(data["neutral"], "")
    return known, max(map(len, known))


@functools.lru_cache(maxsize=4096)
def said_words(text: str) -> frozenset[str]:
    """Return the words of a header, one for all that say the same, without those that say nothing by themselves.

    Chinese is parted into the longest words that are known, else into signs.

    Examples
    --------
    >>> said_words("去年实缴保费") == said_words("上年保费") == said_words("Last year's premium paid")
    True
    >>> sorted(said_words("本年保费"))
    ['保费', '本']
    """
    known, longest = _words()
    found: set[str] = set()
    plain = simplified(folded(re.sub(r"[\s_\-]+", ".", text)))  # blanks part English words
    at = 0
    while at < len(plain):
        letters = _LETTERS.match(plain, at)
        ends = [letters.end()] if letters else range(min(at + longest, len(plain)), at, -1)
        end = next((end for end in ends if plain[at:end] in known), letters.end() if letters else at + 1)
        word = plain[at:end]
        found.add(known.get(word, word if word.isalnum() else ""))
        at = end
    return frozenset(found - {""})
