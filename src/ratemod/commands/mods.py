"""``ratemod mods``: a claims list and an exposure list in, every firm's experience modification out."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from ratemod.commands.common import day
from ratemod.errors import Lang, text

if TYPE_CHECKING:
    from ratemod.experience.mods import Mods


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
    parser.add_argument("-o", "--output", metavar="FILE", help=text("UI_help_output", lang))


def run(args: argparse.Namespace, lang: Lang) -> int:
    """Modify firms; 0 all, 3 some refused."""
    from ratemod.exhibits.output import check_target
    from ratemod.exhibits.terminal import progress
    from ratemod.experience.losses import Window
    from ratemod.experience.mods import experience_mod

    target = check_target(args.output, [args.claims, args.exposure]) if args.output else None
    with progress(text("UI_modifying", lang)):
        mods = experience_mod(
            args.claims,
            args.exposure,
            args.rule,
            effective=args.effective,
            window=Window(),
            successions=args.successions,
        )
    if args.explain:
        print(mods.explain(args.explain).text(lang))
    else:
        print(mods_text(mods, lang))
    if target:
        write(mods, target, lang)
        print(str(target))
    return 3 if mods.counts["refused"] else 0


def mods_text(mods: Mods, lang: Lang) -> str:
    """Return what came out, for a terminal."""
    import numpy as np

    counts = mods.counts
    lines = [
        text("UI_mods_counts", lang, rule=mods.rule.name, source=mods.rule.source, **counts),
        text(
            "UI_mods_claims",
            lang,
            counted=int(mods.actual.claims.sum()),
            unmatched=mods.actual.unmatched,
            outside=mods.actual.outside,
        ),
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
            lines.append(
                text("UI_mods_refused", lang, firms=firms, why=f"{item.code} {text(item.code, lang, **item.args)}")
            )
    return "\n".join(lines)


def write(mods: Mods, target: Path, lang: Lang) -> None:
    """Write one row a firm as the file's ending says."""
    from ratemod.exhibits.frame_file import write_frame

    write_frame(mods.table(lang), target)
