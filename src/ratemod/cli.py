"""The command line: which commands there are, in which language, and what their exit codes mean.

Nothing heavy is imported here, so that ``ratemod --help`` answers at once; each command imports what it needs.
"""

from __future__ import annotations

import argparse
import gc
import importlib
import os
import re
import signal
import sys
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, Literal, NoReturn

from ratemod.errors import Lang, RatemodError, cause, default_language, nearest, problem, render, text
from ratemod.printed import cleaned
from ratemod.version import VERSION

COMMANDS = (
    "demo",
    "plans",
    "check",
    "diff",
    "rate",
    "verify",
    "explain",
    "quote",
    "second-opinion",
    "compare",
    "what-if",
    "solve",
    "fit",
    "mods",
    "triangle",
    "credibility",
    "severity",
    "model",
    "registers",
    "fund",
    "data",
    "report",
    "synth",
    "bench",
)
ALL_RATED, UNUSABLE, USAGE, SOME_REFUSED, INTERRUPTED, NO_READER = 0, 1, 2, 3, 130, 141
# argparse's own complaints, so that they too can be said in Chinese.
COMPLAINTS = (
    (re.compile(r"the following arguments are required: (?P<names>.*)"), "UI_required"),
    (re.compile(r"unrecognized arguments: (?P<names>.*)"), "UI_unrecognised"),
    (
        re.compile(r"argument (?P<name>.*): invalid choice: '(?P<value>.*)' \(choose from (?P<choices>.*)\)"),
        "UI_choice",
    ),
    (re.compile(r"argument (?P<name>.*): expected one argument"), "UI_expected"),
    (re.compile(r"argument (?P<name>.*): invalid int value: '(?P<value>.*)'"), "UI_no_whole_number"),
    (re.compile(r"argument (?P<name>.*): invalid float value: '(?P<value>.*)'"), "UI_no_number"),
    (re.compile(r"argument (?P<name>.*): not allowed with argument (?P<other>.*)"), "UI_exclusive"),
    (re.compile(r"argument (?P<name>[^:]*): (?P<why>.*)"), "UI_argument"),  # what a type of our own says
)


class Parser(argparse.ArgumentParser):
    """An argument parser that speaks the chosen language."""

    lang: Lang = "en"

    def __init__(self, **words: Any) -> None:
        super().__init__(**words, allow_abbrev=False)  # what is not an option today may be two tomorrow

    def format_usage(self) -> str:
        """Return the usage line."""
        return super().format_usage().replace("usage: ", text("UI_usage", self.lang), 1)

    def format_help(self) -> str:
        """Return the whole help."""
        return super().format_help().replace("usage: ", text("UI_usage", self.lang), 1)

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Return what was given; a command refuses what it does not know itself, by its own usage and options."""
        found, left = super().parse_known_args(args, namespace)
        if left and not any(isinstance(action, argparse._SubParsersAction) for action in self._actions):
            self.error(f"unrecognized arguments: {' '.join(left)}")
        return found, left

    def error(self, message: str) -> NoReturn:
        """Say what is wrong with the usage and stop with exit code 2."""
        for pattern, code in COMPLAINTS:
            if found := pattern.fullmatch(message):
                message = text(code, self.lang, **found.groupdict())
                near = None
                if code == "UI_unrecognised":
                    near = nearest(found["names"].split()[0], sorted(self._option_string_actions))
                elif code == "UI_choice":
                    near = nearest(found["value"], re.findall(r"[^', ]+", found["choices"]))
                if near:
                    message += f"; {text('RM001', self.lang, nearest=near)}"
        self.print_usage(sys.stderr)
        self.exit(USAGE, f"{self.prog}: {text('UI_error', self.lang, message=message)}\n")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; return its exit code.

    Returns
    -------
    int
        0 every row rated; 1 the plan or a file is unusable; 2 wrong usage; 3 done, some rows not priced.
    """
    gc.set_threshold(50_000, 20, 100)  # loading a program is no rubbish: looking through it took a tenth of a short run
    with cleaned(), stopped_on_request():
        return _run(list(sys.argv[1:] if argv is None else argv))


def _run(given: list[str]) -> int:
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure:  # a terminal that lacks a character shows "?", never a traceback
            reconfigure(errors="replace")
    lang = language_of(given)
    try:
        args = build_parser(lang, given).parse_args(given)
    except SystemExit as stop:
        return int(stop.code or 0)
    try:
        stands = hasattr(args, "no_project")
        if stands:
            from ratemod.commands.project import keep, settle

            lang = settle(args, lang)
        code = _told(args, lang)
        if stands and code in (ALL_RATED, SOME_REFUSED):
            keep(args, lang)
        if sys.stdout is not None:
            sys.stdout.flush()
    except SystemExit as stop:
        return int(stop.code or 0)
    except RatemodError as error:
        from ratemod.commands.project import placed

        print(render(placed(args, error.problems), lang), file=sys.stderr)
        return UNUSABLE
    except KeyboardInterrupt:
        print(text("UI_stopped", lang), file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:  # the reader of a pipe, such as head, has seen enough
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115 - so that the flush at exit does not complain again
        return NO_READER
    except Exception as error:  # a net, not the answer: whatever ends here deserves a refusal of its own
        return unforeseen(error, lang)
    return code


def _told(args: argparse.Namespace, lang: Lang) -> int:
    """Run the command, and say what it read and what it did not, whichever command it is; return its exit code."""
    from ratemod.commands.project import words_of
    from ratemod.reading.spoken import misspelt, spoken
    from ratemod.reading.told import receipts, together

    with receipts() as read, spoken(words_of(args)):
        try:
            code: int = importlib.import_module(_module(args.command)).run(args, lang)
        except RatemodError as error:  # a column that was sought may be what a misspelt word should have named
            raise type(error)([*error.problems, *misspelt(error.problems)]) from None
    if read:
        from ratemod.document.terminal import receipt_text

        said = receipt_text(together(read), lang)
        print(f"\n{said}" if said else "", end="\n" if said else "")
    return code


@contextmanager
def stopped_on_request() -> Iterator[None]:
    """Let a request to stop or a lost terminal unwind like Ctrl-C meanwhile, so that nothing half-written stays."""

    def unwind(*_: object) -> NoReturn:
        raise KeyboardInterrupt

    before = {}
    for name in ("SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            with suppress(ValueError):  # not the main thread: whoever runs it decides
                before[name] = signal.signal(getattr(signal, name), unwind)
    try:
        yield
    finally:
        for name, earlier in before.items():
            signal.signal(getattr(signal, name), earlier)


def unforeseen(error: Exception, lang: Lang) -> int:
    """Say in one line what the system refused, or what no one foresaw, with the details in a file; return the code."""
    if isinstance(error, MemoryError):
        found = problem("RM393")
    elif isinstance(error, OSError) and error.errno is not None:
        found = problem("RM392", file=str(error.filename) if error.filename else None, why=cause(error))
    else:
        import traceback

        last = traceback.extract_tb(error.__traceback__)[-1]
        place = f"{os.path.basename(last.filename)}:{last.lineno}"
        found = problem("RM391", kind=type(error).__name__, place=place, why=str(error)[:200], details=_details(error))
    with suppress(OSError, ValueError):
        print(render([found], lang), file=sys.stderr)
    return UNUSABLE


def _details(error: Exception) -> str:
    """Write the traceback to a file of its own; return the file's name, "-" where none can be written."""
    import tempfile
    import traceback

    try:
        with tempfile.NamedTemporaryFile(
            "w", prefix="ratemod-", suffix=".txt", delete=False, encoding="utf-8", errors="backslashreplace"
        ) as file:
            file.write(f"ratemod {VERSION}, Python {sys.version}\n{' '.join(sys.argv)}\n\n")
            file.writelines(traceback.format_exception(error))
        return file.name
    except OSError:
        return "-"


def language_of(argv: Sequence[str]) -> Lang:
    """Return the language asked for with ``--lang``, else that of the locale; help must know before parsing."""
    chosen: Literal["zh", "en"] | None = None
    for at, word in enumerate(argv):
        value = word.removeprefix("--lang=") if word.startswith("--lang=") else None
        if word == "--lang" and at + 1 < len(argv):
            value = argv[at + 1]
        if value in ("zh", "en"):
            chosen = "zh" if value == "zh" else "en"
    return chosen or default_language()


def build_parser(lang: Lang, given: Collection[str] = COMMANDS) -> Parser:
    """Return the parser of the command line in one language; of the commands that are given, with their arguments.

    The others are known by name and say what they do, which is all that a line without them needs: loading what
    every command declares takes longer than pricing ten thousand rows.
    """
    parser = _parser("ratemod", lang, description=text("UI_about_ratemod", lang), epilog=text("UI_epilog", lang))
    parser.add_argument("--version", action="version", version=f"ratemod {VERSION}", help=text("UI_help_version", lang))
    _language(parser, lang)
    commands = parser.add_subparsers(title=text("UI_commands", lang), dest="command", metavar="COMMAND", required=True)
    for name in COMMANDS:
        named = name.replace("-", "_")
        said = text(f"UI_help_{named}", lang)
        own = commands.add_parser(
            name, help=said, description=said, add_help=False, formatter_class=argparse.RawDescriptionHelpFormatter
        )
        _dress(own, lang)
        if name in given:
            importlib.import_module(_module(name)).arguments(own, lang)
            _language(own, lang)
    return parser


def _module(command: str) -> str:
    return "ratemod.commands." + command.replace("-", "_")


def _parser(prog: str, lang: Lang, **words: Any) -> Parser:
    parser = Parser(prog=prog, add_help=False, formatter_class=argparse.RawDescriptionHelpFormatter, **words)
    _dress(parser, lang)
    return parser


def _dress(parser: Parser, lang: Lang) -> None:
    parser.lang = lang
    parser._positionals.title = text("UI_arguments", lang)
    parser._optionals.title = text("UI_options", lang)
    parser.add_argument("-h", "--help", action="help", help=text("UI_help_help", lang))


def _language(parser: Parser, lang: Lang) -> None:
    parser.add_argument("--lang", choices=("zh", "en"), default=argparse.SUPPRESS, help=text("UI_help_lang", lang))
