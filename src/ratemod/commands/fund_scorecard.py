"""``ratemod fund scorecard``: insurers, brokers or service bodies assessed by weighted indicators, with uncertainty."""

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
    province_arguments(parser, lang, (*PAPERS, "panel", "hazards", "claims", "brokers"))
    rules_argument(parser, lang)
    day_argument(parser, lang)
    by = ("insurer", "broker", "provider")
    parser.add_argument("--by", choices=by, default="insurer", help=text("UI_help_fund_by", lang))
    parser.add_argument("--indicators", metavar="FILE", type=Path, help=text("UI_help_fund_indicators", lang))
    parser.add_argument("--report", metavar="FILE", type=Path, help=text("UI_help_fund_report", lang))


def run(args: argparse.Namespace, lang: Lang) -> int:
    """Assess those of a province, show the last year, and write every number that leads to the scores."""
    import pyarrow as pa

    from ratemod.document.terminal import progress
    from ratemod.fund.fund_document import fund_text
    from ratemod.fund.of_folder import day_of, names_of, scorecard_of

    with progress(text("UI_fund_title_scorecard", lang)):
        lists = lists_of(args)
        found = scorecard_of(lists, day_of(lists, args.at), by=args.by, rules=args.rules, indicators=args.indicators)
        proved = found.reconcile()
    table, last = found.table, found.years[-1]
    now = table.filter(pa.array([year == last for year in table["year"].to_pylist()]))
    shown, weights = now.sort_by([("assessed_score", "descending")]), found.weight_table()
    lines = [
        fund_text(weights.select(["indicator", "weight"]), lang),
        text("UI_fund_rank_note", lang),
        text("UI_fund_weights_note", lang),
        *illustrative(lists, lang),
    ]
    tables = [
        ("scores", table),
        ("indicators", found.indicator_table()),
        ("ranks", found.ranks()),
        ("weights", weights),
    ]
    shown = shown.select(
        [args.by, "assessed_score", "low", "high", "rank_from", "rank_to", "chance_first", "change", "moved"]
    )
    code = report("UI_fund_title_scorecard", tables, shown, proved, found.refused, args, lang, lines)
    if args.report:
        from ratemod.document.files import write_document
        from ratemod.fund.scorecard_document import scorecard_document
        from ratemod.study.history import is_synthetic

        told = scorecard_document(found, lang, is_synthetic(lists.path), names_of(lists))
        print(text("UI_fund_written", lang, path=str(write_document(told, args.report))))
    return code
