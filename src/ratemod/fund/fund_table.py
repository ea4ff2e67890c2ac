"""Columns in, tables out: what every part of the fund asks of frames and files, and gives back.

A row with a cell that cannot be used is refused with its problem and left out; the others go on. What must join (a
policy named by a receipt, an insurer named by a share) and does not is a fault of the whole book.
"""

from __future__ import annotations

import datetime
import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ratemod.errors import BookError, Lang, Problem, nearest, problem, text
from ratemod.reading.convert import convert
from ratemod.reading.read import read_book
from ratemod.rules.options import strict
from ratemod.vocabulary.column import Column, Kind

if TYPE_CHECKING:
    import pandas as pd

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Texts = npt.NDArray[np.object_]

EPOCH = datetime.date(1970, 1, 1)
NO_DAY = np.int64(-(2**31))
FAR = np.int64(2**31 - 1)

# name -> kind, further headers that mean it; the catalogue holds the labels.
KNOWN: Mapping[str, tuple[Kind, tuple[str, ...]]] = {
    "policy_no": ("text", ("保单号", "保单号码")),
    "credit_code": ("text", ("统一社会信用代码", "信用代码")),
    "insurer": ("text", ("保险公司", "保险机构", "承保公司")),
    "leader": ("text", ("主承", "是否主承", "首席")),
    "share_percent": ("number", ("份额", "共保份额", "份额%")),
    "sector": ("text", ("行业", "行业领域")),
    "size_class": ("text", ("企业规模", "规模")),
    "division_code": ("text", ("行政区划代码", "地区")),
    "start_date": ("date", ("起保日期", "保险起期")),
    "end_date": ("date", ("终保日期", "保险止期")),
    "cancelled_date": ("date", ("退保日期", "注销日期")),
    "effective_date": ("date", ("生效日期", "批改生效日")),
    "date": ("date", ("日期", "记账日期")),
    "premium_fen": ("number", ("保费（分）", "保费分")),
    "premium_change_fen": ("number", ("保费变化（分）", "批改保费（分）")),
    "levy_fen": ("number", ("预防费（分）",)),
    "duty_fen": ("number", ("义务费用（分）",)),
    "amount_fen": ("number", ("金额（分）",)),
    "kind": ("text", ("类别", "分录类别")),
    "service_type": ("text", ("服务类型", "服务项目")),
    "delivered_date": ("date", ("服务日期", "完成日期")),
    "services_per_year": ("number", ("年服务次数", "约定服务次数")),
    "annual_losses_yuan": ("number", ("年预期损失", "年期望损失")),
    "annual_claims": ("number", ("年预期事故数", "年期望赔案数")),
    "outstanding": ("number", ("欠服务次数",)),
    "entry_no": ("text", ("凭证号", "分录号")),
    "endorsement_no": ("text", ("批单号", "批单号码", "批改号")),
    "receipt_no": ("text", ("收据号", "收据编号", "缴费单号", "收费凭证号")),
    "claim_no": ("text", ("赔案号", "案件号", "报案号")),
    "hazard_id": ("text", ("隐患编号", "隐患号")),
    "payment_no": ("text", ("付款编号", "支付编号")),
    "service_no": ("text", ("服务编号", "服务单号")),
    "contract_no": ("text", ("合同编号", "合同号")),
    "invoice_no": ("text", ("发票号码", "发票号")),
    "provider": ("text", ("服务机构", "技术服务机构")),
    "broker": ("text", ("经纪公司", "保险经纪机构")),
    "purpose": ("text", ("用途", "费用用途")),
    "account": ("text", ("科目", "会计科目")),
    "debit_account": ("text", ("借方科目",)),
    "credit_account": ("text", ("贷方科目",)),
    "debit_fen": ("number", ("借方（分）", "借方金额（分）")),
    "credit_fen": ("number", ("贷方（分）", "贷方金额（分）")),
    "cost_fen": ("number", ("实际成本（分）", "服务费用（分）")),
    "fund_year": ("number", ("年度", "费用年度")),
    "found_date": ("date", ("发现日期",)),
    "due_date": ("date", ("整改期限", "整改到期日")),
    "extended_due_date": ("date", ("延期后期限", "展期整改期限")),
    "rectified_date": ("date", ("整改完成日期", "整改日期")),
    "refused_date": ("date", ("拒不整改日期",)),
    "report_date": ("date", ("报案日期",)),
    "settlement_date": ("date", ("结案日期",)),
    "planned_date": ("date", ("计划日期", "约定日期")),
    "year": ("number", ("年度", "保险年度")),
    "services_before": ("number", ("上期服务次数", "上年服务次数")),
    "earned_head_years": ("number", ("已赚人年", "人年")),
    "claims": ("number", ("赔案数", "出险次数")),
    "standardisation": ("text", ("标准化等级", "安全生产标准化")),
    "score": ("number", ("满意度", "满意度评分")),
    "hazards_found": ("number", ("发现隐患数", "隐患数")),
    "role": ("text", ("角色", "主体类型")),
    "party": ("text", ("主体", "主体编号")),
    "legal_representative": ("text", ("法定代表人", "法人代表")),
    "phone": ("text", ("电话", "联系电话")),
    "address": ("text", ("地址", "住所")),
    "bank_account": ("text", ("银行账号", "开户账号")),
    "shareholder": ("text", ("控股股东", "实际控制人")),
    "integrity_grade": ("text", ("诚信等级",)),
    "blacklisted": ("text", ("联合惩戒", "黑名单")),
    "hazard_state": ("text", ("隐患状态", "重大隐患状态")),
    "general_accidents": ("number", ("一般事故数",)),
    "larger_accidents": ("number", ("较大事故数",)),
    "major_accidents": ("number", ("重大事故数",)),
}
# Floats of a model, of which no number of decimals is asked.
ESTIMATES = ("annual_losses_yuan", "annual_claims", "earned_head_years")
FRACTIONS = {"annual_losses_yuan": 15, "annual_claims": 15, "earned_head_years": 15, "share_percent": 6}


@dataclass(frozen=True, eq=False, slots=True)
class Columns:
    """Columns of a table as arrays, refused rows left out.

    Attributes
    ----------
    values : mapping of name to (n,) array
        Texts as objects, numbers as int64 (or float64), days as int64 since 1970-01-01 with `NO_DAY` where empty.
    refused : tuple of Problem
        What was wrong with the rows left out, with row and count.
    rows_in : int
        Rows given; ``rows_in = n + rows refused``.
    left_out : mapping of name to (rows refused,) array
        What could be read of the rows refused.
    file : str or None
    row : (n,) int64, where each row stands in the file, as an editor or Excel counts
    given : pyarrow.Table or None, everything that was given, under the headers that were not read too
    at : (n,) int64, row of `given`
    """

    values: Mapping[str, npt.NDArray[Any]]
    refused: tuple[Problem, ...]
    rows_in: int
    left_out: Mapping[str, npt.NDArray[Any]] = field(default_factory=dict)
    file: str | None = None
    row: Ints = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    given: pa.Table | None = None
    at: Ints = field(default_factory=lambda: np.zeros(0, dtype=np.int64))

    def __getitem__(self, name: str) -> npt.NDArray[Any]:
        return self.values[name]

    def __contains__(self, name: str) -> bool:
        return name in self.values

    def __len__(self) -> int:
        return len(next(iter(self.values.values())))

    def get(self, name: str, otherwise: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Return a column, or what stands for it where it was not given."""
        return self.values.get(name, otherwise)

    def take(self, rows: npt.NDArray[Any]) -> Columns:
        """Return some rows."""
        kept = {name: column[rows] for name, column in self.values.items()}
        place: Any = {name: column[rows] for name in ("row", "at") if len(column := getattr(self, name))}
        return replace(self, values=kept, **place)


def declared(name: str, optional: bool = False) -> Column:
    """Return the declaration of a known column."""
    kind, aliases = KNOWN[name]
    return Column(
        name,
        kind,
        text(f"UI_fund_{name}", "en"),
        text(f"UI_fund_{name}", "zh"),
        aliases,
        decimals=FRACTIONS.get(name, 0),
        optional=optional,
    )


def read_columns(source: Any, needed: Sequence[str], optional: Sequence[str] = ()) -> Columns:
    """Return the columns of a file or frame.

    Parameters
    ----------
    source : path or any frame with the Arrow PyCapsule interface
    needed, optional : names of `KNOWN`
        A needed column must be there and filled; an optional one may be absent or empty (text "", number 0, no day).

    Raises
    ------
    BookError
        RM700 for every needed column that is missing; those of `read_book`.
    """
    columns = {name: declared(name) for name in needed} | {name: declared(name, True) for name in optional}
    book = read_book(source, columns)
    there = book.table.column_names
    file = book.file
    if lost := [name for name in needed if name not in there]:
        raise BookError(
            problem("RM877", file=file, name=name)
            if name == "annual_losses_yuan"  # no list has it under another name: it is an estimate
            else problem(
                "RM700", file=file, name=name, label=text(f"UI_fund_{name}", "zh"), nearest=nearest(name, there)
            )
            for name in lost
        )
    n = book.table.num_rows
    good = np.ones(n, dtype=bool)
    said: list[Problem] = []
    values: dict[str, npt.NDArray[Any]] = {}
    for name, column in columns.items():
        if name not in there:
            continue
        if name in ESTIMATES and pa.types.is_floating(book.table.schema.field(name).type):
            values[name] = np.asarray(book.table[name].to_numpy(), dtype=np.float64)
            lost = ~np.isfinite(values[name])
            said += [] if column.optional else _empty(lost & good, name, file, book.rows)
            good &= ~lost | column.optional
            continue
        coded = convert(book.table[name], column, book.conversions.get(name))
        values[name] = _plain(coded.values, column)
        wrong = coded.problem_of
        if column.kind == "text" and not column.optional:
            empty = values[name] == ""
            said += _empty(empty & good, name, file, book.rows)
            good &= ~empty
        if wrong is not None:
            good &= wrong == 0
            for at, item in enumerate(coded.problems, start=1):
                rows = np.flatnonzero(wrong == at)
                if len(rows):
                    said.append(replace(item, file=file, row=_row(rows[0], book.rows), count=len(rows)))
    kept = np.flatnonzero(good)
    left_out = {name: column[~good] for name, column in values.items()}
    if len(kept) < n:
        values = {name: column[kept] for name, column in values.items()}
    row = kept + 1 if book.rows is None else np.asarray(book.rows, dtype=np.int64)[kept]
    return Columns(values, tuple(said), n, left_out, file, row, book.table, kept)


def _row(place: Any, rows: Ints | None) -> int:
    return int(place) + 1 if rows is None else int(rows[place])


def _empty(empty: Bools, name: str, file: str | None, rows: Ints | None) -> list[Problem]:
    if not empty.any():
        return []
    first = _row(np.flatnonzero(empty)[0], rows)
    return [
        problem("RM201", file=file, row=first, count=int(empty.sum()), column=name, label=text(f"UI_fund_{name}", "zh"))
    ]


def _plain(values: Any, column: Column) -> npt.NDArray[Any]:
    if column.kind == "text":
        plain: Texts = np.asarray(values.fill_null("").to_numpy(zero_copy_only=False), dtype=object)
        return plain
    if column.kind == "date":
        return np.asarray(values, dtype=np.int64)
    if column.name in FRACTIONS:
        return np.asarray(values, dtype=np.float64)
    given = np.asarray(values)
    if given.dtype.kind == "f":
        given = np.rint(np.nan_to_num(given)) if column.optional else np.where(np.isnan(given), 0, np.rint(given))
    return given.astype(np.int64)


def codes_of(*columns: npt.NDArray[Any]) -> tuple[tuple[str, ...], tuple[Ints, ...]]:
    """Return the sorted names of several text columns together, and each column as codes into them.

    Examples
    --------
    >>> names, (left, right) = codes_of(np.array(["b", "a"], object), np.array(["b", "c"], object))
    >>> names, left.tolist(), right.tolist()
    (('a', 'b', 'c'), [1, 0], [1, 2])
    """
    import pyarrow.compute as pc

    joined = pa.concat_arrays([pa.array(column, pa.string()) for column in columns])
    coded = pc.dictionary_encode(joined)
    names = np.asarray(coded.dictionary.to_pylist(), dtype=object)
    order = np.argsort(names, kind="stable")
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    index = (
        place[np.asarray(coded.indices.to_numpy(zero_copy_only=False), dtype=np.int64)]
        if len(joined)
        else (np.zeros(0, dtype=np.int64))
    )
    ends = np.cumsum([0, *(len(column) for column in columns)])
    return tuple(names[order].tolist()), tuple(index[low:high] for low, high in itertools.pairwise(ends))


def join(keys: npt.NDArray[Any], into: npt.NDArray[Any], code: str, what: str) -> Ints:
    """Return the place in `into` of every key.

    Raises
    ------
    BookError
        `code` for the first keys that are not there, with their count; RM701 when `into` repeats a key.
    """
    names, (left, right) = codes_of(keys, into)
    count = np.bincount(right, minlength=len(names))
    place = np.full(len(names), -1, dtype=np.int64)
    place[right] = np.arange(len(right))
    wrong: list[Problem] = []
    if (count > 1).any():
        twice = [names[at] for at in np.flatnonzero(count > 1)[:5]]
        wrong.append(problem("RM701", keys=", ".join(twice), count=int((count > 1).sum())))
    found = place[left]
    if (found < 0).any():
        lost = sorted({str(key) for key in keys[found < 0]})
        wrong.append(
            problem(
                code,
                what=what,
                keys=", ".join(lost[:5]),
                count=len(lost),
                nearest=nearest(lost[0], [str(name) for name in into[:2000]]),
            )
        )
    if wrong:
        raise BookError(wrong)
    return found


def day_number(day: datetime.date | str | None) -> int | None:
    """Return a day as days since 1970-01-01; None stays None."""
    if day is None:
        return None
    return ((datetime.date.fromisoformat(day) if isinstance(day, str) else day) - EPOCH).days


def year_of(day: Ints) -> Ints:
    """Return the calendar year of days since 1970-01-01.

    Examples
    --------
    >>> year_of(np.array([0, 365, 20088])).tolist()
    [1970, 1971, 2024]
    """
    year: Ints = day.astype("datetime64[D]").astype("datetime64[Y]").astype(np.int64) + EPOCH.year
    return year


def day_column(days: npt.NDArray[Any]) -> pa.Array:
    """Return days as an Arrow date column, null where there is none."""
    return pa.array(days.astype(np.int32), pa.int32(), mask=days == NO_DAY).cast(pa.date32())


def names_column(codes: Ints, names: Sequence[str]) -> pa.Array:
    """Return codes as a dictionary column, null where negative."""
    return pa.DictionaryArray.from_arrays(
        pa.array(codes.astype(np.int32), mask=codes < 0), pa.array(list(names), pa.string())
    )


@strict
def labelled(table: pa.Table, lang: Lang) -> pa.Table:
    """Return a table whose headers are the labels of a language."""
    return table.rename_columns([text(f"UI_fund_{name}", lang) for name in table.column_names])


def to_frame(table: pa.Table) -> pd.DataFrame:
    """Return a table as a pandas frame."""
    frame: pd.DataFrame = table.to_pandas()
    return frame


def toml_rows(source: str | Path, key: str) -> list[Mapping[str, Any]]:
    """Return the tables ``[[key]]`` of a TOML file, decimals exact.

    Raises
    ------
    BookError
        RM702 when the file cannot be read or holds no such table.
    """
    import tomllib
    from decimal import Decimal

    try:
        read = tomllib.loads(Path(source).read_text(encoding="utf-8"), parse_float=Decimal)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BookError(problem("RM702", file=str(source), key=key, why=str(error))) from None
    rows = read.get(key, [])
    if not isinstance(rows, list) or not rows:
        raise BookError(problem("RM702", file=str(source), key=key, why=f"[[{key}]]"))
    return rows


def check_keys(
    row: Mapping[str, Any], known: Iterable[str], needed: Iterable[str], file: str, at: int
) -> list[Problem]:
    """Return a problem for every unknown or missing key of one table of a rules file."""
    names = tuple(known)
    found = [
        problem("RM703", file=file, at=at, key=key, nearest=nearest(key, names)) for key in row if key not in names
    ]
    return found + [problem("RM704", file=file, at=at, key=key) for key in needed if key not in row]
