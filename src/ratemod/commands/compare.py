"""``ratemod compare``: one list under two plans."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from ratemod.commands.common import book_arguments, open_plan, read_list, unpriced
from ratemod.errors import Lang, text

if TYPE_CHECKING:
    import pandas as pd

    from ratemod.plan.model import Plan
    from ratemod.whatif.dislocation import Dislocation


def arguments(parser: argparse.ArgumentParser, lang: Lang) -> None:
    """Declare the arguments."""
    book_arguments(parser, lang)
    parser.add_argument("--with", dest="other", metavar="PLAN", required=True, help=text("UI_help_other_plan", lang))
    parser.add_argument("--by", metavar="COLUMNS", help=text("UI_help_by", lang))
    parser.add_argument("--start", metavar="COLUMN", help=text("UI_help_start", lang))


def run(args: argparse.Namespace, lang: Lang) -> int:
    """Price a list under both plans and say who moves; 3 where some rows have no premium under one."""
    from ratemod.document.terminal import progress
    from ratemod.plan.editions import load_plan
    from ratemod.rating.rate import rate
    from ratemod.report.summary_table import named_columns
    from ratemod.whatif.dislocation import before_caps, compare

    plan, other = open_plan(args), load_plan(args.other, args.at, args.business)
    by = named_columns(plan, args.by)  # refuses before the work
    with progress(text("UI_pricing", lang)):
        book = read_list(args, plan.columns)
        kept = before_caps(plan)
        steps = [name for name in (kept,) if name in other.step_names] if kept else []
        before, after = (rate(book, one, lang=lang, trace=steps) for one in (plan, other))
        found = compare(before, after, start=args.start)
    print("\n".join(found.differences(lang)))
    print(dislocation_text(found, lang, by))
    return unpriced((before, after), lang)


def dislocation_text(found: Dislocation, lang: Lang, by: tuple[str, ...]) -> str:
    """Return a dislocation for a terminal."""
    from ratemod.printed import clean_lines
    from ratemod.whatif.display import dislocation_lines

    plan = found.before.plan
    bands = found.bands()
    held = found.bounds()
    held = held[(held.before > 0) | (held.after > 0)]
    parts = [
        clean_lines("\n".join(dislocation_lines(found, lang))),
        frame_text(bands.drop(columns=["premium_before_fen", "premium_after_fen"]), lang, plan),
    ]
    if by:
        parts.append(frame_text(found.by(*by), lang, plan))
    if len(held):
        parts.append(f"{text('UI_whatif_bounds', lang)}\n{frame_text(held, lang, plan)}")
    moves = found.movers(5)
    if (moves.change_fen != 0).any():
        parts.append(f"{text('UI_panel_movers', lang)}\n{frame_text(moves[moves.change_fen != 0], lang, plan)}")
    return "\n\n".join(parts)


def frame_text(frame: pd.DataFrame, lang: Lang, plan: Plan) -> str:
    """Return a frame of results for a terminal: labels, yuan, per cent, levels in words."""
    from ratemod.document.terminal import grid_text
    from ratemod.plan.frame_table import frame_table

    return grid_text(frame_table(frame, lang, plan, most=None), lang)
