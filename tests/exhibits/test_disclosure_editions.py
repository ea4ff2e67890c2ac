"""The register of publications: a later year and a corrected edition tell nothing that earlier ones left out."""

from __future__ import annotations

import datetime as dt
import json

import numpy as np
import pandas as pd
import pytest
from tests.exhibits.test_disclosure_whole import province

import ratemod as rm
from ratemod.cli import main
from ratemod.confidentiality.editions import beside
from ratemod.confidentiality.figures import Figure
from ratemod.confidentiality.linked_tables import tabulate
from ratemod.confidentiality.protection import protect
from ratemod.confidentiality.publications import editions, read_publications
from ratemod.confidentiality.system import block_of, system_of
from ratemod.errors import BookError, ModelError


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    register = tmp_path_factory.mktemp("register") / "published.json"
    tables = province(2)
    for year in (2024, 2025):
        rm.disclosure(tables, year, register=register).record(register, f"{year + 1}-03-31")
    return tables, register


def left_out(publication):
    return {figure for figure, value in publication.figures.items() if value is None}


def test_the_register_holds_what_readers_hold(kept):
    tables, register = kept
    first, second = read_publications(register)
    assert (first.year, first.day, second.year) == (2024, "2025-03-31", 2025)
    premium = tables["policies"].pipe(lambda rows: rows[rows.start_date < dt.date(2025, 1, 1)]).premium_fen.sum()
    assert abs(first.figures[Figure(2024, "insurance", "premium_fen", ())] - premium) <= 5000
    assert set(first.sources) == set(tables) and left_out(first)
    opening = Figure(2025, "fund", "opening_fen", (("insurer", "xin"),))
    assert second.figures[opening] is None, "its only client of 2024 would be told"
    assert len({figure for figure in left_out(second) if figure.measure == "opening_fen"}) >= 2


def test_the_same_year_again_is_the_same_and_a_corrected_one_tells_no_more(kept):
    tables, register = kept
    before = left_out(read_publications(register)[1])
    again = rm.disclosure(tables, 2025, register=register)
    found = {
        figure
        for at, figure in enumerate(again.system.figures)
        if figure.year == 2025 and not again.system.auxiliary[at] and again.hidden[again.system.cell[at]]
    }
    assert found == before
    claims = tables["claims"]
    late = claims.tail(3).assign(claim_no=["L1", "L2", "L3"], paid_fen=40_000)
    corrected = rm.disclosure(tables | {"claims": pd.concat([claims, late])}, 2025, register=register)
    published = {
        figure for at, figure in enumerate(corrected.system.figures) if not corrected.hidden[corrected.system.cell[at]]
    }
    assert not published & before


def tables_of(firms):
    """Enterprises of three places in two sectors, each place with so many."""
    rows = [(sector, place) for sector in range(2) for place in range(3) for _ in range(firms[sector][place])]
    dims = {"sector": ([row[0] for row in rows], ["a", "b"]), "place": ([row[1] for row in rows], ["x", "y", "z"])}
    return tabulate("claims", dims, [("sector", "place")], range(len(rows)), {"claims": np.ones(len(rows), int)})


def test_what_an_edition_told_the_next_cannot_leave_out():
    first = block_of(tables_of([(9, 9, 9), (9, 9, 9)]), 2025)
    published = dict(zip(system_of([first]).figures, first.values["claims"].tolist(), strict=True))
    cell = (("sector", "a"), ("place", "x"))
    published[Figure(2025, "claims", "claims", cell)] = 2
    now = block_of(tables_of([(2, 9, 9), (9, 9, 9)]), 2025)
    with pytest.raises(ModelError) as caught:
        beside([now], published)
    assert [item.code for item in caught.value.problems] == ["RM420"]
    assert "a x" in caught.value.problems[0].line("en")
    published[Figure(2025, "claims", "claims", cell)] = 9  # it has changed since: nobody knows it
    assert not beside([now], published)[0].fixed[first.keys.index(cell)]
    stuck = protect(system_of(beside([now], published))).stuck
    assert stuck is not None, "all others are known, so the sums tell it"
    hidden = {Figure(2025, "claims", "claims", (("sector", s), ("place", p))): None for s in "ab" for p in "xy"}
    assert protect(system_of(beside([now], published | hidden))).stuck is None


def test_two_editions_that_differ_by_one_claim_are_that_claim():
    first = block_of(tables_of([(9, 9, 9), (9, 9, 9)]), 2025)
    published = dict(zip(system_of([first]).figures, first.values["claims"].tolist(), strict=True))
    for more, refused in ((1, True), (2, True), (3, False), (0, False)):
        again = block_of(tables_of([(9, 9, 9), (9, 9, 9 + more)]), 2025)
        if not refused:
            assert beside([again], published)
            continue
        with pytest.raises(ModelError) as caught:
            beside([again], published)
        assert [item.code for item in caught.value.problems] == ["RM768"]
        assert "was 54" in caught.value.problems[0].line("en") and f"is {54 + more} now" in caught.value.problems[
            0
        ].line("en")


def test_editions_join_what_was_ever_told(kept):
    _, register = kept
    first, second = read_publications(register)
    assert editions((first, second), 2023) == {}
    figure = next(iter(left_out(second)))
    again = type(second)(2025, "2026-05-01", {}, {figure: 70_000})
    assert editions((second, again), 2025)[figure] == 70_000 == editions((again, second), 2025)[figure]


def test_a_register_that_was_touched_is_refused(kept, tmp_path):
    tables, register = kept
    held = json.loads(register.read_text(encoding="utf-8"))
    held["publications"][0]["figures"][0][3] = 1
    (tmp_path / "altered.json").write_text(json.dumps(held), encoding="utf-8")
    (tmp_path / "other.json").write_text("[1, 2]", encoding="utf-8")
    for name, code in (("altered", "RM425"), ("other", "RM424")):
        with pytest.raises(BookError) as caught:
            read_publications(tmp_path / f"{name}.json")
        assert [item.code for item in caught.value.problems] == [code]
    with pytest.raises(BookError) as caught:
        rm.disclosure(tables, 2025).record(tmp_path / "new.json", "31.3.2026")
    assert caught.value.problems[0].code == "RM426" and not (tmp_path / "new.json").exists()


def test_the_command_keeps_the_register(kept, tmp_path, capsys):
    tables, _ = kept
    for name, table in tables.items():
        table.to_parquet(tmp_path / f"{name}.parquet")
    register = tmp_path / "published.json"
    words = ["report", "disclosure", str(tmp_path), "--year", "2025", "--lang", "en", "--register", str(register)]
    assert main(words) == 1 and "RM427" in capsys.readouterr().err
    assert main([*words, "--published", "2026-03-31"]) == 0
    assert str(register) in capsys.readouterr().out.replace("\n", "")
    assert [item.day for item in read_publications(register)] == ["2026-03-31"]
