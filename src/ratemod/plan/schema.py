"""The JSON Schema of plan.toml, generated from the closed set of keys, so that editors help and cannot disagree."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ratemod.plan import keys
from ratemod.rules.shape import Key

_NUMBER: dict[str, Any] = {
    "anyOf": [{"type": "number"}, {"type": "string", "pattern": r"^-?[0-9.]+([eE][-+]?[0-9]+)?$"}]
}
_OPERAND: dict[str, Any] = {"anyOf": [{"type": "number"}, {"type": "string"}]}
_ONE_LEVEL: dict[str, Any] = {
    "type": "object",
    "properties": {"is": {"type": "string"}},
    "required": ["is"],
    "additionalProperties": False,
}
_TEXTS: dict[str, Any] = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}
_KINDS: Mapping[str, dict[str, Any]] = {
    "text": {"type": "string"},
    "unit": {"type": "string"},
    "flag": {"type": "boolean"},
    "integer": {"type": "integer"},
    "date": {"type": "string", "format": "date"},
    "number": _NUMBER,
    "operand": _OPERAND,
    "operands": {"anyOf": [_OPERAND, {"type": "array", "items": _OPERAND, "minItems": 1}]},
    "value": _NUMBER,
    "name": {"type": "string"},
    "sizes": {"type": "object", "additionalProperties": _NUMBER},
    "names": {"type": "object", "additionalProperties": {"anyOf": [_OPERAND, _ONE_LEVEL]}},
    "cases": {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/case"}},
    "texts": _TEXTS,
    "condition": {"$ref": "#/$defs/condition"},
    "exception": {"$ref": "#/$defs/exception"},
    "levels": {"type": "array", "items": {"anyOf": [{"type": "string"}, {"$ref": "#/$defs/level"}]}},
}


def schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of plan.toml.

    Examples
    --------
    >>> schema()["properties"]["plan"]["required"][:2]
    ['scheme', 'edition']
    """
    sections = {
        name: {"type": "object", "additionalProperties": _section(allowed)}
        for name, allowed in (
            ("source", keys.SOURCE),
            ("constant", keys.CONSTANT),
            ("table", keys.TABLE),
            ("unit", keys.MEASURE),
            ("list", keys.LIST),
        )
    }
    either = {"anyOf": [_section(keys.COLUMN), _section(keys.COLUMN_FROM)]}
    sections["column"] = {"type": "object", "additionalProperties": either}
    lists = {
        name: {"type": "array", "items": _section(allowed)}
        for name, allowed in (("rule", keys.RULE), ("check", keys.CHECK), ("legal", keys.LEGAL))
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "ratemod plan",
        "type": "object",
        "additionalProperties": False,
        "required": ["plan", "column", "step"],
        "properties": {
            "plan": _section(keys.PLAN),
            "money": _section(keys.MONEY),
            **sections,
            **lists,
            "step": {"type": "array", "items": {"oneOf": list(_steps())}},
        },
        "$defs": {
            "condition": _condition(),
            "exception": _section(keys.EXCEPTION),
            "level": _section(keys.LEVEL),
            "case": _section(keys.CASE_OF_CHOICE),
        },
    }


def schema_text() -> str:
    """Return the schema as text, the same bytes every time."""
    return json.dumps(schema(), ensure_ascii=False, indent=2) + "\n"


def _key(key: Key) -> dict[str, Any]:
    found = dict(_KINDS[key.kind])
    if key.choices and key.kind == "unit":
        found["examples"] = list(key.choices)  # a plan may have units of its own
    elif key.choices:
        found["enum"] = list(key.choices)
    return found | ({"description": key.doc} if key.doc else {})


def _section(allowed: Mapping[str, Key], fixed: Mapping[str, str] | None = None) -> dict[str, Any]:
    properties = {name: _key(key) for name, key in allowed.items()}
    properties |= {name: {"const": value} for name, value in (fixed or {}).items()}
    required = [name for name, key in allowed.items() if key.required]
    return {"type": "object", "additionalProperties": False, "properties": properties, "required": required}


def _steps() -> list[dict[str, Any]]:
    basic = [_section({**keys.STEP, **own}, {"op": op}) for op, own in keys.OPERATIONS.items()]
    method = {"method": Key("text", True)}
    basic.append(_section({**keys.STEP, **keys.CHOICE}, {"op": "choose"}))
    return basic + [
        _section({**keys.STEP, **method, **own}, {"op": "experience", "method": name})
        for name, own in keys.EXPERIENCE.items()
    ]


def _condition() -> dict[str, Any]:
    parts = {"type": "array", "items": {"$ref": "#/$defs/condition"}, "minItems": 1}
    combined = [
        {"type": "object", "additionalProperties": False, "properties": {how: parts}, "required": [how]}
        for how in ("all", "any", "none")
    ]
    return {"oneOf": [_section(keys.TEST), *combined]}
