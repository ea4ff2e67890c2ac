"""What several commands share: the arguments that name a plan and a book, and pricing one under the other."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ratemod.commands.project import project_arguments
from ratemod.errors import Lang, text

if TYPE_CHECKING:
    from datetime import date

    from ratemod.plan.model import Plan
    from ratemod.rating.rated import Rated
    from ratemod.reading.book import Book
    from ratemod.reading.header import HeaderWords
    from ratemod.registers.derive import Derived
    from ratemod.vocabulary.column import Column


def day(lang: Lang) -> Callable[[str], date]:
    """Return a reader of ISO dates for the command line."""

    def read(said: str) -> date:
        from datetime import date

        try:
            return date.fromisoformat(said)
        except ValueError:
            raise argparse.ArgumentTypeError(text("UI_not_a_date", lang, value=said)) from None

    return read


def count(lang: Lang) -> Callable[[str], int]:
    """Return a reader of positive whole numbers for the command line; separators are understood."""

    def read(said: str) -> int:
        plain = said.replace(",", "").replace("_", "")
        if not plain.isascii() or not plain.isdigit() or int(plain) == 0:
            raise argparse.ArgumentTypeError(text("UI_not_a_count", lang, value=said))
        return int(plain)

    return read


def year(lang: Lang) -> Callable[[str], int]:
    """Return a reader of calendar years for the command line."""

    def read(said: str) -> int:
        if re.fullmatch(r"(19|20|21)[0-9]{2}", said):
            return int(said)
        raise argparse.ArgumentTypeError(text("UI_not_a_year", lang, value=said))

    return read


def plan_dates(parser: argparse.ArgumentParser, lang: Lang) -> None:
    """Add the options that pick an edition."""
    parser.add_argument("--at", type=day(lang), metavar="DATE", help=text("UI_help_at", lang))
    parser.add_argument("--business", choices=("new", "renewal"), default="new", help=text("UI_help_business", lang))


def book_arguments(parser: argparse.ArgumentParser, lang: Lang) -> None:
    """Add the arguments that name a book and the plan to price it under."""
    parser.add_argument("book", metavar="BOOK", type=Path, help=text("UI_help_book", lang))
    parser.add_argument("more", metavar="BOOK", type=Path, nargs="*", help=text("UI_help_more_books", lang))
    parser.add_argument("--plan", metavar="PLAN", help=text("UI_help_plan_or_project", lang))
    plan_dates(parser, lang)
    parser.add_argument("--sheet", metavar="SHEET", action="append", help=text("UI_help_sheet", lang))
    project_arguments(parser, lang, ("columns", "units", "fill"), ("plan", "business", "sheet"))


def table_arguments(parser: argparse.ArgumentParser, lang: Lang, takes: Sequence[str] = ()) -> None:
    """Add how shared tables are read, and what else the project file sets: ``plan``, ``business``."""
    project_arguments(parser, lang, ("columns", "units"), takes)


def outside_argument(parser: argparse.ArgumentParser, lang: Lang) -> None:
    """Add what becomes of rows that begin outside the dates of the edition."""
    parser.add_argument(
        "--outside-dates", choices=("refuse", "remark"), default="refuse", help=text("UI_help_outside_dates", lang)
    )


def books_of(args: argparse.Namespace) -> list[Path]:
    """Return the files and folders that hold the book."""
    return [args.book, *args.more]


def read_list(args: argparse.Namespace, columns: Mapping[str, Column], path: Path | None = None) -> Book:
    """Return the list that the arguments name, or another read in the same way, by declared columns.

    The other need not have the headers and the sheets of the list.

    Raises
    ------
    BookError
        Those of `read_book`.
    """
    from ratemod.reading.header import laid_over, spellings
    from ratemod.reading.read import read_book
    from ratemod.reading.sniff import EXCEL_FILES

    words, files = header_words(args, columns), books_of(args) if path is None else [path]
    loose = args.sheet_stands or path is not None
    sheets = args.sheet if not loose or any(file.suffix.lower() in EXCEL_FILES for file in files) else None
    return read_book(
        files if path is None else path,
        columns,
        header_map=words if path is None else words.loose(),
        sheet=sheets,
        fills=laid_over(args.fill, args.standing.fill, spellings(columns)),
    )


def header_words(args: argparse.Namespace, columns: Mapping[str, Column]) -> HeaderWords:
    """Return what the command line and the project file say of the headers and units of a list."""
    from ratemod.commands.register_files import any_register
    from ratemod.reading.header import HeaderWords, laid_over, spellings

    args.known.update(columns)
    said = HeaderWords(headers=args.columns, units=args.units)
    if any_register(args):  # a header may be that of a register: `settled` holds them to all tables together
        said = said.of(columns)
    return HeaderWords(
        headers=said.headers,
        aliases=laid_over(said.aliases, args.standing.columns),
        units=laid_over(said.units, args.standing.units, spellings(columns)),
    )


def open_plan(args: argparse.Namespace) -> Plan:
    """Return the plan that the arguments name."""
    from ratemod.plan.editions import load_plan

    return load_plan(args.plan, args.at, args.business)


def price(
    args: argparse.Namespace,
    plan: Plan | str,
    lang: Lang,
    *,
    trace: bool,
    strict: bool = False,
    derived: list[Derived] | None = None,
    besides: Sequence[Column] = (),
) -> Rated:
    """Read the book that the arguments name, fill it from registers, price it; a terminal shows what is under way.

    Where `plan` is a name and no day is given, each row picks its edition. What registers filled is added to `derived`.
    Columns `besides` those of the plan are read with their units.
    """
    from ratemod.commands.register_files import any_register, filled
    from ratemod.document.terminal import progress
    from ratemod.rating.editions import read_under
    from ratemod.rating.rate import dating, rate_choice
    from ratemod.reading.corrected import corrected, merged, refused_part
    from ratemod.reading.spoken import settled

    own = {column.name: column for column in besides}

    def read(columns: Mapping[str, Column]) -> Book:
        asked = {**own, **columns}
        book = read_list(args, asked)
        if getattr(args, "corrections", None) is None:
            return book
        return merged(book, corrected(refused_part(read_list(args, asked, args.corrections))), asked)

    with progress(text("UI_reading", lang, file=names_of(args))):
        choice = read_under(plan, read, args.at, args.business)
        if choice.portions:
            portions = [replace(one, book=filled(args, one.book, one.plan, derived)) for one in choice.portions]
            choice = replace(choice, portions=tuple(portions))
        else:
            choice = replace(choice, book=filled(args, choice.book, choice.plan, derived))
        if any_register(args):
            settled()
    with progress(text("UI_pricing", lang)) as bar:
        held = dating(choice.plan, args.outside_dates, args.business)
        return rate_choice(choice, held, lang=lang, trace=trace, strict=strict, tick=bar.show)


def names_of(args: argparse.Namespace) -> str:
    """Return the names of the book's files."""
    return ", ".join(path.name for path in books_of(args))


def facts(args: argparse.Namespace, lang: Lang) -> list[tuple[str, str]]:
    """Return what a result should say about how it came about, as label and value."""
    said = [(text("UI_book", lang), names_of(args))]
    if args.project is not None:
        said.append((text("UI_project", lang), str(args.project)))
    if args.at:
        said.append((text("UI_day", lang), str(args.at)))
    business = text(f"UI_business_{args.business}", lang)
    said.append((text("UI_business", lang), text("UI_business_unsaid", lang, business=business)))
    return said


def digest(args: argparse.Namespace) -> str:
    """Return the SHA-256 of each file of the book; folders have none."""
    import hashlib

    said = []
    for path in books_of(args):
        if path.is_file():
            with open(path, "rb") as file:
                said.append(hashlib.file_digest(file, "sha256").hexdigest())
    return ", ".join(said)


def unpriced(books: Sequence[Rated], lang: Lang) -> int:
    """Print why rows of books have no premium, and what is to be seen of the others; return 3 where some have none."""
    from ratemod.report.rated_text import seen_text

    for rated in books:
        if said := seen_text(rated, lang):
            called = ", ".join(f"{plan.scheme}/{plan.edition}" for plan in rated.plans)
            print(f"\n{rated.book.file} · {called}\n{said}" if len(books) > 1 else f"\n{said}")
    return 3 if any(rated.problems for rated in books) else 0


def exit_code(rated: Rated) -> int:
    """Return 0 when every row has a premium, else 3."""
    return 3 if rated.counts["refused"] + rated.counts["declined"] else 0
