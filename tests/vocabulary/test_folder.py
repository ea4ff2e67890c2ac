"""A folder of one's own: tables by name in either language, in any format, in yuan, and only those that are needed."""

from __future__ import annotations

import datetime

import pandas as pd
import pyarrow.parquet as pq
import pytest

from ratemod.cli import main
from ratemod.errors import BookError
from ratemod.reading.folder import open_folder

DAY = datetime.date(2025, 6, 1)
POLICIES = pd.DataFrame(
    {
        "保单号": ["甲1", "乙2"],
        "统一社会信用代码": ["F1", "F2"],
        "承保公司": ["yun", "he"],
        "所属行业": ["煤矿", "建筑"],
        "规模": ["大型企业", "微型"],
        "区划代码": ["220100", "220200"],
        "起期": [DAY, DAY],
        "止期": [datetime.date(2026, 6, 1)] * 2,
        "保险费（万元）": ["1.5", "0.03"],
    }
)


@pytest.mark.parametrize("name", ["policies.csv", "保单.xlsx", "承保清单.parquet", "Policies.csv"])
def test_one_table_under_any_name_and_format_is_enough_for_a_levy(tmp_path, name):
    place = tmp_path / name
    if place.suffix == ".csv":
        POLICIES.to_csv(place, index=False, encoding="gb18030")
    elif place.suffix == ".xlsx":
        POLICIES.to_excel(place, index=False)
    else:
        POLICIES.to_parquet(place)
    out = tmp_path / "levy.parquet"
    assert main(["fund", "levy", "--province", str(tmp_path), "--out", str(out), "--lang", "en"]) == 0
    rows = {row["policy_no"]: row["levy_fen"] for row in pq.read_table(out).to_pylist()}
    assert rows == {"甲1": 225_000, "乙2": 4_500}  # 15 % of 15,000.00 and of 300.00


def test_what_a_folder_lacks_or_has_twice_is_said(tmp_path, capsys):
    POLICIES.to_csv(tmp_path / "保单.csv", index=False)
    with pytest.raises(BookError) as error:
        open_folder(tmp_path).table("services")
    assert error.value.problems[0].code == "RM954"
    assert main(["fund", "duties", "--province", str(tmp_path), "--lang", "en"]) == 1
    assert "RM956" in capsys.readouterr().err
    POLICIES.to_csv(tmp_path / "policies.csv", index=False)
    with pytest.raises(BookError) as error:
        open_folder(tmp_path)
    assert [item.code for item in error.value.problems] == ["RM955"]


def test_insurers_are_called_by_their_names_where_people_read(tmp_path, capsys):
    POLICIES.to_csv(tmp_path / "保单.csv", index=False)
    pd.DataFrame({"保险公司": ["yun", "he"], "公司名称": ["云示例财险", "鹤示例财险"]}).to_csv(
        tmp_path / "保险机构.csv", index=False
    )
    assert main(["fund", "levy", "--province", str(tmp_path), "--out", str(tmp_path / "a.csv"), "--lang", "zh"]) == 0
    for page in (capsys.readouterr().out, (tmp_path / "a.csv").read_text(encoding="utf-8-sig")):
        assert "云示例财险" in page and "yun" not in page
