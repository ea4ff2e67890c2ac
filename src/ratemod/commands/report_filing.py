"""``ratemod report filing``: a new edition against the current one, ready for a reviewing actuary."""

from __future__ import annotations

import argparse
from pathlib import Path

from ratemod.commands.common import book_arguments, books_of, digest, exit_code, facts, names_of, open_plan, read_list
from ratemod.errors import Lang, text


def arguments(parser: argparse.ArgumentParser, lang: Lang) -> None:
    """Declare the arguments."""
    book_arguments(parser, lang)
    parser.add_argument("--against", metavar="PLAN", required=True, help=text("UI_help_filing_against", lang))
    parser.add_argument("--study", metavar="FOLDER", type=Path, help=text("UI_help_filing_study", lang))
    parser.add_argument("--by", metavar="COLUMNS", default="", help=text("UI_help_filing_by", lang))
    parser.add_argument("--examples", metavar="KEYS", default="", help=text("UI_help_filing_examples", lang))
    parser.add_argument(
        "-o", "--output", metavar="FILE", action="append", required=True, help=text("UI_help_filing_output", lang)
    )


def run(args: argparse.Namespace, lang: Lang) -> int:
    """Write the filing; 0 when every row has a premium under the new edition and all adds up, else 3."""
    from ratemod.commands.compare import dislocation_text
    from ratemod.document.pdf import find_browser
    from ratemod.document.terminal import progress
    from ratemod.plan.editions import load_plan
    from ratemod.printed import clean
    from ratemod.rating.target import check_target
    from ratemod.report.filing import filing
    from ratemod.report.filing_document import SUFFIXES, write_filing
    from ratemod.study.history import is_synthetic

    targets = [check_target(path, books_of(args), SUFFIXES) for path in args.output]
    if any(target.suffix.lower() == ".pdf" for target in targets):
        find_browser()  # before any long work
    new, current = open_plan(args), load_plan(args.against, args.at, args.business)
    with progress(text("UI_reading", lang, file=names_of(args))):
        columns = {**new.columns, **current.columns}  # an edition may ask for more than the one before
        book = read_list(args, columns)
    with progress(text("UI_filing_pricing", lang)):
        found = filing(
            book,
            new,
            current,
            study=args.study,
            by=_names(args.by),
            examples=_names(args.examples),
            facts={"zh": facts(args, "zh"), "en": facts(args, "en")},
            digest=digest(args),
            synthetic=is_synthetic(args.book.parent),
        )
    for target in targets:
        with progress(text("UI_writing", lang, file=target.name)):
            write_filing(found, target, lang)
    print(f"{found.current.id} → {found.new.id}")
    print(dislocation_text(found.moved, lang, ()))
    failed = sum(not check.holds for check in found.checks)
    print(text("UI_filing_some_fail", lang, failed=failed) if failed else
          text("UI_filing_all_hold", lang, count=len(found.checks)))  # fmt: skip
    print("\n".join(text("UI_filing_written", lang, path=clean(str(target))) for target in targets))
    return 3 if failed else exit_code(found.moved.after)


def _names(said: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in said.replace("，", ",").split(",") if part.strip())
