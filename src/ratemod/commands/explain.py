"""``ratemod explain``: one premium, step by step."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from ratemod.commands.common import book_arguments, books_of, outside_argument, price
from ratemod.commands.register_files import derived_text, evidence_of, register_options
from ratemod.errors import Lang, text
from ratemod.printed import clean

if TYPE_CHECKING:
    from ratemod.registers.derive import Derived


def arguments(parser: argparse.ArgumentParser, lang: Lang) -> None:
    """Declare the arguments."""
    book_arguments(parser, lang)
    outside_argument(parser, lang)
    register_options(parser, lang)
    parser.add_argument("key", metavar="KEY", help=text("UI_help_explain_key", lang))
    parser.add_argument("-o", "--output", metavar="FILE", help=text("UI_help_explain_output", lang))


def run(args: argparse.Namespace, lang: Lang) -> int:
    """Show the worksheet of a row, or of all rows of one key or name; 0 when they have a premium, 3 when not."""
    from ratemod.document.files import SUFFIXES, write_document
    from ratemod.document.model import Document, Section
    from ratemod.rating.find import rows_called
    from ratemod.rating.target import check_target
    from ratemod.rating.worksheet_words import worksheet_document, worksheet_text

    target = check_target(args.output, [*books_of(args), *args.read], SUFFIXES) if args.output else None
    derived: list[Derived] = []
    rated = price(args, args.plan, lang, trace=False, derived=derived)
    rows = rows_called(rated, args.key)
    if len(rows) > 1:
        print(text("UI_explain_several", lang, count=len(rows), key=args.key) + "\n")
    sheets = [rated.explain(row) for row in rows]
    if target is not None:
        parts = [
            Section(f"row-{at}", sheet.key, worksheet_document(sheet, lang).head) for at, sheet in enumerate(sheets, 1)
        ]
        title = text("UI_letter_worksheet", lang)
        write_document(Document(lang=lang, title=title, sections=tuple(parts)), target)
        print(clean(str(target)) + "\n")
    for row, sheet in zip(rows, sheets):
        print(worksheet_text(sheet, lang))
        if derived:
            print("\n" + evidence_of(derived, row, lang))
    if derived:
        print("\n" + derived_text(derived, lang))
    return 0 if all(sheet.status in ("rated", "referred") for sheet in sheets) else 3
