"""``ratemod explain``: one premium, step by step."""

from __future__ import annotations

import argparse

from ratemod.commands.common import book_arguments, open_plan, price
from ratemod.errors import Lang, text


def arguments(parser: argparse.ArgumentParser, lang: Lang) -> None:
    """Declare the arguments."""
    book_arguments(parser, lang)
    parser.add_argument("key", metavar="KEY", help=text("UI_help_explain_key", lang))


def run(args: argparse.Namespace, lang: Lang) -> int:
    """Show one row's worksheet; 0 when it has a premium, 3 when not."""
    from ratemod.exhibits.terminal import worksheet_text

    rated = price(args, open_plan(args), lang, trace=True)
    sheet = rated.explain(args.key)
    print(worksheet_text(sheet, lang, rated.plan))
    return 0 if sheet.status in ("rated", "referred") else 3
