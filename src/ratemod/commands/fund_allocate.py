"""``ratemod fund allocate``: next year's prevention money, the duties first, then where it prevents most."""

from __future__ import annotations

import argparse
from pathlib import Path

from ratemod.commands.common import count, year
from ratemod.commands.fund_common import illustrative, insureds_of, lists_of, province_arguments, report
from ratemod.errors import Lang, text


def arguments(parser: argparse.ArgumentParser, lang: Lang) -> None:
    """Declare the arguments."""
    province_arguments(parser, lang, ("insureds", "budgets", "renewals", "panel", "insurers"))
    parser.add_argument("--catalogue", metavar="FILE", type=Path, help=text("UI_help_fund_catalogue", lang))
    parser.add_argument("--year", metavar="YEAR", type=year(lang), help=text("UI_help_fund_allocate_year", lang))
    parser.add_argument(
        "--most-visits", metavar="N", type=count(lang), default=4, help=text("UI_help_fund_visits", lang)
    )


def run(args: argparse.Namespace, lang: Lang) -> int:
    """Spend each insurer's budget, or the levy of its renewals, across its portfolio."""
    from ratemod.document.terminal import progress
    from ratemod.fund.allocate import allocate
    from ratemod.fund.catalogue import read_catalogue

    with progress(text("UI_fund_title_allocate", lang)):
        lists = lists_of(args)
        insureds, money, left_out = insureds_of(lists)
        limits = {"most_visits": args.most_visits, "year": args.year}
        found = allocate(insureds, money, catalogue=read_catalogue(args.catalogue), **limits)
    proved, statement, by = found.reconcile(), found.statement_table(), found.by
    shown = statement.select(
        [
            "insurer",
            "budget_fen",
            "spent_fen",
            "duties_owed",
            "duties_served",
            "missing_fen",
            "prevented_yuan",
            "bound_yuan",
            "avoided_per_million",
            "proportional_per_million",
        ]
    )
    million = max(found.spent_fen, 1) / 1e8
    lines = [
        text("UI_fund_gap", lang, gap=f"{found.gap:.3%}", yuan=f"{found.gap_yuan:,.0f}"),
        text(
            "UI_fund_compare",
            lang,
            best=f"{by.avoided.sum() / million:.2f}",
            premium=f"{by.proportional_avoided.sum() / million:.2f}",
        ),
        *(item.line(lang) for item in found.far_from_bound()),
        *illustrative(lists, lang),
    ]
    tables = [("visits", found.table), ("insureds", found.insureds()), ("statement", statement)]
    return report("UI_fund_title_allocate", tables, shown, proved, (*left_out, *found.refused), args, lang, lines)
