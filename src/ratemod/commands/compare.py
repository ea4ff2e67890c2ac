"""``ratemod compare``: one list under two plans."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from ratemod.commands.common import book_arguments, column_map, open_plan
from ratemod.errors import Lang, text

if TYPE_CHECKING:
    from ratemod.whatif.dislocation import Dislocation


def arguments(parser: argparse.ArgumentParser, lang: Lang) -> None:
    """Declare the arguments."""
    book_arguments(parser, lang)
    parser.add_argument("--with", dest="other", metavar="PLAN", required=True, help=text("UI_help_other_plan", lang))
    parser.add_argument("--by", metavar="COLUMNS", help=text("UI_help_by", lang))


def run(args: argparse.Namespace, lang: Lang) -> int:
    """Price a list under both plans and say who moves."""
    from ratemod.book.read import read_book
    from ratemod.exhibits.terminal import progress
    from ratemod.plan.editions import load_plan
    from ratemod.rating.rate import rate
    from ratemod.whatif.dislocation import compare

    plan, other = open_plan(args), load_plan(args.other, args.at, args.business)
    with progress(text("UI_pricing", lang)):
        book = read_book(args.book, plan.columns, header_map=column_map(args.columns, plan), sheet=args.sheet)
        found = compare(rate(book, plan, lang=lang, trace=False), rate(book, other, lang=lang, trace=False))
    print("\n".join(found.differences(lang)))
    print(dislocation_text(found, lang, tuple(args.by.split(",")) if args.by else ()))
    return 0


def dislocation_text(found: Dislocation, lang: Lang, by: tuple[str, ...]) -> str:
    """Return a dislocation for a terminal."""
    from ratemod.exhibits.terminal import table_text
    from ratemod.money import yuan_text

    facts = found.totals
    parts = [
        text(
            "UI_whatif_totals",
            lang,
            policies=f"{facts['policies']:,}",
            change=f"{facts['change']:+.2%}",
            before=yuan_text(facts["premium_before_fen"]),
            after=yuan_text(facts["premium_after_fen"]),
            dearer=f"{facts['dearer']:,}",
            cheaper=f"{facts['cheaper']:,}",
            above=f"{facts['above_25_percent']:,}",
        )
    ]
    bands = found.bands()
    rows = [
        [f"{low:+.1%}" if low > -9 else "", f"{high:+.1%}" if high < 9 else "", f"{count:,}"]
        for low, high, count in zip(bands.change_from, bands.change_below, bands.policies)
    ]
    parts.append(table_text(["≥", "<", text("UI_panel_bands", lang)], rows, [True, True, True]))
    if by:
        frame = found.by(*by)
        rows = [
            [
                *(str(row[name]) for name in by),
                yuan_text(int(row["premium_before_fen"])),
                yuan_text(int(row["premium_after_fen"])),
                f"{row['change']:+.2%}",
            ]
            for _, row in frame.iterrows()
        ]
        head = [*by, text("UI_panel_before", lang), text("UI_panel_after", lang), text("UI_panel_change", lang)]
        parts.append(table_text(head, rows, [*(False for _ in by), True, True, True]))
    return "\n\n".join(parts)
