"""What a user says of the headers and units of shared tables, whichever of them are read meanwhile, and by whom.

with spoken(Spoken(given=HeaderWords(headers={"到账日": "到账日期"}))):
levy("policies.csv", receipts="receipts.csv")
settled()
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from ratemod.errors import BookError, Problem, nearest, problem
from ratemod.reading.header import HeaderWords, Lexicon, fold, laid_over, meant, present, spellings
from ratemod.vocabulary.column import Column
from ratemod.vocabulary.table import words as business_words


@dataclass(frozen=True, slots=True)
class Seen:
    """The headers of a table as read, and the columns that it was read for."""

    texts: tuple[str, ...]
    words: Lexicon


@dataclass(frozen=True, slots=True)
class Spoken:
    """What is said of tables, and the tables that it was said of.

    Attributes
    ----------
    given : of all tables, on the command line; each header must stand in a table that has its column
    standing : of all tables, in a project file, which a table may have or not
    tables : of the tables of one name, before what stands of all
    seen : the tables that were read so far
    """

    given: HeaderWords = field(default_factory=HeaderWords)
    standing: HeaderWords = field(default_factory=HeaderWords)
    tables: Mapping[str, HeaderWords] = field(default_factory=dict)
    seen: list[Seen] = field(default_factory=list)

    def of(self, table: str, columns: Mapping[str, Column]) -> HeaderWords:
        """Return what is said of a table that is read for some columns; what others have is left out."""
        own, known = self.tables.get(table, HeaderWords()), spellings(columns)
        units = laid_over(self.given.units, laid_over(own.units, self.standing.units, known), known)
        aliases = laid_over(self.given.headers, laid_over(own.aliases, self.standing.aliases))
        return HeaderWords(aliases=aliases, units=units).of(columns)


_SPOKEN: ContextVar[Spoken | None] = ContextVar("spoken", default=None)


@contextmanager
def spoken(said: Spoken) -> Iterator[None]:
    """Let shared tables that are read meanwhile from files be read as the user says."""
    earlier = _SPOKEN.set(said)
    try:
        yield
    finally:
        _SPOKEN.reset(earlier)


def said_of(table: str, columns: Mapping[str, Column]) -> HeaderWords | None:
    """Return what the user says of a shared table that is read for some columns; None where nothing is said."""
    asked = _SPOKEN.get()
    return None if asked is None else asked.of(table, columns)


def heard(texts: Sequence[str], columns: Mapping[str, Column]) -> None:
    """Note the headers of a table that was read, and for which columns."""
    asked = _SPOKEN.get()
    if asked is not None:
        asked.seen.append(Seen(tuple(texts), Lexicon(columns, spellings(columns))))


def settled() -> None:
    """Refuse what was said of no table that was read: before anything is shown or written.

    Raises
    ------
    BookError
        RM417 a header that is mapped to a column of none of them, RM418 one that none of those with the column has,
        RM410 a unit of a column of none of them.
    """
    asked = _SPOKEN.get()
    if asked is None or not asked.seen:
        return
    wrong = unmeant({})
    for header, target in asked.given.headers.items():
        fit = [one for one in asked.seen if meant(target, one.words) is not None]
        texts = [text for one in fit for text in one.texts]
        if fit and fold(header) not in present(texts):
            wrong.append(problem("RM418", header=header, column=target, nearest=nearest(header, texts)))
    if wrong:
        raise BookError(wrong)


def misspelt(told: Sequence[Problem]) -> list[Problem]:
    """Return a problem for each name of a column that means none of any table, unless it is told already."""
    known = {item.args.get("column") for item in told}
    return [item for item in unmeant(business_words()) if item.args["column"] not in known]


def unmeant(columns: Mapping[str, Column]) -> list[Problem]:
    """Return a problem for each name of a column that means none, of some columns or of a table that was read."""
    asked = _SPOKEN.get()
    if asked is None or not asked.seen:
        return []
    words = [*(one.words for one in asked.seen), Lexicon(columns, spellings(columns))]
    labels = [spelled for one in words for column in one.columns.values() for spelled in column.names()]

    def lost(target: str) -> bool:
        return all(meant(target, one) is None for one in words)

    return [
        problem("RM417", header=header, column=target, nearest=nearest(target, labels))
        for header, target in asked.given.headers.items()
        if lost(target)
    ] + [
        problem("RM410", column=target, unit=unit, nearest=nearest(target, labels))
        for target, unit in asked.given.units.items()
        if lost(target)
    ]
