"""Whatever a command reads, it says what it read and what it did not: one mechanism, not one a command."""

from __future__ import annotations

import pytest

from ratemod.cli import main
from ratemod.errors import BookError
from ratemod.experience.mod_lists import read_claims
from ratemod.experience.mods import experience_mod
from ratemod.reading.read import read_table
from ratemod.reading.shared_table import read_shared
from ratemod.reading.told import receipts, together
from ratemod.vocabulary.column import Column

HEADS = {"heads": Column("heads", "number", "Heads"), "area": Column("area", "text", "Area", optional=True)}
EXPOSURE = "credit_code,expected_losses_yuan,expected_primary_losses_yuan,start_date\n91220101MA0000000B,9,3,2026-01-01"


def lists(folder, claims_header="估损金额"):
    (folder / "exposure.csv").write_text(EXPOSURE, encoding="utf-8")
    (folder / "claims.csv").write_text(
        f"统一社会信用代码,出险日期,已付赔款（元）,{claims_header}\n91220101MA0000000B,2023-05-01,1000,5\n",
        encoding="utf-8",
    )
    return folder / "claims.csv", folder / "exposure.csv"


def test_every_receipt_reaches_whoever_gathers_them(tmp_path):
    claims, exposure = lists(tmp_path)
    with receipts() as outer:
        with receipts() as inner:
            experience_mod(claims, exposure)
        read_table(exposure, {"credit_code": Column("credit_code", "text")})
    assert [part.file for one in inner for part in one.parts] == [str(exposure), str(claims)]
    assert len(outer) == 3 and [part.file for part in together(outer).parts] == [str(exposure), str(claims)]


def test_a_header_that_one_of_two_readings_used_is_used(tmp_path):
    place = tmp_path / "list.csv"
    place.write_text("heads,area,note\n3,north,x\n", encoding="utf-8")
    with receipts() as read:
        read_table(place, HEADS)
        read_table(place, {"heads": HEADS["heads"]})
    (part,) = together(read).parts
    assert [item.header for item in part.unused] == ["note"]
    assert [item.args["headers"] for item in together(read).remarks] == ["note"]


@pytest.mark.parametrize(("lang", "said"), [("zh", "未使用的表头：估损金额"), ("en", "headers not used: 估损金额")])
def test_a_command_names_the_headers_that_it_did_not_use(tmp_path, capsys, lang, said):
    claims, exposure = lists(tmp_path)
    main(["mods", str(claims), "--exposure", str(exposure), "--lang", lang])
    assert said in capsys.readouterr().out


def test_a_header_that_lacks_a_word_of_an_empty_optional_column_stops_the_reading(tmp_path):
    claims, _ = lists(tmp_path, "case yuan")
    with pytest.raises(BookError) as error:
        read_claims(claims, None)
    assert [(item.code, item.args["column"]) for item in error.value.problems] == [("RM265", "case_reserve_yuan")]


def test_a_reserve_by_any_name_counts(tmp_path):
    claims, exposure = lists(tmp_path, "reserve_yuan")
    with receipts() as read:
        experience_mod(claims, exposure)
    assert "case_reserve_yuan" in {item.column for one in read for part in one.parts for item in part.used}


def test_the_columns_of_a_shared_table_are_known_whoever_asks_for_which(tmp_path):
    place = tmp_path / "policies.csv"
    place.write_text("保单号,企业名称,投保人数,说明\nP1,甲厂,3,x\n", encoding="utf-8")
    told = read_shared(place, "policies", ["policy_no"])
    assert set(told.cells) == {"policy_no"}
    assert [item.header for item in told.book.receipt.parts[0].unused] == ["说明"]
