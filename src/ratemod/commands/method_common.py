"""What the commands of actuarial methods share: the list they read, how a result is shown and written."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ratemod.commands.common import table_arguments
from ratemod.errors import Lang, text

if TYPE_CHECKING:
    import pandas as pd

    from ratemod.document.model import Document
    from ratemod.reading.header import HeaderWords

ENDINGS = (".xlsx", ".csv", ".html", ".parquet")
OTHER: dict[Lang, Lang] = {"en": "zh", "zh": "en"}


def list_arguments(parser: argparse.ArgumentParser, lang: Lang, what: str) -> None:
    """Add the list, its headers, and where the result goes; `what` is the message that says what the list holds."""
    parser.add_argument("file", metavar="FILE", type=Path, help=text(what, lang))
    table_arguments(parser, lang)
    parser.add_argument("-o", "--output", metavar="FILE", type=Path, help=text("UI_help_method_output", lang))


def headers_of(args: argparse.Namespace) -> HeaderWords:
    """Return what the command line and the project file say of headers and units."""
    from ratemod.reading.header import HeaderWords, laid_over

    said = args.standing
    return HeaderWords(args.columns, aliases=said.columns, units=laid_over(args.units, said.units))


def target_of(args: argparse.Namespace) -> Path | None:
    """Return where the result goes, checked before any work."""
    from ratemod.rating.target import check_target

    return check_target(args.output, [args.file, *args.read], ENDINGS) if args.output else None


def named(said: str | None) -> list[str]:
    """Return the names of a list with commas, of either kind; those inside brackets part nothing.

    Examples
    --------
    >>> named("size, age:spline(6, increasing)")
    ['size', 'age:spline(6, increasing)']
    """
    return [name.strip() for name in re.split(r",(?![^()]*\))", (said or "").replace("，", ",")) if name.strip()]


def given(args: argparse.Namespace, names: Sequence[str]) -> dict[str, Any]:
    """Return the options that were given, so that those that were not stay the method's own affair."""
    return {name: value for name in names if (value := getattr(args, name)) is not None}


def show(make: Callable[[Lang], Document], frame: pd.DataFrame, target: Path | None, lang: Lang) -> None:
    """Print a result and write it: a page in both languages, a workbook with a sheet a section, or its first table."""
    import pyarrow as pa

    from ratemod.document.files import write_document, write_frame
    from ratemod.document.terminal import document_text

    made = make(lang)
    print(document_text(made))
    if target is None:
        return
    if target.suffix.lower() == ".parquet":
        write_frame(pa.Table.from_pandas(frame, preserve_index=False), target)
    else:
        write_document([made, make(OTHER[lang])] if target.suffix.lower() == ".html" else made, target)
    print(f"\n{target}")
