"""A folder of Parquet files, by insurer and year say, priced into a folder of the same shape.

The files are one book: checks across rows look at all of them. Each output has its own manifest. A run that was
stopped goes on behind the last file, and within that behind the last chunk.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from ratemod.errors import BookError, Lang, problem
from ratemod.plan.editions import Business
from ratemod.plan.model import Plan
from ratemod.rating.across import broken
from ratemod.rating.editions import load_one
from ratemod.rating.identity import identity_of
from ratemod.rating.invariants import OutsideDates
from ratemod.rating.manifest import Manifest, manifest_path, read_inputs, verify
from ratemod.rating.pricer import pricer_of
from ratemod.rating.rate import dating
from ratemod.rating.run import BLOCK
from ratemod.rating.stream import Streamed, open_parquet, own_pool, rate_chunks
from ratemod.rating.tally import Tally
from ratemod.reading.chunks import CHUNK
from ratemod.reading.header import HeaderMap
from ratemod.rules.options import strict


@strict
def rate_folder(
    source: str | Path,
    plan: Plan | str | Path,
    target: str | Path,
    *,
    at: date | str | None = None,
    business: Business = "new",
    outside_dates: OutsideDates | None = None,
    lang: Lang | None = None,
    trace: bool | Collection[str] = False,
    keep: Sequence[str] = (),
    header_map: HeaderMap | None = None,
    by: Sequence[str] = (),
    threads: int | None = None,
    block: int = BLOCK,
    chunk: int = CHUNK,
    resume: bool = False,
    tick: Callable[[int, int], None] | None = None,
) -> Streamed:
    """Price every Parquet file below a folder into a file of the same relative path below another.

    Parameters
    ----------
    source : path of a folder; ``name=value`` folders become columns
    target : path of a folder, made where it is not there
    resume : bool
        Leave files alone that a run of the same plan, program and input finished.
    plan, at, business, outside_dates, lang, trace, keep, header_map, by, threads, block, chunk, tick
        As for `rate_file`.

    Returns
    -------
    Streamed
        Its tally is that of all files; its manifest that of the last.

    Raises
    ------
    PlanError, BookError
        As `rate_file`; RM348 where the folders are one and the same or one within the other.
    """
    held = dating(plan, outside_dates, business)
    chosen = plan if isinstance(plan, Plan) else load_one(plan, at, business)
    root, out = Path(source).resolve(), Path(target).resolve()
    if root == out or root in out.parents or out in root.parents:
        raise BookError(problem("RM348", source=str(source), target=str(target)))
    chunks = open_parquet(source, chosen, header_map=header_map, keep=keep, size=chunk)
    pricer = pricer_of(chosen, chunks, trace=trace, keep=keep, by=by, lang=lang, block=block, dating=held)
    out.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(1) as beside:
        reading = beside.submit(read_inputs, chunks)
        across = broken(chosen, chunks, out)
        inputs = reading.result()
    total, start, last = Tally(), 0, out
    with own_pool():
        for part, own in zip(chunks.parts, inputs):
            path = out / part.path.resolve().relative_to(root)
            path.parent.mkdir(parents=True, exist_ok=True)
            one = replace(chunks, parts=(part,))
            done = _finished(path, identity_of(one, pricer, (own,))) if resume and not across else None
            if done is None and own.rows:
                found = rate_chunks(one, pricer, path, across, (own,), start=start, threads=threads, resume=resume)
                done = found.tally
            total = total.plus(done or Tally())
            start += own.rows
            last = manifest_path(path)
            if tick is not None:
                tick(start, chunks.n)
    return Streamed(chosen, Path(target), total, pricer.by, last, chunks.receipt())


def _finished(path: Path, identity: Mapping[str, Any]) -> Tally | None:
    """Return the tally of an output that this very run would write again, else None."""
    try:
        facts = verify(path)
    except BookError:
        return None
    return Manifest(facts).tally if facts["run"] == json.loads(json.dumps(identity)) else None
