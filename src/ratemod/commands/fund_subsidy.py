"""``ratemod fund subsidy``: premium subsidies of next year's book within a fiscal budget."""

from __future__ import annotations

import argparse

from ratemod.commands.common import count
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
    province_arguments(parser, lang)
    rules_argument(parser, lang)
    parser.add_argument(
        "--budget", metavar="YUAN", type=count(lang), default=1_000_000, help=text("UI_help_fund_budget", lang)
    )


def run(args: argparse.Namespace, lang: Lang) -> int:
    """Grant subsidies by the rules: to the renewals, priced; of a folder without them to its policies."""
    from ratemod.fund.subsidy import subsidise

    folder = lists_of(args)
    left_out: tuple[Problem, ...] = ()
    if "renewals" in folder:
        rated = priced_renewals(folder)
        policies, left_out = rated.table.filter(rated.table["premium_fen"].is_valid()), rated.problems
    else:
        policies = folder.table("policies")
    found = subsidise(policies, args.budget * 100, args.rules)
    statement = found.statement_table()
    tables = [("subsidies", found.table), ("statement", statement)]
    return report(
        "UI_fund_title_subsidy",
        tables,
        statement,
        found.reconcile(),
        (*left_out, *found.refused),
        args,
        lang,
        illustrative(folder, lang),
    )
