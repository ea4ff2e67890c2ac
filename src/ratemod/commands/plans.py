"""``ratemod plans``: what ships, and what a plan needs from a book."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from ratemod.commands.common import plan_dates
from ratemod.errors import Lang, PlanError, problem, text

if TYPE_CHECKING:
    from ratemod.plan.model import Plan
    from ratemod.vocabulary.column import Column

DRAWINGS = (".svg", ".mmd")


def arguments(parser: argparse.ArgumentParser, lang: Lang) -> None:
    """Declare the arguments."""
    parser.add_argument("plan", nargs="?", metavar="PLAN", help=text("UI_help_plans_name", lang))
    plan_dates(parser, lang)
    one = parser.add_mutually_exclusive_group()
    one.add_argument("--export", metavar="FILE", type=Path, help=text("UI_help_export", lang))
    one.add_argument("--import", dest="edited", metavar="FILE", type=Path, help=text("UI_help_import", lang))
    one.add_argument("--graph", metavar="FILE", type=Path, help=text("UI_help_graph", lang))
    parser.add_argument("-o", "--output", metavar="FOLDER", type=Path, help=text("UI_help_new_folder", lang))


def run(args: argparse.Namespace, lang: Lang) -> int:
    """List the shipped plans, or the columns one plan needs."""
    from ratemod.commands.common import open_plan

    asked = args.export or args.edited or args.output or args.graph
    if asked and (not args.plan or (args.output and not args.edited)):
        raise PlanError(problem("RM890"))
    if args.export:
        from ratemod.rating.target import check_target
        from ratemod.report.plan_workbook import export_plan

        plan = open_plan(args)
        export_plan(plan, check_target(args.export), lang)
        print(f"{plan.id}\n{args.export}")
    elif args.graph:
        from ratemod.rating.target import check_target
        from ratemod.whole_file import whole_file

        plan = open_plan(args)
        with whole_file(check_target(args.graph, suffixes=DRAWINGS)) as part:
            draw = plan.graph().svg if args.graph.suffix.lower() == ".svg" else plan.graph().mermaid
            part.write_text(draw(lang), encoding="utf-8")
        print(f"{plan.id}\n{args.graph}")
    elif args.edited:
        print(bring_back(open_plan(args), args.edited, args.output, lang))
    elif args.plan:
        print(needs(open_plan(args), lang))
    else:
        print(listing(lang) + "\n\n" + text("UI_plans_hint", lang))
    return 0


def bring_back(plan: Plan, file: Path, folder: Path | None, lang: Lang) -> str:
    """Return what an edited workbook changes, in words, having written the changed plan where a folder is named."""
    from ratemod.plan.edit import differences
    from ratemod.plan.editions import load_folder
    from ratemod.plan.save import save_edited
    from ratemod.rating.cases import run_cases
    from ratemod.report.plan_workbook import import_plan

    edited = import_plan(plan, file)
    lines = [f"{plan.id} → {edited.plan.id}"]
    lines += [f"  {line}" for line in differences(plan, edited.plan, lang)] or [text("UI_import_none", lang)]
    if folder is not None:
        folder = Path(save_edited(plan, edited.changes, folder).folder)
        failed, _ = run_cases(load_folder(folder))
        lines.append(text("UI_import_saved", lang, folder=folder))
        if failed:
            lines.append(text("UI_import_cases", lang, count=len(failed), folder=folder))
    return "\n".join(lines)


def listing(lang: Lang) -> str:
    """Return every shipped edition with its standing and dates."""
    from ratemod.document.terminal import table_text
    from ratemod.plan import said as words
    from ratemod.plan.editions import shipped
    from ratemod.plan.files import read_plan

    rows, wrong = [], []
    for folder in shipped():
        plan, problems = read_plan(folder)
        wrong += problems
        rows.append(
            [
                f"{plan.scheme}/{plan.edition}",
                words.standing(plan, lang),
                text(f"UI_plans_{plan.status}", lang),
                str(plan.new_from),
                str(plan.renewal_from),
                str(plan.until or ""),
                words.title(plan, lang),
            ]
        )
    if wrong:
        raise PlanError(wrong)
    names = ("edition", "standing", "status", "from", "renewal", "until", "title")
    return table_text([text(f"UI_plans_{name}", lang) for name in names], rows, [False] * len(names), widest=120)


def needs(plan: Plan, lang: Lang) -> str:
    """Return the plan's identity and, for each column, its headers, kind, whether it is needed, and its values."""
    from ratemod.document.terminal import table_text
    from ratemod.plan import said as words
    from ratemod.plan.said import plan_text

    rows = [
        [
            column.label(lang),
            ", ".join(name for name in column.names() if name != column.label(lang)),
            text(f"UI_kind_{column.kind}", lang),
            _must(column, lang),
            _values(plan, column, lang),
        ]
        for column in plan.columns.values()
    ]
    names = ("name", "headers", "kind", "must", "values")
    table = table_text([text(f"UI_needs_{name}", lang) for name in names], rows, [False] * len(names), widest=60)
    dates = f"{text('UI_in_force', lang)}  {words.period(plan, lang)}"
    return "\n\n".join((plan_text(plan, lang) + "\n" + dates, text("UI_needs", lang) + "\n" + table))


def _must(column: Column, lang: Lang) -> str:
    if column.default is not None:
        return text("UI_must_default", lang, value=column.default)
    if column.derive:
        return text("UI_must_derived", lang)
    return text("UI_must_optional" if column.optional else "UI_must_yes", lang)


def _values(plan: Plan, column: Column, lang: Lang) -> str:
    if column.levels:
        return ", ".join(column.level_labels(lang).values())
    if column.covered is not None:
        return text("UI_end_covered" if column.covered else "UI_end_not_covered", lang)
    if column.low is None and column.high is None:
        return ""
    unit = plan.unit_label(column.unit, lang) if column.unit else ""
    return f"{column.low:f} – {column.high:f} {unit}".strip()
