"""``ratemod report year``: every paper that the notice asks for, with a table of contents."""

from __future__ import annotations

import argparse
from pathlib import Path

from ratemod.commands.common import day, table_arguments, year
from ratemod.commands.report_disclosure import participation_rule
from ratemod.errors import BookError, Lang, problem, text


def arguments(parser: argparse.ArgumentParser, lang: Lang) -> None:
    """Declare the arguments."""
    parser.add_argument("province", metavar="FOLDER", type=Path, help=text("UI_help_year_folder", lang))
    parser.add_argument(
        "--year", metavar="YEAR", type=year(lang), required=True, help=text("UI_help_disclosure_year", lang)
    )
    parser.add_argument("-o", "--output", metavar="DIR", type=Path, required=True, help=text("UI_help_year_out", lang))
    parser.add_argument("--at", metavar="DATE", type=day(lang), help=text("UI_help_year_at", lang))
    parser.add_argument("--plan", metavar="PLAN", help=text("UI_help_disclosure_plan", lang))
    parser.add_argument("--register", metavar="FILE", type=Path, help=text("UI_help_disclosure_register", lang))
    parser.add_argument("--published", metavar="DAY", type=day(lang), help=text("UI_help_disclosure_published", lang))
    parser.add_argument("--holidays", metavar="FILE", type=Path, help=text("UI_help_holidays", lang))
    parser.add_argument("--indicators", metavar="FILE", type=Path, help=text("UI_help_fund_indicators", lang))
    for name in ("number", "office", "signed"):
        parser.add_argument(f"--{name}", metavar="TEXT", default="", help=text(f"UI_help_year_{name}", lang))
    parser.add_argument("--pdf", action="store_true", help=text("UI_help_year_pdf", lang))
    table_arguments(parser, lang)


def run(args: argparse.Namespace, lang: Lang) -> int:
    """Write the papers; 3 where a paper could not be made, rows were set aside, or two papers differ."""
    from ratemod.document.pdf import find_browser
    from ratemod.document.terminal import problems_text, progress, table_text
    from ratemod.papers.files import Letterhead, check_year_target, write_year
    from ratemod.papers.year import year_of_papers
    from ratemod.printed import clean
    from ratemod.reading.spoken import settled
    from ratemod.registers.working_days import read_working_days

    if (args.register is None) != (args.published is None):
        raise BookError(problem("RM427"))
    check_year_target(args.output)
    if args.pdf:
        find_browser()  # before any long work
    with progress(text("UI_reading", lang, file=args.province.name)):
        made = year_of_papers(
            args.province,
            args.year,
            at=args.at,
            rule=participation_rule(args),
            register=args.register,
            working_days=read_working_days(args.holidays),
            indicators=args.indicators,
        )
    settled()
    head = Letterhead(number=args.number, office=args.office, signed=args.signed)
    with progress(text("UI_writing", lang, file=args.output.name)):
        written = write_year(made, args.output, lang, head, pdf=args.pdf)
    print(text("UI_paper_contents", lang, year=made.year))
    if made.synthetic:
        print(text("UI_disclosure_synthetic", lang))
    rows = [
        [text(f"UI_paper_{one.name}", lang), text(f"UI_paper_for_{'public' if one.public else 'offices'}", lang),
         f"{sum(item.count for item in one.refused):,}"]
        for one in made.papers
    ]  # fmt: skip
    heads = [text(f"UI_paper_contents_{name}", lang) for name in ("paper", "for", "refused")]
    print("\n" + table_text(heads, rows, [False, False, True]))
    for one in made.absent:
        said = text("UI_paper_not_made", lang, paper=text(f"UI_paper_{one.name}", lang))
        print(f"\n{said}\n{problems_text(one.problems, lang)}")
    refused = {str(item): item for one in made.papers for item in one.refused}
    if refused:
        print("\n" + problems_text(list(refused.values()), lang))
    wrong = [check for check in made.checks if not check.holds]
    said = text("UI_paper_checked", lang, count=len(made.checks), wrong=len(wrong))
    print(f"\n{said}")
    if wrong:
        heads = [text(f"UI_paper_check_{name}", lang) for name in ("what", "where", "other", "left", "right")]
        print("\n" + table_text(heads, [check.cells(lang, made.names) for check in wrong], [False] * 3 + [True] * 2))
    print("\n".join(f"  {clean(str(path))}" for path in written[:2]))
    if args.register and made.told:
        print(f"  {clean(str(made.told.record(args.register, args.published)))}")
    return 3 if made.absent or refused or wrong else 0
