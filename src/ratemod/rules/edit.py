"""The one editor of TOML: values change, comments and every other character stay; and the one writer of new files.

What was edited is read back and compared with what it should say before anything is replaced (`edited`), whatever
spelling of TOML the file uses.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, MutableMapping
from decimal import Decimal
from typing import Any

from ratemod.errors import PlanError, problem
from ratemod.rules.lines import Place
from ratemod.rules.number import normal
from ratemod.rules.read import parsed


class Gone:
    """Stands for a key that is to be removed."""


GONE = Gone()
Change = tuple[Place, Any]


def edited(content: str, changes: Iterable[Change], shown: str) -> str:
    """Return a TOML text with some values changed, added or removed (`GONE`).

    Parameters
    ----------
    content : the text
    changes : place and new value; tables on the way that are not there are made
    shown : how the file is called in messages

    Raises
    ------
    PlanError
        RM026 when the text, read back, would not say what it should; RM107 when it is no TOML.

    Examples
    --------
    >>> print(edited('[a]  # rates\\nb = { c = 1, d = 2 } # two', [(("a", "b", "c"), "1.5")], "x.toml"))
    [a]  # rates
    b = { c = "1.5", d = 2 } # two
    """
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    wanted = parsed(content, shown)
    asked = list(changes)
    try:
        made = tomlkit.parse(content)
        for place, value in asked:
            _set(made, place, value, tomlkit.table)
            _set(wanted, place, value, dict)
        text = tomlkit.dumps(made)
    except (TOMLKitError, KeyError, IndexError, TypeError, ValueError) as error:
        raise PlanError(problem("RM026", file=shown, why=str(error))) from None
    found = parsed(text, shown)
    if _plain(found) != _plain(wanted):
        raise PlanError(problem("RM026", file=shown, why=", ".join(".".join(map(str, place)) for place, _ in asked)))
    return text


def toml_text(data: Mapping[str, Any]) -> str:
    """Return data as a TOML text; numbers that are exact are written as texts, so that every digit stays.

    Examples
    --------
    >>> print(toml_text({"name": "甲", "share": Decimal("0.10"), "changes": {"a.b": "1"}}))
    name = "甲"
    share = "0.10"
    <BLANKLINE>
    [changes]
    "a.b" = "1"
    <BLANKLINE>
    """
    import tomlkit

    return tomlkit.dumps(_writable(data))


def _set(data: Any, place: Place, value: Any, table: Callable[[], Any]) -> None:
    for name in place[:-1]:
        if isinstance(data, MutableMapping) and name not in data:
            data[name] = table()
        data = data[name]
    last = place[-1]
    if value is GONE:
        if last in data:
            del data[last]
    elif isinstance(value, Mapping) and table is not dict:
        part = table()
        for key, item in value.items():
            part[key] = _writable(item)
        data[last] = part
    else:
        data[last] = _writable(value)


def _writable(value: Any) -> Any:
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, Mapping):
        return {str(key): _writable(item) for key, item in value.items() if item is not None}
    if isinstance(value, list | tuple):
        return [_writable(item) for item in value]
    return value


def _plain(value: Any) -> Any:
    """Return data for comparison: tables without parts that are empty are as good as none."""
    if isinstance(value, Mapping):
        parts = {str(key): _plain(item) for key, item in value.items()}
        return {key: item for key, item in parts.items() if item != {}}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return normal(value) if isinstance(value, Decimal) and value.is_finite() else value
