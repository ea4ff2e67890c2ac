"""``ratemod fund evaluate``: the yearly report on quality and effect of services."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from ratemod.commands.common import count, year
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

if TYPE_CHECKING:
    import pyarrow as pa


def arguments(parser: argparse.ArgumentParser, lang: Lang) -> None:
    """Declare the arguments."""
    province_arguments(parser, lang, (*PAPERS, "panel", "hazards", "complaints"))
    rules_argument(parser, lang)
    day_argument(parser, lang)
    parser.add_argument("--year", metavar="YEAR", type=year(lang), help=text("UI_help_fund_year", lang))
    parser.add_argument("--evaluator", metavar="NAME", default="", help=text("UI_help_fund_evaluator", lang))
    parser.add_argument("--holidays", metavar="FILE", type=Path, help=text("UI_help_holidays", lang))
    parser.add_argument("--report", metavar="FILE", type=Path, help=text("UI_help_fund_report", lang))
    parser.add_argument("--reports", metavar="DIR", type=Path, help=text("UI_help_fund_reports", lang))
    parser.add_argument(
        "--permutations", metavar="N", type=count(lang), default=99, help=text("UI_help_fund_permutations", lang)
    )


def run(args: argparse.Namespace, lang: Lang) -> int:
    """Evaluate a fund year of a province, with its ledger and duties, and write the report."""
    from ratemod.document.terminal import progress
    from ratemod.fund.evaluation_document import summary, write_evaluation, write_evaluations
    from ratemod.fund.fund_document import fund_text
    from ratemod.fund.of_folder import day_of, evaluation_of, names_of
    from ratemod.rating.target import check_new_folder
    from ratemod.registers.working_days import read_working_days
    from ratemod.study.history import is_synthetic

    if args.reports:
        check_new_folder(args.reports)
    with progress(text("UI_fund_title_evaluate", lang)):
        lists = lists_of(args)
        found = evaluation_of(
            lists,
            day_of(lists, args.at),
            year=args.year,
            rules=args.rules,
            evaluator=args.evaluator,
            permutations=args.permutations,
            working_days=read_working_days(args.holidays),
            synthetic=is_synthetic(lists.path),
        )
        proved = found.reconcile()
    tables = found.tables()
    shown = tables["by_insurer"].select(
        ["insurer", "planned", "delivered", "missing", "delivered_share", "hazards_found", "score_mean", "cost_fen"]
    )
    lines = [
        *([fund_text(in_words(tables["effect"], lang), lang)] if found.effect else []),
        "\n".join(summary(found, lang)),
        *illustrative(lists, lang),
    ]
    code = report("UI_fund_title_evaluate", list(tables.items()), shown, proved, found.refused, args, lang, lines)
    names = names_of(lists_of(args)) if args.report or args.reports else {}
    if args.report:
        print(text("UI_fund_written", lang, path=str(write_evaluation(found, args.report, lang, names))))
    if args.reports:
        for path in write_evaluations(found, args.reports, lang, names):
            print(text("UI_fund_written", lang, path=str(path)))
    return code


def in_words(effect: pa.Table, lang: Lang) -> pa.Table:
    """Return the estimates with their methods in words, in either language."""
    from ratemod.fund.fund_document import value_label

    return effect.set_column(0, "method", [[value_label(name, lang) for name in effect["method"].to_pylist()]])
