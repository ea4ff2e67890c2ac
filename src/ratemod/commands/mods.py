"""``ratemod mods``: a claims list and an exposure list in, every firm's experience modification out."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ratemod.commands.common import day, table_arguments
from ratemod.errors import Lang, Problem, text

if TYPE_CHECKING:
    from ratemod.experience.mods import Mods

TABLES = (".xlsx", ".csv", ".parquet")
STRAYS = 10


def arguments(parser: argparse.ArgumentParser, lang: Lang) -> None:
    """Declare the arguments."""
    parser.add_argument("claims", metavar="CLAIMS", type=Path, help=text("UI_help_mods_claims", lang))
    parser.add_argument(
        "--exposure", metavar="LIST", type=Path, required=True, help=text("UI_help_mods_exposure", lang)
    )
    parser.add_argument("--rule", metavar="RULE", default="illustrative", help=text("UI_help_mods_rule", lang))
    parser.add_argument("--effective", metavar="DATE", type=day(lang), help=text("UI_help_mods_effective", lang))
    parser.add_argument("--successions", metavar="LIST", type=Path, help=text("UI_help_mods_successions", lang))
    parser.add_argument("--explain", metavar="FIRM", help=text("UI_help_mods_explain", lang))
    parser.add_argument("--last-claims", metavar="CLAIMS", type=Path, help=text("UI_help_mods_last_claims", lang))
    parser.add_argument("--last-exposure", metavar="LIST", type=Path, help=text("UI_help_mods_last_exposure", lang))
    parser.add_argument(
        "--last-effective", metavar="DATE", type=day(lang), help=text("UI_help_mods_last_effective", lang)
    )
    parser.add_argument("--plan", metavar="FILE.toml", type=Path, help=text("UI_help_mods_plan", lang))
    parser.add_argument("--judge", action="store_true", help=text("UI_help_mods_judge", lang))
    parser.add_argument("--window", metavar="YEARS", type=int, default=3, help=text("UI_help_mods_window", lang))
    parser.add_argument(
        "--bounds", metavar=("LEAST", "MOST"), nargs=2, type=float, default=(0.6, 2.0),
        help=text("UI_help_mods_bounds", lang),
    )  # fmt: skip
    parser.add_argument("-o", "--output", metavar="FILE", help=text("UI_help_output", lang))
    table_arguments(parser, lang)


def run(args: argparse.Namespace, lang: Lang) -> int:
    """Modify firms; 0 all, 3 some refused."""
    from ratemod.document.terminal import progress
    from ratemod.experience.mods import experience_mod
    from ratemod.rating.target import check_target
    from ratemod.reading.spoken import settled

    inputs = [path for path in (args.claims, args.exposure, args.last_claims, args.last_exposure) if path]
    endings = (".html", ".svg") if args.explain else (*TABLES, ".html") if args.judge else TABLES
    target = check_target(args.output, inputs, endings) if args.output else None
    if args.plan:
        check_target(args.plan, inputs, (".toml",))
    if args.judge:
        return judge(args, target, lang)
    with progress(text("UI_modifying", lang)):
        mods = experience_mod(
            args.claims, args.exposure, args.rule, effective=args.effective, successions=args.successions
        )
    if args.last_claims or args.last_effective:
        return moved(mods, args, target, lang)
    settled()
    if args.explain:
        sheet = mods.explain(args.explain)
        print(sheet.text(lang))
        if target:
            write_text(sheet.svg(lang) if target.suffix.lower() == ".svg" else sheet.html(lang), target)
    else:
        print(mods_text(mods, lang))
        if target:
            write(mods, target, lang)
    if target:
        print(str(target))
    return 3 if mods.counts["refused"] or unread(mods) else 0


def judge(args: argparse.Namespace, target: Path | None, lang: Lang) -> int:
    """Compare schemes on a history."""
    import pyarrow as pa

    from ratemod.document.files import write_document, write_frame
    from ratemod.document.terminal import progress
    from ratemod.experience.compare_schemes import compare_schemes
    from ratemod.experience.plan_file import plan_text
    from ratemod.reading.spoken import settled
    from ratemod.report.scheme_report import comparison_document, comparison_text

    with progress(text("UI_modifying", lang)):
        least, most = args.bounds
        found = compare_schemes(args.exposure, args.claims, window=args.window, least=least, most=most)
    settled()
    print(comparison_text(found, lang))
    if args.plan:
        fitted = found.of("split")
        told = {key: float(value) for key, value in fitted.fitted.parameters.items() if isinstance(value, float)}
        told |= {"off_balance": fitted.off_balance, "least": least, "most": most, "claim_limit": found.limit}
        source = text("UI_judged_plan", lang, first=found.years[0], last=found.years[-1], firms=found.firms)
        write_text(plan_text(args.plan.stem, source, told), args.plan)
        print(str(args.plan))
    if target and target.suffix.lower() in (".html", ".pdf"):
        write_document(comparison_document(found, lang), target)
    elif target:
        write_frame(pa.Table.from_pandas(found.frame(), preserve_index=False), target)
    if target:
        print(str(target))
    return 0


def moved(mods: Mods, args: argparse.Namespace, target: Path | None, lang: Lang) -> int:
    """Say why mods moved since last year."""
    import pyarrow as pa

    from ratemod.document.files import write_frame
    from ratemod.experience.mods import experience_mod
    from ratemod.experience.movement import movement
    from ratemod.reading.spoken import settled
    from ratemod.report.scheme_report import movement_text

    last = experience_mod(
        args.last_claims or args.claims, args.last_exposure or args.exposure, args.rule, effective=args.last_effective
    )
    found = movement(last, mods)
    settled()
    print(movement_text(found, lang))
    if target:
        write_frame(pa.Table.from_pandas(found.frame(), preserve_index=False), target)
        print(str(target))
    return 3 if mods.counts["refused"] or unread(mods) else 0


def write_text(content: str, target: Path) -> None:
    """Write a page or a picture whole or not at all."""
    from ratemod.rating.target import whole_file

    with whole_file(target) as part:
        Path(part).write_text(content, encoding="utf-8")


def mods_text(mods: Mods, lang: Lang) -> str:
    """Return what came out, for a terminal."""
    import numpy as np

    from ratemod.money import yuan_text

    counts = mods.counts
    lines = [
        text("UI_mods_counts", lang, rule=mods.rule.name, source=mods.rule.source, **counts),
        text(
            "UI_mods_claims",
            lang,
            claims_yuan=yuan_text(sum(mods.account.fen.values())),
            no_firm_yuan=yuan_text(mods.account.fen["of_no_firm"]),
            **counts,
        ),
        *_strays(mods, lang),
    ]
    rated = mods.status == "modified"
    if rated.any():
        mod = mods.parts.mod[rated]
        share = mods.parts.expected[rated]
        lines.append(
            text(
                "UI_mods_spread",
                lang,
                mean=f"{np.average(mod, weights=share):.3f}",
                least=f"{mod.min():.3f}",
                most=f"{mod.max():.3f}",
                up=int((mod > 1).sum()),
                down=int((mod < 1).sum()),
            )
        )
    for at, item in enumerate(mods.problems, 1):
        firms = int((mods.problem_of == at).sum())
        if firms:
            lines.append(text("UI_mods_refused", lang, firms=firms, why=item.line(lang)))
    lines += [text("UI_mods_unread", lang, why=item.line(lang)) for item in unread(mods)]
    return "\n".join(lines)


def unread(mods: Mods) -> list[Problem]:
    """Return what is wrong with claims of which it is not known whose they are."""
    claims = mods.claims
    if claims.wrong is None:
        return []
    alone = set(claims.wrong[claims.firm < 0].tolist())
    return [item for at, item in enumerate(claims.problems, 1) if at in alone]


def _strays(mods: Mods, lang: Lang) -> list[str]:
    """Return a line for each of the first claims of no firm, with the firm whose code is nearest."""
    if not mods.counts["claims_of_no_firm"]:
        return []
    rows = mods.account.left_out(lang).query("fate == 'of_no_firm'")
    lines = [
        text(
            "UI_mods_stray",
            lang,
            claim_no=_known(row.claim_no, "s"),
            credit_code=_known(row.credit_code, "s"),
            event_date=_known(row.event_date, "%Y-%m-%d"),
            yuan=_known(row.incurred_yuan, ",.2f"),
            near=text("UI_mods_stray_near", lang, firm=row.nearest_firm) if row.nearest_firm else "",
        )
        for row in rows.head(STRAYS).itertuples()
    ]
    more = len(rows) - len(lines)
    return lines + ([text("UI_mods_stray_more", lang, more=more)] if more else [])


def _known(value: Any, form: str) -> str:
    """Return a value as it is written, a dash for one that is not known."""
    return "—" if value is None or value != value else format(value, form)


def write(mods: Mods, target: Path, lang: Lang) -> None:
    """Write one row a firm as the file's ending says."""
    from ratemod.document.files import write_frame

    write_frame(mods.table(lang), target)
