"""The filing pack: whole, the same bytes, harmless, readable in a browser and on paper, and honest when it fails."""

from __future__ import annotations

import itertools
import re
import shutil
import subprocess
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.exhibits.browser import browser

import ratemod as rm
from ratemod.charts.style import missing_glyphs
from ratemod.cli import main
from ratemod.document.html import card, page
from ratemod.document.model import Document, Paragraph, Section, Span, table
from ratemod.document.pdf import pdf_of
from ratemod.errors import BookError, ModelError
from ratemod.plan.editions import load_plan
from ratemod.rating.premium_levels import premium_levels
from ratemod.report import filing as module
from ratemod.report.filing import Check, filing, policies_by_row
from ratemod.report.filing_document import filing_html, write_filing
from ratemod.report.notes import notes_blocks
from ratemod.study.caps import uncapped

pytest.importorskip("matplotlib")
CURRENT = "jilin-spli/2025-04"
HOSTILE = "<script>alert(1)</script>"
FORMULA = '=HYPERLINK("http://x")&"'
needs_chinese = pytest.mark.skipif(bool(missing_glyphs(["元"])), reason="no Chinese font installed")
pytestmark = needs_chinese


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A study of a small province, its edition, and its renewals with hostile names."""
    folder = tmp_path_factory.mktemp("filing")
    province = rm.synthesize(enterprises=1500, years=4, seed=3)
    table = province.renewals
    names, keys = table["name"].to_pylist(), table["policy_no"].to_pylist()
    names[:2], keys[0], keys[1] = [HOSTILE, "=1+1"], HOSTILE, FORMULA
    for column, values in (("name", names), ("policy_no", keys)):
        table = table.set_column(table.column_names.index(column), column, pa.array(values))
    pq.write_table(table, folder / "book.parquet")
    study = rm.fit(province, CURRENT, new_from="2026-01-01", book=folder / "book.parquet")
    edition = study.write(folder / "study")
    notes = edition / "NOTES.md"
    notes.write_text(
        notes.read_text(encoding="utf-8") + "\n<img src=x onerror=alert(2)> `a<b` **bold**\n", encoding="utf-8"
    )
    return SimpleNamespace(book=folder / "book.parquet", edition=edition, study=folder / "study")


@pytest.fixture(scope="module")
def found(made):
    from ratemod.rating.manifest import digest

    asked = (HOSTILE, FORMULA)
    return filing(made.book, load_plan(made.edition), load_plan(CURRENT), examples=asked, digest=digest(made.book))


@pytest.fixture(scope="module")
def html(found):
    return filing_html(found, "zh")


class Reader(HTMLParser):
    """Collects what a screen reader would meet."""

    def __init__(self) -> None:
        super().__init__()
        self.headings: dict[str, list[int]] = {}
        self.images: list[dict[str, str | None]] = []
        self.cells: list[tuple[str, dict[str, str | None]]] = []
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.lang = ""

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.tags.append(tag)
        if given.get("id"):
            self.ids.append(str(given["id"]))
        if tag == "article":
            self.lang = str(given["lang"])
        if re.fullmatch("h[1-6]", tag):
            self.headings.setdefault(self.lang, []).append(int(tag[1]))
        if tag == "img":
            self.images.append(given)
        if tag in ("th", "table", "caption"):
            self.cells.append((tag, given))
        if tag == "a":
            self.links.append(str(given["href"]))


def test_it_is_one_page_with_everything_and_no_script(found, html):
    assert "<script" not in html and "http://x" not in html.replace("&quot;", "").replace("HYPERLINK(http://x)", "")
    assert not re.findall(r'(?:src|href)="(?!data:image/svg\+xml;base64,|#)', html)
    labels = ("合成数据", "SYNTHETIC", "EXAMPLE RATES", "示例费率", "off-balance", "平衡系数")
    for said in (found.new.fingerprint, found.current.fingerprint, found.digest, *labels):
        assert said in html, said
    assert (
        "&lt;script&gt;alert(1)&lt;/script&gt;" in html and "<img src=x" not in html and "<code>a&lt;b</code>" in html
    )


def test_the_same_filing_is_the_same_bytes(made, found, html):
    again = filing(
        made.book, load_plan(made.edition), load_plan(CURRENT), examples=(HOSTILE, FORMULA), digest=found.digest
    )
    assert filing_html(again, "zh") == html


def test_both_languages_are_on_a_page_of_either(found, no_pictures):
    assert filing_html(found, "en").count("<section>") == 2 * 11


def test_headings_in_order_tables_headed_pictures_described(html):
    reader = Reader()
    reader.feed(html)
    assert set(reader.headings) == {"zh-CN", "en"}
    for levels in reader.headings.values():
        assert levels[0] == 1 and levels.count(1) == 1
        assert all(after <= before + 1 for before, after in itertools.pairwise(levels))
    assert len(reader.images) > 20 and all(len(str(image["alt"])) > 8 for image in reader.images)
    assert all(given.get("scope") in ("row", "col") for tag, given in reader.cells if tag == "th")
    assert sum(tag == "table" for tag, _ in reader.cells) == sum(tag == "caption" for tag, _ in reader.cells)
    assert len(set(reader.ids)) == len(reader.ids)
    assert {link.removeprefix("#") for link in reader.links} <= set(reader.ids)


def test_every_number_reconciles_with_a_recount(found, made):
    assert len(found.checks) > 20 and all(check.holds for check in found.checks)
    assert {"study_before", "study_after", "exact", "segments", "bands_free"} <= {check.name for check in found.checks}
    old, new = (rm.rate(made.book, plan, lang="en", trace=False) for plan in (found.current, found.new))
    assert found.moved.totals["premium_before_fen"] == old.premium_fen
    assert found.moved.totals["premium_after_fen"] == new.premium_fen
    step = found.new.step("base_rate")
    codes = {name: new.level_codes(name) for name in ("sector", "size_class")}
    counted = policies_by_row(found.moved.after, step)
    for at, row in enumerate(found.new.tables["base_rate"].rows):
        mine = new.verdict.status < 2
        for name, key in zip(("sector", "size_class"), row.keys):
            mine = mine & (codes[name] == found.new.columns[name].codes().index(key))
        assert counted[at] == mine.sum()


def test_without_caps_nothing_is_held(found):
    loose = rm.rate(found.moved.after.book, uncapped(found.new), lang="en")
    assert np.array_equal(loose.outputs.steps["renewal_cap"], loose.outputs.steps["annual_premium"], equal_nan=True)
    assert found.free.after.premium_fen == loose.premium_fen != found.moved.after.premium_fen


def test_every_changed_number_stands_there_with_its_source(found, html):
    cells = [change for change in found.changes if change.kind == "tables"]
    assert cells and all(change.source.startswith("study_") for change in cells)
    assert all(change.path in html for change in found.changes)


def test_a_filing_that_does_not_add_up_says_so_first(found, no_pictures):
    wrong = (*found.checks, Check("moves", {}, 1, 2))
    broken = replace(found)
    broken.__dict__["checks"] = wrong
    said = filing_html(broken, "en")
    assert "FAIL" in said[: said.index('id="en-changes"')] and 'class="bad"' in said


def test_a_study_of_another_edition_is_refused(made, found):
    new, current = load_plan(made.edition), load_plan(CURRENT)
    path = next(change.path for change in found.changes if change.kind == "tables")
    for plan, other, code in (
        (new.replace({path: "0.123"}), current, "RM874"),
        (new, load_plan("jilin-spli/2020-11"), "RM873"),
    ):
        with pytest.raises(ModelError) as caught:
            filing(made.book, plan, other, study=made.study)
        assert caught.value.problems[0].code == code
    with pytest.raises(ModelError) as caught:
        filing(made.book, new, current, study=made.book.parent / "nowhere")
    assert caught.value.problems[0].code == "RM872"


def test_an_edition_without_study_or_caps_is_filed_honestly():
    plan = load_plan("shandong-construction")
    from tests.exhibits.test_live_workbook import case_book

    name = next(iter(plan.tables))
    path = next(iter(change for change in module.changes_between(plan, plan.replace(_raised(plan, name)))))
    made = filing(case_book(plan), plan.replace(_raised(plan, name)), plan)
    assert made.free is None and made.study is None and path.ratio == pytest.approx(0.1)
    said = filing_html(made, "en")
    assert "No rate study came with this edition" in said and "Neither edition caps" in said


def _raised(plan, name):
    from ratemod.plan.edit import row_path

    row = plan.tables[name].rows[0]
    return {row_path(plan.tables[name], row): str(row.values[0] * 11 / 10)}


def test_the_last_level_of_a_waterfall_is_the_premium(found):
    rated = found.moved.after
    for at in np.flatnonzero(rated.verdict.status < 2)[:60].tolist():
        labels, levels = premium_levels(rated.explain(at), "en")
        assert round(levels[-1] * 100) == rated.outputs.premium_fen[at]
        assert len(labels) == len(levels) == len(set(labels))


def notes_page(said, level):
    return card(Document(lang="en", title="", head=notes_blocks(said, level)))


def test_notes_know_a_few_shapes_and_nothing_else():
    said = notes_page("# T\n\ntext\nmore\n- a\n  b\n- c\n\n### deep\n\n| x | n |\n|---|---|\n| <i> | 1 |\n\n1. one", 3)
    assert "<h3>T</h3>" in said and "<h4>deep</h4>" in said and "<li>a b</li>" in said
    assert "&lt;i&gt;" in said and "<p>text more</p>" in said and "<ol><li>one</li></ol>" in said


def test_pages_escape_every_text():
    body = (table(HOSTILE, [HOSTILE, "n"], [[HOSTILE, "1"]], [False, True]), Paragraph(Span(HOSTILE, "code")))
    sections = (Section("s", HOSTILE, body), Section("t", HOSTILE, ()))
    said = page([Document(lang="en", title=HOSTILE, sections=sections)], "en")
    assert "<script" not in said and said.count("&lt;script&gt;") >= 6


def test_a_browser_shows_it_without_complaint(html, tmp_path):
    path = tmp_path / "filing.html"
    path.write_text(html, encoding="utf-8")
    window = browser()
    try:
        window.get(path.as_uri())
        assert not window.get_log("browser")
        shown = [item.text for item in window.find_elements("css selector", "h1, h2") if item.is_displayed()]
        assert any("变更内容及理由" in said for said in shown) and not any("What changed" in said for said in shown)
        assert "矿山" in window.find_element("id", "zh").text
        window.find_element("css selector", "label[for=to-en]").click()
        shown = [item.text for item in window.find_elements("css selector", "h2") if item.is_displayed()]
        assert any("What changed and why" in said for said in shown) and not any("变更" in said for said in shown)
        assert window.execute_script(CONTRAST) == []
        drawn = window.execute_script("return [...document.images].every(i => i.complete && i.naturalWidth > 100)")
        assert drawn is True
    finally:
        window.quit()


# WCAG 2.1, 1.4.3: text against its background at least 4.5 : 1.
CONTRAST = """
const light = c => { const v = c.match(/[\\d.]+/g).slice(0, 3).map(x => x / 255)
  .map(x => x <= 0.03928 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4);
  return 0.2126 * v[0] + 0.7152 * v[1] + 0.0722 * v[2]; };
const behind = e => { for (; e; e = e.parentElement) { const b = getComputedStyle(e).backgroundColor;
  if (!/rgba\\(0, 0, 0, 0\\)|transparent/.test(b)) return b; } return "rgb(255, 255, 255)"; };
const bad = [];
for (const e of document.querySelectorAll("h1,h2,h3,p,th,td,caption,a,label,figcaption,code,dt,dd,li,span")) {
  if (!e.offsetParent || !e.textContent.trim()) continue;
  const a = light(getComputedStyle(e).color), b = light(behind(e));
  if ((Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05) < 4.5) bad.push(e.outerHTML.slice(0, 80));
}
return bad.slice(0, 5);
"""


@pytest.mark.skipif(shutil.which("chromium") is None, reason="no chromium to print with")
def test_the_pdf_is_the_same_bytes_and_holds_chinese(found, tmp_path):
    small = page([Document(lang="zh", title="示例", head=(Paragraph("变更内容 A"),))], "zh")
    assert pdf_of(small) == pdf_of(small)
    one = write_filing(found, tmp_path / "a.pdf", "zh").read_bytes()
    assert one[:5] == b"%PDF-" and b"/StructTreeRoot" in one
    if shutil.which("pdftotext"):
        said = subprocess.run(
            ["pdftotext", str(tmp_path / "a.pdf"), "-"], capture_output=True, check=True
        ).stdout.decode()
        assert "变更内容及理由" in said and "示例费率" in said and "What changed and why" not in said


def test_without_a_browser_the_pdf_is_refused(monkeypatch):
    monkeypatch.setenv("RATEMOD_BROWSER", "no-such-browser")
    with pytest.raises(BookError) as caught:
        pdf_of("<p>")
    assert caught.value.problems[0].code == "RM870"
    monkeypatch.setenv("RATEMOD_BROWSER", "false")
    with pytest.raises(BookError) as caught:
        pdf_of("<p>")
    assert caught.value.problems[0].code == "RM871"


def test_the_command(made, tmp_path, capsys, no_pictures):
    out = tmp_path / "filing.html"
    words = ["report", "filing", str(made.book), "--plan", str(made.edition), "--against", CURRENT]
    words += ["--business", "renewal", "-o", str(out), "--lang", "en"]
    assert main(words) == 3  # some rows of this list have no premium
    said = capsys.readouterr().out
    assert "reconciliations hold" in said and str(out) in said
    assert out.read_text(encoding="utf-8").startswith('<!doctype html>\n<html lang="en">')
    assert main([*words[:-3], str(tmp_path / "x.docx"), "--lang", "en"]) == 1
    assert ".pdf" in capsys.readouterr().err
    assert not Path(tmp_path / "x.docx").exists()
