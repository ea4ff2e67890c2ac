"""What the operating system refuses is said in the language of whoever reads it."""

from __future__ import annotations

import errno
import os

import pytest

from ratemod.cli import main
from ratemod.errors import catalogue, cause, problem


@pytest.mark.parametrize("number", [errno.ENOENT, errno.EACCES, errno.EMFILE, errno.ENOSPC, errno.EROFS, errno.EIO])
def test_a_cause_has_words_in_both_languages(number):
    found = problem("RM340", file="x.csv", why=cause(OSError(number, os.strerror(number))))
    assert os.strerror(number) not in found.line("zh") and found.what("zh") != found.what("en")


def test_a_cause_without_words_of_ours_is_said_in_the_systems():
    found = problem("RM340", file="x.csv", why=cause(OSError(errno.EXDEV, "Invalid cross-device link")))
    assert "Invalid cross-device link" in found.what("zh") and "Invalid cross-device link" in found.what("en")
    assert "odd" in problem("RM340", file="x.csv", why=cause(ValueError("odd"))).what("zh")


def test_numbers_that_are_none_and_files_that_are_not_there_are_said_in_chinese(tmp_path, capsys):
    assert main(["--lang", "zh", "synth", "--enterprises", "abc", str(tmp_path / "x")]) == 2
    assert "“abc”不是整数" in capsys.readouterr().err
    book = str(tmp_path / "list.csv")
    (tmp_path / "list.csv").write_text("a\n1\n")
    assert main(["--lang", "zh", "what-if", book, "--plan", "jilin-spli/2025-04", "--scenario", "none.toml"]) == 1
    assert "没有这个文件" in capsys.readouterr().err


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_every_part_of_a_message_asks_its_arguments_for_their_language(lang, monkeypatch):
    texts = {"RM340": {"en": "{why}", "zh": "{why}", "fix_en": "{why}", "fix_zh": "{why}"}}
    monkeypatch.setattr("ratemod.errors.catalogue", lambda: {**catalogue(), **texts})
    why = cause(OSError(errno.ENOENT, "x"))
    assert problem("RM340", why=why).what(lang) == problem("RM340", why=why).fix(lang) == why.said(lang)
