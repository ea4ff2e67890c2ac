"""``ratemod check``: every problem of a plan at once, its legal ranges, its worked cases."""

from __future__ import annotations

import argparse
from pathlib import Path

from ratemod.errors import Lang, render, text


def arguments(parser: argparse.ArgumentParser, lang: Lang) -> None:
    """Declare the arguments."""
    parser.add_argument("plan", metavar="PLAN", help=text("UI_help_check_plan", lang))


def run(args: argparse.Namespace, lang: Lang) -> int:
    """Check every edition that the name means; 0 when all are in order, else 1."""
    from ratemod.exhibits.terminal import clean_lines

    good = True
    for folder in editions(args.plan):
        said, fine = report(folder, lang)
        print(clean_lines(said))
        good &= fine
    return 0 if good else 1


def editions(name: str) -> list[Path]:
    """Return the edition folders that a name means: one edition, or all of a scheme."""
    from ratemod.plan.editions import editions_in, find_folder

    folder = find_folder(name)
    return [folder] if (folder / "plan.toml").exists() else editions_in(folder)


def report(folder: Path, lang: Lang) -> tuple[str, bool]:
    """Return what the check of one edition says, and whether it is in order."""
    from ratemod.rating.check_plan import check_plan

    found = check_plan(folder)
    name = f"{folder.parent.name}/{folder.name}"
    if found.problems:
        head = text("UI_check_bad", lang, plan=name, count=len(found.problems))
        return head + "\n" + render(found.problems, lang, limit=200), False
    lines = [text("UI_check_good", lang, plan=name)]
    lines.append("  " + text("UI_check_cases", lang, count=found.cases))
    for kind in ("proved", "guarded"):
        lines += [f"  {text(f'UI_check_{kind}', lang, name=item.name, of=item.of)}" for item in getattr(found, kind)]
    return "\n".join(lines), True
