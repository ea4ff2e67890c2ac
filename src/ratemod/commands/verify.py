"""``ratemod verify``: does an output bear out its manifest?"""

from __future__ import annotations

import argparse
from pathlib import Path

from ratemod.errors import Lang, text


def arguments(parser: argparse.ArgumentParser, lang: Lang) -> None:
    """Declare the arguments."""
    parser.add_argument("output", metavar="OUT", type=Path, help=text("UI_help_verify_output", lang))
    parser.add_argument("--book", metavar="BOOK", type=Path, help=text("UI_help_verify_book", lang))
    parser.add_argument("--plan", metavar="PLAN", help=text("UI_help_verify_plan", lang))


def run(args: argparse.Namespace, lang: Lang) -> int:
    """Check an output, or every output of a folder, against its manifest; 0 when all is borne out."""
    from ratemod.rating.manifest import verify
    from ratemod.reading.chunks import parquet_files

    plan = None
    if args.plan:
        from ratemod.plan.editions import load_plan

        plan = load_plan(args.plan)
    for path in parquet_files(args.output):
        book = args.book
        if book is not None and args.output.is_dir():
            book = args.book / path.relative_to(args.output)
        facts = verify(path, book, plan)
        counts, yuan = facts["counts"], facts["premium_fen"] / 10 ** facts["decimals"]
        print(text("UI_verified", lang, path=path, plan=facts["plan"], rows=counts["rows"], yuan=yuan))
    return 0
