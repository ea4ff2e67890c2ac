"""``ratemod quote``: letters to the insureds of a list, and opinions on the rows that an underwriter must see."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ratemod.commands.common import book_arguments, books_of, day, outside_argument, price
from ratemod.commands.register_files import derived_text, register_options
from ratemod.errors import Lang, text

if TYPE_CHECKING:
    from ratemod.letters.letter import Kind
    from ratemod.rating.rated import Rated
    from ratemod.registers.derive import Derived


def arguments(parser: argparse.ArgumentParser, lang: Lang) -> None:
    """Declare the arguments."""
    book_arguments(parser, lang)
    outside_argument(parser, lang)
    register_options(parser, lang)
    parser.add_argument("--only", metavar="ROW", action="append", help=text("UI_help_only", lang))
    parser.add_argument("--letter", choices=("quote", "opinion"), help=text("UI_help_letter", lang))
    parser.add_argument("--terms", metavar="FILE", type=Path, help=text("UI_help_terms", lang))
    parser.add_argument("--templates", metavar="FOLDER", type=Path, help=text("UI_help_templates", lang))
    parser.add_argument("--duties", metavar="FILE", type=Path, help=text("UI_help_letter_duties", lang))
    parser.add_argument("--date", type=day(lang), metavar="DATE", help=text("UI_help_letter_date", lang))
    parser.add_argument("--pdf", action="store_true", help=text("UI_help_letter_pdf", lang))
    parser.add_argument(
        "-o", "--output", metavar="TARGET", type=Path, required=True, help=text("UI_help_letters", lang)
    )


def run(args: argparse.Namespace, lang: Lang) -> int:
    """Write the letters; 0 where every row asked for has one, 3 where some have none."""
    from ratemod.document.terminal import progress
    from ratemod.fund.duty_rule import read_duty_rules
    from ratemod.letters.letter import letter_of
    from ratemod.letters.templates import Templates
    from ratemod.letters.terms import read_terms
    from ratemod.letters.write import check_letters, write_letters
    from ratemod.printed import clean
    from ratemod.rating.find import rows_called
    from ratemod.report.rated_text import unpriced_text

    check_letters(args.output, [*books_of(args), *args.read])
    terms, duties, templates = read_terms(lang, args.terms), read_duty_rules(args.duties), Templates(args.templates)
    derived: list[Derived] = []
    rated = price(args, args.plan, lang, trace=False, derived=derived)
    rows: Sequence[int] = range(rated.coding.n)
    if args.only:
        rows = sorted({at for called in args.only for at in rows_called(rated, called)})
    chosen = [(at, kind) for at in rows if (kind := _kind(rated, at, args.letter)) is not None]
    letters = (letter_of(rated, at, kind, terms, duties, lang=lang, date=args.date) for at, kind in chosen)
    done = 0
    if chosen:
        title = text("UI_letters_title", lang, book=", ".join(path.name for path in books_of(args)))
        with progress(text("UI_letters_writing", lang)) as bar:
            done = write_letters(
                letters,
                len(chosen),
                args.output,
                templates,
                title=title,
                ending=".pdf" if args.pdf else ".html",
                tick=bar.show,
            )
    quotes = sum(kind == "quote" for _, kind in chosen)
    print(
        text(
            "UI_letters_written",
            lang,
            letters=done,
            quotes=quotes,
            opinions=done - quotes,
            path=clean(str(args.output)),
        )
        if done
        else text("UI_letters_none", lang)
    )
    if left := len(rows) - done:
        print(text("UI_letters_left", lang, rows=left))
        print(unpriced_text(rated, lang))
    if derived:
        print("\n" + derived_text(derived, lang))
    return 3 if left else 0


def _kind(rated: Rated, at: int, wanted: Kind | None) -> Kind | None:
    """Return which letter a row gets: a quote if it is priced, an opinion if an underwriter must see it first."""
    from ratemod.rating.verdict import RATED, REFERRED

    state = rated.verdict.status[at]
    own: Kind | None = "quote" if state == RATED else "opinion" if state == REFERRED else None
    if wanted is None or own is None:
        return own
    return wanted if wanted == "opinion" or own == "quote" else None
