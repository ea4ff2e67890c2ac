"""``ratemod report attack``: what published tables tell of the figures that they leave out."""

from __future__ import annotations

import argparse
from pathlib import Path

from ratemod.errors import Lang, text


def arguments(parser: argparse.ArgumentParser, lang: Lang) -> None:
    """Declare the arguments."""
    parser.add_argument("files", metavar="FILE", nargs="+", type=Path, help=text("UI_help_attack_files", lang))


def run(args: argparse.Namespace, lang: Lang) -> int:
    """Print the intervals of what is left out; 3 where a figure is known exactly."""
    from ratemod.confidentiality.attack import attack_files
    from ratemod.confidentiality.figures import is_money
    from ratemod.document.terminal import table_text

    found = attack_files(args.files)
    rows = []
    for item in found:
        unit = 1_000_000 if is_money(item.figure.measure) else 1
        ends = [f"{end / unit:,.2f}" if unit > 1 else f"{end:,.1f}" for end in (item.low, item.high)]
        levels = " ".join(level for _, level in item.figure.key)
        rows.append(
            [
                str(item.figure.year),
                item.figure.subject,
                item.figure.measure,
                levels,
                *ends,
                "!" if item.exact else "~" * item.narrow,
            ]
        )
    heads = [
        text(f"UI_attack_{name}", lang) for name in ("year", "subject", "measure", "levels", "low", "high", "exact")
    ]
    print(table_text(heads, rows, [False, False, False, False, True, True, False]))
    exact, narrow = sum(item.exact for item in found), sum(item.narrow and not item.exact for item in found)
    print("\n" + text("UI_attack_said", lang, count=len(found), exact=exact, narrow=narrow))
    return 3 if exact else 0
