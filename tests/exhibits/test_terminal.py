"""What a terminal shows: alignment by columns, no control characters, a bar only on a terminal."""

from __future__ import annotations

import io

from hypothesis import given
from hypothesis import strategies as st

from ratemod.document.terminal import display_width, pad, problems_text, progress, shorten, table_text
from ratemod.errors import problem, render
from ratemod.printed import clean

WORDS = st.text(alphabet=st.characters(codec="utf-8", categories=("L", "N", "P", "Zs")), max_size=12)


def test_a_chinese_character_takes_two_columns() -> None:
    assert display_width("矿山") == 4
    assert display_width("a\u0301") == 1  # a letter and its accent
    assert pad("矿山", 6) == "矿山  " and pad("1", 3, right=True) == "  1"


@given(st.lists(st.tuples(WORDS, WORDS), min_size=1, max_size=5))
def test_right_columns_end_at_the_same_place(rows: list[tuple[str, str]]) -> None:
    said = table_text(["名称", "金额"], [(a, f"{b}x") for a, b in rows], [False, True])
    lines = said.split("\n")
    assert len(lines) == len(rows) + 2
    assert len({display_width(line) for line in lines}) == 1


@given(WORDS, st.integers(1, 10))
def test_shortened_text_fits(said: str, columns: int) -> None:
    assert display_width(shorten(said, columns)) <= columns


@given(st.text())
def test_no_control_character_reaches_the_terminal(said: str) -> None:
    assert not any(ord(char) < 32 or 127 <= ord(char) < 160 or char in "\u202e\u2066" for char in clean(said))


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_bar_is_drawn_on_a_terminal_and_taken_away() -> None:
    terminal = Terminal()
    with progress("正在定价", terminal) as bar:
        for done in range(1001):
            bar.show(done, 1000)
    said = terminal.getvalue()
    assert "100 %" in said and said.endswith("\r\x1b[K")
    assert said.count("\r") <= 103  # one redraw a per cent, not one a row


def test_pipe_gets_nothing() -> None:
    pipe = io.StringIO()
    with progress("正在定价", pipe) as bar:
        bar.show(1, 2)
    assert pipe.getvalue() == ""


def test_a_problem_that_stands_alone_is_said_beside_many_of_one_kind():
    many = [problem("RM201", row=at, count=9, column="x", label="x") for at in range(50)]
    alone = problem("RM771", count=1, table="services", table_zh="服务", key="S7")
    for said in (problems_text([*many, alone], "en"), render([*many, alone], "en")):
        assert "S7" in said and ("41 more" in said or "31 more" in said)
