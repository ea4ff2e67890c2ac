"""Safety certificates, integrity grades and the joint-punishment list of one block, and their states on a day."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ratemod.synth.calendar import Days, day
from ratemod.synth.enterprises import Codes, Enterprises, Window
from ratemod.synth.stream import BLOCK, pick, stream
from ratemod.synth.truth import Population, Truth

CYCLE = 3 * 365 + 1  # days a certificate is valid
NEVER = 2**30
DISHONEST = 4


@dataclass(frozen=True, slots=True)
class Certificates:
    """Certificates by cycle; k cycles of three years each.

    Attributes
    ----------
    level : (k, n) int8, 0 where there is none in that cycle
    issued, expires, withdrawn : (k, n) int32 days; valid from `issued` to the day before `expires` or `withdrawn`
    """

    level: Codes
    issued: Days
    expires: Days
    withdrawn: Days


@dataclass(frozen=True, slots=True)
class Integrity:
    """Integrity grades and the joint-punishment list.

    Attributes
    ----------
    grade : (t + 1, n) int8, the grade from `since` on; row 0 is the grade before the first year
    since : (t + 1, n) int32 days
    listed, removed : (n,) int32 days on the list, `NEVER` where not listed
    """

    grade: Codes
    since: Days
    listed: Days
    removed: Days


def draw_certificates(truth: Truth, window: Window, seed: int, block: int, firms: Enterprises) -> Certificates:
    """Draw certificates: the first before the first year, then renewed every three years, sometimes late."""
    random = stream(seed, block, "certificate")
    cycles = window.terms // 3 + 2
    people = truth.population
    first = pick(random.random(BLOCK), np.array(people.standardisation_mix)[firms.size[0]])
    level = np.zeros((cycles, BLOCK), dtype=np.int8)
    issued = np.zeros((cycles, BLOCK), dtype=np.int64)
    level[0] = first
    issued[0] = day(window.first_year, 1, 1) - random.integers(1, CYCLE, BLOCK)
    for k in range(1, cycles):
        better = random.random(BLOCK) < people.certificate_better
        level[k] = np.minimum(level[k - 1] + better, 3)
        late = random.random(BLOCK) < people.certificate_late
        issued[k] = issued[k - 1] + CYCLE + np.where(late, random.integers(10, 240, BLOCK), 0)
    struck = random.random(level.shape) < people.certificate_withdrawn
    withdrawn = np.where(struck, issued + random.integers(60, CYCLE, level.shape), NEVER)
    return Certificates(level, issued.astype(np.int32), (issued + CYCLE).astype(np.int32), withdrawn.astype(np.int32))


def certificate_on(held: Certificates, on: Days, known: int) -> tuple[Codes, Codes]:
    """Return the level in force on a day, and the cycle it belongs to (-1 where none).

    Parameters
    ----------
    on : (n,) int32 days
    known : int, last day known: what is issued or withdrawn later is not seen
    """
    level, cycle = np.zeros(len(on), dtype=np.int8), np.full(len(on), -1, dtype=np.int8)
    for k in range(len(held.level)):
        gone = (held.withdrawn[k] <= on) & (held.withdrawn[k] <= known)
        valid = (held.issued[k] <= min(known, NEVER)) & (held.issued[k] <= on) & (on < held.expires[k]) & ~gone
        valid &= held.level[k] > 0
        level[valid], cycle[valid] = held.level[k][valid], k
    return level, cycle


def draw_integrity(truth: Truth, window: Window, seed: int, block: int) -> Integrity:
    """Draw grades that move one step now and then, and the list that dishonest units may come onto for two years."""
    random = stream(seed, block, "integrity")
    people: Population = truth.population
    grade = np.zeros((window.terms + 1, BLOCK), dtype=np.int8)
    since = np.zeros(grade.shape, dtype=np.int64)
    grade[0] = pick(random.random(BLOCK), np.array(people.integrity_mix))
    since[0] = day(window.first_year - 1, 1, 1) + random.integers(0, 365, BLOCK)
    for t in range(1, window.terms + 1):
        step = np.where(random.random(BLOCK) < 0.5, -1, 1) * (random.random(BLOCK) < people.integrity_change)
        grade[t] = np.clip(grade[t - 1] + step, 0, DISHONEST)
        since[t] = day(window.first_year + t - 1, 1, 1) + random.integers(0, 365, BLOCK)
    bad = grade == DISHONEST
    when = np.where(bad.any(axis=0), np.take_along_axis(since, bad.argmax(axis=0)[None], axis=0)[0] + 30, NEVER)
    listed = np.where(random.random(BLOCK) < people.listed_share, when, NEVER)
    removed = np.where(listed < NEVER, listed + 730, NEVER)
    return Integrity(grade, since.astype(np.int32), listed.astype(np.int32), removed.astype(np.int32))


def integrity_on(history: Integrity, on: Days, known: int) -> Codes:
    """Return the grade in force on a day, (n,) int8, from what is known by `known`."""
    grade: Codes = history.grade[0].copy()
    for t in range(1, len(history.grade)):
        seen = (history.since[t] <= on) & (history.since[t] <= known)
        grade[seen] = history.grade[t][seen]
    return grade


def blacklisted_on(history: Integrity, on: Days, known: int) -> Codes:
    """Return 1 where the enterprise is on the joint-punishment list on a day, (n,) int8."""
    seen = (history.listed <= on) & (history.listed <= known)
    gone = (history.removed <= on) & (history.removed <= known)
    on_list: Codes = np.asarray(seen & ~gone, dtype=np.int8)
    return on_list
