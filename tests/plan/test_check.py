"""Every kind of mistake in a plan is found, with its file, line and code, and all at once."""

from __future__ import annotations

import csv
import json
from datetime import date
from decimal import Decimal

import pytest

from ratemod.errors import PlanError
from ratemod.plan.check import problems_of, proofs
from ratemod.plan.edit import differences, paths
from ratemod.plan.editions import load_folder, load_plan
from ratemod.plan.files import read_plan
from ratemod.plan.schema import schema, schema_text
from ratemod.rating.cases import check_plan
from tests.plan import small_plan
from tests.plan.small_plan import CASES, PLAN, RATE, SCALE


def found(tmp_path, **parts):
    return check_plan(small_plan.write(tmp_path, **parts)).problems


def test_the_small_plan_is_right(tmp_path):
    report = check_plan(small_plan.write(tmp_path))
    assert report.problems == () and report.passed == 2
    assert {proof.name: proof.proved for proof in report.proofs} == {"float_range": True, "fund_floor": True}


MISTAKES = [
    ("RM101", {"plan": PLAN.replace('status = "draft"', 'status = "draft"\nstanding_ = "x"')}),
    ("RM101", {"plan": PLAN.replace("[constant.share]", "[constnt.share]")}),
    ("RM102", {"plan": PLAN.replace('title_zh = "小方案"\n', "")}),
    ("RM103", {"plan": PLAN.replace("new_from = 2026-01-01", 'new_from = "soon"')}),
    ("RM104", {"plan": PLAN.replace('standing = "example"', 'standing = "exampel"')}),
    ("RM104", {"plan": PLAN.replace('op = "bound"', 'op = "bond"')}),
    (
        "RM106",
        {
            "plan": PLAN + '[[rule]]\nname = "r"\nwhen = { of = "heads" }\naction = "refer"\nmessage_en = "x"\n'
            'message_zh = "x"\nsource = "own"\n'
        },
    ),
    ("RM107", {"plan": PLAN + "\n[broken"}),
    ("RM108", {"plan": PLAN.replace('edition = "1"', 'edition = "2"')}),
    ("RM109", {"plan": PLAN.replace('warning_zh = "示例。"\n', "")}),
    ("RM110", {"plan": PLAN.replace('premium = "premium"', 'premium = "premum"')}),
    ("RM151", {"plan": PLAN.replace('premium = "premium"', 'premium = "raw"')}),
    ("RM111", {"plan": PLAN.replace('name = "float"', 'name = "heads"')}),
    ("RM112", {"plan": PLAN.replace('name = "rate"', 'name = "the rate"')}),
    ("RM113", {"plan": PLAN.replace('"float", "0.001"', '"flaot", "0.001"')}),
    ("RM114", {"plan": PLAN.replace('of = "scale"', 'of = "raw"')}),
    ("RM361", {"plan": PLAN.replace('"limit_yuan", "heads"', '"limit_yuan", "sector"')}),
    ("RM117", {"plan": PLAN.replace('high = "1.3"\nsource = "own"', 'high = "1.3"\nsource = "onw"')}),
    ("RM118", {"plan": PLAN.replace('high = "1.2"\nsource = "own"', 'high = "1.2"')}),
    ("RM130", {"rate": RATE.replace("mining", "minning")}),
    ("RM132", {"rate": RATE.replace("2.5", "2,5").replace("mining,2,5", 'mining,"2,5"')}),
    ("RM124", {"rate": "sector,value\nmining,2.5\ntransport,1.2\n"}),
    ("RM126", {"rate": RATE.replace("2.5,own", "2.5")}),
    ("RM133", {"rate": RATE + "mining,2.6,own\n"}),
    ("RM133", {"scale": SCALE.replace("1000,,0.75", "900,,0.75")}),
    ("RM134", {"scale": SCALE.replace("1000,,0.75", "1001,,0.75")}),
    ("RM128", {"scale": SCALE.replace("100,1000,0.9", "1000,100,0.9")}),
    ("RM135", {"plan": PLAN.replace('table = "scale"', 'table = "rate"')}),
    ("RM136", {"rate": RATE.replace("2.5", "")}),
    ("RM137", {"plan": PLAN + '[table.rate]\nmax = "2"\n'}),
    ("RM017", {"plan": PLAN + '[table.rate]\nfile = "tables/rates.csv"\n'}),
    ("RM139", {"plan": PLAN.replace("min = 1\nmax = 100000\n", "")}),
    ("RM140", {"plan": PLAN + '[column.x]\nkind = "level"\n'}),
    ("RM141", {"plan": PLAN.replace('unit = "persons"', 'unit = "persons"\ndefault = "1"')}),
    ("RM142", {"plan": PLAN.replace('label_zh = "行业"', 'label_zh = "行业"\nderive = "magic"')}),
    ("RM143", {"plan": PLAN.replace('table = "scale"', 'table = "scale"\nwhen = { of = "heads", above = 5 }')}),
    ("RM144", {"plan": PLAN.replace('label_zh = "每人限额"', 'label_zh = "投保人数"')}),
    ("RM145", {"plan": PLAN.replace('label_zh = "交通运输"', 'label_zh = "矿山"')}),
    ("RM146", {"plan": PLAN.replace('value = "0.10"', 'value = "0.05"')}),
    ("RM148", {"plan": PLAN.replace('status = "draft"', 'status = "active"')}),
    ("RM149", {"plan": PLAN.replace("key = ", "until = 2025-01-01\nkey = ")}),
    ("RM153", {"plan": PLAN.replace('low = "0.10"\n', "")}),
    ("RM155", {"plan": PLAN + '[column.x]\nkind = "number"\nmin = 0\nmax = 1\n'}),
    ("RM159", {"plan": PLAN.replace('table = "scale"', 'table = "scales"')}),
    ("RM161", {"plan": PLAN.replace('low = "0.7"\nhigh = "1.3"', 'low = "1.3"')}),
    ("RM119", {"rate": RATE.replace("sector", "sectr")}),
    ("RM190", {"cases": CASES.replace("10000.00", "10000.01")}),
    ("RM191", {"cases": CASES.replace("rate =", "rates =")}),
]


@pytest.mark.parametrize(("code", "parts"), MISTAKES, ids=[f"{code}-{at}" for at, (code, _) in enumerate(MISTAKES)])
def test_each_mistake_is_found_with_its_place(tmp_path, code, parts):
    if code == "RM148":
        (small_plan.write(tmp_path, **parts) / "plan.lock").write_text("000000000000")
        problems = check_plan(tmp_path / "small" / "1").problems
    else:
        problems = found(tmp_path, **parts)
    assert code in {item.code for item in problems}
    item = next(item for item in problems if item.code == code)
    assert item.file and (item.row or code in ("RM107", "RM017", "RM134", "RM135", "RM137"))
    for lang in ("en", "zh"):
        assert code in item.line(lang) and "{" not in item.what(lang)


def test_all_mistakes_come_at_once(tmp_path):
    plan = PLAN.replace('"float", "0.001"', '"flaot", "0.001"').replace("min = 1\nmax = 100000\n", "")
    codes = [item.code for item in found(tmp_path, plan=plan, rate=RATE + "mining,2.6,onw\n")]
    assert {"RM113", "RM139", "RM133", "RM117"} <= set(codes)


def test_the_line_is_the_line_of_the_mistake(tmp_path):
    plan = PLAN.replace('standing = "example"', 'standing = "exampel"')
    item = found(tmp_path, plan=plan)[0]
    assert plan.splitlines()[item.row - 1] == 'standing = "exampel"'
    item = found(tmp_path / "b", rate=RATE.replace("transport", "transprt"))[0]
    assert item.row == 3 and item.args["nearest"] == "transport"


def test_an_active_edition_needs_its_lock(tmp_path):
    folder = small_plan.write(tmp_path, plan=PLAN.replace('status = "draft"', 'status = "active"'))
    first = check_plan(folder).problems
    assert [item.code for item in first] == ["RM160"]
    (folder / "plan.lock").write_text(first[0].args["fingerprint"] + "\n")
    assert check_plan(folder).problems == ()


def test_editions_are_chosen_by_date_for_new_business_and_renewals_apart(tmp_path):
    small_plan.write(tmp_path)
    later = PLAN.replace('edition = "1"', 'edition = "2"').replace("2026-01-01", "2027-01-01")
    later = later.replace("2026-03-01", "2027-03-01")
    second = tmp_path / "small" / "2"
    small_plan.write(tmp_path / "x", plan=later).rename(second)
    scheme = tmp_path / "small"
    assert load_plan(scheme, at="2026-12-31").edition == "1"
    assert load_plan(scheme, at=date(2027, 1, 1)).edition == "2"
    assert load_plan(scheme, at="2027-02-01", business="renewal").edition == "1"
    assert load_plan(scheme, at="2027-03-01", business="renewal").edition == "2"
    for code, at in (("RM171", None), ("RM172", "2025-01-01")):
        with pytest.raises(PlanError) as error:
            load_plan(scheme, at=at)
        assert error.value.problems[0].code == code


def test_replace_changes_one_number_and_the_fingerprint(tmp_path):
    plan = load_folder(small_plan.write(tmp_path))
    new = plan.replace(
        {
            "tables.rate[mining].value": "3",
            "constants.share": "0.12",
            "steps.float.high": Decimal("1.25"),
            "tables.scale[100..1000].value": 0.85,
        }
    )
    assert plan.tables["rate"].column("value")[0] == Decimal("2.5")
    assert new.tables["rate"].column("value")[0] == 3 and new.constants["share"].value == Decimal("0.12")
    assert new.fingerprint != plan.fingerprint and "+" in new.id
    lines = differences(plan, new)
    assert len(lines) == 4 and any("2.5 → 3" in line for line in lines)
    assert (
        new.replace(
            {
                "tables.rate[mining].value": "2.5",
                "constants.share": "0.1",
                "steps.float.high": "1.2",
                "tables.scale[100..1000].value": "0.9",
            }
        ).fingerprint
        == plan.fingerprint
    )


@pytest.mark.parametrize(
    ("path", "value", "code"),
    [
        ("tables.rate[minning].value", "3", "RM180"),
        ("tables.rates[mining].value", "3", "RM180"),
        ("constants.shar", "3", "RM180"),
        ("steps.float.hi", "3", "RM180"),
        ("nonsense", "1", "RM180"),
        ("tables.rate[mining].value", "three", "RM181"),
        ("constants.share", "0.05", "RM184"),
        ("legal.float_range.high", "9", "RM183"),
        ("tables.rate[mining].value", float("nan"), "RM181"),
    ],
)
def test_an_edit_that_names_nothing_or_breaks_the_law_is_refused(tmp_path, path, value, code):
    plan = load_folder(small_plan.write(tmp_path))
    with pytest.raises(PlanError) as error:
        plan.replace({path: value})
    assert error.value.problems[0].code == code


def test_every_path_offered_can_be_edited(tmp_path):
    plan = load_folder(small_plan.write(tmp_path))
    listed = [path for path in paths(plan) if not path.startswith("constants.")]
    assert len(listed) == 5 + 3 + 1
    for path in listed:
        assert plan.replace({path: "0.95"}).fingerprint != plan.fingerprint


def test_the_fingerprint_does_not_depend_on_row_order_or_labels(tmp_path):
    one = load_folder(small_plan.write(tmp_path / "a"))
    rows = RATE.splitlines()
    two = load_folder(small_plan.write(tmp_path / "b", rate="\n".join([rows[0], rows[2], rows[1]]) + "\n"))
    assert one.fingerprint == two.fingerprint


def test_a_legal_range_is_proved_only_where_the_tables_prove_it(tmp_path):
    plan = PLAN.replace('of = "float"\nlow = "0.7"', 'of = "scale"\nlow = "0.8"')
    read, problems = read_plan(small_plan.write(tmp_path, plan=plan))
    assert not problems and not problems_of(read)
    assert {proof.name: proof.proved for proof in proofs(read)} == {"float_range": False, "fund_floor": True}


def test_the_schema_is_generated_from_the_same_keys_as_the_reader():
    found_schema = schema()
    ops = {item["properties"]["op"]["const"] for item in found_schema["properties"]["step"]["items"]["oneOf"]}
    assert {"lookup", "bound", "share_out", "experience"} <= ops
    assert json.loads(schema_text()) == found_schema and schema_text() == schema_text()


def test_what_the_reader_leaves_out_hides_nothing_else_and_is_not_blamed(tmp_path):
    """A slip in one key must not hide the slips elsewhere, nor bring forth others."""
    plan = (
        PLAN.replace('standing = "example"', 'standing = "exampel"')
        .replace('op = "bound"', 'op = "bond"')  # the step is left out; what reads it is not at fault
        .replace("[constant.share]", "[constnt.share]")  # likewise
        .replace('"limit_yuan", "heads"', '"limit_yuan", "haeds"')
        + '[[rule]]\nname = "r"\nwhen = { of = "sector", is = "minning" }\naction = "refer"\nmessage_en = "x"\n'
        'message_zh = "x"\nsource = "onw"\n'
    )
    report = check_plan(small_plan.write(tmp_path, plan=plan, rate=RATE.replace("mining", "minning")))
    found = [(problem.code, problem.args.get("name") or problem.args.get("value")) for problem in report.problems]
    assert sorted(found) == sorted(
        [
            ("RM101", None), ("RM104", "exampel"), ("RM104", "bond"), ("RM113", "haeds"), ("RM117", "onw"),
            ("RM130", "minning"), ("RM130", "minning"),
        ]
    )  # fmt: skip
    rule = plan.split("\n").index("[[rule]]") + 1
    assert {problem.row for problem in report.problems if problem.code == "RM117"} == {rule}


@pytest.mark.parametrize("wanted", ["NaN", "1_0000.00", "1e-3000000", "ten thousand"])
def test_a_case_that_expects_no_number_fails_and_says_what_was_found(tmp_path, wanted):
    cases = CASES.replace('premium = "10000.00"', f'premium = "{wanted}"')
    (told,) = check_plan(small_plan.write(tmp_path, cases=cases)).problems
    assert (told.code, told.args["wanted"], told.args["found"]) == ("RM190", wanted, "10000.0")


def test_a_plan_is_named_by_its_folder_its_file_or_its_scheme(tmp_path):
    made = small_plan.write(tmp_path)
    names = (made, str(made), made / "plan.toml", str(made / "plan.toml"), made.parent)
    assert len({load_plan(name).id for name in names}) == 1
    assert check_plan(made / "plan.toml").passed == 2


def test_more_levels_than_a_column_may_have_are_refused_and_as_many_as_it_may_are_not(monkeypatch):
    """More than 16 bits tell apart are fine; the limit, here a smaller one, is what memory bears."""
    monkeypatch.setattr("ratemod.plan.check.MOST_LEVELS", 2**15)
    from dataclasses import replace

    from ratemod.vocabulary.column import Level
    from tests.rating import random_plans
    from tests.rating.steps import step_of

    plan = random_plans.plan_of((step_of("premium", "round", of=("limit_yuan",), unit=Decimal("0.01")),))
    for count, refused in ((2**15, False), (2**15 + 1, True)):
        sector = replace(plan.columns["sector"], levels=tuple(Level(f"C{at}") for at in range(count)))
        found = problems_of(replace(plan, columns={**plan.columns, "sector": sector}))
        assert ("RM376" in {item.code for item in found}) == refused


@pytest.mark.parametrize("most, refused", [(2**53 - 1, False), (2**53, True), (-(2**53), True), (-(2**53) + 1, False)])
@pytest.mark.parametrize("places", [0, 2])
def test_numbers_that_a_float_does_not_hold_are_no_range(tmp_path, most, refused, places):
    """Every whole number below 2^53 is a float, and 2^53 + 1 is none."""
    ends = sorted([Decimal(most).scaleb(-places), Decimal(0)])
    own = f'[column.x]\nkind = "number"\ndecimals = {places}\nmin = "{ends[0]}"\nmax = "{ends[1]}"\n'
    read = '[[step]]\nname = "seen"\nop = "sum"\nof = ["x", "share"]\nsource = "own"\n[[step]]\nname = "rate"'
    plan = PLAN.replace('[[step]]\nname = "rate"', own + read, 1)
    assert ("RM157" in {item.code for item in found(tmp_path, plan=plan)}) == refused


def test_a_table_that_two_steps_read_alike_is_told_once(tmp_path):
    again = '[[step]]\nname = "again"\nop = "lookup"\ntable = "rate"\n[[step]]\nname = "raw"'
    plan = PLAN.replace('[[step]]\nname = "raw"', again).replace('"float", "0.001"', '"float", "again", "0.001"')
    problems = found(tmp_path, plan=plan, rate=RATE + "mining,2.6,own\n")
    assert [(item.code, item.row) for item in problems] == [("RM133", 4)]


def test_a_cell_too_long_for_a_table_is_told_with_its_file(tmp_path, request):
    before = csv.field_size_limit(131_072)  # one of the whole process, which other libraries raise
    request.addfinalizer(lambda: csv.field_size_limit(before))
    problems = found(tmp_path, rate=RATE.replace("2.5", "2" * 140_000))
    assert "RM121" in {item.code for item in problems}


@pytest.mark.parametrize("edge, gap", [("101", True), ("100", False)])
def test_a_gap_between_bands_that_no_permitted_value_reaches_is_none(tmp_path, edge, gap):
    """Heads lie in 1..100000: what no head count falls into needs no rate, and 100 itself does."""
    scale = SCALE.replace("100,1000,0.9", f"{edge},1000,0.9")
    assert ("RM134" in {item.code for item in found(tmp_path, scale=scale)}) == gap
    narrow = PLAN.replace("min = 1\nmax = 100000\n", "min = 101\nmax = 100000\n")
    assert "RM134" not in {item.code for item in found(tmp_path / "b", plan=narrow, scale=scale)}


@pytest.mark.parametrize("least, gap", [(99, True), (100, False)])
@pytest.mark.parametrize("names", [("heads_from", "heads_below"), ("heads_above", "heads_to")])
def test_the_ends_of_a_column_ask_for_the_bands_they_fall_into(tmp_path, least, gap, names):
    """A band from 100 answers 100; one above 100 does not, and one up to 99 would."""
    bands = "100,1000,0.9,own\n1000,,0.75,own\n"
    scale = f"{names[0]},{names[1]},value,source\n" + bands
    plan = PLAN.replace("min = 1\nmax = 100000\n", f"min = {least}\nmax = 100000\n")
    wanted = gap or names[0] == "heads_above"
    assert ("RM134" in {item.code for item in found(tmp_path, plan=plan, scale=scale)}) == wanted
    most = PLAN.replace("min = 1\nmax = 100000\n", f"min = 1\nmax = {1000 if gap else 999}\n")
    top = f"{names[0]},{names[1]},value,source\n,100,1,own\n100,1000,0.9,own\n"
    wanted = gap and names[0] == "heads_from"
    assert ("RM134" in {item.code for item in found(tmp_path / "b", plan=most, scale=top)}) == wanted


def test_of_a_table_whose_axes_are_wrong_nothing_else_is_said(tmp_path):
    scale = SCALE.replace("heads_", "headz_").replace("1000,,0.75", "900,,0.75")
    assert [item.code for item in found(tmp_path, scale=scale)] == ["RM119"]
