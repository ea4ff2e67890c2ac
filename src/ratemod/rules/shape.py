"""What may stand behind a key: the declared shape of a rules file, a small schema or the type hints of a dataclass.

`keys_of` reads the hints: ``str``, ``bool``, ``int``, ``float``, ``Decimal``, ``date``, a ``Literal``, a list as
``tuple[X, ...]``, ``Mapping[str, X]``, another dataclass, or one of them ``| None``. A key that a dataclass calls
otherwise, or that has bounds, is declared by hand (`Key`). A kind may also be a function ``(file, value, place) ->
value``, or the name of one.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Union, get_args, get_origin


@dataclass(frozen=True, slots=True)
class Key:
    """What may stand behind one key.

    Attributes
    ----------
    kind : a type hint, a function ``(file, value, place) -> value``, or a name of such a function
    required : bool
    choices : the permitted texts; all where empty
    doc : for the reference
    low, high : least and greatest number permitted
    filled : an empty text or list is refused
    field : what the dataclass calls it, where it is not the key
    """

    kind: Any
    required: bool = False
    choices: tuple[str, ...] = ()
    doc: str = ""
    low: float | Decimal | None = None
    high: float | Decimal | None = None
    filled: bool = False
    field: str = ""


Keys = Mapping[str, Key]
Kinds = Mapping[str, Callable[..., Any]]


def keys_of(shape: type, **declared: Key) -> dict[str, Key]:
    """Return the keys of a dataclass; `declared` ones replace those of the same name or field.

    Examples
    --------
    >>> @dataclass
    ... class Firm:
    ...     name: str
    ...     heads: int = 0
    >>> {name: (key.kind, key.required) for name, key in keys_of(Firm, staff=Key(int, low=1, field="heads")).items()}
    {'name': (<class 'str'>, True), 'staff': (<class 'int'>, False)}
    """
    hints = typing.get_type_hints(shape)
    named = {key.field or name: (name, key) for name, key in declared.items()}
    found = {}
    for item in dataclasses.fields(shape):
        free = item.default is not dataclasses.MISSING or item.default_factory is not dataclasses.MISSING
        own = item.name.rstrip("_")
        name, key = named.pop(own, named.pop(item.name, (own, Key(hints[item.name], not free))))
        found[name] = dataclasses.replace(key, field=item.name)
    return found | dict(named.values())


def optional(hint: Any) -> tuple[Any, bool]:
    """Return a hint without None, and whether None was permitted."""
    if get_origin(hint) not in (Union, types.UnionType):
        return hint, False
    parts = [part for part in get_args(hint) if part is not type(None)]
    return (parts[0] if len(parts) == 1 else Union[tuple(parts)]), len(parts) < len(get_args(hint))  # noqa: UP007


def list_of(kind: Any) -> Any:
    """Return the kind of a list whose parts are of a kind, be it named."""
    return types.GenericAlias(tuple, (kind, Ellipsis))


def table_of(kind: Any) -> Any:
    """Return the kind of a table of any names whose values are of a kind, be it named."""
    return types.GenericAlias(Mapping, (str, kind))
