"""A project file, ``ratemod.toml``: what a branch says of its work once, and of each broker's lists in a profile.

    plan = "jilin-spli"
    business = "renewal"

    [columns]
    "今年多少人" = "投保人数"

    [profile."某经纪".units]
    "每人限额" = "万元"

    [table.claims.columns]
    "日期" = "出险日期"

A profile holds the same keys; what it says goes before what stands above it, header by header and column by column.
What is said of a shared table goes before what is said of all tables and lists.
"""

from __future__ import annotations

import functools
import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

from ratemod.errors import BookError, Lang, Problem, RatemodError, nearest, problem
from ratemod.reading.header import SET_ASIDE, HeaderWords, Lexicon, fold, laid_over, meant, spellings
from ratemod.rules.edit import Change, edited
from ratemod.rules.lines import Place
from ratemod.rules.opened import opened
from ratemod.rules.options import strict
from ratemod.rules.read import TomlFile, read_toml
from ratemod.rules.shape import Key, keys_of, table_of
from ratemod.vocabulary.column import Column
from ratemod.vocabulary.table import amounts, tables
from ratemod.vocabulary.table import words as business_words
from ratemod.whole_file import whole_file

NAME = "ratemod.toml"
SAID_OF_LISTS = ("columns", "units", "fill")
WITH_OWN_COLUMNS = ("policies", "renewals", "variables", "panel")  # a plan's own too: who reads them knows which


@dataclass(frozen=True, slots=True)
class Output:
    """Where priced lists go, below the project's folder, and in which format."""

    folder: str = "."
    format: Literal["xlsx", "csv", "parquet"] = "xlsx"

    def __str__(self) -> str:
        return f"{self.folder}/*.{self.format}"


@dataclass(frozen=True, slots=True)
class OfTable:
    """What a project file may say of one shared table: `columns` and `units` as in `Settings`."""

    columns: Mapping[str, str] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)

    def over(self, other: OfTable) -> OfTable:
        """Return these, and those of another where these say nothing."""
        units = laid_over(self.units, other.units, _spelled())
        return OfTable(laid_over(self.columns, other.columns), units)

    def words(self) -> HeaderWords:
        """Return it as the reader of tables takes it."""
        return HeaderWords(aliases=self.columns, units=self.units)


@dataclass(frozen=True, slots=True)
class Settings:
    """What a project file may say.

    Attributes
    ----------
    plan : a shipped plan, or a folder below that of the project file
    business : of rows that do not say it
    sheet : sheets to read of a workbook
    columns : header -> column, by name or label, with a unit or not; ``-`` sets the header aside
    units : column -> unit of its bare numbers
    fill : column -> value of its blank cells
    table : shared table -> what is said of it alone
    output : where priced lists go
    language : of what is printed and written
    """

    plan: str | None = None
    business: Literal["new", "renewal"] | None = None
    sheet: tuple[str, ...] = ()
    columns: Mapping[str, str] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)
    fill: Mapping[str, str] = field(default_factory=dict)
    table: Mapping[str, OfTable] = field(default_factory=dict)
    output: Output | None = None
    language: Lang | None = None

    def over(self, other: Settings) -> Settings:
        """Return these settings, and those of another where these say nothing."""
        found = {item.name: getattr(self, item.name) or getattr(other, item.name) for item in fields(self)}
        for name in SAID_OF_LISTS:
            known = None if name == "columns" else _spelled()
            found[name] = laid_over(getattr(self, name), getattr(other, name), known)
        both = {name: part.over(other.table.get(name, OfTable())) for name, part in self.table.items()}
        return Settings(**found | {"table": {**other.table, **both}})


@dataclass(frozen=True, slots=True)
class Word:
    """One thing that a project file says, and the line on which it says it.

    Attributes
    ----------
    section : "plan", "columns", "units" or "fill"
    key, value : as written; of the plan "plan" and what `Project.plan` is
    """

    section: str
    key: str
    value: str
    line: int | None

    def causes(self, item: Problem) -> bool:
        """Return whether a problem is one of this word: of its header or column, and what is said of it."""
        args, said = item.args, (self.section, self.key, self.value)
        if item.code in ("RM223", "RM417"):
            return said == ("columns", args["header"], args["column"])
        if item.code in ("RM410", "RM451"):
            return said in (("units", args["column"], args.get("unit")), ("fill", args["column"], args.get("value")))
        if item.code in ("RM338", "RM452"):
            return self.section == "fill" and self.value == args["value"] and self._is_about(args)
        if item.code in ("RM411", "RM412"):
            unit = fold(args["unit"])
            return (self.section == "units" and unit == fold(self.value) and self._is_about(args)) or (
                self.section == "columns" and fold(self.value).endswith((unit, f"({unit})"))
            )
        if item.code == "RM413":
            return self.key == args["key"] and self.value in (args["one"], args["other"])
        return item.code.startswith("RM17") and said == ("plan", "plan", args.get("name"))

    def _is_about(self, args: Mapping[str, Any]) -> bool:
        return fold(self.key) in (fold(args["column"]), fold(args["label"])) or (
            _spelled().get(fold(self.key)) == args["column"]
        )


@dataclass(frozen=True, slots=True)
class Project:
    """A project file as read.

    Attributes
    ----------
    path : Path
    profile : str or None
        The profile that was asked for.
    settings : Settings
        Of the file, with those of the profile before them; a plan that is a folder as its path.
    words : tuple of Word
        What both say, of the profile first, with the lines.
    """

    path: Path
    profile: str | None
    settings: Settings
    words: tuple[Word, ...] = ()

    @property
    def plan(self) -> str | None:
        """The plan that lists are priced under, as `ratemod.load_plan` takes it."""
        return self.settings.plan

    def reading(self) -> dict[str, Any]:
        """Return how a list is read, as keyword arguments of `ratemod.read_book`."""
        said = self.settings
        words = HeaderWords(aliases=said.columns, units=said.units)
        return {"header_map": words, "sheet": said.sheet or None, "fills": said.fill or None}

    def placed(self, problems: Sequence[Problem]) -> list[Problem]:
        """Return problems with the line of the file, for each that something which it says is the cause of."""
        return [self._placed(item) if item.file is None or item.code == "RM338" else item for item in problems]

    def _placed(self, item: Problem) -> Problem:
        said = next((word for word in self.words if word.causes(item)), None)
        return item if said is None else replace(item, file=str(self.path), row=said.line)

    def __str__(self) -> str:
        return f"{self.path.name}[{self.profile}]" if self.profile else self.path.name


@strict
def load_project(path: str | Path | None = None, profile: str | None = None) -> Project:
    """Return what a project file says.

    Parameters
    ----------
    path : str or Path, optional
        The file; without it that of the working directory, or of the nearest folder above (see `find_project`).
    profile : str, optional
        The profile whose settings go before the others.

    Raises
    ------
    BookError
        RM414 there is no such file, RM415 no such profile; RM309, RM952 a column or a table that is none; RM337 an
        output elsewhere; RM101 to
        RM104 a key that is unknown, missing or unfit, each with its line; RM017 to RM024 and RM107 a file
        that is not to be read.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "ratemod.toml"
    >>> said = 'plan = "jilin-spli"\\n[fill]\\n"一般事故起数" = 0\\n[profile.north]\\nsheet = "清单"\\n'
    >>> _ = path.write_text(said, encoding="utf-8")
    >>> project = load_project(path, profile="north")
    >>> project.plan, project.settings.sheet, dict(project.settings.fill)
    ('jilin-spli', ('清单',), {'一般事故起数': '0'})
    """
    chosen = find_project(Path.cwd()) if path is None else Path(path)
    if chosen is None:
        raise BookError(problem("RM414", name=NAME))
    try:
        file = read_toml(chosen)
    except RatemodError as error:
        raise BookError(error.problems) from None
    keys = {**keys_of(Settings), "fill": Key(table_of(_cell))}
    own = {name: value for name, value in file.data.items() if name != "profile"}
    said = file.record(Settings, own, keys)
    parts = file.named("profile")
    profiles = {name: file.record(Settings, part, keys, "profile", name) for name, part in parts.items()}
    if profile is not None and profile not in profiles:
        known, near = ", ".join(profiles) or "–", nearest(profile, profiles)
        file.note("RM415", "profile", profile=profile, known=known, nearest=near)
    for place, part in (((), said), *((("profile", name), part) for name, part in profiles.items())):
        _judge_tables(file, part, place)
        _judge_output(file, part, place, chosen.parent)
    file.settle(BookError)
    assert said is not None
    above = profiles.get(profile) if profile is not None else None
    settled = said if above is None else above.over(said)
    parts_: list[tuple[Place, Settings | None]] = [(("profile", profile or ""), above), ((), said)]
    words = tuple(word for place, part in parts_ if part for word in _words(file, part, place, chosen))
    return Project(chosen, profile, replace(settled, plan=_plan(settled.plan, chosen)), words)


def _words(file: TomlFile, said: Settings, place: Place, path: Path) -> Iterator[Word]:
    """Yield what a file, or a profile of it, says of the plan, of lists and of shared tables."""
    if said.plan is not None:
        yield Word("plan", "plan", _plan(said.plan, path) or "", file.line(*place, "plan"))
    tables_ = [((*place, "table", name), part) for name, part in said.table.items()]
    for where, part in ((place, said), *tables_):
        for section in SAID_OF_LISTS:
            for key, value in getattr(part, section, {}).items():
                yield Word(section, key, value, file.line(*where, section, key))


def find_project(start: Path) -> Path | None:
    """Return the project file of a folder, or of the nearest folder above it.

    Looked at are the folder, and those above it up to the home folder; outside of it, up to the first that everybody
    may write to, or to the root.
    """
    folder = Path(os.path.abspath(start))
    home = Path(os.path.expanduser("~"))
    while True:
        if os.path.lexists(folder / NAME):
            return folder / NAME
        above = folder.parent
        if folder == home or above == above.parent or _everybodys(above):
            return None
        folder = above


def remember(
    path: Path, profile: str | None, said: Mapping[str, Mapping[str, str]], columns: Mapping[str, Column] | None = None
) -> list[str]:
    """Write mappings into a project file, or a profile of it, and return the places that are new or changed.

    Comments and spellings stay; what would be written is read back and compared before the file is replaced.

    Parameters
    ----------
    said : mapping of `SAID_OF_LISTS` to what is to stand there
    columns : beyond the business words, those that a key may name: what stands of a column by whatever name is replaced

    Raises
    ------
    RatemodError
        RM026 the file cannot be edited so; those of `opened`, `parsed` and `whole_file`.
    """
    content = opened(path, str(path)) if os.path.lexists(path) else ""
    data: Any = read_toml(path).data if content else {}
    head: Place = ("profile", profile) if profile else ()
    for name in head:
        data = data.get(name, {})
    changes: list[Change] = []
    spelled = {**_spelled(), **spellings(columns or {})}
    for section, mapping in said.items():
        names = {} if section == "columns" else spelled  # the keys of others are columns
        known = {names.get(fold(key), fold(key)): key for key in data.get(section, {})}
        for key, value in mapping.items():
            there = known.get(names.get(fold(key), fold(key)), key)
            if data.get(section, {}).get(there) != value:
                changes.append(((*head, section, there), value))
    if changes:
        text = edited(content, changes, str(path))
        with whole_file(path) as part, open(part, "w", encoding="utf-8", newline="") as file:
            file.write(text)
    return [".".join(map(str, place)) + f" = {value}" for place, value in changes]


@functools.cache
def _spelled() -> Mapping[str, str]:
    """Return every spelling that means one column, of whichever shared table, and the column."""
    found: dict[str, set[str]] = {}
    for columns in (business_words(), *(one.columns for one in tables().values())):
        for spelled, name in spellings(columns).items():
            found.setdefault(spelled, set()).add(f"{name}_yuan" if name in amounts() else name)
    return {spelled: name for spelled, (name, *others) in found.items() if not others}


def _judge_tables(file: TomlFile, said: Settings | None, place: Place) -> None:
    """Record tables that are none, and columns that they do not have."""
    for name, part in said.table.items() if said else ():
        if name not in tables():
            file.note("RM952", *place, "table", name, name=name, nearest=nearest(name, tables()))
            continue
        if name in WITH_OWN_COLUMNS:
            continue
        words = Lexicon(tables()[name].columns, spellings(tables()[name].columns))
        labels = [spelled for column in words.columns.values() for spelled in column.names()]
        told = {"table": tables()[name].label("en"), "table_zh": tables()[name].label("zh")}
        for key, values in (("columns", part.columns.values()), ("units", part.units)):
            for header, target in zip(getattr(part, key), values):
                if meant(target, words) is None or (key == "units" and target in SET_ASIDE):
                    where = (*place, "table", name, key, header)
                    file.note("RM309", *where, column=target, nearest=nearest(target, labels), **told)


def _judge_output(file: TomlFile, said: Settings | None, place: Place, folder: Path) -> None:
    """Record an output that is not below the folder of the project, links followed."""
    output = said.output if said else None
    if output is not None and not (folder / output.folder).resolve().is_relative_to(folder.resolve()):
        file.note("RM337", *place, "output", "folder", folder=output.folder)


def _everybodys(folder: Path) -> bool:
    try:
        return bool(folder.stat().st_mode & stat.S_IWOTH)
    except OSError:
        return True


def _plan(said: str | None, file: Path) -> str | None:
    """Return a plan that is a folder below the project's as its path, any other as it is written."""
    if said is None:
        return None
    folder = file.parent / said
    return str(folder) if folder.exists() else said


def _cell(file: TomlFile, value: Any, place: Place) -> Any:
    """Return what a blank cell is to hold as the text that a list would show."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | Decimal):
        exact = file.fit(value, Decimal, *place)
        return f"{exact:f}" if isinstance(exact, Decimal) else exact
    if type(value) is date:
        return value.isoformat()
    return file.fit(value, str, *place)
