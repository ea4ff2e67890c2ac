"""Letters as files: a folder with one a row, or one file with all of them, each on a sheet of its own."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from ratemod.document.pdf import pdf_of
from ratemod.errors import BookError, problem
from ratemod.letters.letter import Letter
from ratemod.letters.templates import Templates
from ratemod.rating.target import check_target
from ratemod.whole_file import whole_file, whole_folder

ENDINGS = (".html", ".pdf")
MOST_NAME = 80  # characters
_UNFIT = re.compile(r'[\\/:*?"<>|\x00-\x1f\x7f]')
Tick = Callable[[int, int], None]


def check_letters(target: Path, inputs: Sequence[str | Path] = ()) -> Path:
    """Return where letters go when they can be written there, before any long work starts.

    Raises
    ------
    BookError
        RM816 the folder has something in it; for a file those of `ratemod.rating.target.check_target`.
    """
    if target.suffix:
        return check_target(target, inputs, ENDINGS)
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise BookError(problem("RM816", file=str(target)))
    return target


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


def file_name(said: str, taken: set[str]) -> str:
    """Return a name that every system takes and that no other letter has; it is noted in `taken`.

    Examples
    --------
    >>> taken = set()
    >>> file_name("P1 a/b", taken), file_name("P1 A:B", taken)
    ('P1 a_b', 'P1 A_B 2')
    """
    plain = _UNFIT.sub("_", said).strip(" .")[:MOST_NAME] or "_"
    name, at = plain, 1
    while name.casefold() in taken:
        at += 1
        name = f"{plain} {at}"
    taken.add(name.casefold())
    return name
