"""Letters as files: a folder with one a row, or one file with all of them, each on a sheet of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from ratemod.document.pdf import pdf_of
from ratemod.letters.letter import Letter
from ratemod.letters.templates import Templates
from ratemod.rating.target import check_new_folder, check_target, file_name
from ratemod.whole_file import whole_file, whole_folder

ENDINGS = (".html", ".pdf")
Tick = Callable[[int, int], None]


def check_letters(target: Path, inputs: Sequence[str | Path] = ()) -> Path:
    """Return where letters go when they can be written there, before any long work starts.

    Raises
    ------
    BookError
        Of a folder those of `ratemod.rating.target.check_new_folder`, of a file those of `check_target`.
    """
    if target.suffix:
        return check_target(target, inputs, ENDINGS)
    return check_new_folder(target)


def write_letters(
    letters: Iterable[Letter],
    count: int,
    target: Path,
    templates: Templates,
    *,
    title: str,
    ending: str = ".html",
    tick: Tick = lambda done, total: None,
) -> int:
    """Write letters as a folder of files, or as one ``.html`` or ``.pdf``; return how many were written.

    Parameters
    ----------
    letters, count : the letters and how many they are; they are made one after another
    target : a folder, which must be empty or not there, or a file
    ending : of the files of a folder

    Raises
    ------
    BookError
        Those of `check_letters`, of the template, of the browser that prints and of `ratemod.whole_file`.
    """
    if check_letters(target).suffix:
        return _one_file(letters, count, target, templates, title, tick)
    return _folder(letters, count, target, templates, ending, tick)


def _one_file(letters: Iterable[Letter], count: int, target: Path, templates: Templates, title: str, tick: Tick) -> int:
    articles: list[str] = []
    for letter in letters:
        articles.append(templates.article(letter))
        tick(len(articles), count)
    data = _bytes(templates.page(articles, title, letter.lang), target.suffix.lower()) if articles else b""
    with whole_file(target) as part:
        part.write_bytes(data)
    return len(articles)


def _folder(letters: Iterable[Letter], count: int, target: Path, templates: Templates, ending: str, tick: Tick) -> int:
    taken: set[str] = set()
    with whole_folder(target) as folder:
        for letter in letters:
            page = templates.page([templates.article(letter)], f"{letter.title} {letter.name}", letter.lang)
            (folder / (file_name(letter.name, taken) + ending)).write_bytes(_bytes(page, ending))
            tick(len(taken), count)
    return len(taken)


def _bytes(page: str, ending: str) -> bytes:
    return pdf_of(page) if ending == ".pdf" else page.encode("utf-8")
