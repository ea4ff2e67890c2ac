"""What rests on what in a plan: columns, constants, tables, steps, rules, checks and legal ranges as one graph.

Columns, constants and steps stand under their own names, which are unique in a plan; others as ``tables.NAME``,
``rule.NAME``, ``check.NAME``, ``legal.NAME``. Whoever asks what a step reads, what a premium rests on or what an edit
can reach asks here: compiled runs, parts of a plan, what-ifs, registers, workbooks and the check.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from ratemod.errors import Lang, PlanError, nearest, problem
from ratemod.plan.reads import names_in, names_in_condition
from ratemod.reading.derive import NEEDS
from ratemod.rules.options import strict

if TYPE_CHECKING:
    from ratemod.plan.model import Plan, Step

Kind = Literal["column", "constant", "table", "step", "rule", "check", "legal"]
REFUSING = frozenset({"refuse", "decline"})


@dataclass(frozen=True, eq=False)
class Graph:
    """What rests on what in one plan.

    Attributes
    ----------
    plan : Plan
    kinds : node -> "column", "constant", "table", "step", "rule", "check" or "legal", in the order of the plan
    reads : node -> the nodes it reads itself, in the order it names them

    Examples
    --------
    >>> from ratemod.plan.editions import load_plan
    >>> graph = load_plan("jilin-spli/2025-04").graph()
    >>> sorted(graph.downstream(["minimum_premium"]))
    ['fund', 'fund_before_rounding', 'minimum_premium', 'premium']
    """

    plan: Plan
    kinds: Mapping[str, Kind]
    reads: Mapping[str, tuple[str, ...]]

    @cached_property
    def readers(self) -> Mapping[str, tuple[str, ...]]:
        """Node -> the nodes that read it themselves, in the order of the plan."""
        found: dict[str, list[str]] = {name: [] for name in self.kinds}
        for node, names in self.reads.items():
            for name in names:
                found.setdefault(name, []).append(node)
        return {name: tuple(nodes) for name, nodes in found.items()}

    @cached_property
    def verdicts(self) -> tuple[str, ...]:
        """The rules that refuse or decline, and the legal ranges: what may leave a row without a premium."""
        rules = (rule_node(rule.name) for rule in self.plan.rules if rule.action in REFUSING)
        return (*rules, *(legal_node(item.name) for item in self.plan.legal))

    @cached_property
    def results(self) -> tuple[str, ...]:
        """Everything that decides what a row comes to: the premium, the fund, and `verdicts`."""
        money = (name for name in (self.plan.premium, self.plan.fund) if name is not None)
        return (*money, *self.verdicts)

    @cached_property
    def live(self) -> frozenset[str]:
        """Everything that the results of a row rest on, the results included."""
        return self.upstream(self.results)

    @cached_property
    def fixed(self) -> frozenset[str]:
        """What the ends of legal ranges rest on: as fixed as the law itself, so no edit may change it."""
        ends = {end for item in self.plan.legal for end in (item.low, item.high) if isinstance(end, str)}
        return self.upstream(ends & self.kinds.keys())

    def upstream(self, names: Iterable[str]) -> frozenset[str]:
        """Return some nodes and everything they rest on.

        Raises
        ------
        PlanError
            RM380 when the plan has no such node (with the nearest).
        """
        return self._reached(names, self.reads)

    def downstream(self, names: Iterable[str]) -> frozenset[str]:
        """Return some nodes and everything that rests on them; raises as `upstream`."""
        return self._reached(names, self.readers)

    def touched_by(self, paths: Iterable[str]) -> frozenset[str]:
        """Return everything that an edit of some paths can reach, the nodes edited included; raises as `upstream`.

        Parameters
        ----------
        paths : as in `Plan.replace` and in scenarios: ``tables.NAME[…].value``, ``constants.NAME``, ``steps.NAME.low``

        Examples
        --------
        >>> from ratemod.plan.editions import load_plan
        >>> graph = load_plan("jilin-spli/2025-04").graph()
        >>> sorted(graph.touched_by(["steps.minimum_premium.low"]))
        ['fund', 'fund_before_rounding', 'minimum_premium', 'premium']
        """
        return self.downstream(node_of(path) for path in paths)

    @strict
    def read_by(self, *kinds: Kind) -> frozenset[str]:
        """Return every name that nodes of some kinds read themselves; of all kinds where none is given."""
        return frozenset(
            name for node, names in self.reads.items() if not kinds or self.kinds[node] in kinds for name in names
        )

    def differing(self, before: Plan) -> frozenset[str]:
        """Return the constants, tables and steps whose numbers are not those of another plan of the same names."""
        now = self.plan
        found = {name for name, item in now.constants.items() if item.value != before.constants[name].value}
        found |= {table_node(name) for name, table in now.tables.items() if before.tables[name] is not table}
        pairs = zip(now.steps, before.steps, strict=True)
        return frozenset(found | {step.name for step, old in pairs if step is not old and step != old})

    @strict
    def mermaid(self, lang: Lang = "en") -> str:
        """Return the graph as a Mermaid flow chart."""
        from ratemod.plan.drawing import mermaid

        return mermaid(self, lang)

    @strict
    def svg(self, lang: Lang = "en") -> str:
        """Return the graph as a picture, SVG; the same plan gives the same bytes."""
        from ratemod.plan.drawing import svg

        return svg(self, lang)

    def _repr_html_(self) -> str:
        return self.svg()

    def __repr__(self) -> str:
        return f"<Graph of {self.plan.id}: {len(self.kinds)} nodes, {sum(map(len, self.reads.values()))} edges>"

    def _reached(self, names: Iterable[str], ways: Mapping[str, tuple[str, ...]]) -> frozenset[str]:
        waiting = list(names)
        unknown = [name for name in waiting if name not in self.kinds]
        if unknown:
            raise PlanError([problem("RM380", name=name, nearest=nearest(name, self.kinds)) for name in unknown])
        found: set[str] = set()
        while waiting:
            name = waiting.pop()
            if name not in found:
                found.add(name)
                waiting += ways.get(name, ())
        return frozenset(found)


def graph_of(plan: Plan) -> Graph:
    """Return the graph of a plan; names that a faulty plan reads and does not have are among `reads` only."""
    kinds: dict[str, Kind] = {}
    reads: dict[str, tuple[str, ...]] = {}
    for node, kind, names in _nodes(plan):
        kinds[node] = kind
        reads[node] = tuple(dict.fromkeys((*reads.get(node, ()), *names)))
    return Graph(plan, kinds, reads)


def _nodes(plan: Plan) -> Iterator[tuple[str, Kind, Iterable[str]]]:
    for column in plan.columns.values():
        needs = NEEDS.get(column.derive or "", ())
        yield column.name, "column", [name for name in needs if name in plan.columns]
    yield from ((name, "constant", ()) for name in plan.constants)
    yield from ((table_node(name), "table", ()) for name in plan.tables)
    yield from ((step.name, "step", step_reads(plan, step)) for step in plan.steps)
    yield from ((rule_node(rule.name), "rule", names_in_condition(rule.when)) for rule in plan.rules)
    for check in plan.checks:
        yield f"check.{check.name}", "check", [name for name in (check.of, check.by) if name]
    for item in plan.legal:
        ends = [name for name in (item.of, item.low, item.high) if isinstance(name, str)]
        excepted = () if item.exception is None else names_in_condition(item.exception.when)
        yield legal_node(item.name), "legal", (*ends, *excepted)


def step_reads(plan: Plan, step: Step) -> tuple[str, ...]:
    """Return the nodes that a step reads itself: operands, axes of its table, the table, what its condition asks."""
    names = list(names_in(step))
    table = plan.tables.get(step.operation.table)
    if table is not None:
        names += [*(step.bound(axis.name) for axis in table.axes), table_node(table.name)]
    return tuple(dict.fromkeys(names))


def table_node(name: str) -> str:
    """Return the node of a table."""
    return f"tables.{name}"


def rule_node(name: str) -> str:
    """Return the node of a rule."""
    return f"rule.{name}"


def legal_node(name: str) -> str:
    """Return the node of a legal range."""
    return f"legal.{name}"


def node_of(path: str) -> str:
    """Return the node that a path of an edit belongs to.

    Examples
    --------
    >>> node_of("tables.base_rate[mining, small].value"), node_of("constants.most"), node_of("steps.premium.unit")
    ('tables.base_rate', 'most', 'premium')
    """
    section, _, rest = path.partition("[")[0].partition(".")
    if section == "tables":
        return table_node(rest.partition(".")[0])
    return rest if section == "constants" else rest.rpartition(".")[0]
