"""``ratemod triangle``: a triangle in, development factors, what is unpaid and its standard errors out."""

from __future__ import annotations

import argparse
from pathlib import Path

from ratemod.commands.common import count
from ratemod.commands.method_common import given, headers_of, list_arguments, named, show, target_of
from ratemod.errors import Lang, text

AVERAGES = ("volume", "simple", "medial", "geometric")
METHODS = (
    "mack", "chain_ladder", "bornhuetter_ferguson", "benktander", "cape_cod", "clark", "munich", "bootstrap",
)  # fmt: skip
OPTIONS = ("average", "periods", "alpha", "last_sigma", "tail", "tail_curve", "tail_se", "tail_sigma", "expected_ratio",
           "iterations", "decay", "trend", "growth", "until", "draws", "seed")  # fmt: skip


def arguments(parser: argparse.ArgumentParser, lang: Lang) -> None:
    """Declare the arguments."""
    list_arguments(parser, lang, "UI_help_triangle_file")
    parser.add_argument("--sheet", metavar="SHEET", action="append", help=text("UI_help_sheet", lang))
    parser.add_argument("--incremental", action="store_true", help=text("UI_help_incremental", lang))
    parser.add_argument("--method", choices=METHODS, default="mack", help=text("UI_help_triangle_method", lang))
    parser.add_argument("--average", choices=AVERAGES, help=text("UI_help_average", lang))
    parser.add_argument("--periods", metavar="N", type=count(lang), help=text("UI_help_periods", lang))
    parser.add_argument("--alpha", type=int, choices=(0, 1, 2), help=text("UI_help_alpha", lang))
    parser.add_argument("--last-sigma", choices=("mack", "log-linear"), help=text("UI_help_last_sigma", lang))
    parser.add_argument("--tail", metavar="FACTOR", type=float, help=text("UI_help_tail", lang))
    parser.add_argument("--tail-curve", choices=("exponential", "inverse_power"), help=text("UI_help_tail_curve", lang))
    parser.add_argument("--tail-ages", metavar="AGES", help=text("UI_help_tail_ages", lang))
    parser.add_argument("--tail-se", metavar="ERROR", type=float, help=text("UI_help_tail_se", lang))
    parser.add_argument("--tail-sigma", metavar="SIGMA", type=float, help=text("UI_help_tail_sigma", lang))
    parser.add_argument("--expected-ratio", metavar="RATIO", type=float, help=text("UI_help_expected_ratio", lang))
    parser.add_argument("--iterations", metavar="N", type=count(lang), help=text("UI_help_iterations", lang))
    parser.add_argument("--decay", metavar="SHARE", type=float, help=text("UI_help_decay", lang))
    parser.add_argument("--trend", metavar="RATE", type=float, help=text("UI_help_trend", lang))
    parser.add_argument("--growth", choices=("loglogistic", "weibull"), help=text("UI_help_growth", lang))
    parser.add_argument("--until", metavar="AGE", type=float, help=text("UI_help_until", lang))
    parser.add_argument("--incurred", metavar="FILE", type=Path, help=text("UI_help_incurred", lang))
    parser.add_argument("--draws", metavar="N", type=count(lang), help=text("UI_help_draws", lang))
    parser.add_argument("--seed", metavar="N", type=int, help=text("UI_help_seed_draws", lang))


def run(args: argparse.Namespace, lang: Lang) -> int:
    """Develop each segment; 0 all, 3 when some segment has no answer, with the reason."""
    from ratemod.document.terminal import progress
    from ratemod.ratemaking.reserve import reserves
    from ratemod.ratemaking.triangle_list import read_triangle
    from ratemod.report.methods import reserves_document

    target = target_of(args)
    options = given(args, OPTIONS)
    if args.tail_ages:
        options["tail_ages"] = named(args.tail_ages)
    more = {"header_map": headers_of(args), "sheet": args.sheet, "incremental": args.incremental}
    with progress(text("UI_reading", lang, file=args.file.name)):
        table = read_triangle(args.file, **more)
        if args.incurred:
            options["incurred"] = read_triangle(args.incurred, **more)
    made = reserves(table, args.method, **options)
    show(lambda tongue: reserves_document(made, tongue), made.frame(), target, lang)
    return 3 if made.refused else 0
