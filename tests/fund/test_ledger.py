"""The ledger: a fund by hand through three years' ends, papers of any order, and every rule of use broken once."""

from __future__ import annotations

import datetime
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ratemod.errors import BookError, ModelError, PlanError
from ratemod.fund.fund_document import coded
from ratemod.fund.journal import ACCRUAL, BANK, FORFEITED, FUND, read_journal
from ratemod.fund.ledger import fund_ledger
from ratemod.fund.ledger_sql import ask, views
from ratemod.fund.levy import levy
from ratemod.fund.levy_rule import LevyRule
from ratemod.fund.use_rule import CHECKS, Closing, UseRules, read_use_rules

RULE = [LevyRule("all", Decimal("0.10"), Decimal("0.10"))]
D = datetime.date
LAST = D(2025, 12, 31)


def books(premiums: dict[str, tuple[str, D, int]]) -> pa.Table:
    return pa.table(
        {
            "policy_no": list(premiums),
            "insurer": [one[0] for one in premiums.values()],
            "sector": ["mining"] * len(premiums),
            "size_class": ["small"] * len(premiums),
            "division_code": ["220100"] * len(premiums),
            "credit_code": [f"C-{name}" for name in premiums],
            "start_date": [one[1] for one in premiums.values()],
            "premium_fen": [one[2] for one in premiums.values()],
        }
    )


def services(rows: list[tuple[str, str, str, D, D | None, int]], provider: str = "p1") -> pa.Table:
    return pa.table(
        {
            "service_no": [row[0] for row in rows],
            "policy_no": [row[1] for row in rows],
            "insurer": [row[2] for row in rows],
            "service_type": ["hazard_inspection"] * len(rows),
            "provider": [provider] * len(rows),
            "planned_date": [row[3] for row in rows],
            "delivered_date": pa.array([row[4] for row in rows], pa.date32()),
            "cost_fen": [row[5] for row in rows],
        }
    )


def payments(rows: list[tuple], **more: list) -> pa.Table:
    return pa.table(
        {
            "payment_no": [f"N{at}" for at in range(len(rows))],
            "insurer": [row[0] for row in rows],
            "date": [row[1] for row in rows],
            "service_no": pa.array([row[2] for row in rows], pa.string()),
            "amount_fen": [row[3] for row in rows],
        }
        | more
    )


POLICIES = books({"A": ("x", D(2023, 3, 1), 10_000_000), "B": ("x", D(2024, 3, 1), 3_000_000)})
SERVICES = services(
    [
        ("S1", "A", "x", D(2023, 5, 1), D(2023, 5, 9), 300_000),
        ("S2", "A", "x", D(2023, 12, 20), D(2024, 1, 8), 450_000),  # its contract is carried
        ("S3", "A", "x", D(2023, 6, 1), None, 0),  # its contract lapses
        ("S4", "B", "x", D(2025, 6, 1), D(2025, 6, 2), 900_000),
    ]
)
PAID = payments(
    [
        ("x", D(2023, 5, 20), "S1", 300_000),
        ("x", D(2024, 2, 1), "S2", 450_000),
        ("x", D(2025, 7, 1), "S4", 900_000),
    ]
)


def made(as_of: D = LAST, rules=None, policies=POLICIES, done=SERVICES, paid=PAID, **more):
    return fund_ledger(levy(policies, RULE, as_of=as_of), policies, done, paid, as_of, rules=rules, **more)


def test_three_years_by_hand():
    found = made()
    assert found.reconcile() > 10
    rows = {row["fund_year"]: row for row in found.statement_table().to_pylist()}
    want = {
        # year: opening, accrued, used, closing, budget, lapsed, beyond
        2023: (0, 1_000_000, 300_000, 700_000, 1_000_000, 430_000, 0),
        2024: (700_000, 300_000, 450_000, 550_000, 1_000_000, 0, 0),
        2025: (550_000, 0, 900_000, -350_000, 550_000, 0, 350_000),
    }
    names = ("opening_fen", "accrued_fen", "used_fen", "closing_fen", "budget_fen", "lapsed_fen", "beyond_fen")
    assert {year: tuple(row[name] for name in names) for year, row in rows.items()} == want
    assert [row["rule"] for row in found.flags.to_pylist()] == ["within_budget"]
    (flag,) = found.flags.to_pylist()
    assert (flag["payment_no"], flag["other"], flag["apart_fen"]) == ("N2", "5,500.00", 350_000)


def test_old_money_is_forfeited_where_a_rule_says_so():
    shipped = read_use_rules()
    found = made(rules=UseRules(shipped.uses, Closing(90, 1)))
    assert found.reconcile() > 10
    state = {row["fund_year"]: row for row in found.statement_table().to_pylist()}
    # 2024: 450,000 is taken of the 700,000 of 2023; the other 250,000 is two years' ends old and goes.
    assert [state[year]["forfeited_fen"] for year in (2023, 2024, 2025)] == [0, 250_000, 0]
    assert state[2025]["opening_fen"] == 300_000


def test_before_a_year_ends_nothing_is_closed():
    found = made(D(2024, 12, 30))
    assert found.reconcile() > 10
    kinds = found.frame().groupby(["kind", "fund_year"], observed=True).size()
    assert ("carry_over", 2025) not in kinds.index
    assert found.years == (2023, 2024)


def test_budgets_and_contracts_as_given():
    budgets = pa.table({"insurer": ["x", "x"], "fund_year": [2023, 2025], "amount_fen": [250_000, 900_000]})
    contracts = pa.table({"service_no": ["S1", "S3"], "amount_fen": [310_000, 222_222]})
    found = made(budgets=budgets, contracts=contracts)
    assert found.reconcile() > 10
    state = found.statement().set_index("fund_year")
    # Of 2024 no budget is known: it is not 0, and what was paid is held against nothing, which is said.
    assert state["budget_fen"].fillna(-1).tolist() == [250_000, -1, 900_000]
    assert state["beyond_fen"].fillna(-1).tolist() == [50_000, -1, 0]
    assert [(item.code, item.args["year"], item.args["yuan"]) for item in found.refused] == [
        ("RM964", 2024, "4,500.00")
    ]
    assert state.loc[2023, "contracted_fen"] == 310_000 + 222_222 + 430_000  # S2 at the catalogue's price
    assert state.loc[2023, "lapsed_fen"] == 222_222
    assert [row["payment_no"] for row in found.flags.to_pylist() if row["rule"] == "within_budget"] == ["N0"]
    # A contract of no service, and one of nothing, are set aside by name; S1 is bound at the catalogue's price.
    odd = made(contracts=pa.table({"service_no": ["S9", "S1"], "amount_fen": [1, 0]}))
    assert [item.code for item in odd.refused] == ["RM724", "RM396"]
    assert odd.statement_table()["contracted_fen"].equals(made().statement_table()["contracted_fen"])


def test_a_budget_is_held_to_the_cap_of_the_premium_of_its_year():
    # 21 % of 100,000.00 yuan, the premium of A in 2023, is 21,000.00: a fen more is said, with the insurer and the year
    capped = [LevyRule("capped", Decimal("0.10"), Decimal("0.10"), Decimal("0.21"))]
    levied = levy(POLICIES, capped, as_of=LAST)
    for more, codes in ((0, []), (1, ["RM757"])):
        budget = pa.table({"insurer": ["x"], "fund_year": [2023], "amount_fen": [2_100_000 + more]})
        found = fund_ledger(levied, POLICIES, SERVICES, PAID, LAST, budgets=budget)
        assert [item.code for item in found.refused if item.code != "RM964"] == codes


def test_years_are_those_of_all_papers():
    # Planned in 2023, delivered on the last day of 2022: used in 2022, and a deficit is carried into 2023.
    early = services([("S1", "A", "x", D(2023, 1, 5), D(2022, 12, 31), 300_000)])
    found = made(done=early, paid=PAID.slice(0, 1))
    assert found.reconcile() > 10
    state = found.statement().set_index("fund_year")
    assert state["used_fen"].to_dict() == {2022: 300_000, 2023: 0, 2024: 0, 2025: 0}
    assert state.loc[2023, "opening_fen"] == -300_000


def test_instalments_and_what_was_paid_back_add_up():
    # 100 + 100 + 100 (equal, of one invoice) and 50 back and 50 again are the 300,000 that S1 cost: nothing to say.
    parts = [100_000, 100_000, 100_000, -50_000, 50_000]
    rows = [("x", D(2023, 6, 1 + at), "S1", fen) for at, fen in enumerate(parts)]
    invoice = ["I1"] * len(rows)
    fine = made(done=SERVICES.slice(0, 1), paid=payments(rows, invoice_no=invoice))
    assert fine.flags.num_rows == 0
    again = made(done=SERVICES.slice(0, 1), paid=payments([*rows, ("x", D(2023, 6, 20), "S1", 100_000)]))
    assert [(row["rule"], row["payment_no"], row["apart_fen"]) for row in again.flags.to_pylist()] == [
        ("actual_cost", "N5", 100_000),
        ("paid_once", "N1", 0),
        ("paid_once", "N2", 0),
        ("paid_once", "N5", 0),
    ]


def test_the_ledger_as_kept_is_held_on_any_day():
    kept = made().table
    assert made(as_of=D(2023, 12, 31), kept=kept).reconcile() > 10


def test_money_that_comes_back_from_a_provider_and_a_refund_of_premium():
    paid = payments([("x", D(2023, 5, 20), "S1", 350_000), ("x", D(2023, 6, 20), "S1", -50_000)])
    refund = pa.table({"policy_no": ["A"], "effective_date": [D(2023, 7, 1)], "premium_change_fen": [-4_000_000]})
    levied = levy(POLICIES, RULE, endorsements=refund, as_of=LAST)
    found = fund_ledger(levied, POLICIES, SERVICES.slice(0, 1), paid, LAST)
    assert found.reconcile() > 10
    first = found.statement().set_index("fund_year").loc[2023]
    assert first[["accrued_fen", "released_fen", "paid_fen", "payable_fen"]].tolist() == [
        1_000_000,
        400_000,
        300_000,
        0,
    ]


def test_lists_as_people_keep_them(tmp_path):
    rows = [
        "付款编号,日期,保险公司,服务编号,金额（分）,用途",
        'N0,2023年5月20日,x,S1,"300,000",',
        ",,,,,",
        "N1,2024/2/1,x,S2,450000,服务费",
    ]
    (tmp_path / "paid.csv").write_bytes("\r\n".join(rows).encode("gb18030"))
    found = made(paid=tmp_path / "paid.csv")
    assert found.reconcile() > 10
    assert found.papers.payments["amount_fen"].tolist() == [300_000, 450_000]
    assert [item.code for item in found.refused] in ([], ["RM201"])
    (tmp_path / "paid.csv").write_text(
        "付款编号,日期,保险公司,金额（元）\nN0,2023-05-20,x,3000\n", encoding="utf-8-sig"
    )
    assert made(paid=tmp_path / "paid.csv").papers.payments["amount_fen"].tolist() == [300_000]
    (tmp_path / "paid.csv").write_text("付款编号,日期,保险公司\nN0,2023-05-20,x\n", encoding="utf-8-sig")
    with pytest.raises(BookError) as error:
        made(paid=tmp_path / "paid.csv")
    assert "RM950" in {item.code for item in error.value.problems}


def test_entries_balance_line_by_line_and_order_is_irrelevant():
    found = made()
    frame = found.frame()
    by = frame.groupby("entry_no")[["debit_fen", "credit_fen"]].sum()
    assert (by["debit_fen"] == by["credit_fen"]).all()
    delivery = frame[frame["service_no"].eq("S1") & frame["kind"].eq("delivery")]
    assert len(delivery) == 6
    assert delivery["entry_no"].nunique() == 1
    turned = made(policies=POLICIES.take([1, 0]), done=SERVICES.take([3, 1, 0, 2]), paid=PAID.take([2, 0, 1]))
    assert turned.frame().equals(frame)
    assert turned.flags.equals(found.flags)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.one_of(st.none(), st.integers(0, 3)))
def test_any_fund_reconciles(seed, after):
    draw = np.random.default_rng(seed)
    n, m = int(draw.integers(1, 8)), int(draw.integers(0, 25))
    start = np.datetime64("2022-01-01")

    def day(low=0, high=1400):
        return (start + int(draw.integers(low, high))).astype(object)

    policies = books({f"P{at}": (f"i{at % 2}", day(), int(draw.integers(0, 10**7))) for at in range(n)})
    rows = []
    for at in range(m):
        planned = day()
        done = None if draw.random() < 0.3 else planned + datetime.timedelta(int(draw.integers(0, 300)))
        rows.append((f"S{at}", f"P{at % n}", f"i{at % n % 2}", planned, done, int(draw.integers(1, 10**6))))
    paid = payments(
        [(row[2], day(), row[0] if draw.random() < 0.8 else None, int(draw.integers(1, 10**6))) for row in rows]
    )
    shipped = read_use_rules()
    found = made(
        D(2025, 12, 31) if draw.random() < 0.5 else D(2025, 8, 17),
        UseRules(shipped.uses, Closing(int(draw.integers(0, 400)), after)),
        policies,
        services(rows) if rows else None,
        paid if rows else None,
        insurers=["i0", "i1"],
    )
    assert found.reconcile() > 0


def test_every_rule_of_use_is_found_once_broken():
    done = services(
        [
            ("S1", "A", "x", D(2023, 5, 1), D(2023, 5, 9), 300_000),
            ("S2", "A", "x", D(2023, 6, 1), None, 0),
            ("S3", "A", "x", D(2023, 7, 1), D(2023, 7, 2), 200_000),
            ("S4", "A", "x", D(2023, 8, 1), D(2023, 8, 2), 1_600_000),
        ]
    )
    paid = payments(
        [
            ("x", D(2023, 5, 20), "S1", 300_000),
            ("x", D(2023, 5, 21), "S1", 300_000),  # twice
            ("x", D(2023, 6, 20), "S2", 100_000),  # not delivered
            ("x", D(2023, 7, 20), "S3", 200_001),  # one fen above its cost
            ("x", D(2023, 7, 21), None, 5_000),  # a bonus
            ("x", D(2023, 7, 22), None, 6_000),  # brokerage
            ("x", D(2023, 8, 20), "S4", 1_600_000),  # more than three times the price, and beyond the budget
        ],
        purpose=["", "", "", "", "年终奖金", "Brokerage 2023", ""],
        invoice_no=["I1", "I1", "", "", "", "", ""],
    )
    parties = pa.table(
        {
            "party": ["p1", "x", "C-A"],
            "role": ["provider", "insurer", "insured"],
            "legal_representative": ["王某", "李某", " 王某 "],
        }
    )
    found = made(done=done, paid=paid, parties=parties)
    assert found.reconcile() > 0
    hits = {}
    for row in found.flags.to_pylist():
        hits.setdefault(row["rule"], []).append(row["payment_no"])
    assert hits == {
        "no_bonus": ["N4"],
        "no_brokerage": ["N5"],
        "permitted_use": ["N4", "N5"],
        "service_only": ["N4", "N5"],
        "after_delivery": ["N2"],
        "actual_cost": ["N1", "N3"],
        "price": ["N2", "N6"],
        "within_budget": ["N6"],
        "paid_once": ["N1"],
        "unrelated": ["N0", "N1", "N2", "N3", "N6"],
    }
    related = next(row for row in found.flags.to_pylist() if row["rule"] == "unrelated")
    assert related["other"] == "C-A: legal_representative=王某"
    counts = found.flag_counts().to_pydict()
    assert dict(zip(counts["rule"], counts["flags"]))["concentration"] == 0
    assert counts["source"][0].startswith("Guangxi 2026-01")


def test_one_provider_with_more_than_half_of_a_year():
    rows = [(f"S{at}", "A", "x", D(2023, 5, 1), D(2023, 5, 9), 10_000 + at) for at in range(20)]
    paid = payments([("x", D(2023, 6, 1), row[0], row[5]) for row in rows])
    found = made(done=services(rows), paid=paid)
    (flag,) = [row for row in found.flags.to_pylist() if row["rule"] == "concentration"]
    assert (flag["payment_no"], flag["provider"], flag["other"]) == ("N19", "p1", "100.0%")


def test_refusals_say_where_and_why():
    with pytest.raises(BookError) as error:
        made(insurers=["xx"])
    assert [item.code for item in error.value.problems] == ["RM730"]
    odd = made(
        paid=payments([("birc", D(2023, 5, 20), "S1", 1), ("x", D(2023, 5, 20), "S1", 1)]), insurers=["x", "birch"]
    )
    item = odd.refused[0]  # set aside by name; the rest goes on
    assert (item.code, item.file, item.row, item.args["nearest"]) == ("RM730", "fund_payments", 1, "birch")
    assert odd.papers.events[1].tally.aside_fen == 1 and odd.reconcile() > 10
    with pytest.raises(ModelError) as raised:
        fund_ledger(levy(POLICIES, RULE), POLICIES, SERVICES, PAID, D(2023, 12, 31))
    assert raised.value.problems[0].code == "RM736"
    bare = services([("S1", "A", "x", D(2023, 5, 1), D(2023, 5, 9), 0)])
    assert [item.code for item in made(done=bare, paid=PAID.slice(0, 0)).refused] == ["RM734"]
    twice = pa.table({"insurer": ["x", "x"], "fund_year": [2024, 2024], "amount_fen": [1, -2]})
    assert [item.code for item in made(budgets=twice).refused][:1] == ["RM751"]
    below = pa.table({"insurer": ["x"], "fund_year": [2024], "amount_fen": [-2]})
    assert [item.code for item in made(budgets=below).refused][:1] == ["RM724"]


def lines(debit: int, credit: int, insurer: str = "birch") -> pa.Table:
    return pa.table(
        {
            "凭证号": ["1", "1", "2", "2"],
            "日期": [D(2025, 1, 1)] * 4,
            "保险公司": ["birch", insurer, "birch", "birch"],
            "科目": ["事故预防费用", "银行存款"] * 2,
            "借方（分）": [debit, 0, 7, 0],
            "贷方（分）": [0, credit, 0, 7],
        }
    )


def test_an_unbalanced_ledger_is_refused_with_the_entry():
    kept = read_journal(lines(5, 5), ["birch"])
    assert (len(kept), kept.credit(FUND).tolist(), kept.credit(BANK).tolist()) == (4, [-12], [12])
    with pytest.raises(BookError) as error:
        read_journal(lines(500, 499), ["birch"])
    (item,) = error.value.problems
    assert (item.code, item.row) == ("RM731", 1)
    assert "借方5.00元，贷方4.99元，相差0.01元" in item.line("zh")
    with pytest.raises(BookError) as error:
        read_journal(lines(5, -5), ["birch"])
    assert {item.code for item in error.value.problems} == {"RM731", "RM732"}
    with pytest.raises(BookError) as error:
        read_journal(lines(5, 5, "redpine"), ["birch"])
    assert {item.code for item in error.value.problems} == {"RM730", "RM733"}


def test_a_kept_ledger_that_differs_by_a_fen_does_not_reconcile():
    kept = pa.table(
        {
            "entry_no": ["1", "2", "3", "4", "5"],
            "date": [D(2023, 3, 1), D(2024, 3, 1), D(2023, 5, 20), D(2024, 2, 1), D(2025, 7, 1)],
            "insurer": ["x"] * 5,
            "debit_account": ["prevention_expense"] * 2 + ["prevention_fund"] * 3,
            "credit_account": ["prevention_fund"] * 2 + ["bank"] * 3,
            "amount_fen": [1_000_000, 300_000, 300_000, 450_000, 900_000],
        }
    )
    assert made(kept=kept).reconcile() > 0
    off = kept.set_column(5, "amount_fen", pa.array([1_000_001, 300_000, 300_000, 450_000, 900_000]))
    with pytest.raises(ModelError) as error:
        made(kept=off).reconcile()
    assert [(item.code, str(item.args["apart"])) for item in error.value.problems] == [("RM705", "0.01 yuan")]


def test_a_broken_line_is_found():
    found = made()
    found.journal.debit_fen[0] += 1
    with pytest.raises(ModelError) as error:
        found.reconcile()
    places = {str(item.args["where"]) for item in error.value.problems}
    assert {"FL0000000001", "x", "all"} <= places


def test_a_levy_booked_for_another_insurer_is_found():
    """The entry balances, the policy has its levy and all together have theirs: only the insurers' sums differ."""
    found = made(
        policies=books({"A": ("birch", D(2024, 1, 1), 100_000_00), "B": ("larch", D(2024, 1, 1), 50_000_00)}),
        done=SERVICES.slice(0, 0),
        paid=PAID.slice(0, 0),
    )
    line = found.journal
    entry = line.entry[np.flatnonzero(line.kind == ACCRUAL)[0]]
    own = line.entry == entry
    line.insurer[own] = 1 - line.insurer[own]
    with pytest.raises(ModelError) as error:
        found.reconcile()
    wrong = {(str(item.args["what"]), str(item.args["where"])) for item in error.value.problems}
    assert {("Levy = accruals", "birch"), ("Levy = accruals", "larch")} <= wrong


def test_sql_answers_and_stays_inside(tmp_path):
    found = made()
    answer = ask(found, "SELECT sum(debit_fen)::BIGINT AS d, sum(credit_fen)::BIGINT AS c FROM journal")
    assert answer["d"] == answer["c"]
    assert ask(found, "SELECT closing_fen FROM statement WHERE fund_year = 2025")["closing_fen"].to_pylist() == [
        -350_000
    ]
    for name, table in views(found).items():
        assert ask(found, f"SELECT count(*) AS n FROM {name}")["n"].to_pylist() == [table.num_rows]
    (tmp_path / "x.csv").write_text("a\n1\n")
    for bad in (f"SELECT * FROM '{tmp_path / 'x.csv'}'", f"COPY journal TO '{tmp_path / 'y.csv'}'", "SELEC 1"):
        with pytest.raises(ModelError) as error:
            ask(found, bad)
        assert error.value.problems[0].code == "RM739"
    assert not (tmp_path / "y.csv").exists()


def test_rules_of_use_from_a_file(tmp_path):
    file = tmp_path / "rules.toml"
    file.write_text('[[use]]\nname = "n"\ncheck = "purpos"\nsource = "s"\n[[closing]]\nname = "c"\n', encoding="utf-8")
    with pytest.raises(PlanError) as error:
        read_use_rules(file)
    assert sorted(item.code for item in error.value.problems) == ["RM102", "RM104"]
    assert isinstance(Path(file), Path)


def test_a_ledger_without_accounts_is_compared_too():
    """10,000 and 3,000 yuan in, 500 of it given back and set aside again; 3,000, 4,500 and 9,000 paid out: -3,500."""
    simple = pa.table({
        "日期": [D(2023, 3, 1), D(2024, 3, 1), D(2024, 3, 2), D(2024, 3, 3),
                 D(2023, 5, 20), D(2024, 2, 1), D(2025, 7, 1), D(2025, 7, 2)],
        "类型": ["计提", "计提", "冲回", "计提", "支付", "支付", "支付", "支付"],
        "保险公司": ["x"] * 8,
        "金额（元）": [10_000, 3_000, 500, 500, 3_000, 4_500, 9_500, -500],
    })  # fmt: skip
    kept = read_journal(simple, ["x"])
    assert (kept.credit(FUND).tolist(), kept.credit(BANK).tolist()) == ([-350_000], [1_650_000])
    assert made(kept=simple).reconcile() > 0
    with pytest.raises(ModelError) as error:
        made(kept=simple.slice(1)).reconcile()
    assert [(item.code, str(item.args["apart"])) for item in error.value.problems] == [("RM705", "-10,000.00 yuan")]
    carried = simple.set_column(1, "类型", pa.array(["结转", *["计提"] * 7]))
    with pytest.raises(BookError) as refused:
        read_journal(carried, ["x"])
    assert [item.code for item in refused.value.problems] == ["RM769"]
    with pytest.raises(BookError) as bare:  # neither accounts nor kinds: what each lacks is named, and nothing guessed
        read_journal(simple.drop_columns(["类型"]), ["x"])
    assert {item.code for item in bare.value.problems} == {"RM950"}


def test_what_was_forfeited_counts_whether_the_kept_ledger_books_it_or_not():
    rules = read_use_rules()
    given = replace(rules, closing=replace(rules.closing, forfeit_after_years=0))
    ours = made(rules=given)
    assert ours.journal.credit(FORFEITED).sum() > 0
    assert made(rules=given, kept=ours.table).reconcile() > 0


def test_a_delivery_outside_the_term_is_told_though_nobody_paid_for_it_yet():
    """A's term is 2023-03-01 to 2024-03-01: the day before, and the first day after it, are outside: 300 + 450 fen."""
    book = POLICIES.append_column("end_date", pa.array([D(2024, 3, 1), D(2025, 3, 1)]))
    days = [D(2023, 2, 28), D(2023, 3, 1), D(2024, 2, 29), D(2024, 3, 1)]
    done = services([(f"S{at}", "A", "x", day, day, 300 + 50 * at) for at, day in enumerate(days)])
    found = fund_ledger(levy(book, RULE, as_of=LAST), book, done, payments([]), LAST)
    (item,) = found.refused
    assert (item.code, item.count, item.args["yuan"], item.args["service"]) == ("RM770", 2, "7.50", "S0")
    assert found.reconcile() > 0


def test_one_service_under_two_numbers_counts_twice_and_is_told():
    day = D(2023, 5, 9)
    done = services([("S1", "A", "x", day, day, 300), ("S2", "A", "x", day, day, 300), ("S3", "A", "x", day, day, 301)])
    found = fund_ledger(levy(POLICIES, RULE, as_of=LAST), POLICIES, done, payments([]), LAST)
    (item,) = found.refused
    assert (item.code, item.row, item.args["key"]) == ("RM771", 2, "S2")
    assert sum(row["used_fen"] for row in found.statement_table().to_pylist()) == 901


def test_what_is_wrong_with_a_ledger_stands_where_an_editor_shows_it(tmp_path):
    """Line 1 holds the headers: the fourth line is the third row."""
    place = tmp_path / "kept.csv"
    head = "entry_no,date,insurer,debit_account,credit_account,amount_fen\n"
    good = "{},2025-03-01,birch,prevention_expense,prevention_fund,700\n"
    for wrong, code in (
        (good.replace("birch", "brich"), "RM730"),
        (good.replace("700", "-700"), "RM732"),
        (good.replace("prevention_expense", "prevention_fund"), "RM732"),
    ):
        place.write_text(head + good.format(1) + good.format(2) + wrong.format(3) + good.format(4))
        with pytest.raises(BookError) as error:
            read_journal(place, ["birch"])
        assert [(item.code, item.file, item.row) for item in error.value.problems] == [(code, str(place), 4)]


def test_a_payment_goes_to_whom_it_names_and_else_to_who_delivered():
    paid = payments(
        [("x", D(2023, 5, 20), "S1", 300_000), ("x", D(2024, 2, 1), "S2", 450_000), ("x", D(2024, 3, 1), None, 1_000)],
        provider=["another", "", ""],
    )
    assert made(paid=paid).papers.payments["provider"].tolist() == ["another", "p1", ""]


def test_what_payments_are_held_against_is_said_in_words():
    names = [rule.name for rule in read_use_rules().uses]
    table = pa.table({"rule": [*names, *names][: len(CHECKS)], "check": CHECKS})
    for column in coded(table, "zh").columns:
        said = column.to_pylist()
        assert not [word for word in said if word.isascii()] and len(set(said)) == len(said)
    assert coded(table, "en").equals(table)
