"""Options of the form NAME=VALUE: each name once."""

from __future__ import annotations

from collections.abc import Iterable

from ratemod.errors import ModelError, Problem, problem


def pairs_of(given: Iterable[str], wanted: str) -> dict[str, str]:
    """Return name -> value.

    Parameters
    ----------
    given : what was typed, an option each
    wanted : the form as the help shows it, such as ``PATH=VALUE``

    Raises
    ------
    ModelError
        RM857 what is no such pair, RM413 two values for one name.

    Examples
    --------
    >>> pairs_of(["tables.base_rate = *1.05"], "PATH=VALUE")
    {'tables.base_rate': '*1.05'}
    """
    found: dict[str, str] = {}
    wrong: list[Problem] = []
    for said in given:
        name, _, value = (part.strip() for part in said.partition("="))
        if not name or not value:
            wrong.append(problem("RM857", given=said, wanted=wanted))
        elif found.setdefault(name, value) != value:
            wrong.append(problem("RM413", key=name, one=found[name], other=value))
    if wrong:
        raise ModelError(wrong)
    return found
