"""``ratemod fund levy``: premium to levy to ledger, floor and cap proved."""

from __future__ import annotations

import argparse

from ratemod.commands.fund_common import day_argument, province_arguments, report, rules_argument
from ratemod.errors import Lang


def arguments(parser: argparse.ArgumentParser, lang: Lang) -> None:
    """Declare the arguments."""
    province_arguments(parser, lang)
    rules_argument(parser, lang)
    day_argument(parser, lang)


def run(args: argparse.Namespace, lang: Lang) -> int:
    """Levy every policy of the province and hold it against the ledger (where the rules are those of the ledger)."""
    import pyarrow as pa

    from ratemod.fund.levy import levy
    from ratemod.synth.province import load_province

    province = load_province(args.province)
    ledger = None if args.rules or args.at else province.table("ledger")  # other rules or days: another levy
    found = levy(
        province.table("policies"),
        args.rules,
        endorsements=province.table("endorsements"),
        ledger=ledger,
        as_of=args.at,
    )
    proved = found.reconcile()
    statement = pa.Table.from_pandas(found.statement(), preserve_index=False)
    tables = [("levy", found.table), ("statement", statement), ("movements", found.movement_table())]
    return report("UI_fund_title_levy", tables, statement, proved, found.refused, args, lang)
