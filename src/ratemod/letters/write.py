"""Letters as files: a folder with one a row, or one file with all of them, each on a sheet of its own."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import Path

from ratemod.document.pdf import pdf_of
from ratemod.errors import BookError, nearest, problem
from ratemod.letters.letter import Letter
from ratemod.letters.templates import Templates
from ratemod.whole_file import whole_file, whole_folder

ENDINGS = (".html", ".pdf")
MOST_NAME = 80  # characters
_UNFIT = re.compile(r'[\\/:*?"<>|\x00-\x1f\x7f]')
Tick = Callable[[int, int], None]


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
        RM800 another ending, RM816 the folder has something in it, those of the template, the browser that prints and
        `ratemod.whole_file`.
    """
    single = target.suffix.lower()
    if single and single not in ENDINGS:
        raise BookError(
            problem("RM800", path=str(target), suffixes=" ".join(ENDINGS), nearest=nearest(single, ENDINGS))
        )
    if not single and target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise BookError(problem("RM816", file=str(target)))
    done = 0
    if single:
        articles = []
        for letter in letters:
            articles.append(templates.article(letter))
            done += 1
            tick(done, count)
            lang = letter.lang
        page = templates.page(articles, title, lang)
        data = pdf_of(page) if single == ".pdf" else page.encode("utf-8")
        with whole_file(target) as part:
            part.write_bytes(data)
        return done
    taken: set[str] = set()
    with whole_folder(target) as folder:
        for letter in letters:
            page = templates.page([templates.article(letter)], f"{letter.title} {letter.name}", letter.lang)
            data = pdf_of(page) if ending == ".pdf" else page.encode("utf-8")
            (folder / (file_name(letter.name, taken) + ending)).write_bytes(data)
            done += 1
            tick(done, count)
    return done


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
