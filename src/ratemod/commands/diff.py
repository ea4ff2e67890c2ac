"""``ratemod diff``: what differs between two plans, in words."""

from __future__ import annotations

import argparse

from ratemod.errors import Lang, text


def arguments(parser: argparse.ArgumentParser, lang: Lang) -> None:
    """Declare the arguments."""
    parser.add_argument("before", metavar="PLAN_A", help=text("UI_help_diff_before", lang))
    parser.add_argument("after", metavar="PLAN_B", help=text("UI_help_diff_after", lang))


def run(args: argparse.Namespace, lang: Lang) -> int:
    """Print one line for each difference; 0 whether or not there are any."""
    from ratemod.plan.edit import differences
    from ratemod.plan.editions import load_plan
    from ratemod.printed import clean

    before, after = load_plan(args.before), load_plan(args.after)
    print(f"{before.id} → {after.id}")
    lines = differences(before, after, lang)
    print("\n".join(f"  {clean(line)}" for line in lines) if lines else text("UI_no_differences", lang))
    return 0
