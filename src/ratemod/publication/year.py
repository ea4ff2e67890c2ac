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
                year,
                tables.name,
                tuple(whole.keys[place] for place in at),
                {name: values[at] for name, values in whole.values.items()},
                whole.contributors[at],
                whole.unsafe[at],
                whole.lone[at],
                none,
                ~none,
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
    }
    people = None if registers is None else participation(facts, registers, rule, least)
    if people is not None:
        drafts["participation"] = _Draft(people, BY_STATE, needed_faces(published, "participation"))
    fund, served = fund_year(facts, least), service_year(facts)
    paid = payment_year(facts, least) if subjects == SUBJECTS else []
    tables: dict[str, LinkedTables] = {}
    by_insurer = True
    while True:
        for name in [name for name in drafts if name not in tables]:
            found = _thinned(drafts[name])
            if found is None:
                del drafts[name]
            else:
                tables[name] = found
        if "insurance" not in tables:
            raise ModelError(problem("RM897", table="insurance"))
        blocks = [block_of(found, facts.year) for found in tables.values()]
        blocks += (fund.blocks() if by_insurer else fund.unsaid()) + ([] if served is None else [served.block(least)])
        for name, found in tables.items():
            blocks += drafts[name].unsaid(found, facts.year, tables.get("claims"))
        blocks += paid
        system = system_of([*beside(blocks, published, least), *earlier])
        pattern = protect(system, least_units=least)
        stuck = pattern.stuck
        if stuck is None:
            over = {
                name: [face for face in _thin(found, _own(system, pattern.hidden, found, facts)) if face not in held]
                for name, found in tables.items()
                for held in (drafts[name].held,)
            }
            over = {name: thin for name, thin in over.items() if thin}
            if not over:
                return _finished(
                    facts, drafts, tables, fund if by_insurer else None, served, system, pattern.hidden, fund, least
                )
            for name, thin in over.items():
                drafts[name].give_up(tables.pop(name), thin)
            continue
        if published:
            raise ModelError(problem("RM421", year=facts.year, **words_of(stuck)))
        blamed = "participation" if stuck.measure == "enterprises" and "participation" in tables else stuck.subject
        if not by_insurer and (blamed == "fund" or stuck.year != facts.year):
            blamed = "services" if stuck.measure == "used_fen" and "services" in tables else "insurance"
            if not tables[blamed].faces:
                raise ModelError(problem("RM897", table="fund"))
        if blamed == "service":
            served = None
        elif blamed == "payments":
            paid = []
        elif by_insurer and (blamed == "fund" or stuck.year != facts.year):
            by_insurer = False
        else:
            draft, found = drafts[blamed], tables.pop(blamed)
            pairs = [face for face in found.faces if len(face) > 1]
            if not found.faces or (blamed == "participation" and not pairs and ("state",) not in found.faces):
                del drafts[blamed]
            else:
                draft.give_up(found, pairs or list(found.faces))


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


def _thin(tables: LinkedTables, hidden: Mask) -> list[Face]:
    return [face for face in tables.faces if len(face) > 1 and _share(tables, face, hidden) > MOST_HIDDEN]


def _share(tables: LinkedTables, face: Face, which: Mask) -> float:
    """Return the share of the cells of a face that are not empty and are among `which`."""
    cells = tables.inner(face)
    some = tables.contributors[cells] > 0
    return float(which[cells][some].sum() / max(int(some.sum()), 1))


def _own(system: System, hidden: Mask, tables: LinkedTables, facts: Facts) -> Mask:
    return hidden[system.cells(facts.year, tables.name, next(iter(tables.values)), len(tables.keys))]


def _finished(
    facts: Facts,
    drafts: Mapping[str, _Draft],
    tables: Mapping[str, LinkedTables],
    shown: FundYear | None,
    served: ServiceYear | None,
    system: System,
    hidden: Mask,
    fund: FundYear,
    least: int,
) -> Publication:
    subjects = {
        name: Subject(found, _own(system, hidden, found, facts), tuple(drafts[name].left))
        for name, found in tables.items()
    }
    many = len(fund.insurers) + 1
    everything = {name: np.ones(many, bool) for name in FUND_MEASURES}
    out = (
        everything
        if shown is None
        else {name: hidden[system.cells(facts.year, "fund", name, many)] for name in FUND_MEASURES}
    )
    lines: tuple[ServiceLine, ...] = ()
    if served is not None:
        lines = served.shown(hidden[system.cells(facts.year, "service", "planned", len(served.lines))], least)
    paid = next((at for at, figure in enumerate(system.figures) if figure == (facts.year, "payments", PAID, ())), None)
    told = None if paid is None or hidden[system.cell[paid]] else int(system.value[paid])
    return Publication(subjects, fund.lines(out), lines, fund, told, system, hidden)
