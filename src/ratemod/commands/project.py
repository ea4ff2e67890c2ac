"""The project file at the command line: found, said, laid under the options that were given, and written to."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ratemod.errors import BookError, Lang, Problem, RatemodError, problem, text

if TYPE_CHECKING:
    from ratemod.reading.project import Settings
    from ratemod.reading.spoken import Spoken

METAVARS = {"columns": "MAP", "units": "UNITS", "fill": "FILLS"}
MALFORMED = {"columns": "RM810", "units": "RM419", "fill": "RM453"}


def project_arguments(parser: argparse.ArgumentParser, lang: Lang, maps: Sequence[str], takes: Sequence[str]) -> None:
    """Add how tables are read, and the options about the project file.

    Parameters
    ----------
    maps : of `MALFORMED`, what may be said of the tables that are read
    takes : what else the file may set; it is told from being given by having no default
    """
    for name in maps:
        help_ = text(f"UI_help_{name}", lang)
        parser.add_argument(f"--{name}", metavar=METAVARS[name], action="append", default=[], help=help_)
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--project", metavar="FILE", type=Path, help=text("UI_help_project", lang))
    which.add_argument("--no-project", action="store_true", help=text("UI_help_no_project", lang))
    parser.add_argument("--profile", metavar="NAME", help=text("UI_help_profile", lang))
    parser.add_argument("--remember", action="store_true", help=text("UI_help_remember", lang))
    parser.set_defaults(maps=tuple(maps), takes=tuple(takes), goes_out=False, usage_error=parser.error)
    parser.set_defaults(**dict.fromkeys(takes))


def settle(args: argparse.Namespace, lang: Lang) -> Lang:
    """Lay the project file under the options that were given, say what was used; return the language to go on in.

    After it ``columns``, ``units`` and ``fill`` are what the command line says as mappings, ``standing`` what the file
    says, ``project`` the file that was used, ``said`` what it set, ``read`` the files that are not to be written over,
    ``known`` the columns that a list was read for, as they come to be known.

    Raises
    ------
    BookError
        RM810, RM419, RM453 a pair that is none, RM413 two values for one name; those of `load_project`, with a line on
        how to go on without it.
    """
    from ratemod.reading.project import NAME, Settings, find_project, load_project

    maps = [Path(said) for said in args.columns if said and "=" not in said]
    for name, code in MALFORMED.items():
        setattr(args, name, mapping_of(getattr(args, name) if name in args.maps else (), code, name == "columns"))
    given = {name: mapping for name in MALFORMED if (mapping := getattr(args, name))}
    path = None if args.no_project else args.project or _here(find_project(Path.cwd()))
    if args.remember and (args.no_project or not given):
        args.usage_error(text("UI_nothing_to_remember", lang))
    args.remembered = (args.project or path or Path(NAME), given) if args.remember else None
    if args.profile and path is None and not args.remember:
        raise BookError(problem("RM414", name=NAME))
    project = None
    if path is not None and not (args.remember and not path.exists()):
        try:
            project = load_project(path, None if args.remember and _is_new(path, args.profile) else args.profile)
        except RatemodError as error:
            raise BookError([*error.problems, problem("RM416", file=str(path))]) from None
    args.project, args.standing = project, project.settings if project else Settings()
    args.read = [*maps, *([path] if project else [])]
    said = args.standing
    lang = getattr(args, "lang", None) or said.language or lang
    used, kept = _used(args, said, lang)
    args.known = {}
    if "sheet" in args.takes:
        args.sheet_stands = args.sheet is None
        args.sheet = args.sheet or list(said.sheet) or None
    if "business" in args.takes:
        args.business = args.business or said.business or "new"
    if "plan" in args.takes:
        args.plan = args.plan or said.plan
        if args.plan is None:
            args.usage_error(text("UI_required", lang, names="--plan (ratemod.toml: plan)"))
    if args.goes_out and args.output is None and said.output is not None and project is not None:
        name = f"{args.book.stem}-priced.{said.output.format}"
        args.output = str(project.path.parent / said.output.folder / name)
    args.said = ""
    if project is not None:
        args.said = text("UI_project_used", lang, file=str(project.path), profile=_profile(project.profile, lang),
                         settings=text("UI_project_and", lang).join(used) or "–")  # fmt: skip
        if kept:
            args.said += text("UI_project_given", lang, options=" ".join(kept))
        print(args.said, file=sys.stderr)
    return lang


def keep(args: argparse.Namespace, lang: Lang) -> None:
    """Write what is to be remembered into the project file, and say so."""
    from ratemod.reading.project import remember

    if args.remembered is not None:
        path, given = args.remembered
        written = remember(path, args.profile, given, args.known)
        told = "; ".join(written) or text("UI_project_known", lang)
        print(text("UI_project_kept", lang, file=str(path), told=told), file=sys.stderr)


def placed(args: argparse.Namespace, problems: Sequence[Problem]) -> Sequence[Problem]:
    """Return problems with the line of the project file, for those that it is the cause of."""
    from ratemod.reading.project import Project

    project = getattr(args, "project", None)
    return project.placed(problems) if isinstance(project, Project) else problems


def words_of(args: argparse.Namespace) -> Spoken:
    """Return what the command line and the project file say of shared tables; nothing of a command without them."""
    from ratemod.reading.header import HeaderWords
    from ratemod.reading.spoken import Spoken

    if not hasattr(args, "standing"):
        return Spoken()
    return Spoken(
        given=HeaderWords(headers=args.columns, units=args.units),
        standing=HeaderWords(aliases=args.standing.columns, units=args.standing.units),
        tables={name: part.words() for name, part in args.standing.table.items()},
    )


def _here(path: Path | None) -> Path | None:
    """Return a path as seen from the working directory."""
    return path and Path(os.path.relpath(path))


def _used(args: argparse.Namespace, said: Settings, lang: Lang) -> tuple[list[str], list[str]]:
    """Return what the file sets, and the options that go before it."""
    used, kept = [], []
    for name in ("plan", "business", "sheet", "output"):
        value = getattr(said, name)
        if not value or not (args.goes_out if name == "output" else name in args.takes):
            continue
        if getattr(args, name) is not None:
            kept.append(f"--{name}")
            continue
        shown = ", ".join(value) if isinstance(value, tuple) else str(value)
        used.append(f"{text(f'UI_project_{name}', lang)} {shown}")
    for name in args.maps:
        mapping, mine = getattr(said, name), getattr(args, name)
        shown = ", ".join(f"{key} → {value}" for key, value in mapping.items() if key not in mine)
        used += [f"{text(f'UI_project_{name}', lang)} {shown}"] if shown else []
        kept += [f"--{name}"] if mapping and mine else []
    for table, part in said.table.items():
        pairs = ", ".join(f"{key} → {value}" for key, value in {**part.columns, **part.units}.items())
        used += [f"[{table}] {pairs}"] if pairs else []
    return used, kept


def _profile(name: str | None, lang: Lang) -> str:
    return text("UI_project_profile", lang, name=name) if name else ""


def _is_new(path: Path, profile: str | None) -> bool:
    """Return whether a profile is not in the file yet, so that remembering makes it."""
    from ratemod.rules.read import read_toml

    return profile is not None and profile not in read_toml(path).named("profile")


def mapping_of(given: Sequence[str], code: str, files: bool) -> dict[str, str]:
    """Return pairs ``name=value``, several in one text or not, or what a TOML file of them says."""
    found: dict[str, str] = {}
    wrong: list[Problem] = []
    for said in given:
        if files and said and "=" not in said:
            pairs = list(_map_file(Path(said)).items())
        else:
            pairs, odd = _pairs(said)
            wrong += [problem(code, pair=pair) for pair in odd]
        for name, value in pairs:
            if found.setdefault(name, value) != value:
                wrong.append(problem("RM413", key=name, one=found[name], other=value))
    if wrong:
        raise BookError(wrong)
    return found


def _pairs(said: str) -> tuple[list[tuple[str, str]], list[str]]:
    """Return the pairs of a text, and the parts that are none."""
    parts = [part for part in said.replace("，", ",").split(",") if part.strip()]
    pairs = [tuple(word.strip() for word in part.rpartition("=")[::2]) for part in parts]
    odd = [part.strip() for part, pair in zip(parts, pairs) if not all(pair)]
    return [(name, value) for name, value in pairs if name and value], odd


def _map_file(path: Path) -> Mapping[str, str]:
    """Return a map of columns: ``"Header in the book" = "column"``, at the top of a TOML file or under [columns]."""
    from ratemod.rules.read import read_toml

    file = read_toml(path)
    place = ("columns",) if "columns" in file.data else ()
    file.sections(place or file.data)
    columns = file.fit(file.data["columns"] if place else file.data, Mapping[str, str], *place)
    file.settle(BookError)
    return dict(columns)
