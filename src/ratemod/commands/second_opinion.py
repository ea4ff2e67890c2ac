"""``ratemod second-opinion``: another system's premiums beside ours, and why they differ."""

from __future__ import annotations

import argparse

from ratemod.commands.common import book_arguments, books_of, digest, open_plan, outside_argument, price, unpriced
from ratemod.errors import Lang, text


def arguments(parser: argparse.ArgumentParser, lang: Lang) -> None:
    """Declare the arguments."""
    book_arguments(parser, lang)
    outside_argument(parser, lang)
    parser.add_argument("--premium", metavar="COLUMN", required=True, help=text("UI_help_premium_column", lang))
    parser.add_argument("-o", "--output", metavar="FILE", help=text("UI_help_opinion_output", lang))


def run(args: argparse.Namespace, lang: Lang) -> int:
    """Compare; 0 when every row has a premium of both that agrees, else 3."""
    from ratemod.rating.target import check_target
    from ratemod.reading.header import fold, spellings
    from ratemod.report.second_opinion_file import SUFFIXES, write_second_opinion
    from ratemod.secondopinion.second_opinion import premium_column, second_opinion

    target = check_target(args.output, books_of(args), SUFFIXES) if args.output else None
    plan = open_plan(args)
    known = fold(args.premium) in spellings(plan.columns)
    theirs = () if known else (premium_column(args.premium),)
    rated = price(args, plan, lang, trace=False, besides=theirs).one_edition()
    opinion = second_opinion(rated, args.premium)
    print(opinion.text(lang))
    unpriced([rated], lang)
    if target:
        write_second_opinion(opinion, target, lang, digest(args))
        print(f"\n{text('UI_files', lang)}\n  {target}")
    return 0 if opinion.agrees.all() else 3
