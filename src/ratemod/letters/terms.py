"""What letters say besides the figures: insurer, validity, duties, special terms, signatures; a TOML file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ratemod.errors import LANGUAGES, Lang
from ratemod.rules.options import strict
from ratemod.rules.read import read_rules
from ratemod.rules.shape import keys_of


@strict
@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What letters in one language say besides the figures.

    Attributes
    ----------
    insurer : who quotes; blank to be filled in by hand
    validity : until when or how long the quote holds, in words; blank to be filled in by hand
    duties, special : sentences on what the insured owes, and on terms of this cover
    signatures : who signs, in order
    """

    insurer: str = ""
    validity: str = ""
    duties: tuple[str, ...] = ()
    special: tuple[str, ...] = ()
    signatures: tuple[str, ...] = ()


KEYS = keys_of(Terms)


@strict
def read_terms(lang: Lang, source: str | Path | None = None) -> Terms:
    """Return the terms of a TOML file with a table for each language; the shipped ones without a file.

    Raises
    ------
    PlanError
        What is wrong with the file, all at once: unknown keys, values of another type.

    Examples
    --------
    >>> read_terms("en").signatures
    ('For the insurer', 'Prepared by', 'Reviewed by')
    """
    file = read_rules(source, "letters/terms.toml")
    file.sections(LANGUAGES)
    said = {tag: file.record(Terms, file.data.get(tag, {}), KEYS, tag) for tag in LANGUAGES}
    file.settle()
    return said[lang] or Terms()
