"""How every chart looks and leaves: palette, fonts that have the characters, the same bytes for the same data.

matplotlib is loaded when a chart is drawn, not before; it comes with ``pip install ratemod[charts]``. Figures are made
without pyplot, so nothing is registered anywhere and no window opens.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from html import escape
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ratemod.errors import BookError, Lang, ModelError, nearest, problem
from ratemod.whole_file import whole_file

if TYPE_CHECKING:
    import pandas as pd

# Okabe and Ito (2008): told apart with every common colour vision; ordered so that neighbours differ in lightness too.
INK, BLUE, ORANGE, GREEN, SKY, VERMILION, PINK, YELLOW = (
    "#000000", "#0072B2", "#E69F00", "#009E73", "#56B4E9", "#D55E00", "#CC79A7", "#F0E442",
)  # fmt: skip
PALETTE = (BLUE, ORANGE, GREEN, VERMILION, SKY, PINK, YELLOW, INK)
GREY, PALE = "#767676", "#D9D9D9"
SEQUENTIAL, DIVERGING = "cividis", "RdBu_r"  # both keep their order in grey and for every colour vision
# A legend above the axes covers no bar and no interval.
ABOVE: Mapping[str, Any] = {"loc": "lower left", "bbox_to_anchor": (0, 1.0), "ncols": 4, "borderaxespad": 0.2}
SUFFIXES = (".svg", ".png", ".pdf")
# Families with simplified Chinese, best first; found through matplotlib's own list of installed fonts.
CJK_FAMILIES = (
    "Noto Sans CJK SC", "Source Han Sans SC", "Noto Sans SC", "Microsoft YaHei", "PingFang SC", "SimHei",
    "WenQuanYi Micro Hei", "WenQuanYi Zen Hei", "Noto Sans CJK JP", "Droid Sans Fallback", "Arial Unicode MS",
)  # fmt: skip
CJK_FOLDERS = (
    "/usr/share/fonts/opentype/noto",
    "/usr/share/fonts/truetype/wqy",
    "/System/Library/Fonts",
    "C:/Windows/Fonts",
)
CJK_FILES = ("NotoSansCJK-Regular.ttc", "wqy-microhei.ttc", "wqy-zenhei.ttc", "PingFang.ttc", "msyh.ttc", "simhei.ttf")
_SVG_OPEN = re.compile(r"<svg\b([^>]*)>")


@dataclass(frozen=True, eq=False, slots=True)
class Chart:
    """One chart: what it shows, the data behind it, and how it is drawn.

    Attributes
    ----------
    title : str
    alt : str
        What the chart shows, in one sentence, for those who do not see it.
    frame : pandas.DataFrame
        The numbers that are drawn.
    draw : callable
        Takes an empty matplotlib Figure.
    size_inches : (float, float)
    """

    title: str
    alt: str
    frame: pd.DataFrame = field(repr=False)
    draw: Callable[[Any], None] = field(repr=False)
    size_inches: tuple[float, float] = (8.0, 4.5)

    def svg(self) -> str:
        """Return the chart as SVG: letters as outlines, so that it looks the same without any font.

        Raises
        ------
        ModelError
            RM911 matplotlib is not installed, RM912 no installed font has some of the characters.
        """
        said = self._bytes("svg", {"Date": None, "Creator": None, "Type": None, "Format": None}).decode()
        said = said[said.index("<svg") :]
        open_, title, alt = _SVG_OPEN.search(said), escape(self.title), escape(self.alt)
        assert open_ is not None  # every SVG has its root
        root = f'<svg role="img" aria-label="{title}. {alt}"{open_[1]}>\n<title>{title}</title>\n<desc>{alt}</desc>'
        return said[: open_.start()] + root + said[open_.end() :]

    def png(self, dpi: int = 150) -> bytes:
        """Return the chart as PNG; raises as `svg`."""
        return self._bytes("png", {"Software": None}, dpi)

    def save(self, path: str | Path) -> Path:
        """Write the chart whole or not at all, as ``.svg``, ``.png`` or ``.pdf``.

        Raises
        ------
        BookError
            RM800 unknown ending, RM801-RM806 the system's refusals.
        ModelError
            As `svg`.
        """
        target = Path(path)
        suffix = target.suffix.lower()
        if suffix not in SUFFIXES:
            raise BookError(
                problem("RM800", path=str(path), suffixes=" ".join(SUFFIXES), nearest=nearest(suffix, SUFFIXES))
            )
        if suffix == ".svg":
            data = self.svg().encode()
        elif suffix == ".png":
            data = self.png()
        else:
            data = self._bytes("pdf", {"CreationDate": None, "Creator": None, "Producer": None})
        with whole_file(target) as part:
            part.write_bytes(data)
        return target

    def _repr_svg_(self) -> str:
        return self.svg()

    def _bytes(self, kind: str, metadata: dict[str, None], dpi: int = 150) -> bytes:
        with style():
            from matplotlib.figure import Figure

            figure = Figure(figsize=self.size_inches, layout="constrained")
            self.draw(figure)
            figure.suptitle(self.title, x=0.01, ha="left", fontsize=12, fontweight="bold")
            check_glyphs(figure)
            out = BytesIO()
            figure.savefig(out, format=kind, metadata=metadata, dpi=dpi)
            return out.getvalue()


@contextmanager
def style() -> Iterator[None]:
    """Set the house style while one figure is drawn, then put everything back.

    Raises
    ------
    ModelError
        RM911 matplotlib is not installed.
    """
    try:
        import matplotlib
    except ImportError as error:
        raise ModelError(problem("RM911")) from error
    own = {
        "font.family": list(font_families()),
        "font.size": 9,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.edgecolor": GREY,
        "axes.axisbelow": True,
        "axes.unicode_minus": False,  # U+2212 is missing in many Chinese fonts
        "xtick.color": "#333333",
        "ytick.color": "#333333",
        "legend.frameon": False,
        "svg.hashsalt": "ratemod",
        "svg.fonttype": "path",
        "pdf.fonttype": 42,
        "text.parse_math": False,  # names may hold a dollar sign
        "path.simplify": False,
    }
    with matplotlib.rc_context({**dict(matplotlib.rcParamsDefault), "backend": matplotlib.rcParams["backend"], **own}):
        yield


@functools.cache
def font_families() -> tuple[str, ...]:
    """Return the families to draw with, in order: DejaVu Sans (always there), then the best Chinese one found."""
    from matplotlib import font_manager

    known = {font.name for font in font_manager.fontManager.ttflist}
    found = next((family for family in CJK_FAMILIES if family in known), None)
    if found is None:  # installed after matplotlib made its list
        files = (Path(folder) / name for folder in CJK_FOLDERS for name in CJK_FILES)
        file = next((file for file in files if file.is_file()), None)
        if file is not None:
            font_manager.fontManager.addfont(str(file))
            found = font_manager.FontProperties(fname=str(file)).get_name()
    return ("DejaVu Sans", found) if found else ("DejaVu Sans",)


def missing_glyphs(texts: Sequence[str]) -> str:
    """Return the characters that none of the fonts in use has, each once, in order.

    Examples
    --------
    >>> missing_glyphs(["premium"])
    ''
    """
    from matplotlib import font_manager

    wanted = dict.fromkeys(char for said in texts for char in said if not char.isspace())
    held: set[int] = set()
    for family in font_families():
        path = font_manager.findfont(font_manager.FontProperties(family=[family]), fallback_to_default=False)
        held |= set(font_manager.get_font(path).get_charmap())
    return "".join(char for char in wanted if ord(char) not in held)


def check_glyphs(figure: Any) -> None:
    """Refuse to draw boxes: every character of a figure must be in a font.

    Raises
    ------
    ModelError
        RM912 with the characters that are missing.
    """
    from matplotlib.text import Text

    figure.canvas.draw()  # tick labels are made while drawing
    lacking = missing_glyphs([item.get_text() for item in figure.findobj(Text) if item.get_visible()])
    if lacking:
        raise ModelError(problem("RM912", characters=lacking[:20]))


def heading(en: str, zh: str, lang: Lang) -> str:
    """Return one of two wordings."""
    return zh if lang == "zh" else en


def sparse(labels: Sequence[str], most: int = 30) -> list[str]:
    """Return the labels with as many blanked as needed for them to be readable side by side.

    Examples
    --------
    >>> sparse(["a", "b", "c", "d"], 2)
    ['a', '', 'c', '']
    """
    step = -(-len(labels) // most) if labels else 1
    return [label if at % step == 0 else "" for at, label in enumerate(labels)]


def slanted(labels: Sequence[str], most: int = 80) -> dict[str, Any]:
    """Return how tick labels stand: level, or slanted with their ends at the ticks where they would collide.

    Examples
    --------
    >>> slanted(["a", "b"])
    {}
    """
    width = max((sum(2 if char > "\u2e7f" else 1 for char in label) for label in labels), default=0)
    return {"rotation": 25, "ha": "right", "rotation_mode": "anchor"} if width * len(labels) > most else {}


def ragged(*columns: Any, names: Sequence[str]) -> None:
    """Refuse columns of different lengths, or none at all.

    Raises
    ------
    ModelError
        RM913 with the lengths.
    """
    lengths = [len(column) for column in columns]
    if len(set(lengths)) != 1 or lengths[0] == 0:
        said = ", ".join(f"{name}: {length}" for name, length in zip(names, lengths))
        raise ModelError(problem("RM913", lengths=said))
