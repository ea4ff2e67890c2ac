"""``ratemod registers``: the authority's list, the coverage gap, controllable premium, change since last year."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ratemod.commands.common import book_arguments, day, open_plan, plan_dates, read_list, table_arguments, unpriced
from ratemod.commands.register_files import derived_text, filled, register_options
from ratemod.errors import BookError, Lang, Problem, problem, text

if TYPE_CHECKING:
    from ratemod.document.model import Table
    from ratemod.plan.model import Plan
    from ratemod.reading.book import Book
    from ratemod.registers.derive import Derived
    from ratemod.registers.movement import Account

MOST_ROWS = 40
REPORTS = ("authority-report", "coverage", "controllable", "movement")


def arguments(parser: argparse.ArgumentParser, lang: Lang) -> None:
    """Declare the reports and their arguments."""
    reports = parser.add_subparsers(title=text("UI_commands", lang), dest="report", metavar="REPORT", required=True)
    for name in REPORTS:
        said = text(f"UI_help_report_{name.replace('-', '_')}", lang)
        own = reports.add_parser(name, help=said, description=said, add_help=False)
        own.__dict__["lang"] = lang  # the parser speaks the chosen language
        own._positionals.title, own._optionals.title = text("UI_arguments", lang), text("UI_options", lang)
        own.add_argument("-h", "--help", action="help", help=text("UI_help_help", lang))
        if name == "coverage":
            own.add_argument("--plan", metavar="PLAN", help=text("UI_help_plan_or_project", lang))
            plan_dates(own, lang)
            for noun in ("enterprises", "policies", "endorsements"):
                help_ = text(f"UI_register_{noun}", lang)
                own.add_argument(f"--{noun}", metavar="FILE", type=Path, required=noun != "endorsements", help=help_)
            for end in ("from", "until"):
                own.add_argument(
                    f"--{end}",
                    dest=f"{end}_day",
                    metavar="DATE",
                    type=day(lang),
                    required=True,
                    help=text(f"UI_help_coverage_{end}", lang),
                )
            table_arguments(own, lang, ("plan", "business"))
        else:
            book_arguments(own, lang)
            register_options(own, lang)
        if name == "movement":
            own.add_argument(
                "--before", metavar="BOOK", type=Path, required=True, help=text("UI_help_movement_before", lang)
            )
            own.add_argument("--plan-before", metavar="PLAN", help=text("UI_help_movement_plan", lang))
            own.add_argument("--at-before", metavar="DATE", type=day(lang), help=text("UI_help_movement_at", lang))
        if name in ("controllable", "movement"):
            own.add_argument("--key", metavar="KEY", help=text("UI_help_report_key", lang))
        own.add_argument("-o", "--output", metavar="FILE", help=text("UI_help_report_output", lang))
        own.add_argument("--lang", choices=("zh", "en"), default=argparse.SUPPRESS, help=text("UI_help_lang", lang))


def run(args: argparse.Namespace, lang: Lang) -> int:
    """Make one report; 0, or 3 where rows were not used, or the authority's list and the loadings do not agree."""
    return {
        "authority-report": _authority,
        "coverage": _coverage,
        "controllable": _controllable,
        "movement": _movement,
    }[args.report](args, lang)


def _book(args: argparse.Namespace, path: Path | None, plan: Plan, lang: Lang) -> Book:
    """Read the book, or another one at `path`, fill it from the registers, and say what was filled."""
    derived: list[Derived] = []
    book = read_list(args, plan.columns, path)
    book = filled(args, book, plan, derived)
    if derived:
        print(derived_text(derived, lang) + "\n")
    return book


def _show(args: argparse.Namespace, title: str, tables: Sequence[Table], notes: Sequence[str], lang: Lang) -> None:
    """Print the last sheet, the shortest, and write all of them where a file is named."""
    from dataclasses import replace

    from ratemod.document.files import write_document
    from ratemod.document.terminal import grid_text
    from ratemod.reading.spoken import settled
    from ratemod.report.register_table import register_document

    settled()
    if args.output:  # before anything is printed: a reader of a pipe may leave early
        inputs = [getattr(args, name, None) for name in ("book", "before", "enterprises", "policies", "hazards")]
        if any(given is not None and Path(args.output).resolve() == given.resolve() for given in inputs):
            raise BookError(problem("RM803", path=str(args.output)))
        write_document(register_document(title, tuple(tables), tuple(notes), lang), args.output)
    print("\n".join([title, *notes, ""]))
    print(f"{tables[-1].title}\n{grid_text(replace(tables[-1], most=MOST_ROWS), lang)}")
    if args.output:
        print("\n" + text("UI_files", lang) + f"\n  {args.output}")


def _authority(args: argparse.Namespace, lang: Lang) -> int:
    from ratemod.rating.rate import rate
    from ratemod.registers.authority_report import LOADING, authority_report
    from ratemod.registers.register import read_register
    from ratemod.registers.rules import load_rules
    from ratemod.report.register_table import register_table

    if args.hazards is None:
        raise BookError(problem("RM256", option="--hazards"))
    plan = open_plan(args)
    rated = rate(_book(args, None, plan, lang), plan, lang=lang, trace=(LOADING,))
    hazards = read_register(args.hazards, "hazards")
    found = authority_report(rated, hazards, rule=load_rules(plan).hazards)
    values = {"sector": plan.level_labels("sector", lang), "insurer": {}}
    notes = [
        text("UI_authority_note", lang),
        text(
            "UI_authority_balance",
            lang,
            insureds=found.insureds,
            policies=found.policies,
            hazards=found.hazards,
            loaded=found.loaded,
            unpriced=found.unpriced,
        ),
        text(
            "UI_authority_agrees" if found.balanced else "UI_authority_differs",
            lang,
            missing=", ".join(found.missing[:20]),
            unfounded=", ".join(found.unfounded[:20]),
        ),
        f"{text('UI_plan', lang)} {plan.id}  {plan.warning(lang)}",
    ]
    sheets = [
        register_table(text("UI_register_sheet_authority", lang), found.lines, lang, values=values),
        register_table(text("UI_register_sheet_by_place", lang), found.totals, lang, values=values),
    ]
    _show(args, text("UI_authority_title", lang), sheets, notes, lang)
    return max(unpriced([rated], lang), 3 if hazards.refused or not found.balanced else 0)


def _coverage(args: argparse.Namespace, lang: Lang) -> int:
    from ratemod.registers.participation import coverage
    from ratemod.registers.register import read_register
    from ratemod.registers.rules import load_rules
    from ratemod.report.register_table import register_table

    plan = open_plan(args)
    rule = load_rules(plan).participation
    if rule is None:
        raise BookError(problem("RM257", plan=plan.id))
    given = {
        noun: read_register(path, noun)
        for noun in ("enterprises", "policies", "endorsements")
        if (path := getattr(args, noun)) is not None
    }
    period = (args.from_day.isoformat(), args.until_day.isoformat())
    found = coverage(given["enterprises"], given["policies"], period, rule, endorsements=given.get("endorsements"))
    values = {"sector": plan.level_labels("sector", lang)}
    notes = [
        text("UI_coverage_note", lang, first=period[0], last=period[1], limit=rule.minimum_limit_yuan),
        text(
            "UI_coverage_counts",
            lang,
            obliged=int(found.must.sum()),
            uninsured=int(found.uninsured.sum()),
            part=int(found.part_of_year.sum()),
            heads=int(found.short_of_heads.sum()),
            limit=int((found.limit_short_yuan > 0).sum()),
            full=int(found.in_full.sum()),
        ),
        *(meeting.said(lang) for meeting in found.joins),
    ]
    sheets = [
        register_table(text("UI_register_sheet_gaps", lang), found.table(), lang, values=values),
        register_table(text("UI_register_sheet_by_place", lang), found.by_division_and_sector(), lang, values=values),
    ]
    refused = [item for register in given.values() for item in register.refused]
    if refused:
        notes.append(
            text(
                "UI_coverage_doubtful", lang, rows=sum(item.count for item in refused), firms=int(found.doubtful.sum())
            )
        )
    _show(args, text("UI_coverage_title", lang), sheets, notes, lang)
    return _told(refused, lang)


def _told(refused: Sequence[Problem], lang: Lang) -> int:
    """Print the rows of registers that could not be used; return 3 where there are any."""
    from ratemod.document.terminal import problems_text

    if refused:
        print("\n" + problems_text(refused, lang))
    return 3 if refused else 0


def _controllable(args: argparse.Namespace, lang: Lang) -> int:
    from ratemod.registers.controllable import controllable_premium
    from ratemod.report.register_table import register_table

    plan = open_plan(args)
    found = controllable_premium(_book(args, None, plan, lang), plan, lang=lang)
    if args.key:
        print(found.words(args.key, lang))
    names = {f"{action.name}_fen": action.label(lang) for action in found.actions}
    totals = [("premium_fen", found.premium_fen), ("least_fen", found.least_fen)]
    totals += [(f"{action.name}_fen", saving) for action, saving in zip(found.actions, found.saving_fen)]
    sheets = [
        register_table(text("UI_register_sheet_rows", lang), found.table(), lang, _key_label(plan, lang) | names),
        _totals(totals, names, lang),
    ]
    if not args.key or args.output:
        notes = [text("UI_controllable_unpriced", lang, rows=int((~found.priced).sum())), plan.warning(lang)]
        _show(args, text("UI_controllable_title", lang), sheets, notes, lang)
    return unpriced([found.rated], lang)


def _movement(args: argparse.Namespace, lang: Lang) -> int:
    from ratemod.plan.editions import load_plan
    from ratemod.registers.movement import premium_movement
    from ratemod.report.register_table import register_table

    plan = open_plan(args)
    before = plan
    if args.plan_before or args.at_before:
        before = load_plan(args.plan_before or args.plan, args.at_before, args.business)
    books = [_book(args, path, own, lang) for path, own in ((args.before, before), (None, plan))]
    alone = args.key if not args.output else None  # no list is asked for: the one firm is enough
    found = premium_movement((books[0], before), (books[1], plan), key=alone, lang=lang)
    if args.key:
        print(found.words(args.key, lang))
    names = {f"{group.name}_fen": group.label(lang) for group in found.groups}
    totals = [("before_fen", found.before_fen), ("after_fen", found.after_fen)]
    totals += [(f"{group.name}_fen", part) for group, part in zip(found.groups, found.parts_fen)]
    rows = register_table(text("UI_register_sheet_rows", lang), found.table(), lang, names)
    sheets = [rows, _totals(totals, names, lang)]
    if not args.key or args.output:
        notes = [*(_account(plan, one, lang) for one in found.accounts if any(one.rows)), plan.warning(lang)]
        _show(args, text("UI_movement_title", lang), sheets, notes, lang)
    return unpriced(found.books, lang)


def _account(plan: Plan, account: Account, lang: Lang) -> str:
    rows, fen = account.rows, [plan.money.shown(amount) for amount in account.fen]
    args = {"rows_before": rows[0], "rows_after": rows[1], "before": fen[0], "after": fen[1]}
    return plan.text("UI_movement_account", lang, what=text(f"UI_movement_{account.fate}", lang), **args)


def _key_label(plan: Plan, lang: Lang) -> dict[str, str]:
    return {plan.key: plan.label(plan.key, lang)} if plan.key else {}


def _totals(figures: Sequence[tuple[str, Any]], names: Mapping[str, str], lang: Lang) -> Table:
    """Return the totals of a book, one line a figure."""
    import pyarrow as pa

    from ratemod.report.register_table import register_label, register_table

    labels = [names.get(name) or register_label(name, lang) for name, _ in figures]
    table = pa.table({"what": labels, "total_fen": [int(values.sum()) for _, values in figures]})
    return register_table(text("UI_register_sheet_totals", lang), table, lang)
