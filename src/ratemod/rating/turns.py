"""Items taken in order, worked on side by side, finished in order: one loop that every core runs.

Each worker takes the next item, works on it while others work on theirs, and finishes it when its turn has come. So an
item stays with the core that read it, no more items are under way than there are workers, and slow writing
slows the reading.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")


def in_turns(items: Iterator[T], work: Callable[[T], R], finish: Callable[[R], None], workers: int) -> None:
    """Work on every item and finish each in its turn; the caller's thread is one of the workers.

    Parameters
    ----------
    items : iterator
        Asked for the next item by one worker at a time; closed at the end where it can be.
    work : function
        Runs side by side.
    finish : function
        Runs alone, in the order of the items.
    workers : int

    Raises
    ------
    BaseException
        The first failure in the order of the items, of taking, working or finishing; nothing behind it is finished.

    Examples
    --------
    >>> found = []
    >>> in_turns(iter(range(5)), lambda x: x * x, found.append, workers=3)
    >>> found
    [0, 1, 4, 9, 16]
    """
    line = _Line(items, work, finish)
    others = [threading.Thread(target=line.run, daemon=True) for _ in range(workers - 1)]
    for thread in others:
        thread.start()
    try:
        line.run()
    except BaseException as raised:  # an interrupt while waiting for a turn: nobody else must go on waiting
        line.stop(raised)
    finally:
        for thread in others:
            thread.join()
        close = getattr(items, "close", None)
        if close is not None:
            close()
    if line.failure is not None:
        raise line.failure


@dataclass(eq=False)
class _Line(Generic[T, R]):
    items: Iterator[T]
    work: Callable[[T], R]
    finish: Callable[[R], None]
    taking: threading.Lock = field(default_factory=threading.Lock)
    turn: threading.Condition = field(default_factory=threading.Condition)
    taken: int = 0
    finished: int = 0
    ended: bool = False
    failure: BaseException | None = None

    def run(self) -> None:
        """Take, work and finish until nothing is left or something has failed."""
        while (found := self._take()) is not None:
            at, item, error = found
            result: R | None = None
            if error is None:
                try:
                    result = self.work(item)  # type: ignore[arg-type]
                except BaseException as raised:
                    error = raised
            del item, found
            if not self._finish(at, result, error):
                return

    def stop(self, failure: BaseException) -> None:
        """Let nobody take, wait for or finish another item."""
        with self.turn:
            self.ended = True
            self.failure = self.failure or failure
            self.turn.notify_all()

    def _take(self) -> tuple[int, T | None, BaseException | None] | None:
        with self.taking:
            if self.ended:
                return None
            at = self.taken
            try:
                item = next(self.items)
            except StopIteration:
                self.ended = True
                return None
            except BaseException as raised:
                self.ended = True
                self.taken += 1
                return at, None, raised
            self.taken += 1
            return at, item, None

    def _finish(self, at: int, result: R | None, error: BaseException | None) -> bool:
        """Wait for the turn of an item and finish it; return whether to go on."""
        with self.turn:
            while self.finished != at and self.failure is None:
                self.turn.wait()
            if self.failure is not None:
                return False
        if error is None:
            try:
                self.finish(result)  # type: ignore[arg-type]
            except BaseException as raised:
                error = raised
        with self.turn:
            self.finished += 1
            self.failure = self.failure or error
            self.ended = self.ended or error is not None
            self.turn.notify_all()
        return error is None
