"""The options that name registers, and filling a book from them: shared by ``rate``, ``explain`` and ``registers``."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from ratemod.errors import Lang, text

if TYPE_CHECKING:
    from ratemod.plan.model import Plan
    from ratemod.reading.book import Book
    from ratemod.registers.derive import Derived, Registers

NOUNS = ("hazards", "claims", "certificates", "integrity", "blacklist", "policies")


def register_options(parser: argparse.ArgumentParser, lang: Lang) -> None:
    """Add ``--hazards FILE`` and its like."""
    for noun in NOUNS:
        help_ = text("UI_help_register", lang, register=text(f"UI_register_{noun}", lang))
        parser.add_argument(f"--{noun}", metavar="FILE", type=Path, help=help_)


def any_register(args: argparse.Namespace) -> bool:
    """Return whether a register is named."""
    return any(getattr(args, noun, None) for noun in NOUNS)


def open_registers(args: argparse.Namespace) -> Registers:
    """Return the registers that the arguments name."""
    from ratemod.registers.derive import read_registers

    return read_registers(**{noun: getattr(args, noun, None) for noun in NOUNS})


def filled(args: argparse.Namespace, book: Book, plan: Plan, keep: list[Derived] | None = None) -> Book:
    """Return the book with the columns that the named registers give; what was derived goes into `keep`."""
    if not any_register(args):
        return book
    from ratemod.registers.derive import derive_columns

    derived = derive_columns(book, plan, open_registers(args))
    if keep is not None:
        keep.append(derived)
    return derived.book


def derived_text(found: list[Derived], lang: Lang) -> str:
    """Return what registers filled and what is wrong with them; empty without registers."""
    from ratemod.document.terminal import problems_text

    said = []
    for derived in found:
        names = [item.column.label(lang) for item in derived.evidence.values()]
        said.append(text("UI_register_filled", lang, columns=text("UI_register_comma", lang).join(names)))
        said += [meeting.said(lang) for meeting in derived.joins]
        if derived.problems:
            said.append(problems_text(derived.problems, lang))
    return "\n".join(dict.fromkeys(said))  # of several editions, once


def evidence_of(found: list[Derived], at: int, lang: Lang) -> str:
    """Return the evidence of one row; empty without registers."""
    from ratemod.printed import clean_lines
    from ratemod.registers.evidence import evidence_text

    return "\n".join(dict.fromkeys(clean_lines(evidence_text(derived.evidence, at, lang)) for derived in found))
