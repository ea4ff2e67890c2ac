"""Every kind of page in a real browser, held to the rules of axe-core: no violation, in either language."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
import pytest
from tests.exhibits.browser import browser

import ratemod as rm
from ratemod.cli import main

PLAN = "jilin-spli/2025-04"
LISTS = {
    "triangle.csv": "origin,12,24,36,48\n1,100,150,165,170\n2,110,168,180,\n3,90,130,,\n4,95,,,\n",
    "risks.csv": "firm,period,value,weight\na,1,1,5\na,2,3,5\nb,1,5,9\nb,2,4,8\n",
    "losses.csv": "loss_yuan\n" + "\n".join(str(7 * one * one + 3) for one in range(1, 40)) + "\n",
    "model.csv": "sector,heads,claims\nmine,10,4\nshop,20,3\nmine,12,3\nshop,30,5\n",
}
# The rows of a table are alike: what every page shows twenty of is judged as well as what it shows a thousand of.
SHORT = "document.querySelectorAll('tbody').forEach(body => { while (body.rows.length > 20) body.deleteRow(-1) })"
PAGES = """
quote {b} --plan PLAN --only {key} -o {o}/quote.html
explain {b} {key} --plan PLAN -o {o}/explain.html
what-if {b} --plan PLAN --grid steps.minimum_premium.low=300,400 --panel {o}/panel.html
second-opinion {theirs} --plan PLAN --premium theirs -o {o}/second-opinion.html
severity {losses.csv} --families lognormal,exponential -o {o}/severity.html
triangle {triangle.csv} -o {o}/triangle.html
credibility {risks.csv} -o {o}/credibility.html
model {model.csv} --target claims --weight heads --factors sector -o {o}/model.html
registers authority-report {b} --plan PLAN --hazards {p}/hazards.parquet -o {o}/refusals.html
"""
# These hold every kind of block in both languages, or are made by what makes the others: once is enough.
PAPERS = """
report filing {b} --plan PLAN --against jilin-spli/2020-11 -o {o}/filing.html
report year {p} --year 2025 -o {o}/year
"""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("pages")
    province = folder / "province"
    rm.synthesize(enterprises=120, years=3, seed=5, first_year=2023, out=province)
    book = pq.read_table(province / "renewals.parquet").to_pandas()
    rated = rm.rate(province / "renewals.parquet", rm.load_plan(PLAN)).table
    book.assign(theirs=rated["premium_fen"].to_pandas() / 100 + 1).to_csv(folder / "theirs.csv", index=False)
    for name, said in LISTS.items():
        (folder / name).write_text(said, encoding="utf-8")
    return {
        **{name: str(folder / name) for name in LISTS},
        "p": str(province),
        "b": str(province / "renewals.parquet"),
        "key": book["policy_no"][0],
        "theirs": str(folder / "theirs.csv"),
    }


@pytest.mark.usefixtures("no_pictures")
@pytest.mark.parametrize("lang, lines", [("en", PAGES), ("zh", PAGES + PAPERS)], ids=["en", "zh"])
def test_no_page_breaks_a_rule_of_accessibility(lang: str, lines: str, world: dict[str, str], tmp_path: Path) -> None:
    held = pytest.importorskip("axe_core_python", reason="axe-core-python is not installed")
    rules = (Path(held.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
    window = browser()
    window.set_script_timeout(600)
    for line in filter(None, lines.splitlines()):
        words = line.replace("PLAN", PLAN).replace("{o}", str(tmp_path))
        for name, value in world.items():
            words = words.replace(f"{{{name}}}", value)
        assert main([*words.split(), "--lang", lang]) in (0, 3), line
    pages = sorted(tmp_path.rglob("*.html"))
    several = [page for page in pages if page.parent.name == "evaluation"]  # of one insurer as of all
    pages = [page for page in pages if page not in several[1:]]
    assert len(pages) > (15 if lines != PAGES else 8)
    broken = []
    try:
        for page in pages:
            window.get(page.as_uri())
            window.execute_script(SHORT)
            window.execute_script(rules)
            found = window.execute_async_script(
                "axe.run({resultTypes: ['violations']}).then(arguments[arguments.length - 1])"
            )
            broken += [(str(page.relative_to(tmp_path)), one["id"], one["nodes"][0]["html"][:200])
                       for one in found["violations"]]  # fmt: skip
    finally:
        window.quit()
    assert not broken
