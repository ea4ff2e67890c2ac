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
    """Levy every policy of the province and hold it against the ledger.

    Under the rules by which the ledger was kept both must agree to the fen. Under other rules the two are shown beside
    each other, and what they differ by is told.
    """
    import pyarrow as pa

    from ratemod.fund.levy import levy
    from ratemod.fund.proof import prove
    from ratemod.reading.folder import open_folder

    province = open_folder(args.province)
    found = levy(
        province.table("policies"),
        args.rules,
        endorsements=province.get("endorsements"),
        ledger=province.get("ledger"),
        receipts=province.get("receipts"),
        as_of=args.at,
    )
    apart = found.apart_from_ledger() if args.rules and "ledger" in province else None
    proved = prove(found.checks()) if apart else found.reconcile()
    refused = found.refused if apart is None else (*found.refused, apart)
    statement = pa.Table.from_pandas(found.statement(), preserve_index=False)
    tables = [("levy", found.table), ("statement", statement), ("movements", found.movement_table())]
    return report("UI_fund_title_levy", tables, statement, proved, refused, args, lang)
