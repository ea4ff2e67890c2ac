"""``ratemod fund duties``: services owed, met, late and missing; who was not served, worst first."""

from __future__ import annotations

import argparse
from collections import Counter
from datetime import date
from typing import TYPE_CHECKING

from ratemod.commands.fund_common import day_argument, lists_of, province_arguments, report, rules_argument
from ratemod.errors import Lang, text

if TYPE_CHECKING:
    import pyarrow as pa

    from ratemod.fund.duties import Duties


def arguments(parser: argparse.ArgumentParser, lang: Lang) -> None:
    """Declare the arguments."""
    province_arguments(parser, lang, ("policies", "services", "insurers"))
    rules_argument(parser, lang)
    day_argument(parser, lang)


def run(args: argparse.Namespace, lang: Lang) -> int:
    """Hold services delivered against services owed; without a day, on the last valuation day of the province."""
    from ratemod.fund.fund_document import fund_text
    from ratemod.fund.of_folder import day_of, duties_of

    province = lists_of(args)
    last: date = day_of(province, args.at)
    found = duties_of(province, last, args.rules)
    proved, worst = found.reconcile(), found.unserved_table()
    promises = found.promises_table()
    lines = [
        *promises_said(found, promises, lang),
        text("UI_fund_unserved_count", lang, count=worst.num_rows, at=last.isoformat()),
        fund_text(worst, lang, 10),
        fund_text(found.tally_table(), lang),
    ]
    tables = [
        ("unserved", worst),
        ("duties", found.table),
        ("statement", found.statement_table()),
        ("promises", promises),
        ("rows", found.tally_table()),
    ]
    return report("UI_fund_title_duties", tables, found.statement_table(), proved, found.refused, args, lang, lines)


def promises_said(found: Duties, promises: pa.Table, lang: Lang) -> list[str]:
    """Return how contracts stand beside what is owed by rule, and those that promise less."""
    import pyarrow as pa

    from ratemod.fund.fund_document import fund_text

    findings = promises["finding"].to_pylist()
    many = Counter(findings)
    counts = {"fewer": many["fewer"], "no_item": many["no_item"], "frequency": many["no_frequency"]}
    said = text("UI_fund_promises", lang, owed=int((found.owed_by_law > 0).sum()), **counts, items=many["no_items"])
    less = promises.filter(pa.array([name not in ("no_frequency", "no_items") for name in findings], pa.bool_()))
    return [said, *([fund_text(less, lang, 10)] if less.num_rows else [])]
