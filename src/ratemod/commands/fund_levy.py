"""``ratemod fund levy``: premium to levy to ledger, floor and cap proved."""

from __future__ import annotations

import argparse

from ratemod.commands.fund_common import (
    BOOK,
    day_argument,
    lists_of,
    province_arguments,
    report,
    rules_argument,
)
from ratemod.errors import Lang, text


def arguments(parser: argparse.ArgumentParser, lang: Lang) -> None:
    """Declare the arguments."""
    province_arguments(parser, lang, (*BOOK, "ledger"))
    rules_argument(parser, lang)
    day_argument(parser, lang)


def run(args: argparse.Namespace, lang: Lang) -> int:
    """Levy every policy of the province and hold it against the ledger.

    Under the rules by which the ledger was kept both must agree to the fen. Under other rules the two are shown beside
    each other, and what they differ by is told.
    """
    import pyarrow as pa

    from ratemod.fund.fund_document import called, fund_text
    from ratemod.fund.of_folder import levy_of, names_of
    from ratemod.fund.proof import prove

    lists = lists_of(args)
    found = levy_of(lists, args.rules, args.at, ledger=lists.get("ledger"))
    apart = found.apart_from_ledger() if args.rules and "ledger" in lists else None
    proved = prove(found.checks()) if apart else found.reconcile()
    refused = found.refused if apart is None else (*found.refused, apart)
    statement = pa.Table.from_pandas(found.statement(), preserve_index=False)
    rows = found.tally_table()
    tables = [("levy", found.table), ("statement", statement), ("movements", found.movement_table()), ("rows", rows)]
    lines = [fund_text(rows, lang)]
    if "coinsurance" in lists:
        borne = found.share_table()
        tables.append(("shares", borne))
        lines.append(fund_text(called(borne, names_of(lists)), lang))
        if found.left_to_leader:
            lines.append(text("UI_fund_left_to_leader", lang, rows=found.left_to_leader))
    return report("UI_fund_title_levy", tables, statement, proved, refused, args, lang, lines)
