"""What a plan's money is called; amounts are held in hundredths of it, whatever it is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Currency:
    """The money of a plan as people read it.

    Examples
    --------
    >>> Currency("ringgit", "林吉特").name("zh"), YUAN.name("en")
    ('林吉特', 'yuan')
    """

    name_en: str
    name_zh: str

    def name(self, lang: str) -> str:
        """Return what the money is called in a language."""
        return self.name_zh if lang == "zh" else self.name_en


YUAN = Currency("yuan", "元")
