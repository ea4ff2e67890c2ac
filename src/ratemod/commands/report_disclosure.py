"""``ratemod report disclosure``: a year of the shared data as it may be published."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from ratemod.commands.common import day, table_arguments, year
from ratemod.errors import BookError, Lang, problem, text

if TYPE_CHECKING:
    from ratemod.registers.rules import ParticipationRule


def arguments(parser: argparse.ArgumentParser, lang: Lang) -> None:
    """Declare the arguments."""
    parser.add_argument("province", metavar="PROVINCE", type=Path, help=text("UI_help_disclosure_province", lang))
    parser.add_argument(
        "--year", metavar="YEAR", type=year(lang), required=True, help=text("UI_help_disclosure_year", lang)
    )
    parser.add_argument("--plan", metavar="PLAN", help=text("UI_help_disclosure_plan", lang))
    parser.add_argument(
        "--least-units", metavar="N", type=_least(lang), default=3, help=text("UI_help_disclosure_least", lang)
    )
    parser.add_argument("--register", metavar="FILE", type=Path, help=text("UI_help_disclosure_register", lang))
    parser.add_argument("--published", metavar="DAY", type=day(lang), help=text("UI_help_disclosure_published", lang))
    parser.add_argument(
        "-o", "--output", metavar="FILE", action="append", default=[], help=text("UI_help_disclosure_output", lang)
    )
    table_arguments(parser, lang)


def _least(lang: Lang) -> Callable[[str], int]:
    def read(said: str) -> int:
        if said.isdecimal() and int(said) >= 3:
            return int(said)
        raise argparse.ArgumentTypeError(text("UI_disclosure_least_low", lang, value=said))

    return read


def run(args: argparse.Namespace, lang: Lang) -> int:
    """Print the key figures and write the files; 3 where rows were set aside."""
    from ratemod.document.terminal import problems_text, progress, table_text
    from ratemod.printed import clean
    from ratemod.publication.disclosure import disclosure
    from ratemod.publication.files import check_disclosure_target, write_disclosure
    from ratemod.publication.page import key_figures, left_out
    from ratemod.reading.spoken import settled

    if (args.register is None) != (args.published is None):
        raise BookError(problem("RM427"))
    targets = [check_disclosure_target(path, args.province) for path in args.output]
    with progress(text("UI_reading", lang, file=args.province.name)):
        told = disclosure(
            args.province,
            args.year,
            rule=participation_rule(args),
            least_units=args.least_units,
            register=args.register,
        )
    settled()
    print(text("UI_disclosure_title", lang, year=told.year))
    if told.synthetic:
        print(text("UI_disclosure_synthetic", lang))
    heads = [text("UI_disclosure_measure", lang), text("UI_disclosure_value", lang)]
    print("\n" + table_text(heads, key_figures(told, lang), [False, True]))
    shares = [
        [text(f"UI_disclosure_{name}", lang), f"{int(subject.hidden.sum()):,}", f"{subject.share_hidden:.0%}"]
        for name, subject in told.subjects.items()
    ]
    heads = [text("UI_disclosure_subject", lang), "×", text("UI_disclosure_share_hidden", lang)]
    print("\n" + table_text(heads, shares, [False, True, True]))
    for said in left_out(told, lang):
        print(said)
    if told.refused:
        print("\n" + problems_text([item for _, item in told.refused], lang))
    for target in targets:
        with progress(text("UI_writing", lang, file=target.name)):
            written = write_disclosure(told, target, lang)
        print("\n".join(f"  {clean(str(path))}" for path in written))
    if args.register:
        print(f"  {clean(str(told.record(args.register, args.published)))}")
    return 3 if told.refused else 0


def participation_rule(args: argparse.Namespace) -> ParticipationRule | None:
    """Return who must insure by the plan that the arguments name, at the end of the year."""
    if not args.plan:
        return None
    from ratemod.plan.editions import load_plan
    from ratemod.registers.rules import load_rules

    return load_rules(load_plan(args.plan, date(args.year, 12, 31))).participation
