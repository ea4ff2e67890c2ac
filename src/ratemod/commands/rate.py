"""``ratemod rate``: price a book, say what came out, write it."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from ratemod.commands.common import book_arguments, digest, exit_code, facts, open_plan, price
from ratemod.commands.register_files import derived_text, register_options
from ratemod.errors import BookError, Lang, problem, text
from ratemod.version import version

if TYPE_CHECKING:
    from ratemod.rating.rated import Rated
    from ratemod.registers.derive import Derived


def arguments(parser: argparse.ArgumentParser, lang: Lang) -> None:
    """Declare the arguments."""
    book_arguments(parser, lang)
    register_options(parser, lang)
    parser.add_argument("--by", metavar="COLUMNS", help=text("UI_help_by", lang))
    parser.add_argument("--strict", action="store_true", help=text("UI_help_strict", lang))
    parser.add_argument("--trace", action="store_true", help=text("UI_help_trace", lang))
    parser.add_argument("--keep", metavar="COLUMNS", help=text("UI_help_keep", lang))
    parser.add_argument("--resume", action="store_true", help=text("UI_help_resume", lang))
    parser.add_argument("--live", action="store_true", help=text("UI_help_live", lang))
    parser.add_argument("-o", "--output", metavar="FILE", help=text("UI_help_output", lang))


def run(args: argparse.Namespace, lang: Lang) -> int:
    """Price a book; 0 all rated, 3 some rows not priced."""
    from ratemod.exhibits.output import check_target
    from ratemod.exhibits.summary_table import check_by, default_by
    from ratemod.exhibits.terminal import clean, rated_text

    if streams(args):
        return stream(args, lang)
    inputs = [args.book, *([args.columns] if args.columns and "=" not in args.columns else [])]
    target = check_target(args.output, inputs) if args.output else None
    if args.live and (target is None or target.suffix.lower() != ".xlsx"):
        raise BookError(problem("RM882", path=args.output or ""))
    plan = open_plan(args)
    by = tuple(name.strip() for name in args.by.split(",") if name.strip()) if args.by else default_by(plan)
    check_by(plan, by)
    derived: list[Derived] = []
    rated = price(args, plan, lang, trace=args.trace or args.live, strict=args.strict, derived=derived)
    files = write(rated, target, lang, by, full_facts(args, lang), live=args.live) if target else []
    print(rated_text(rated, by, lang, facts(args, lang), [clean(file) for file in files]))
    if derived:
        print("\n" + derived_text(derived, lang))
    if not files:
        print("\n" + text("UI_not_written", lang))
    return exit_code(rated)


def streams(args: argparse.Namespace) -> bool:
    """Return whether this is Parquet to Parquet, which needs no more memory for more rows."""
    if args.output is None or args.strict or args.sheet:
        return False
    return bool(args.book.is_dir()) or (args.book.suffix.lower() == ".parquet" == Path(args.output).suffix.lower())


def stream(args: argparse.Namespace, lang: Lang) -> int:
    """Price Parquet into Parquet, a folder into a folder or into one file; 0 all rated, 3 some rows not priced."""
    from ratemod.commands.common import column_map
    from ratemod.exhibits.output import check_target
    from ratemod.exhibits.summary_table import check_by, default_by
    from ratemod.exhibits.terminal import clean, progress, streamed_text
    from ratemod.rating.partitions import rate_folder
    from ratemod.rating.stream import rate_file

    single = Path(args.output).suffix.lower() == ".parquet"
    if single:
        check_target(args.output, [args.book])
    plan = open_plan(args)
    by = tuple(name.strip() for name in args.by.split(",") if name.strip()) if args.by else default_by(plan)
    check_by(plan, by)
    keep = tuple(name.strip() for name in (args.keep or "").split(",") if name.strip())
    with progress(text("UI_pricing", lang)) as bar:
        done = (rate_file if single else rate_folder)(
            args.book,
            plan,
            args.output,
            lang=lang,
            trace=args.trace,
            keep=keep,
            header_map=column_map(args.columns, plan),
            by=by,
            resume=args.resume,
            tick=bar.show,
        )
    files = [clean(str(done.target)), text("UI_manifest", lang, path=clean(str(done.manifest)))]
    print(streamed_text(done, lang, facts(args, lang), files))
    return 3 if done.counts["refused"] + done.counts["declined"] else 0


def full_facts(args: argparse.Namespace, lang: Lang) -> list[tuple[str, str]]:
    """Return what a workbook says about its origin: file, day, business, digest of the book, program."""
    said = [*facts(args, lang), (text("UI_digest", lang), digest(args.book))]
    return [*said, (text("UI_version", lang), f"ratemod {version()}".strip())]


def write(
    rated: Rated, target: Path, lang: Lang, by: tuple[str, ...], about: list[tuple[str, str]], live: bool = False
) -> list[str]:
    """Write a rated book as its file name's ending says; return the files as a person would like them listed."""
    from ratemod.exhibits.terminal import progress

    with progress(text("UI_writing", lang, file=target.name)) as bar:
        if live:
            from ratemod.exhibits.live_workbook import write_live_workbook

            write_live_workbook(rated, target, lang=lang, facts=about)
        elif target.suffix.lower() == ".xlsx":
            from ratemod.exhibits.priced_workbook import write_priced_workbook

            write_priced_workbook(rated, target, lang=lang, by=by, facts=about, tick=bar.show)
        elif target.suffix.lower() == ".csv":
            from ratemod.exhibits.priced_csv import write_priced_csv

            priced, refused = write_priced_csv(rated, target, lang=lang)
            return [str(priced), text("UI_file_refused", lang, path=refused)]
        else:
            from ratemod.exhibits.priced_csv import write_priced_parquet

            write_priced_parquet(rated, target)
    return [str(target)]
