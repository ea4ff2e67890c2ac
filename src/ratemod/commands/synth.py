"""``ratemod synth``: a synthetic province with known truth, and how it compares with the published figures."""

from __future__ import annotations

import argparse
from pathlib import Path

from ratemod.errors import Lang, text


def arguments(parser: argparse.ArgumentParser, lang: Lang) -> None:
    """Declare the arguments."""
    parser.add_argument("out", metavar="FOLDER", type=Path, help=text("UI_help_synth_out", lang))
    parser.add_argument("--enterprises", type=int, default=3000, metavar="N", help=text("UI_help_synth_size", lang))
    parser.add_argument("--years", type=int, default=5, metavar="N", help=text("UI_help_synth_years", lang))
    parser.add_argument("--first-year", type=int, default=2021, metavar="Y", help=text("UI_help_synth_first", lang))
    parser.add_argument("--seed", type=int, default=2026, metavar="N", help=text("UI_help_synth_seed", lang))
    kinds = ("parquet", "csv")
    parser.add_argument("--format", choices=kinds, default="parquet", help=text("UI_help_synth_kind", lang))
    parser.add_argument("--mess", type=int, default=0, metavar="N", help=text("UI_help_synth_mess", lang))


def run(args: argparse.Namespace, lang: Lang) -> int:
    """Write the province and print its calibration report; 0 even where a small province is thin in some figure."""
    from ratemod.synth.calibration import calibration
    from ratemod.synth.province import synthesize

    province = synthesize(
        args.enterprises,
        args.years,
        args.seed,
        first_year=args.first_year,
        out=args.out,
        format=args.format,
        mess=args.mess,
    )
    print(text("UI_synth_made", lang, enterprises=args.enterprises, years=args.years, folder=args.out))
    print()
    print(calibration(province).text(lang))
    return 0
