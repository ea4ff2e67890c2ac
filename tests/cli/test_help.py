"""The help of the command line: every command has one, in both languages."""

from __future__ import annotations

import pytest

from ratemod.cli import COMMANDS, main


def test_help_names_every_command_in_both_languages(capsys: pytest.CaptureFixture[str]) -> None:
    for lang, word in (("en", "Exit codes"), ("zh", "退出码")):
        assert main(["--lang", lang, "--help"]) == 0
        out, err = capsys.readouterr()
        assert word in out and not err
        assert all(name in out for name in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_every_command_has_help(command: str, lang: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([command, "--help", "--lang", lang]) == 0
    assert capsys.readouterr().out.startswith("usage: " if lang == "en" else "用法：")
