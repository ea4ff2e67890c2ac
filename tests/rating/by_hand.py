"""A plan worked out from what is written, row by row, in fractions: nothing of the project's own is used.

It knows the format as its reference page tells it. What has no value is None.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Context, Decimal, Overflow
from fractions import Fraction
from math import floor
from typing import Any

FIRST, LAST = date(1900, 1, 1), date(2269, 12, 31)
PRECISE = Context(prec=60)
Cells = dict[str, Any]


class Sheet:
    """The values of every step for every row of a list."""

    def __init__(
        self, said: Mapping[str, Any], tables: Mapping[str, Any], rows: Sequence[Cells], trades: Sequence[str]
    ):
        self.said, self.tables = said, tables
        self.levels = {name: column.get("levels") for name, column in said["column"].items()}
        self.levels |= {"trade": list(trades), "listed": ["no", "yes"]}
        constants = {name: stated(one["value"]) for name, one in said["constant"].items()}
        self.rows = [{**self.filled(row), **constants} for row in rows]
        self.per_unit = 10 ** said.get("money", {}).get("decimals", 2)
        self.groups: list[list[str]] = []
        for step in self.steps():
            self.work(step)

    def filled(self, row: Cells) -> Cells:
        """The cells of a row, with what the plan says an empty one means, and the days of its term."""
        found = {name: exact(cell) for name, cell in row.items()}
        for name, column in self.said["column"].items():
            if found.get(name) is None and "default" in column:
                found[name] = column["default"] if column["kind"] == "level" else stated(column["default"])
        return {**found, "term_days": Fraction((row["end_date"] - row["start_date"]).days)}

    def steps(self) -> Iterator[Cells]:
        """The steps, each over a list once for each of its values."""
        lists = {name: one["values"] for name, one in self.said["list"].items()}
        for step in self.said["step"]:
            over = listed(step.get("over", []))
            for values in itertools.product(*(lists[name] for name in over)):
                own = dict(zip(over, values))
                yield filled({key: value for key, value in step.items() if key != "over"}, own, lists)

    def work(self, step: Cells) -> None:
        """Add what a step gives to every row."""
        name, op = step["name"], step["op"]
        if op in ("classify", "level", "first_level", "last_level", "take_level"):
            self.levels[name] = step.get("levels") or self.levels_of(step)
        if op in TOGETHER:
            found = TOGETHER[op](self, step)
        else:
            found = [getattr(self, f"_{op}")(step, row) for row in self.rows]
        for row, value in zip(self.rows, found):
            if "when" in step and not self.holds(step["when"], row):
                other = step.get("otherwise", step.get("of"))
                value = None if other == "none" else self.value(other, row, self.levels.get(name))
            row[name] = value

    def levels_of(self, step: Cells) -> list[str]:
        if step["op"] == "classify":
            header, lines = self.tables[step["table"]]
            return list(dict.fromkeys(line[header.index("value")] for line in lines))
        if step["op"] == "level":
            return [step["is"]]
        return self.levels[listed(step["of"])[0]]

    def value(self, operand: Any, row: Cells, levels: Sequence[str] | None = None) -> Any:
        """What an operand is in a row: a level, a column, constant or step, a number, a day."""
        if levels and operand in levels:
            return operand
        return row[operand] if isinstance(operand, str) and operand in row else stated(operand)

    def of(self, step: Cells, row: Cells) -> list[Any]:
        return [self.value(operand, row) for operand in listed(step["of"])]

    # --- conditions -------------------------------------------------------------------------------------------------
    def holds(self, when: Mapping[str, Any], row: Cells) -> bool:
        for how, join in (("all", all), ("any", any), ("none", lambda tests: not any(tests))):
            if how in when:
                return bool(join([self.holds(part, row) for part in when[how]]))
        name = when["of"]
        value, levels = row[name], self.levels.get(name)
        for key, wanted in when.items():
            if key == "missing" and (value is None) != wanted:
                return False
            if key in ("of", "missing"):
                continue
            if value is None:
                return False
            if key == "is":
                fine = value in listed(wanted)
            elif key == "is_not":
                fine = value not in listed(wanted)
            elif key == "begins":
                fine = value.startswith(tuple(listed(wanted)))
            elif key in ("from", "to"):
                assert levels is not None
                at, end = levels.index(value), levels.index(wanted)
                fine = at >= end if key == "from" else at <= end
            else:
                end = self.value(wanted, row)
                if levels and end is not None:
                    value_at, end = levels.index(value), levels.index(end)
                else:
                    value_at = value
                fine = end is not None and COMPARED[key](value_at, end)
            if not fine:
                return False
        return True

    # --- tables -----------------------------------------------------------------------------------------------------
    def read_from(self, step: Cells, axis: str, row: Cells) -> Any:
        of = step.get("by", {}).get(axis, axis)
        return of["is"] if isinstance(of, Mapping) else self.value(of, row)

    def answers(self, step: Cells, row: Cells, without: Sequence[str] = ()) -> list[Cells]:
        """The lines of a table that answer a row on all axes but some; of several the least general alone."""
        header, lines = self.tables[step["table"]]
        found = []
        for line in lines:
            cell, wild = dict(zip(header, line)), 0
            for axis, kind in axes(header).items():
                if axis in without:
                    continue
                value = self.read_from(step, axis, row)
                if value is None:
                    return []
                if kind == "plain":
                    if cell[axis] == "*":
                        wild += 1
                    elif value != (cell[axis] if isinstance(value, str) else stated(cell[axis])):
                        break
                elif not within(value, cell, axis):
                    break
            else:
                found.append((wild, cell))
        least = min((wild for wild, _ in found), default=0)
        return [cell for wild, cell in found if wild == least]

    def _lookup(self, step: Cells, row: Cells) -> Any:
        cells = self.answers(step, row)
        assert len(cells) < 2
        said = cells[0][step.get("column", "value")] if cells else "none"
        return None if said == "none" else stated(said)

    def _classify(self, step: Cells, row: Cells) -> Any:
        cells = self.answers(step, row)
        return cells[0]["value"] if cells else None

    def _level(self, step: Cells, row: Cells) -> Any:
        return step["is"]

    def _first_level(self, step: Cells, row: Cells) -> Any:
        return self._of_levels(step, row, min)

    def _last_level(self, step: Cells, row: Cells) -> Any:
        return self._of_levels(step, row, max)

    def _of_levels(self, step: Cells, row: Cells, pick: Any) -> Any:
        found = self.of(step, row)
        return None if None in found else pick(found, key=self.levels[step["name"]].index)

    def _interpolate(self, step: Cells, row: Cells) -> Any:
        header, lines = self.tables[step["table"]]
        points = [axis for axis, kind in axes(header).items() if kind == "point"]
        lines = self.answers(step, row, points)
        every = {
            p: sorted({placed(dict(zip(header, line))[f"{p}_at"]) for line in self.tables[step["table"]][1]})
            for p in points
        }

        def along(axis: int, chosen: dict[str, Fraction]) -> Any:
            if axis == len(points):
                here = [c for c in lines if all(placed(c[f"{p}_at"]) == at for p, at in chosen.items())]
                return None if not here or here[0]["value"] == "none" else stated(here[0]["value"])
            name = points[axis]
            x, marks = self.read_from(step, name, row), every[name]
            if x is None:
                return None
            x = placed(x)
            outside = not marks[0] <= x <= marks[-1]
            if outside and step["beyond"] == "refuse":
                return None
            if x in marks:
                return along(axis + 1, {**chosen, name: x})
            if outside and (step["beyond"] == "flat" or len(marks) == 1):
                return along(axis + 1, {**chosen, name: marks[0] if x < marks[0] else marks[-1]})
            at = min(max(sum(mark <= x for mark in marks), 1), len(marks) - 1)
            low, high = marks[at - 1], marks[at]
            a, b = along(axis + 1, {**chosen, name: low}), along(axis + 1, {**chosen, name: high})
            return None if a is None or b is None else a + (x - low) * (b - a) / (high - low)

        return along(0, {})

    def _progressive(self, step: Cells, row: Cells) -> Any:
        x = self.read_from(step, "x", row)
        slices = sorted(
            (
                (*(stated(end) if end else None for end in ends(c, "x")), stated(c["value"]))
                for c in self.answers(step, row, ["x"])
            ),
            key=lambda one: one[0],
        )
        if x is None or not slices or x < slices[0][0] or (slices[-1][1] is not None and x > slices[-1][1]):
            return None
        return sum(
            (rate * (min(x, high if high is not None else x) - low) for low, high, rate in slices if x > low),
            Fraction(0),
        )

    def _judgement(self, step: Cells, row: Cells) -> Any:
        chosen, reason = row[step["chosen"]], row[step["reason"]] if "reason" in step else "."
        if "table" in step:
            cells = self.answers(step, row)
            stands = stated(cells[0]["value"]) if cells and "value" in cells[0] else None
            low, high = (stated(cells[0][end]) if cells else None for end in ("low", "high"))
        else:
            stands = self.value(step["of"], row) if "of" in step else None
            low, high = (self.value(step[end], row) for end in ("low", "high"))
        if chosen is None:
            return stands
        return chosen if low is not None and high is not None and low <= chosen <= high and reason else None

    # --- numbers ----------------------------------------------------------------------------------------------------
    def _joined(self, step: Cells, row: Cells, join: Any) -> Any:
        found = self.of(step, row)
        return None if None in found else join(found)

    def _product(self, step: Cells, row: Cells) -> Any:
        def product(of: list[Fraction]) -> Fraction:
            found = Fraction(1)
            for one in of:
                found *= one
            return found

        return self._joined(step, row, product)

    def _sum(self, step: Cells, row: Cells) -> Any:
        return self._joined(step, row, lambda of: sum(of, Fraction(0)))

    def _difference(self, step: Cells, row: Cells) -> Any:
        return self._joined(step, row, lambda of: of[0] - sum(of[1:], Fraction(0)))

    def _ratio(self, step: Cells, row: Cells) -> Any:
        return self._joined(step, row, lambda of: of[0] / of[1] if of[1] else None)

    def _largest(self, step: Cells, row: Cells) -> Any:
        return self._joined(step, row, max)

    def _smallest(self, step: Cells, row: Cells) -> Any:
        return self._joined(step, row, min)

    _latest, _earliest = _largest, _smallest

    def _add_percentages(self, step: Cells, row: Cells) -> Any:
        return self._joined(step, row, lambda of: 1 + sum((one - 1 for one in of), Fraction(0)))

    def _choose(self, step: Cells, row: Cells) -> Any:
        for case in step["cases"]:
            if self.holds(case["when"], row):
                return self.value(case["then"], row)
        return None if step["otherwise"] == "none" else self.value(step["otherwise"], row)

    def _bound(self, step: Cells, row: Cells) -> Any:
        value, low, high = (self.value(step[key], row) if key in step else False for key in ("of", "low", "high"))
        if None in (value, low, high):
            return None
        value = max(value, low) if low is not False else value
        return min(value, high) if high is not False else value

    def _cap(self, step: Cells, row: Cells) -> Any:
        value, against = self.value(step["of"], row), row[step["against"]]
        for key, pick in (("low", max), ("high", min)):
            end = self.value(step[key], row) if key in step else None
            if None not in (value, against, end):
                value = pick(value, end * against)
        return value

    def _round(self, step: Cells, row: Cells) -> Any:
        value, unit = self.value(step["of"], row), stated(step["unit"])
        return None if value is None else rounded(value / unit, step.get("mode", "half_up")) * unit

    def _irrational(self, step: Cells, work: Any) -> Any:
        unit = Decimal(str(step["unit"]))
        try:
            near = work()
        except Overflow:
            return None
        return rounded(Fraction(near) / Fraction(unit), "half_up") * Fraction(unit)

    def _power(self, step: Cells, row: Cells) -> Any:
        of, exponent = self.value(step["of"], row), self.value(step["exponent"], row)
        if of is None or exponent is None or of <= 0:
            return None
        return self._irrational(step, lambda: PRECISE.power(decimal(of), decimal(exponent)))

    def _exp(self, step: Cells, row: Cells) -> Any:
        of = self.value(step["of"], row)
        return None if of is None else self._irrational(step, lambda: PRECISE.exp(decimal(of)))

    def _ln(self, step: Cells, row: Cells) -> Any:
        of = self.value(step["of"], row)
        return None if of is None or of <= 0 else self._irrational(step, lambda: PRECISE.ln(decimal(of)))

    def _part(self, step: Cells, row: Cells) -> Any:
        value, weights = self.value(step["of"], row), [self.value(weight, row) for weight in step["among"]]
        if value is None or any(weight is None or weight < 0 for weight in weights) or not sum(weights):
            return None
        return Fraction(
            divided(int(rounded(value * self.per_unit, "half_up")), weights)[step["which"] - 1], self.per_unit
        )

    def _experience(self, step: Cells, row: Cells) -> Any:
        given = {key: self.value(operand, row) for key, operand in step.items() if key in NEEDED}
        if None in given.values():
            return None
        above, below = EXPERIENCE[step["method"]](given)
        return above / below if below else None

    # --- days -------------------------------------------------------------------------------------------------------
    def _days(self, step: Cells, row: Cells) -> Any:
        return self._joined(step, row, lambda of: Fraction((of[1] - of[0]).days + step["inclusive"]))

    def _years(self, step: Cells, row: Cells) -> Any:
        def years(of: list[date]) -> Fraction:
            """The sum over calendar years of days in it over its length."""
            start, end, sign = of[0], of[1] + timedelta(days=step["inclusive"]), 1
            if start > end:
                start, end, sign = end, start, -1
            found = Fraction(0)
            for year in range(start.year, end.year + 1):
                first, following = date(year, 1, 1), date(year + 1, 1, 1)
                found += Fraction((min(end, following) - max(start, first)).days, (following - first).days)
            return sign * found

        return self._joined(step, row, years)

    def _months(self, step: Cells, row: Cells) -> Any:
        def months(of: list[date]) -> Fraction:
            end = of[1] + timedelta(days=step["inclusive"])
            whole = max(m for m in range(0, 100) if later(of[0], m) <= end)
            return Fraction(whole + (step["count"] == "started" and later(of[0], whole) < end))

        return self._joined(step, row, months)

    def _add_months(self, step: Cells, row: Cells) -> Any:
        of, months, more = (self.value(step[key], row) for key in ("of", "months", "days"))
        if None in (of, months, more) or months.denominator != 1 or more.denominator != 1:
            return None
        try:
            found = later(of, int(months)) + timedelta(days=int(more))
        except (ValueError, OverflowError):
            return None
        return found if FIRST <= found <= LAST else None

    def _date_part(self, step: Cells, row: Cells) -> Any:
        of = self.value(step["of"], row)
        return None if of is None else Fraction(getattr(of, step["which"]))

    # --- lines of a policy ------------------------------------------------------------------------------------------
    def together(self, names: Sequence[str]) -> Iterator[list[Cells]]:
        """The rows that say the same under some names; a row that says nothing is alone, and has no value."""
        self.groups.append(list(names))
        found: dict[Any, list[Cells]] = {}
        for row in self.rows:
            if all(row[name] is not None for name in names):
                found.setdefault(tuple(row[name] for name in names), []).append(row)
        return iter(found.values())

    def given(self, step: Cells, work: Any) -> list[Any]:
        """What `work` says for the rows of each group, in the order of the list."""
        held = {id(row): None for row in self.rows}
        for group in self.together(listed(step["by"])):
            held |= {id(row): value for row, value in zip(group, work(group))}
        return [held[id(row)] for row in self.rows]

    def _rollup(self, step: Cells) -> list[Any]:
        each = listed(step.get("each", []))

        def rolled(group: list[Cells]) -> list[Any]:
            values = [Fraction(1) if step["how"] == "count" else self.value(step["of"], row) for row in group]
            if None in values or any(row[name] is None for row in group for name in each):
                return [None] * len(group)
            if each:
                parts: dict[Any, set[Any]] = {}
                for row, value in zip(group, values):
                    parts.setdefault(tuple(row[name] for name in each), set()).add(value)
                if any(len(part) > 1 for part in parts.values()):
                    return [None] * len(group)
                values = [value for part in parts.values() for value in part]
            all_ = sum(values, Fraction(0))
            found = {"sum": all_, "count": all_, "mean": all_ / len(values), "max": max(values), "min": min(values)}
            return [found[step["how"]]] * len(group)

        if each:
            self.groups.append([*listed(step["by"]), *each])
        return self.given(step, rolled)

    def _rank(self, step: Cells) -> list[Any]:
        def ranked(group: list[Cells]) -> list[Any]:
            values = [self.value(step["of"], row) for row in group]
            if None in values:
                return [None] * len(group)
            sign = 1 if step.get("first") == "smallest" else -1
            order = sorted(range(len(group)), key=lambda at: (sign * values[at], group[at]["id"]))
            return [Fraction(order.index(at) + 1) for at in range(len(group))]

        return self.given(step, ranked)

    def _take(self, step: Cells) -> list[Any]:
        def taken(group: list[Cells]) -> list[Any]:
            at = [row for row in group if row[step["rank"]] == step.get("which", 1)]
            return [self.value(step["of"], at[0]) if at else None] * len(group)

        return self.given(step, taken)

    def _share_out(self, step: Cells) -> list[Any]:
        def shared(group: list[Cells]) -> list[Any]:
            totals = {self.value(step["of"], row) for row in group}
            weights = [self.value(step["weights"], row) for row in group]
            if None in totals or None in weights or min(weights) < 0 or not sum(weights):
                return [None] * len(group)
            fen = {int(rounded(total * self.per_unit, "half_up")) for total in totals}
            if len(fen) > 1:
                return [None] * len(group)
            order = sorted(range(len(group)), key=lambda at: group[at]["id"])
            parts = divided(fen.pop(), [weights[at] for at in order])
            return [Fraction(parts[order.index(at)], self.per_unit) for at in range(len(group))]

        return self.given(step, shared)

    # --- what becomes of a row --------------------------------------------------------------------------------------
    def results(self) -> list[tuple[str, int | None, int | None]]:
        """What becomes of every row, and its premium and fund in smallest units, where it has them.

        It has them not where a step gives none, below zero, where a rule, a check or the law is against it, and beside
        such a line of its policy. A risk that is declined need have no premium, and no lawful one.
        """
        plan, found = self.said["plan"], []
        of_rules = {
            action: [
                any(self.holds(rule["when"], row) for rule in self.said["rule"] if rule["action"] == action)
                for row in self.rows
            ]
            for action in ("refuse", "decline", "refer")
        }
        declined = of_rules["decline"]
        amounts = [[row[plan[name]] for name in ("premium", "fund") if name in plan] for row in self.rows]
        refused = [(None not in held and held[0] < 0) or rule for held, rule in zip(amounts, of_rules["refuse"])]
        for check in self.said["check"]:
            refused = [bad or broken for bad, broken in zip(refused, self.broken(check))]
        for item in self.said["legal"]:
            for at, row in enumerate(self.rows):
                excepted = "exception" in item and self.holds(item["exception"]["when"], row)
                refused[at] |= self.outside(item, row) and not excepted and not declined[at]
        refused = [bad or (None in held and not no) for bad, held, no in zip(refused, amounts, declined)]
        lost = [one or other for one, other in zip(refused, declined)]
        before = -1
        while before != (before := sum(lost)):
            for names in list(self.groups):
                for group in self.together(names):
                    places = [self.rows.index(row) for row in group]
                    if any(lost[at] for at in places):
                        for at in places:
                            refused[at] |= not lost[at]
                            lost[at] = True
                self.groups.pop()
        for at, held in enumerate(amounts):
            status = "referred" if of_rules["refer"][at] else "rated"
            status = "declined" if declined[at] else status
            status = "refused" if refused[at] else status
            sums = [int(amount * self.per_unit) for amount in held] if not lost[at] else []
            found.append((status, *sums, *[None] * (2 - len(sums))))
        return found

    def broken(self, check: Cells) -> list[bool]:
        """The rows that break a check; an empty cell is like no other, and differs from none."""
        of = [row[check["of"]] for row in self.rows]
        if check["kind"] == "unique":
            return [value is not None and of.count(value) > 1 for value in of]
        by = [row[check["by"]] for row in self.rows]
        said = {unit: {value for one, value in zip(by, of) if one == unit and value is not None} for unit in set(by)}
        return [unit is not None and len(said[unit]) > 1 for unit in by]

    def outside(self, item: Cells, row: Cells) -> bool:
        value = self.value(item["of"], row)
        if value is None:
            return False
        low, high = (self.value(item[end], row) if end in item else value for end in ("low", "high"))
        return low is None or high is None or not low <= value <= high


TOGETHER = {
    "rollup": Sheet._rollup,
    "rank": Sheet._rank,
    "take": Sheet._take,
    "take_level": Sheet._take,
    "share_out": Sheet._share_out,
}
COMPARED = {
    "equals": lambda a, b: a == b,
    "at_least": lambda a, b: a >= b,
    "above": lambda a, b: a > b,
    "at_most": lambda a, b: a <= b,
    "below": lambda a, b: a < b,
}
EXPERIENCE = {
    "split": lambda g: (
        g["actual_primary"]
        + g["weight"] * g["actual_excess"]
        + (1 - g["weight"]) * g["expected_excess"]
        + g["ballast"],
        g["expected"] + g["ballast"],
    ),
    "credibility": lambda g: (g["credibility"] * g["actual"] + (1 - g["credibility"]) * g["expected"], g["expected"]),
    "buhlmann": lambda g: (
        (g["exposure"] * g["actual"] + g["k"] * g["expected"]),
        (g["exposure"] + g["k"]) * g["expected"],
    ),
    "poisson_gamma": lambda g: (g["shape"] + g["claims"], g["shape"] + g["expected"]),
}
NEEDED = (
    *("actual_primary", "actual_excess", "expected", "expected_excess", "weight", "ballast", "actual", "credibility"),
    *("exposure", "k", "claims", "shape"),
)


def listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]


def exact(cell: Any) -> Any:
    return Fraction(cell) if isinstance(cell, int | Decimal) else cell


def stated(value: Any) -> Any:
    """A number or a day as a plan states it; 5%, 2.5‰ and 3/8 too, of a factor."""
    if isinstance(value, date | Fraction):
        return value
    text = str(value).replace(" ", "")
    for sign, of in (("%", 100), ("‰", 1000)):
        if text.endswith(sign):
            return Fraction(text[:-1]) / of
    return date.fromisoformat(text) if text.count("-") == 2 and text[0] != "-" else Fraction(text)


def placed(value: Any) -> Fraction:
    """A number, or a day as one."""
    found = stated(value)
    return Fraction(found.toordinal()) if isinstance(found, date) else found


def decimal(value: Fraction) -> Decimal:
    return PRECISE.divide(Decimal(value.numerator), Decimal(value.denominator))


def filled(value: Any, own: Mapping[str, str], lists: Mapping[str, Sequence[str]]) -> Any:
    if isinstance(value, str):
        for name, one in own.items():
            value = value.replace("{" + name + "}", one)
        return value
    if isinstance(value, Mapping):
        return {key: filled(part, own, lists) for key, part in value.items()}
    if isinstance(value, list):
        done = []
        for part in (filled(part, own, lists) for part in value):
            names = [name for name in lists if isinstance(part, str) and "{" + name + "}" in part]
            done += [part.replace("{" + names[0] + "}", one) for one in lists[names[0]]] if names else [part]
        return done
    return value


def axes(header: Sequence[str]) -> dict[str, str]:
    found = {}
    for name in header:
        if name in ("value", "second", "low", "high"):
            continue
        stem, _, ending = name.rpartition("_")
        kind = {"from": "band", "below": "band", "above": "band", "to": "band", "at": "point"}.get(ending, "plain")
        found[stem if kind != "plain" else name] = kind
    return found


def ends(cell: Mapping[str, str], axis: str) -> tuple[str, str]:
    """The ends of a band, as they are written."""
    low, high = ("from", "below") if f"{axis}_from" in cell else ("above", "to")
    return cell[f"{axis}_{low}"], cell[f"{axis}_{high}"]


def within(value: Any, cell: Mapping[str, str], axis: str) -> bool:
    low, high = ends(cell, axis)
    if f"{axis}_from" in cell:
        return (not low or value >= stated(low)) and (not high or value < stated(high))
    return (not low or value > stated(low)) and (not high or value <= stated(high))


def rounded(value: Fraction, mode: str) -> int:
    size = abs(value)
    whole, rest = floor(size), size - floor(size)
    more = {
        "half_up": rest >= Fraction(1, 2),
        "up": rest > 0,
        "down": False,
        "half_even": rest > Fraction(1, 2) or (rest == Fraction(1, 2) and whole % 2 == 1),
    }[mode]
    return (whole + more) * (-1 if value < 0 else 1)


def divided(fen: int, weights: Sequence[Fraction]) -> list[int]:
    """Largest remainder: floors, then one each to the largest remainders, the first of equal ones first."""
    quotas = [abs(fen) * Fraction(weight) / sum(weights) for weight in weights]
    parts = [floor(quota) for quota in quotas]
    for at in sorted(range(len(parts)), key=lambda at: (parts[at] - quotas[at], at))[: abs(fen) - sum(parts)]:
        parts[at] += 1
    return [-part for part in parts] if fen < 0 else parts


def later(day: date, months: int) -> date:
    """The same day of the month some months on, the last of a month that has no such day."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    for last in (day.day, 30, 29, 28):
        try:
            return date(year, month + 1, min(last, day.day))
        except ValueError:
            if not 1 <= year <= 9999:
                raise
    raise AssertionError


__all__ = ["ROUND_HALF_UP", "Sheet"]
