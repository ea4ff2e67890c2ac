"""The yearly disclosure: right sums, nothing recoverable from what is published, harmless names, same bytes."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from scipy.optimize import linprog
from tests.exhibits.browser import browser
from tests.exhibits.test_disclosure_whole import province

from ratemod.cli import main
from ratemod.document.html import page
from ratemod.errors import BookError
from ratemod.publication.disclosure import disclosure
from ratemod.publication.files import figures_table, write_disclosure
from ratemod.publication.page import disclosure_document, key_figures, left_out

PROVINCE = Path(__file__).parents[2] / "data" / "province"
YEAR = 2025


def page_of(told, lang):
    return page([disclosure_document(told, one) for one in ("zh", "en")], lang)


@pytest.fixture(scope="module")
def told():
    return disclosure(PROVINCE, YEAR)


@pytest.fixture(scope="module")
def published(told, tmp_path_factory):
    folder = tmp_path_factory.mktemp("out") / "published"
    write_disclosure(told, folder, "zh")
    return pd.read_parquet(folder / "figures.parquet")


def frame(name):
    return pq.read_table(PROVINCE / f"{name}.parquet").to_pandas()


@pytest.fixture(scope="module")
def sources():
    names = ("policies", "endorsements", "coinsurance", "claims", "ledger", "services", "payments")
    return {name: frame(name) for name in names}


def of_year(days):
    return pd.to_datetime(days).dt.year == YEAR


def total(published, subject, measure):
    row = published.query("subject == @subject and measure == @measure and breakdown == 'total'")
    return float(row["value"].iloc[0])


def test_totals_are_those_of_the_source_tables(published, sources):
    policies, changes, claims = sources["policies"], sources["endorsements"], sources["claims"]
    begun = policies[of_year(policies["start_date"])]
    premium = begun["premium_fen"].sum()
    premium += changes[changes["policy_no"].isin(begun["policy_no"])]["premium_change_fen"].sum()
    hit = claims[of_year(claims["event_date"])]
    ledger = sources["ledger"][of_year(sources["ledger"]["date"])]
    kinds = ledger.groupby("kind", observed=True)["amount_fen"].sum()
    done = sources["services"][of_year(sources["services"]["delivered_date"])]
    wanted = {
        ("insurance", "enterprises"): begun["credit_code"].nunique(),
        ("insurance", "premium"): premium / 1e6,
        ("insurance", "accrued"): kinds["accrual"] / 1e6,
        ("claims", "claims"): len(hit),
        ("claims", "paid"): hit["paid_fen"].sum() / 1e6,
        ("claims", "assessed"): (hit["paid_fen"] + hit["case_reserve_fen"]).sum() / 1e6,
        ("casualties", "casualties"): (hit["deaths"] + hit["serious_injuries"]).sum(),
        ("services", "services"): len(done),
        ("services", "used"): kinds["payment"] / 1e6,
    }
    for (subject, measure), value in wanted.items():
        assert total(published, subject, measure) == pytest.approx(value, abs=0.00501), (subject, measure)


def test_premium_of_an_insurer_is_its_own_share(published, sources):
    begun = sources["policies"].pipe(lambda table: table[of_year(table["start_date"])])
    extra = sources["endorsements"].groupby("policy_no")["premium_change_fen"].sum()
    begun = begun.assign(fen=begun["premium_fen"] + begun["policy_no"].map(extra).fillna(0))
    parts = begun.merge(sources["coinsurance"][["policy_no", "insurer", "share_percent"]], "left", "policy_no")
    alone = parts["share_percent"].isna()
    parts["who"] = np.where(alone, parts["insurer_x"].astype(str), parts["insurer_y"].astype(str))
    parts["own"] = parts["fen"] * np.where(alone, 100, parts["share_percent"]) / 100
    wanted = parts.groupby("who")["own"].sum()
    rows = published.query("subject == 'insurance' and measure == 'premium' and breakdown == 'insurer'")
    for insurer, value in zip(rows["insurer"], rows["value"], strict=True):
        assert float(value) == pytest.approx(wanted[insurer] / 1e6, abs=0.0051)
    assert len(rows) == len(wanted) == 6


class FileAttack:
    """An attacker who holds the published file alone: sectors × divisions × insurers unknown, figures rounded."""

    def __init__(self, figures, unit):
        self.dims = [dim for dim in ("sector", "division", "insurer", "state") if figures[dim].notna().any()]
        self.levels = [sorted(figures[dim].dropna().unique()) for dim in self.dims]
        told = figures[figures["status"] != "suppressed"]
        self.lines = np.array([self.line(row) for _, row in told.iterrows()])
        values = told["value"].astype(float).to_numpy()
        half = 0.005 if unit == "10000 yuan" else 0.0
        self.low, self.high = np.maximum(values - half, 0), values + half

    def line(self, row):
        chosen = [None if pd.isna(row[dim]) else row[dim] for dim in self.dims]
        return np.array(
            [
                float(all(want is None or want == have for want, have in zip(chosen, place, strict=True)))
                for place in itertools.product(*self.levels)
            ]
        )

    def interval(self, row):
        aim = self.line(row)
        rows, sides = np.concatenate([self.lines, -self.lines]), np.concatenate([self.high, -self.low])
        ends = []
        for sign in (1, -1):
            found = linprog(sign * aim, A_ub=rows, b_ub=sides, bounds=(0, None))
            assert found.status in (0, 3), found.message
            ends.append(sign * found.fun if found.status == 0 else np.inf)
        return ends


@pytest.fixture(scope="module")
def contributors(sources):
    """Enterprises behind each sector × division of insurance, counted by pandas."""
    policies = sources["policies"]
    begun = policies[of_year(policies["start_date"])][["sector", "division_code", "credit_code"]]
    ledger = sources["ledger"].query("kind == 'accrual'")
    booked = ledger[of_year(ledger["date"])][["policy_no"]].merge(policies, "left", "policy_no")
    both = pd.concat([begun, booked[["sector", "division_code", "credit_code"]]])
    return both.groupby(["sector", "division_code"], observed=True)["credit_code"].nunique()


@pytest.mark.parametrize("measure", ["enterprises", "premium"])
def test_the_published_file_withstands_the_attack(published, told, contributors, measure):
    figures = published.query("subject == 'insurance' and measure == @measure")
    small = {key for key, count in contributors.items() if count < 3}
    attack = FileAttack(figures, figures["unit"].iloc[0])
    subject = told.subjects["insurance"]
    truth = {
        tuple(subject.tables.levels[dim][at] for dim, at in key): index
        for index, key in enumerate(subject.tables.keys)
        if tuple(dim for dim, _ in key) == ("sector", "division")
    }
    seen = 0
    for _, row in figures[figures["breakdown"] == "sector × division"].iterrows():
        key = (row["sector"], row["division"])
        if key in small:
            assert row["status"] == "suppressed" and row["value"] is None
            value = int(subject.tables.values["enterprises" if measure == "enterprises" else "premium_fen"][truth[key]])
            value = value if measure == "enterprises" else value / 1e6
            low, high = attack.interval(row)
            assert low <= value * 0.8 + 0.01 or low <= 1
            assert high >= value * 1.2 - 0.01 and (measure != "enterprises" or high - low >= 2 - 1e-6)
            seen += 1
    assert seen >= 3


def test_nothing_is_recovered_by_plain_subtraction(told):
    for subject in told.subjects.values():
        unknown = set(np.flatnonzero(subject.hidden).tolist())
        for whole, cells in subject.tables.relations * 3:
            assert len(unknown & {whole, *cells.tolist()}) != 1


def test_most_figures_are_published(told):
    shares = {name: subject.share_hidden for name, subject in told.subjects.items()}
    assert shares["insurance"] < 0.2 and shares["services"] < 0.25 and shares["participation"] < 0.1
    assert shares["claims"] < 0.35, shares


@pytest.fixture(scope="module")
def small():
    """Tables of a province with few cells, told in a second."""
    return province(2)


@pytest.fixture(scope="module")
def told_of_small(small):
    return disclosure(small, YEAR)


def test_the_fund_carries_forward_from_year_to_year(small, told_of_small):
    before = disclosure(small, YEAR - 1)
    closing = {line.insurer: line.closing_fen for line in before.fund}
    assert any(closing.values()) and len(told_of_small.fund) >= 3
    for line in told_of_small.fund:
        assert line.opening_fen == closing.get(line.insurer, 0)
        assert line.opening_fen + line.accrued_fen - line.released_fen - line.used_fen == line.closing_fen


def test_the_same_data_give_the_same_bytes(small, told_of_small, tmp_path):
    told, again = told_of_small, disclosure(small, YEAR)
    assert page_of(told, "zh") == page_of(again, "zh")
    for name in ("one", "two"):
        write_disclosure(told, tmp_path / f"{name}.xlsx", "zh")
        write_disclosure(told, tmp_path / name, "zh")
    assert (tmp_path / "one.xlsx").read_bytes() == (tmp_path / "two.xlsx").read_bytes()
    for file in sorted((tmp_path / "one").iterdir()):
        assert file.read_bytes() == (tmp_path / "two" / file.name).read_bytes()


def test_page_and_workbook_hold_what_the_file_holds(told, published, tmp_path):
    page = page_of(told, "zh")
    assert "http" not in page.replace("http://www.w3.org", "") and "<script" not in page
    assert page.count("合成数据") == 1 and page.count("Synthetic data") == 1
    write_disclosure(told, tmp_path / "told.xlsx", "en")
    sheets = openpyxl.load_workbook(tmp_path / "told.xlsx")
    rows = list(sheets["Insurance"].iter_rows(values_only=True))
    mining = next(row for row in rows if row[0] == "Mining")
    wanted = published.query("subject == 'insurance' and breakdown == 'sector' and sector == 'mining'")
    assert [float(value) for value in mining[1:5]] == wanted["value"].astype(float).tolist()
    assert "×" in {cell for sheet in sheets for row in sheet.iter_rows(values_only=True) for cell in row}


def hostile(tables, **names):
    """The tables with other names of insurers."""
    return {name: table.replace({"insurer": names}) if "insurer" in table else table for name, table in tables.items()}


def test_hostile_names_are_harmless(small, tmp_path):
    nasty, formula = "<script>alert(1)</script>", '=HYPERLINK("http://x")'
    told = disclosure(hostile(small, yun=nasty, he=formula), YEAR)
    assert "<script" not in page_of(told, "en")
    write_disclosure(told, tmp_path / "out", "en")
    text = (tmp_path / "out" / "figures.csv").read_text(encoding="utf-8-sig")
    assert ',"=HYPERLINK' not in text and "'=HYPERLINK" in text
    write_disclosure(told, tmp_path / "out.xlsx", "en")
    sheets = openpyxl.load_workbook(tmp_path / "out.xlsx")
    cells = [cell for sheet in sheets for row in sheet.iter_rows() for cell in row]
    assert any(cell.value == formula for cell in cells) and all(cell.data_type != "f" for cell in cells)


def test_lists_as_people_keep_them(small, tmp_path):
    """Chinese headers, GB18030, yuan, sectors in Chinese, a repeated policy and a claim of nobody's."""
    names = {
        "policies": {
            "policy_no": "保单号",
            "credit_code": "统一社会信用代码",
            "insurer": "保险公司",
            "division_code": "地区",
            "sector": "行业",
            "start_date": "保险起期",
            "heads": "投保人数",
        },
        "claims": {
            "claim_no": "赔案号",
            "policy_no": "保单号",
            "event_date": "出险日期",
            "cause": "事故原因",
            "deaths": "死亡人数",
            "serious_injuries": "重伤人数",
        },
    }
    zh = {
        "mining": "矿山",
        "hazardous_chemicals": "危化品",
        "fireworks": "烟花爆竹",
        "transport": "交通运输",
        "construction": "建筑施工",
        "civil_explosives": "民爆",
        "metal_smelting": "金属冶炼",
        "fishery": "渔业生产",
    }
    for name in ("services", "ledger"):
        small[name].to_parquet(tmp_path / f"{name}.parquet", index=False)
    policies = small["policies"].copy()
    policies["sector"] = policies["sector"].map(zh)
    policies["保费（元）"] = (policies["premium_fen"] / 100).map("{:,.2f}".format)
    policies = pd.concat([policies, policies.iloc[[5]]])
    policies[[*names["policies"], "保费（元）"]].rename(columns=names["policies"]).to_csv(
        tmp_path / "policies.csv", index=False, encoding="gb18030"
    )
    claims = small["claims"].copy()
    claims["已付赔款"], claims["未决赔款"] = claims["paid_fen"] / 100, claims["case_reserve_fen"] / 100
    claims.loc[claims.index[-1], "policy_no"] = "不存在"
    claims[[*names["claims"], "已付赔款", "未决赔款"]].rename(columns=names["claims"]).to_excel(
        tmp_path / "claims.xlsx", index=False
    )
    told = disclosure(tmp_path, YEAR)
    assert sorted((noun, item.code, item.count) for noun, item in told.refused) == [
        ("claims", "RM396", 1),
        ("policies", "RM242", 1),
    ]
    begun = small["policies"].pipe(lambda table: table[of_year(table["start_date"])])
    assert told.subjects["insurance"].tables.values["premium_fen"][-1] == begun["premium_fen"].sum()
    assert not told.synthetic and "participation" not in told.subjects


def test_a_list_that_is_not_given_is_named_and_an_empty_one_is_empty(small):
    """Without claims, services and ledger the insured are published; a list of claims without rows says that there were
    none, and that nobody died.
    """
    lists = {name: frame for name, frame in small.items() if name not in ("claims", "services", "ledger", "payments")}
    told = disclosure(lists, YEAR)
    assert told.absent == ("claims", "services", "ledger") and set(told.subjects) == {"insurance", "participation"}
    assert "accrued_fen" not in told.subjects["insurance"].tables.values and told.fund == () and told.deaths is None
    labels = [label for label, _ in key_figures(told, "en")]
    assert not [label for label in labels if "accrued" in label.lower() or "death" in label.lower()]
    said = left_out(told, "zh")[:3]
    assert said == [f"未公布（未提供该清单）：{name}。" for name in ("赔案", "预防服务", "预防费台账")]
    html = page([disclosure_document(told, "en")], "en")
    assert "Ledger of the fund" in html and "not given" in html
    none = {name: small[name].iloc[:0] for name in ("claims", "services", "ledger")}
    told = disclosure({**lists, **none}, YEAR)
    assert told.absent == () and told.deaths == 0 and told.tables["claims"][:2] == (0, 0)
    figures = dict(key_figures(told, "en"))
    assert figures["Claims"] == figures["Deaths"] == "0" and not any("given" in one for one in left_out(told, "en"))
    assert {int(value) for line in told.fund for value in (line.accrued_fen, line.used_fen)} == {0}
    odd = small["claims"].iloc[:1].assign(policy_no="of nobody")
    assert disclosure({**lists, **none, "claims": odd}, YEAR).deaths is None, "a claim that is set aside may be a death"


def test_what_is_missing_is_said_at_once(small, tmp_path):
    with pytest.raises(BookError) as caught:
        disclosure(tmp_path, YEAR)
    assert [item.code for item in caught.value.problems] == ["RM919"]
    with pytest.raises(BookError) as caught:
        disclosure(PROVINCE, 2035)
    assert caught.value.problems[0].code == "RM921"
    with pytest.raises(BookError) as caught:
        disclosure(tmp_path / "nowhere", YEAR)
    assert caught.value.problems[0].code == "RM916"
    with pytest.raises(BookError) as caught:
        disclosure(small | {"policies": pa.table({"保单号": ["A"], "行业": ["矿山"]})}, YEAR)
    assert {item.code for item in caught.value.problems} == {"RM950"} and len(caught.value.problems) == 5


def test_a_small_province_publishes_what_it_can():
    """One to three enterprises a cell: hardly any breakdown is left, and what is left is safe."""
    told = disclosure(province(4, sizes=(1, 2, 3)), YEAR)
    figures = figures_table(told).to_pandas()
    assert (figures.query("breakdown == 'total'")["status"] == "published").all()
    for subject in told.subjects.values():
        assert (subject.hidden >= subject.tables.unsafe).all()


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_command(small, tmp_path, capsys, lang):
    given = tmp_path / "given"
    given.mkdir()
    for name, table in small.items():
        table.to_parquet(given / f"{name}.parquet", index=False)
    outputs = [tmp_path / "told.html", tmp_path / "told.xlsx", tmp_path / "told"]
    words = [word for path in outputs for word in ("-o", str(path))]
    plan = ["--plan", "jilin-spli"]
    assert main(["report", "disclosure", str(given), "--year", "2025", *plan, *words, "--lang", lang]) == 0
    said = capsys.readouterr().out
    insured = small["policies"].pipe(lambda table: table[of_year(table["start_date"])]).credit_code.nunique()
    assert f" {insured}\n" in said and ("企业数" in said) == (lang == "zh")
    assert all(path.exists() for path in outputs) and len(list(outputs[2].iterdir())) == 8
    assert main(["report", "disclosure", str(PROVINCE), "--year", "2025", "-o", str(PROVINCE)]) == 1
    assert main(["report", "disclosure", str(PROVINCE), "--year", "2025", "-o", str(tmp_path / "a.docx")]) == 1
    assert main(["report", "disclosure", str(PROVINCE), "--year", "2025", "--least-units", "2"]) == 2


def test_the_page_opens_in_a_browser(told, tmp_path):
    driver = browser()
    from selenium.webdriver.common.by import By

    file = tmp_path / "told.html"
    file.write_text(page_of(told, "zh"), encoding="utf-8")
    try:
        driver.get(file.as_uri())
        assert "2025" in driver.title
        assert driver.find_element(By.CSS_SELECTOR, "#zh h1").is_displayed()
        english = driver.find_element(By.CSS_SELECTOR, "#en h1")
        assert not english.is_displayed()
        driver.find_element(By.CSS_SELECTOR, "label[for=to-en]").click()
        assert english.is_displayed()
        for image in driver.find_elements(By.CSS_SELECTOR, "#en img"):
            assert image.get_attribute("alt") and int(image.get_attribute("naturalWidth")) > 100
        for table in driver.find_elements(By.CSS_SELECTOR, "#en table"):
            assert table.find_element(By.TAG_NAME, "caption").text
        assert not [entry for entry in driver.get_log("browser") if entry["level"] == "SEVERE"]
    finally:
        driver.quit()


def test_headings_step_by_one(told):
    page = page_of(told, "en")
    steps = [int(found) for found in re.findall(r"<h([1-6])", page)]
    assert steps[0] == 1 and all(after - before <= 1 for before, after in itertools.pairwise(steps))
