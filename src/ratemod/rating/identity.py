"""The identity of a run: everything that the bytes of its result depend on, as one value.

Input bytes, plan, how the list was read (which header is which column, in which unit, what fills blank cells) and cut
into chunks, the columns carried, the steps kept, language, the rows that checks across the list refuse, and the
versions of the programs. Parts of a stopped run, finished files of a folder and `verify` compare this and nothing else.
Threads and blocks are not in it: no byte depends on them.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from ratemod.version import VERSION

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ratemod.rating.across import Broken
    from ratemod.rating.manifest import InputFile
    from ratemod.rating.pricer import Pricer
    from ratemod.rating.rated import Rated
    from ratemod.reading.chunks import Chunked


def identity_of(
    chunks: Chunked, pricer: Pricer, inputs: Sequence[InputFile], across: Sequence[Broken] = ()
) -> dict[str, Any]:
    """Return the identity of a run, as data that JSON holds.

    Parameters
    ----------
    chunks : the list as it is read
    pricer : what prices it
    inputs : files with their digests
    across : rows that checks across the list refuse
    """
    return {
        "inputs": [[item.name, item.sha256] for item in inputs],
        "plan": pricer.program.plan.id,
        "fingerprint": pricer.program.plan.fingerprint,
        "columns": dict(chunks.names),
        "units": {name: str(unit) for name, unit in sorted(chunks.conversions.items())},
        "chunk_rows": chunks.size,
        "carried": {name: str(kind) for name, kind in pricer.keys.items()},
        "steps": list(pricer.steps),
        "by": list(pricer.by),
        "language": pricer.lang,
        "outside_dates": pricer.dating.outside,
        "business": pricer.dating.business,
        "refused_across": [[item.check.name, hashlib.sha256(item.rows.tobytes()).hexdigest()] for item in across],
        "versions": versions(),
    }


def identity_in_memory(rated: Rated, inputs: Sequence[InputFile]) -> dict[str, Any]:
    """Return the identity of a list priced as a whole, as data that JSON holds."""
    return {
        "inputs": [[item.name, item.sha256] for item in inputs],
        "plan": rated.plan.id,
        "fingerprint": rated.plan.fingerprint,
        "editions": [plan.id for plan in rated.plans],
        "columns": {header: name for name, header in rated.book.headers.items()},
        "units": {name: str(unit) for name, unit in sorted(rated.book.conversions.items())},
        "fills": dict(sorted(rated.book.fills.items())),
        "corrections": rated.book.corrections,
        "steps": list(rated.outputs.steps),
        "by": [],
        "language": rated.lang,
        "outside_dates": rated.coding.dating.outside,
        "business": rated.coding.dating.business,
        "versions": versions(),
    }


def versions() -> dict[str, str]:
    """Return the versions that the bytes of an output may depend on."""
    return {"ratemod": VERSION, "numpy": np.__version__, "pyarrow": pa.__version__}


def digest_of(facts: Mapping[str, Any]) -> str:
    """Return the SHA-256 of data in one written form, keys in order.

    Examples
    --------
    >>> digest_of({"b": 1, "a": 2}) == digest_of({"a": 2, "b": 1})
    True
    """
    written = json.dumps(facts, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(written.encode("utf-8")).hexdigest()
