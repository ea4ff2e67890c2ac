"""Letters as HTML: from the templates that ship, or those of a folder of a company's own under the same names.

A template is Jinja2. It is given ``letter`` (`ratemod.letters.letter.Letter`), ``words`` (labels in the letter's
language), ``pairs`` (lays labels and values two abreast), ``blank`` (a line to write on) and ``tag`` (the language).
Whatever a list says is escaped; a template may not reach beyond what it is given.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ratemod.document.html import TAGS, whole_page
from ratemod.errors import BookError, Lang, Problem, problem, text
from ratemod.letters.letter import KINDS, Kind, Letter, Pairs
from ratemod.rules.options import strict

if TYPE_CHECKING:
    import jinja2

LABELS = ("insured", "number", "insurer", "date", "validity", "plan", "cover", "premium", "capitals", "prevention",
          "fund", "notes", "duties", "special", "status", "reason", "referred", "decision", "worksheet")  # fmt: skip
ASKED = ("decision", "decided_factor", "decided_by", "decided_on")


class Templates:
    """The templates of letters, ready to be filled.

    Parameters
    ----------
    folder : of templates of one's own; what it lacks is taken from those that ship

    Raises
    ------
    BookError
        RM814 the folder has no template, RM815 one of them is none.
    """

    def __init__(self, folder: Path | None = None) -> None:
        from jinja2 import StrictUndefined, TemplateSyntaxError
        from jinja2.sandbox import SandboxedEnvironment

        if folder is not None and not any((folder / f"{kind}.html").is_file() for kind in KINDS):
            names = ", ".join(f"{kind}.html" for kind in KINDS)
            raise BookError(problem("RM814", file=str(folder), names=names))
        engine = SandboxedEnvironment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
        self.folder, self.style = folder, _read("letter.css", folder)
        self.of: dict[Kind, jinja2.Template] = {}
        for kind in KINDS:
            try:
                self.of[kind] = engine.from_string(_read(f"{kind}.html", folder))
            except TemplateSyntaxError as error:
                raise BookError(self._wrong(kind, error)) from error

    def article(self, letter: Letter) -> str:
        """Return a letter as a piece of a page.

        Raises
        ------
        BookError
            RM815 the template asks for what no letter has, or fails.
        """
        from jinja2 import TemplateError
        from markupsafe import Markup

        given: dict[str, Any] = {
            "letter": letter,
            "words": labels(letter.lang),
            "pairs": abreast,
            "blank": Markup('<span class="blank">&nbsp;</span>'),
            "tag": TAGS[letter.lang],
        }
        try:
            return self.of[letter.kind].render(given)
        except (TemplateError, TypeError, ValueError, ArithmeticError, AttributeError, LookupError) as error:
            raise BookError(self._wrong(letter.kind, error)) from error

    def _wrong(self, kind: Kind, error: Exception) -> Problem:
        file = (self.folder or Path()) / f"{kind}.html"
        return problem("RM815", file=str(file), row=getattr(error, "lineno", None), why=str(error))

    @strict
    def page(self, articles: Sequence[str], title: str, lang: Lang) -> str:
        """Return a whole page of letters, each on a sheet of its own."""
        return whole_page("\n".join(["<main>", *articles, "</main>"]), title, lang, self.style)


def labels(lang: Lang) -> dict[str, Any]:
    """Return the labels of letters in a language."""
    said: dict[str, Any] = {name: text(f"UI_letter_{name}", lang) for name in LABELS}
    return said | {"asked": [text(f"UI_{name}", lang) for name in ASKED]}


def abreast(pairs: Pairs) -> list[tuple[tuple[str, str], tuple[str, str]]]:
    """Return labels and values two abreast, the last beside a blank one where they are odd.

    Examples
    --------
    >>> abreast((("a", "1"), ("b", "2"), ("c", "3")))
    [(('a', '1'), ('b', '2')), (('c', '3'), ('', ''))]
    """
    held = [*pairs, *([("", "")] if len(pairs) % 2 else [])]
    return list(zip(held[::2], held[1::2]))


def _read(name: str, folder: Path | None) -> str:
    """Return a file of a folder, or the one that ships where there is none."""
    own = None if folder is None else folder / name
    if own is None or not own.is_file():
        return resources.files("ratemod.letters").joinpath(name).read_text(encoding="utf-8")
    try:
        return own.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BookError(problem("RM815", file=str(own), why=str(error))) from error
