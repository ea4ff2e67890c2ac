"""``ratemod fund subsidy``: premium subsidies of next year's book within a fiscal budget."""

from __future__ import annotations

import argparse

from ratemod.commands.common import count, day, year
from ratemod.commands.fund_common import (
    illustrative,
    lists_of,
    priced_renewals,
    province_arguments,
    report,
    rules_argument,
)
from ratemod.errors import Lang, Problem, text


def arguments(parser: argparse.ArgumentParser, lang: Lang) -> None:
    """Declare the arguments."""
    province_arguments(parser, lang, ("renewals", "policies", "insurers"))
    rules_argument(parser, lang)
    parser.add_argument("--at", metavar="DATE", type=day(lang), help=text("UI_help_fund_subsidy_at", lang))
    parser.add_argument("--year", metavar="YEAR", type=year(lang), help=text("UI_help_fund_subsidy_year", lang))
    parser.add_argument(
        "--budget", metavar="YUAN", type=count(lang), required=True, help=text("UI_help_fund_budget", lang)
    )


def run(args: argparse.Namespace, lang: Lang) -> int:
    """Grant subsidies by the rules: to the renewals, priced; of a folder without them to its policies."""
    from ratemod.fund.events import tally_table
    from ratemod.fund.fund_document import fund_text
    from ratemod.fund.subsidy import subsidise
    from ratemod.money import yuan_text

    folder = lists_of(args)
    left_out: tuple[Problem, ...] = ()
    if "renewals" in folder:
        rated = priced_renewals(folder)
        policies, left_out = rated.table.filter(rated.table["premium_fen"].is_valid()), rated.problems
    else:
        policies = folder.table("policies")
    found = subsidise(policies, args.budget * 100, args.rules, year=args.year, as_of=args.at)
    statement, counties, rows = found.statement_table(), found.county_table(), tally_table([found.rows])
    tables = [
        ("subsidies", found.table),
        ("statement", statement),
        ("counties", counties),
        ("payment_list", found.payment_table()),
        ("rows", rows),
    ]
    lines = [
        text("UI_fund_subsidy_budget", lang, budget=yuan_text(found.budget_fen)),
        fund_text(counties, lang),
        fund_text(rows, lang),
        *illustrative(folder, lang),
    ]
    told = (*left_out, *found.refused)
    return report("UI_fund_title_subsidy", tables, statement, found.reconcile(), told, args, lang, lines)
