"""``ratemod fund ledger``: levy, budgets, contracts, deliveries and payments as double entries; what looks wrong."""

from __future__ import annotations

import argparse
from pathlib import Path

from ratemod.commands.fund_common import (
    PAPERS,
    day_argument,
    illustrative,
    lists_of,
    province_arguments,
    report,
    rules_argument,
)
from ratemod.errors import Lang, text


def arguments(parser: argparse.ArgumentParser, lang: Lang) -> None:
    """Declare the arguments."""
    province_arguments(parser, lang, PAPERS)
    rules_argument(parser, lang)
    day_argument(parser, lang)
    for name in ("levy-rules", "kept"):
        said = text(f"UI_help_fund_{name.replace('-', '_')}", lang)
        parser.add_argument(f"--{name}", metavar="FILE", type=Path, help=said)
    parser.add_argument("--sql", metavar="SELECT", help=text("UI_help_fund_sql", lang))


def run(args: argparse.Namespace, lang: Lang) -> int:
    """Keep the ledger of a province, prove it, flag what breaks a rule; or answer a question in SQL."""
    import pyarrow as pa

    from ratemod.document.terminal import progress
    from ratemod.fund.fund_document import called, fund_text, write_fund
    from ratemod.fund.of_folder import day_of, ledger_of, names_of

    with progress(text("UI_fund_title_ledger", lang)):
        lists = lists_of(args)
        rules = {"rules": args.rules, "levy_rules": args.levy_rules, "kept": args.kept}
        found = ledger_of(lists, day_of(lists, args.at), **rules)
        proved = found.reconcile()
    if args.sql:
        from ratemod.fund.ledger_sql import ask
        from ratemod.reading.spoken import settled

        answer = ask(found, args.sql)
        names = names_of(lists_of(args))
        settled()
        print(fund_text(called(answer, names), lang))
        if args.out:
            written = write_fund([("answer", answer)], args.out, lang, names=names)
            print(text("UI_fund_written", lang, path=str(written)))
        return 0
    statement, counts, trail = found.statement_table(), found.flag_counts(), found.papers.corrections
    last = statement.filter(pa.array([year == found.years[-1] for year in statement["fund_year"].to_pylist()]))
    shown = last.select(
        ["insurer", "fund_year", "opening_fen", "accrued_fen", "released_fen", "used_fen", "closing_fen", "paid_fen",
         "beyond_fen"]
    )  # fmt: skip
    lines = [
        fund_text(counts.select(["rule", "looked_at", "flags", "amount_fen"]), lang),
        text("UI_fund_ledger_size", lang, lines=len(found.journal), entries=len(found.journal.entry_no)),
        fund_text(found.tally_table(), lang),
        *([text("UI_fund_corrections", lang, count=trail.num_rows), fund_text(trail, lang)] if trail.num_rows else []),
        *illustrative(lists, lang),
    ]
    tables = [
        ("journal", found.table),
        ("statement", statement),
        ("flags", found.flags),
        ("rules", counts),
        ("rows", found.tally_table()),
        *([("corrections", trail)] if trail.num_rows else []),
    ]
    return report("UI_fund_title_ledger", tables, shown, proved, found.refused, args, lang, lines)
