"""``ratemod check``: every problem of a plan at once, its legal ranges, its worked cases."""

from __future__ import annotations

import argparse
from pathlib import Path

from ratemod.errors import Lang, render, text

MOST = 200  # problems printed of one edition


def arguments(parser: argparse.ArgumentParser, lang: Lang) -> None:
    """Declare the arguments."""
    parser.add_argument("plan", metavar="PLAN", help=text("UI_help_check_plan", lang))


def run(args: argparse.Namespace, lang: Lang) -> int:
    """Check every edition that the name means; 0 when all are in order, else 1."""
    from ratemod.printed import clean_lines

    good = True
    for folder in editions(args.plan):
        said, fine = report(folder, lang)
        print(clean_lines(said))
        good &= fine
    return 0 if good else 1


def editions(name: str) -> list[Path]:
    """Return the edition folders that a name means: one edition, or all of a scheme."""
    from ratemod.plan.editions import edition_folder, editions_in, load_plan, shipped_folder

    for folder in (edition_folder(name), shipped_folder() / name):
        if (folder / "plan.toml").exists():
            return [folder]
        if found := editions_in(folder):
            return found
    load_plan(name)  # says that there is no such plan, and which name is nearest
    return []


def report(folder: Path, lang: Lang) -> tuple[str, bool]:
    """Return what the check of one edition says, and whether it is in order."""
    from ratemod.rating.cases import check_plan

    found = check_plan(folder)
    name = f"{folder.parent.name}/{folder.name}"
    if found.problems:
        head = text("UI_check_bad", lang, plan=name, count=len(found.problems))
        return head + "\n" + render(found.problems, lang, limit=MOST), False
    lines = [text("UI_check_good", lang, plan=found.plan.id if found.plan else name)]
    lines.append("  " + text("UI_check_cases", lang, count=found.passed))
    for proof in found.proofs:
        code = "UI_check_proved" if proof.proved else "UI_check_guarded"
        of = found.plan.label(proof.of, lang) if found.plan else proof.of
        lines.append("  " + text(code, lang, name=proof.name, of=of))
    if found.warnings:
        lines += [text("UI_check_warnings", lang), render(found.warnings, lang, limit=MOST)]
    return "\n".join(lines), True
