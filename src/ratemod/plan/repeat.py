"""Steps written once for several perils, covers or classes: repeated here, so that nothing after it knows of it.

``over = "peril"`` repeats a step for each value of ``[list.peril]``: ``{peril}`` in its texts is the value, in its
labels the value's label. In any other step ``{peril}`` in a list of names stands for all: ``of = ["{peril}_rate"]``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

LABELS = ("label_en", "label_zh")


@dataclass(frozen=True, slots=True)
class Values:
    """What steps are repeated over; labels, where given, one for each value."""

    name: str
    values: tuple[str, ...]
    label_en: tuple[str, ...] = ()
    label_zh: tuple[str, ...] = ()

    def called(self, at: int, key: str) -> str:
        """Return a value as a text of some key takes it."""
        labels: tuple[str, ...] = getattr(self, key) if key in LABELS else ()
        return labels[at] if at < len(labels) else self.values[at]


def repeated(steps: Sequence[Any], lists: Mapping[str, Values]) -> Iterator[tuple[int, Any]]:
    """Yield every step with its place in the file, those over a list once for each of its values.

    Examples
    --------
    >>> perils = {"peril": Values("peril", ("fire", "flood"))}
    >>> steps = [{"name": "{peril}_rate", "over": "peril"}, {"name": "all", "of": ["{peril}_rate", "fee"]}]
    >>> [step for _, step in repeated(steps, perils)][1:]
    [{'name': 'flood_rate'}, {'name': 'all', 'of': ['fire_rate', 'flood_rate', 'fee']}]
    """
    for index, step in enumerate(steps):
        if not isinstance(step, Mapping):
            yield index, step
            continue
        over = step.get("over", [])
        names = [over] if isinstance(over, str) else over
        if not isinstance(names, list) or any(name not in lists for name in names):
            yield index, step  # the reader says what is wrong with it
            continue
        rest = {key: value for key, value in step.items() if key != "over"}
        for places in product(*(range(len(lists[name].values)) for name in names)):
            chosen = {name: (lists[name], at) for name, at in zip(names, places)}
            others = {name: item for name, item in lists.items() if name not in chosen}
            yield index, {key: _filled(value, key, chosen, others) for key, value in rest.items()}


def every_name(name: str, lists: Mapping[str, Values]) -> list[str]:
    """Return a name with braces for every value of the lists that it names."""
    return [str(one) for one in _all(name, "name", lists)]


def _filled(value: Any, key: str, chosen: Mapping[str, tuple[Values, int]], others: Mapping[str, Values]) -> Any:
    if isinstance(value, str):
        for name, (of, at) in chosen.items():
            value = value.replace(f"{{{name}}}", of.called(at, key))
        return value
    if isinstance(value, Mapping):
        return {name: _filled(part, name, chosen, others) for name, part in value.items()}
    if isinstance(value, list):
        return [full for part in value for full in _all(_filled(part, key, chosen, others), key, others)]
    return value


def _all(part: Any, key: str, others: Mapping[str, Values]) -> list[Any]:
    """Return a part of a list for every value of each list that it names."""
    found = [part]
    for name, of in others.items():
        if isinstance(part, str) and f"{{{name}}}" in part:
            found = [_filled(one, key, {name: (of, at)}, {}) for one in found for at in range(len(of.values))]
    return found
