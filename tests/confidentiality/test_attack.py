"""Anyone may hold published tables against the attack."""

from __future__ import annotations

import csv
import datetime as dt

import pytest

import ratemod as rm
from ratemod.cli import main
from ratemod.confidentiality.attack import attack_files
from ratemod.errors import BookError
from tests.exhibits.test_disclosure_whole import province


def test_both_years_hold_and_a_careless_one_does_not(tmp_path, capsys):
    tables = province(2)
    folders = []
    for year in (2024, 2025):
        folders.append(tmp_path / str(year))
        rm.disclosure(tables, year).write(folders[-1])
    assert main(["report", "attack", *map(str, folders), "--lang", "en"]) == 0
    assert "0 of them are known exactly" in capsys.readouterr().out
    file = folders[1] / "fund.csv"  # the opening balance of xin's first client is given back
    ledger = tables["ledger"]
    first = ledger[(ledger.insurer == "xin") & (ledger.date < dt.date(2025, 1, 1))].amount_fen.sum()
    rows = list(csv.DictReader(file.open(encoding="utf-8-sig")))
    for row in rows:
        if row["insurer"] == "xin":
            row["opening_10000_yuan"] = f"{first / 1e6:.2f}"
    with file.open("w", encoding="utf-8", newline="") as out:
        writer = csv.DictWriter(out, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    exact = {(item.figure.year, item.figure.measure, item.figure.key) for item in attack_files(folders) if item.exact}
    assert (2024, "closing_fen", (("insurer", "xin"),)) in exact
    (tmp_path / "no.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    with pytest.raises(BookError) as caught:
        attack_files([tmp_path / "no.csv"])
    assert caught.value.problems[0].code == "RM428"
