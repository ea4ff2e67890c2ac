"""One year's publication as a whole: which breakdowns of which subjects, and which cells of all of them stay out."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from ratemod.confidentiality.editions import beside, needed_faces, words_of
from ratemod.confidentiality.figures import PAID, Figure
from ratemod.confidentiality.linked_tables import Face, LinkedTables
from ratemod.confidentiality.protection import protect
from ratemod.confidentiality.system import Block, System, block_of, system_of
from ratemod.errors import ModelError, problem
from ratemod.publication.fund import FUND_MEASURES, FundLine, FundYear, fund_year
from ratemod.publication.participation import Registers, participation
from ratemod.publication.payments import payment_year
from ratemod.publication.service import ServiceLine, ServiceYear, service_year
from ratemod.publication.subjects import (
    BY_CAUSE,
    BY_INSURER,
    BY_PLACE,
    BY_STATE,
    Facts,
    casualties,
    claims,
    insurance,
    services,
)
from ratemod.registers.rules import ParticipationRule

Mask = npt.NDArray[np.bool_]
Make = Callable[[tuple[Face, ...]], LinkedTables]
MOST_UNSAFE, MOST_HIDDEN = 0.35, 0.60
Subjects = tuple[tuple[Callable[..., LinkedTables], tuple[Face, ...]], ...]
CASUALTIES: tuple[Face, ...] = (("sector",), ("cause",), ("injury",))
SUBJECTS: Subjects = (
    (insurance, (BY_PLACE, BY_INSURER)),
    (claims, (BY_PLACE, BY_INSURER, BY_CAUSE)),
    (casualties, CASUALTIES),
    (services, (BY_PLACE, BY_INSURER)),
)
OF_LIST = {"claims": "claims", "casualties": "claims", "services": "services"}  # without it there is no such subject
CHAINED: Subjects = (SUBJECTS[0], SUBJECTS[3])  # with the fund, which links the years


@dataclass(frozen=True, eq=False, slots=True)
class Subject:
    """The linked tables of one subject and which cells stay out.

    Attributes
    ----------
    tables : LinkedTables
    hidden : (n,) bool
    left_out : tuple of Face
        Breakdowns of which too much would stay out; their totals are published.
    """

    tables: LinkedTables
    hidden: Mask
    left_out: tuple[Face, ...]

    @property
    def share_hidden(self) -> float:
        """Share of the cells and totals that are not empty and stay out."""
        some = self.tables.contributors > 0
        return float(self.hidden.sum() / some.sum()) if some.any() else 0.0


@dataclass(frozen=True, eq=False, slots=True)
class Publication:
    """A year's subjects, fund and services with what stays out of each, chosen for the whole.

    Attributes
    ----------
    subjects : mapping of name to Subject
    fund : tuple of FundLine, service : tuple of ServiceLine
    fund_year : FundYear
    paid_in_year_fen : int or None
    system : System, hidden : (cells,) bool
        What was protected, earlier years' funds included.
    """

    subjects: Mapping[str, Subject]
    fund: tuple[FundLine, ...]
    service: tuple[ServiceLine, ...]
    fund_year: FundYear
    paid_in_year_fen: int | None
    system: System
    hidden: Mask

    def earlier(self) -> list[Block]:
        """Return the fund of this year as what later years find published."""
        shown = {(line.insurer, name): name not in line.left_out for line in self.fund for name in FUND_MEASURES}
        return self.fund_year.blocks(lambda measure, insurer: shown.get((insurer, measure), False))


@dataclass(eq=False, slots=True)
class _Draft:
    """A subject under way: the breakdowns that were asked, those readers hold already, and those given up.

    What is given up, or never asked (casualties by sector and cause), stays in the system: nobody may work it out.
    """

    make: Make
    faces: tuple[Face, ...]
    held: frozenset[Face]
    left: list[Face] = field(default_factory=list)

    def tables(self) -> LinkedTables:
        kept = [face for face in self.faces if face not in self.left]
        kept += [(dim,) for face in self.left if len(face) > 1 for dim in face if (dim,) not in self.left]
        return self.make(tuple(dict.fromkeys(kept)))

    def unsaid(self, tables: LinkedTables, year: int, claims: LinkedTables | None) -> list[Block]:
        """Return the cells that are not published; where there was no claim, everybody knows that nobody was hurt."""
        faces = (BY_CAUSE, ("injury",)) if self.faces == CASUALTIES else self.faces
        whole, told = block_of(self.make(faces), year), set(block_of(tables, year).keys)
        at = np.array([place for place, key in enumerate(whole.keys) if key not in told], np.int64)
        if not len(at):
            return []
        none = np.zeros(len(at), bool)
        if tables.name == "casualties" and claims is not None and BY_CAUSE in claims.faces:
            by_cause = block_of(claims, year)
            empty = {key for key, many in zip(by_cause.keys, by_cause.contributors, strict=True) if not many}
            none = np.array([whole.keys[place] in empty for place in at], bool)
        return [
            Block(
                year=year,
                subject=tables.name,
                keys=tuple(whole.keys[place] for place in at),
                values={name: values[at] for name, values in whole.values.items()},
                contributors=whole.contributors[at],
                unsafe=whole.unsafe[at],
                lone=whole.lone[at],
                fixed=none,
                hidden=~none,
                derived=True,
            )
        ]

    def give_up(self, tables: LinkedTables, among: Sequence[Face]) -> None:
        self.left.append(max(among, key=lambda face: (_share(tables, face, tables.unsafe), face)))


def publication(
    facts: Facts,
    registers: Registers | None,
    rule: ParticipationRule | None,
    least: int,
    earlier: Sequence[Block],
    published: Mapping[Figure, int | None],
    subjects: Subjects = SUBJECTS,
) -> Publication:
    """Return what may be published of a year.

    Parameters
    ----------
    facts : Facts of the year
    registers : Registers or None, without which there is no participation
    rule : ParticipationRule or None
    least : int
    earlier : sequence of Block, what was published of earlier years
    published : mapping of Figure to value or None
        What readers of earlier editions of the year hold; None where it was left out.
    subjects : pairs of what makes a subject's tables and their breakdowns; `CHAINED` are those that touch the fund

    Raises
    ------
    ModelError
        RM897 the year cannot be published safely; RM420, RM421 not beside its earlier editions.
    """
    drafts = {
        make.__name__: _Draft(
            functools.partial(make, facts, least=least), faces, needed_faces(published, make.__name__)
        )
        for make, faces in subjects
        if OF_LIST.get(make.__name__) not in facts.absent
    }
    people = None if registers is None else participation(facts, registers, rule, least)
    if people is not None:
        drafts["participation"] = _Draft(people, BY_STATE, needed_faces(published, "participation"))
    edition = _Edition(
        facts=facts,
        least=least,
        drafts=drafts,
        fund=fund_year(facts, least),
        served=service_year(facts),
        paid=payment_year(facts, least) if subjects == SUBJECTS else [],
    )
    while True:
        edition.fill()
        system = system_of([*beside(edition.blocks(), published, least), *earlier])
        pattern = protect(system, least_units=least)
        if pattern.stuck is not None:
            if published:
                raise ModelError(problem("RM421", year=facts.year, **words_of(pattern.stuck)))
            edition.yield_to(pattern.stuck)
        elif thin := edition.thin(system, pattern.hidden):
            for name, faces in thin.items():
                drafts[name].give_up(edition.tables.pop(name), faces)
        else:
            return edition.publication(system, pattern.hidden)


@dataclass(eq=False, slots=True)
class _Edition:
    """What would be published of a year, under way: every round gives up what cannot be published safely."""

    facts: Facts
    least: int
    drafts: dict[str, _Draft]
    fund: FundYear
    served: ServiceYear | None
    paid: list[Block]
    tables: dict[str, LinkedTables] = field(default_factory=dict)
    by_insurer: bool = True

    def fill(self) -> None:
        """Make the tables of the subjects that have none, as many breakdowns as are not too thin."""
        for name in [name for name in self.drafts if name not in self.tables]:
            found = _thinned(self.drafts[name])
            if found is None:
                del self.drafts[name]
            else:
                self.tables[name] = found
        if "insurance" not in self.tables:
            raise ModelError(problem("RM897", table="insurance"))

    def blocks(self) -> list[Block]:
        """Return all cells of the year, those too that nobody prints."""
        year = self.facts.year
        found = [block_of(tables, year) for tables in self.tables.values()]
        found += self.fund.blocks() if self.by_insurer else self.fund.unsaid()
        found += [] if self.served is None else [self.served.block(self.least)]
        for name, tables in self.tables.items():
            found += self.drafts[name].unsaid(tables, year, self.tables.get("claims"))
        return found + self.paid

    def thin(self, system: System, hidden: Mask) -> dict[str, list[Face]]:
        """Return the breakdowns by subject of which too much would stay out, but for those that readers hold."""
        found = {}
        for name, tables in self.tables.items():
            own = self._own(system, hidden, tables)
            faces = [face for face in tables.faces if len(face) > 1 and _share(tables, face, own) > MOST_HIDDEN]
            if left := [face for face in faces if face not in self.drafts[name].held]:
                found[name] = left
        return found

    def yield_to(self, stuck: Figure) -> None:
        """Give up something beside which a figure could not be protected."""
        blamed = "participation" if stuck.measure == "enterprises" and "participation" in self.tables else stuck.subject
        of_fund = blamed == "fund" or stuck.year != self.facts.year
        if of_fund and not self.by_insurer:
            blamed = "services" if stuck.measure == "used_fen" and "services" in self.tables else "insurance"
            if not self.tables[blamed].faces:
                raise ModelError(problem("RM897", table="fund"))
        if blamed == "service":
            self.served = None
        elif blamed == "payments":
            self.paid = []
        elif of_fund and self.by_insurer:
            self.by_insurer = False
        else:
            draft, found = self.drafts[blamed], self.tables.pop(blamed)
            pairs = [face for face in found.faces if len(face) > 1]
            if not found.faces or (blamed == "participation" and not pairs and ("state",) not in found.faces):
                del self.drafts[blamed]
            else:
                draft.give_up(found, pairs or list(found.faces))

    def publication(self, system: System, hidden: Mask) -> Publication:
        """Return what is left, each figure published or hidden."""
        year, many = self.facts.year, len(self.fund.insurers) + 1
        out = {name: np.ones(many, bool) for name in FUND_MEASURES}
        if self.by_insurer:
            out = {name: hidden[system.cells(year, "fund", name, many)] for name in FUND_MEASURES}
        lines: tuple[ServiceLine, ...] = ()
        if self.served is not None:
            rows = system.cells(year, "service", "planned", len(self.served.lines))
            lines = self.served.shown(hidden[rows], self.least)
        paid = next((at for at, figure in enumerate(system.figures) if figure == (year, "payments", PAID, ())), None)
        return Publication(
            subjects={
                name: Subject(tables, self._own(system, hidden, tables), tuple(self.drafts[name].left))
                for name, tables in self.tables.items()
            },
            fund=() if "ledger" in self.facts.absent else self.fund.lines(out),
            service=lines,
            fund_year=self.fund,
            paid_in_year_fen=None if paid is None or hidden[system.cell[paid]] else int(system.value[paid]),
            system=system,
            hidden=hidden,
        )

    def _own(self, system: System, hidden: Mask, tables: LinkedTables) -> Mask:
        first = next(iter(tables.values))
        return hidden[system.cells(self.facts.year, tables.name, first, len(tables.keys))]


def _thinned(draft: _Draft) -> LinkedTables | None:
    """Return a subject's tables with the breakdowns that are not too thin; None without records or with too few."""
    while True:
        tables = draft.tables()
        if tables.unsafe[-1] or not tables.contributors.any():
            return None
        if tables.name == "participation" and not any("state" in face for face in tables.faces):
            return None  # who is obliged, beside who is insured, would tell who is not
        thin = [face for face in tables.faces if len(face) > 1 and _share(tables, face, tables.unsafe) > MOST_UNSAFE]
        thin = [face for face in thin if face not in draft.held]
        if not thin:
            return tables
        draft.give_up(tables, thin)


def _share(tables: LinkedTables, face: Face, which: Mask) -> float:
    """Return the share of the cells of a face that are not empty and are among `which`."""
    cells = tables.inner(face)
    some = tables.contributors[cells] > 0
    return float(which[cells][some].sum() / max(int(some.sum()), 1))
