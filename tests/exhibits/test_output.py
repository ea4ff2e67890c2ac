"""Files are whole or absent, whatever interrupts the writing."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.cli.books import PLAN, write_book

from ratemod.errors import BookError
from ratemod.rating.target import check_target, whole_file, write_problem

ROOT = Path(__file__).parents[2]
SOURCES = {**os.environ, "PYTHONPATH": str(ROOT / "src")}


def code(error: pytest.ExceptionInfo[BookError]) -> str:
    return error.value.problems[0].code


def test_target_appears_whole(tmp_path: Path) -> None:
    target = tmp_path / "out.csv"
    with whole_file(target) as part:
        part.write_bytes(b"abc")
        assert not target.exists() and part.parent == target.parent
    assert target.read_bytes() == b"abc"
    assert list(tmp_path.iterdir()) == [target]


def test_failure_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    target = tmp_path / "out.csv"
    target.write_bytes(b"old")
    with pytest.raises(ZeroDivisionError), whole_file(target) as part:
        part.write_bytes(b"half")
        raise ZeroDivisionError
    assert target.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [target]


def test_link_keeps_pointing_at_the_replaced_file(tmp_path: Path) -> None:
    real, link = tmp_path / "real.csv", tmp_path / "link.csv"
    real.write_bytes(b"old")
    link.symlink_to(real)
    with whole_file(link) as part:
        part.write_bytes(b"new")
    assert link.is_symlink() and real.read_bytes() == b"new"


@pytest.mark.parametrize(
    ("number", "wanted"),
    [
        (errno.ENOSPC, "RM805"),
        (errno.EDQUOT, "RM805"),
        (errno.EFBIG, "RM805"),
        (errno.EACCES, "RM802"),
        (errno.EROFS, "RM802"),
        (errno.ENOENT, "RM801"),
        (errno.EIO, "RM806"),
    ],
)
def test_what_the_system_refuses_is_named(number: int, wanted: str, tmp_path: Path) -> None:
    assert write_problem(OSError(number, os.strerror(number)), "out.csv").code == wanted
    with pytest.raises(BookError) as error, whole_file(tmp_path / "out.csv") as part:
        part.write_bytes(b"half")
        raise OSError(number, os.strerror(number))
    assert code(error) == wanted
    assert not list(tmp_path.iterdir())


def test_refused_rename_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(errno.EACCES, "open in Excel")

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(BookError) as error, whole_file(tmp_path / "out.csv") as part:
        part.write_bytes(b"whole")
    assert code(error) == "RM802"
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="root may write anywhere")
def test_read_only_folder_is_named(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(BookError) as error:
            check_target(tmp_path / "out.csv")
        assert code(error) == "RM802"
    finally:
        tmp_path.chmod(0o700)


def test_folder_that_may_not_be_written_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(BookError) as error:
        check_target(tmp_path / "out.csv")
    assert code(error) == "RM802"


def test_folder_is_no_target(tmp_path: Path) -> None:
    (tmp_path / "out.csv").mkdir()
    with pytest.raises(BookError) as error:
        check_target(tmp_path / "out.csv")
    assert code(error) == "RM804"


def test_hard_link_to_the_input_is_the_input(tmp_path: Path) -> None:
    book = tmp_path / "book.csv"
    book.write_bytes(b"a\n")
    os.link(book, tmp_path / "out.csv")
    with pytest.raises(BookError) as error:
        check_target(tmp_path / "out.csv", [book])
    assert code(error) == "RM803"


def test_kill_leaves_no_final_file(tmp_path: Path) -> None:
    """SIGKILL in the middle of a write: the final name never appears, the old content of another stays."""
    script = (
        "import sys, time\nfrom ratemod.rating.target import whole_file\n"
        f"with whole_file({str(tmp_path / 'out.csv')!r}) as part:\n"
        "    part.write_bytes(b'half')\n    print('writing', flush=True)\n    time.sleep(60)\n"
    )
    writer = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, env=SOURCES, text=True)
    assert writer.stdout is not None
    assert writer.stdout.readline() == "writing\n"
    writer.send_signal(signal.SIGKILL)
    writer.wait(30)
    assert not (tmp_path / "out.csv").exists()
    left = list(tmp_path.iterdir())
    assert all(file.name.startswith(".out.csv.") and file.suffix == ".part" for file in left)


@pytest.mark.parametrize("target", ["priced.xlsx", "priced.csv", "priced.parquet"])
def test_full_disk_is_named_and_leaves_nothing(target: str, tmp_path: Path) -> None:
    """A file size limit stands for a full disk: the system refuses the write half way."""
    pytest.importorskip("resource")
    book = write_book(tmp_path / "renewals.xlsx")
    words = ["rate", str(book), "--plan", str(PLAN), "-o", str(tmp_path / target), "--lang", "en"]
    script = (
        "import resource, sys\nfrom ratemod.cli import main\n"
        "import ratemod.rating.rate, xlsxwriter, pyarrow.parquet, pyarrow.csv\n"
        f"resource.setrlimit(resource.RLIMIT_FSIZE, (200, 200))\nsys.exit(main({words!r}))\n"
    )
    found = subprocess.run(
        [sys.executable, "-B", "-c", script], capture_output=True, text=True, env=SOURCES, timeout=120, check=False
    )
    assert found.returncode == 1, found.stderr
    assert "RM805" in found.stderr and "Traceback" not in found.stderr
    assert sorted(tmp_path.iterdir()) == [book]


def test_interrupt_leaves_nothing(tmp_path: Path) -> None:
    script = (
        "import sys, time\nimport ratemod.commands.rate as command\nfrom ratemod.cli import main\n"
        "from ratemod.rating.target import whole_file\n"
        "def slow(args, lang):\n"
        f"    with whole_file({str(tmp_path / 'out.csv')!r}) as part:\n"
        "        part.write_bytes(b'half')\n        print('writing', flush=True)\n        time.sleep(60)\n"
        "command.run = slow\nsys.exit(main(['rate', 'b', '--plan', 'p', '--lang', 'en']))\n"
    )
    writer = subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=SOURCES, text=True
    )
    assert writer.stdout is not None
    assert writer.stdout.readline() == "writing\n"
    time.sleep(0.1)
    writer.send_signal(signal.SIGINT)
    _, complaint = writer.communicate(timeout=30)
    assert writer.returncode == 130 and "Traceback" not in complaint
    assert not list(tmp_path.iterdir())
