"""The shared tables as a Frictionless data package: names, types, keys and joins that other software can check.

Source: Frictionless Data, *Data Package* and *Table Schema* (specs.frictionlessdata.io), version 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ratemod.errors import Lang
from ratemod.rules.options import strict
from ratemod.vocabulary.column import Column
from ratemod.vocabulary.table import Table, tables

TYPES = {"text": "string", "level": "string", "flag": "string", "date": "date"}


@strict
def field(declared: Table, one: Column, header: str, lang: Lang) -> dict[str, Any]:
    """Return a column as a field of a Table Schema, under the header that stands in the file."""
    found: dict[str, Any] = {
        "name": header,
        "title": one.label(lang),
        "type": TYPES.get(one.kind) or ("number" if one.decimals else "integer"),
    }
    limits: dict[str, Any] = {}
    if declared.noun(one.name) in declared.required and declared.noun(one.name) not in declared.open:
        limits["required"] = True
    if one.levels:
        limits["enum"] = [name for level in one.levels for name in level.names()]
    if one.low is not None and one.high is not None:
        number = float if one.decimals else int
        limits |= {"minimum": number(one.low), "maximum": number(one.high)}
    return found | ({"constraints": limits} if limits else {})


@strict
def schema(
    name: str, headers: Mapping[str, str], others: Mapping[str, Mapping[str, str]], lang: Lang
) -> dict[str, Any]:
    """Return the Table Schema of a table.

    Parameters
    ----------
    name : which table
    headers : column -> header in its file, in the order of the file; a further header stands for itself
    others : table -> column -> header, of all tables of the package
    lang : of the titles
    """
    declared = tables()[name]
    fields = [
        field(declared, declared.columns[name], header, lang) if name in declared.columns else {"name": header}
        for name, header in headers.items()
    ]
    found: dict[str, Any] = {"fields": fields, "missingValues": [""]}
    keys = [headers[key] for key in declared.keys if key in headers]
    if keys and declared.keys[0] in headers and declared.keys[0] in declared.required:
        found["primaryKey"] = keys
    joins = []
    for column, noun in declared.joins.items():
        key = tables()[noun].keys[0]
        if column in headers and key in others.get(noun, {}):
            joins.append({"fields": [headers[column]], "reference": {"resource": noun, "fields": [others[noun][key]]}})
    return found | ({"foreignKeys": joins} if joins else {})


@strict
def data_package(
    title: str, files: Mapping[str, str], headers: Mapping[str, Mapping[str, str]], lang: Lang
) -> dict[str, Any]:
    """Return a data package as what its ``datapackage.json`` holds.

    Parameters
    ----------
    title : str
    files : table -> path in the package
    headers : table -> column -> header in its file
    lang : of the titles

    Examples
    --------
    >>> made = data_package("p", {"insurers": "a.csv"}, {"insurers": {"insurer": "保险公司", "name": "名称"}}, "zh")
    >>> made["resources"][0]["schema"]["primaryKey"]
    ['保险公司']
    """
    resources = [
        {
            "name": name,
            "title": tables()[name].label(lang),
            "path": path,
            "format": path.rsplit(".", 1)[-1].lower(),
            "encoding": "utf-8",
            "schema": schema(name, headers[name], headers, lang),
        }
        for name, path in files.items()
    ]
    return {"name": "ratemod-shared-tables", "title": title, "resources": resources}
