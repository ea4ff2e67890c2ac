"""``ratemod rate``: price a book, say what came out, write it."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ratemod.commands.common import (
    book_arguments,
    books_of,
    digest,
    exit_code,
    facts,
    open_plan,
    outside_argument,
    price,
)
from ratemod.commands.register_files import NOUNS, derived_text, register_options
from ratemod.errors import BookError, Lang, problem, text
from ratemod.version import VERSION

if TYPE_CHECKING:
    from ratemod.plan.model import Plan
    from ratemod.rating.rated import Rated
    from ratemod.reading.receipt import Receipt
    from ratemod.registers.derive import Derived

TEXT_FILES = (".csv", ".tsv", ".txt")
LARGE = 64 << 20  # bytes of a text list beyond which a CSV is written in chunks


def arguments(parser: argparse.ArgumentParser, lang: Lang) -> None:
    """Declare the arguments."""
    book_arguments(parser, lang)
    outside_argument(parser, lang)
    register_options(parser, lang)
    parser.add_argument("--by", metavar="COLUMNS", help=text("UI_help_by", lang))
    parser.add_argument("--corrections", type=Path, metavar="FILE", help=text("UI_help_corrections", lang))
    parser.add_argument("--strict", action="store_true", help=text("UI_help_strict", lang))
    parser.add_argument("--trace", action="store_true", help=text("UI_help_trace", lang))
    parser.add_argument("--keep", metavar="COLUMNS", help=text("UI_help_keep", lang))
    parser.add_argument("--resume", action="store_true", help=text("UI_help_resume", lang))
    parser.add_argument("--live", action="store_true", help=text("UI_help_live", lang))
    parser.add_argument("--receipt", metavar="FILE", type=Path, help=text("UI_help_receipt", lang))
    parser.add_argument("-o", "--output", metavar="FILE", help=text("UI_help_rate_output", lang))
    parser.set_defaults(goes_out=True)


def run(args: argparse.Namespace, lang: Lang) -> int:
    """Price a book; 0 all rated, 3 some rows not priced."""
    from ratemod.printed import clean
    from ratemod.rating.editions import by_rows
    from ratemod.rating.target import check_target
    from ratemod.report.rated_text import rated_text
    from ratemod.report.summary_table import by_columns

    plan = None
    if streams(args):
        plan = open_plan(args)
        rolled = bool(plan.groups)
        if not rolled or args.book.suffix.lower() not in TEXT_FILES:
            return stream(args, plan, lang)
    target = check_target(args.output, [*books_of(args), *args.read]) if args.output else None
    if args.live and (target is None or target.suffix.lower() != ".xlsx"):
        raise BookError(problem("RM882", path=args.output or ""))
    if plan is None and not by_rows(args.plan, args.at):
        plan = open_plan(args)
    if plan is not None:
        by_columns(plan, args.by)  # refuses before the work
    derived: list[Derived] = []
    rated = price(args, plan or args.plan, lang, trace=args.trace or args.live, strict=args.strict, derived=derived)
    by = by_columns(rated.plan, args.by)
    read = [*books_of(args), *([args.corrections] if args.corrections else [])]
    files = write(rated, target, lang, by, full_facts(args, lang), read, live=args.live) if target else []
    if args.receipt:
        write_receipt(rated.book.receipt, args.receipt, rated.counts, args.said)
        files.append(str(args.receipt))
    print(rated_text(rated, by, lang, facts(args, lang), [clean(file) for file in files]))
    if derived:
        print("\n" + derived_text(derived, lang))
    if not files:
        print("\n" + text("UI_not_written", lang))
    return exit_code(rated)


def write_receipt(receipt: Receipt, path: Path, counts: Mapping[str, int], project: str = "") -> None:
    """Write what was read, what was not, under which project file, and what became of the rows as JSON."""
    import json

    from ratemod.whole_file import whole_file

    with whole_file(path) as part:
        data = {**receipt.data(), "rows": dict(counts), **({"project": project} if project else {})}
        part.write_text(json.dumps(data, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def streams(args: argparse.Namespace) -> bool:
    """Return whether the book goes from file to file in chunks, which needs no more memory for more rows."""
    from ratemod.rating.editions import by_rows

    nouns = (getattr(args, noun, None) for noun in NOUNS)
    whole = any((args.strict, args.sheet, args.corrections, args.more, args.fill, args.standing.fill, *nouns))
    if args.output is None or whole:
        return False
    if by_rows(args.plan, args.at) and not (args.resume or args.keep):
        return False  # all rows are looked at before the first is priced
    if args.book.is_dir():
        return any(args.book.rglob("*.parquet"))
    given, wanted = args.book.suffix.lower(), Path(args.output).suffix.lower()
    if given not in (".parquet", *TEXT_FILES) or wanted not in (".parquet", ".csv") or not args.book.is_file():
        return bool(given == ".parquet" == wanted)
    if given == ".parquet" == wanted:
        return True
    return wanted == ".parquet" or bool(args.book.stat().st_size > LARGE)  # of small lists a person sees more in memory


def stream(args: argparse.Namespace, plan: Plan, lang: Lang) -> int:
    """Price a file into a file, a folder into a folder or into one file; 0 all rated, 3 some rows not priced."""
    from ratemod.commands.common import header_words
    from ratemod.document.terminal import progress
    from ratemod.printed import clean
    from ratemod.rating.partitions import rate_folder
    from ratemod.rating.stream import rate_file
    from ratemod.rating.target import check_target
    from ratemod.report.rated_text import streamed_text
    from ratemod.report.streamed_csv import rate_to_csv
    from ratemod.report.summary_table import by_columns

    suffix = Path(args.output).suffix.lower()
    if suffix in (".parquet", ".csv"):
        check_target(args.output, [args.book, *args.read])
    if suffix == ".csv" and args.resume:
        raise BookError(problem("RM354", path=args.output))
    by = by_columns(plan, args.by, texts=False)
    keep = tuple(name.strip() for name in (args.keep or "").split(",") if name.strip())
    with progress(text("UI_pricing", lang)) as bar:
        common = {
            "lang": lang,
            "trace": args.trace,
            "header_map": header_words(args, plan.columns),
            "business": args.business,
            "outside_dates": args.outside_dates,
            "by": by,
            "tick": bar.show,
        }
        if suffix == ".csv":
            done = rate_to_csv(args.book, plan, args.output, **common)
        else:
            work = rate_file if suffix == ".parquet" else rate_folder
            done = work(args.book, plan, args.output, keep=keep, resume=args.resume, **common)
    files = [clean(str(done.target)), text("UI_manifest", lang, path=clean(str(done.manifest)))]
    if args.receipt:
        write_receipt(done.receipt, args.receipt, done.counts, args.said)
        files.append(clean(str(args.receipt)))
    print(streamed_text(done, lang, facts(args, lang), files))
    return 3 if done.counts["refused"] + done.counts["declined"] else 0


def full_facts(args: argparse.Namespace, lang: Lang) -> list[tuple[str, str]]:
    """Return what a workbook says about its origin: file, day, business, digest of the book, program."""
    digests = digest(args)
    said = facts(args, lang) + ([(text("UI_digest", lang), digests)] if digests else [])
    return [*said, (text("UI_version", lang), f"ratemod {VERSION}")]


def write(
    rated: Rated,
    target: Path,
    lang: Lang,
    by: tuple[str, ...],
    about: list[tuple[str, str]],
    source: Sequence[Path],
    live: bool = False,
) -> list[str]:
    """Write a rated book as its file name's ending says; return the files as a person would like them listed."""
    from ratemod.document.terminal import progress

    with progress(text("UI_writing", lang, file=target.name)) as bar:
        if live:
            from ratemod.report.live_workbook import write_live_workbook

            write_live_workbook(rated.one_edition(), target, lang=lang, facts=about)
        elif target.suffix.lower() == ".xlsx":
            from ratemod.report.priced_workbook import write_priced_workbook

            write_priced_workbook(rated, target, lang=lang, by=by, facts=about, tick=bar.show)
        elif target.suffix.lower() == ".csv":
            from ratemod.report.priced_csv import write_priced_csv

            priced, refused = write_priced_csv(rated, target, lang=lang, source=source)
            return [str(priced), text("UI_file_refused", lang, path=refused)]
        else:
            from ratemod.report.priced_csv import write_priced_parquet

            write_priced_parquet(rated, target, source=source)
    return [str(target)]
