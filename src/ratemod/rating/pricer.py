"""What prices the chunks of a book: a compiled plan, the columns to carry, and working memory that chunks share."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import pyarrow as pa

from ratemod.errors import BookError, Lang, default_language, nearest, problem
from ratemod.plan.model import Plan
from ratemod.plan.op.judgement import Judgement
from ratemod.rating.across import Broken
from ratemod.rating.block import Block
from ratemod.rating.encode import identities, prepare
from ratemod.rating.fast import Program, compile_plan
from ratemod.rating.invariants import TRIED, Dating
from ratemod.rating.rate import kept_steps, price
from ratemod.rating.rated import Rated, own_name
from ratemod.rating.run import BLOCK
from ratemod.reading.arrow import whole
from ratemod.reading.book import Book
from ratemod.reading.chunks import Chunked
from ratemod.rules.options import strict


@dataclass(frozen=True, eq=False)
class Pricer:
    """What prices chunks: a compiled plan, the columns to carry, and working memory that chunks share.

    Attributes
    ----------
    keys : mapping of name to pyarrow type
        Columns of the book that go to the output.
    steps : tuple of str
    by : tuple of str
        Level columns that the tally is split by.
    dating : Dating
        How first days are held against the dates of the edition.
    """

    program: Program
    keys: Mapping[str, pa.DataType]
    steps: tuple[str, ...]
    lang: Lang
    by: tuple[str, ...] = ()
    dating: Dating = TRIED
    block: int = BLOCK
    memory: list[Block] = field(default_factory=list)

    def rated(self, book: Book, across: Sequence[Broken] = (), start: int = 0) -> Rated:
        """Price one chunk that begins at row `start` of the book."""
        plan, n = self.program.plan, book.table.num_rows
        coding = prepare(book, plan, self.dating)
        doubts = [doubt for item in across if (doubt := item.doubt(start, n)) is not None]
        outputs, verdict = price(coding, self.program, self.steps, lambda: doubts, 1, self.block, self.memory)
        return Rated(plan, book, coding, outputs, verdict, self.lang)

    def table(self, rated: Rated) -> pa.Table:
        """Return the output columns of a priced chunk."""
        own, results = rated.book.table, rated.results()
        taken = {*own.column_names, *results}
        kept = {own_name(name, results, taken): _plain(own[name], kind) for name, kind in self.keys.items()}
        columns = kept | results
        return pa.Table.from_arrays(list(columns.values()), names=list(columns))


@strict
def pricer_of(
    plan: Plan,
    chunks: Chunked,
    *,
    trace: bool | Collection[str] = False,
    keep: Sequence[str] = (),
    by: Sequence[str] = (),
    lang: Lang | None = None,
    block: int = BLOCK,
    dating: Dating = TRIED,
) -> Pricer:
    """Return what prices the chunks of a book.

    Raises
    ------
    BookError
        RM344 the plan rolls lines up to policies; RM322 an unknown step or column.
    """
    program = compile_plan(plan)
    if program.whole:
        raise BookError(problem("RM344", plan=plan.id))
    steps = kept_steps(plan, trace)
    if trace is False:  # the premium and the fund stand there in fen
        steps = tuple(name for name in steps if name not in (plan.premium, plan.fund))
    wrong = [name for name in by if name not in plan.columns or not plan.columns[name].codes()]
    if wrong:
        raise BookError(problem("RM322", name=name, nearest=nearest(name, plan.columns)) for name in wrong)
    kept = [name for header, name in chunks.names.items() if "all" in keep or header in keep]
    kinds = chunks.kinds()
    keys = {name: kinds[name] for name in (*carried(plan, chunks), *kept)}
    if "insurer" in keys:
        keys["insurer"] = pa.dictionary(pa.int32(), pa.string())
    return Pricer(program, keys, steps, lang or default_language(), tuple(by), dating, block)


def reasons(plan: Plan) -> tuple[str, ...]:
    """Return the text columns that hold an underwriter's reasons: few are ever written."""
    return tuple(
        step.operation.reason for step in plan.steps if isinstance(step.operation, Judgement) and step.operation.reason
    )


def needed(plan: Plan, chunks: Chunked, keys: Collection[str]) -> Chunked:
    """Return the chunks without texts that nothing uses and in which nothing can be wrong."""
    used = plan.graph().read_by() | set(keys) | set(identities(plan))
    used |= {name for name, column in plan.columns.items() if not column.optional}
    texts = {name for name in chunks.texts() if name in plan.columns and plan.columns[name].kind == "text"}
    return chunks.only([name for name in chunks.names.values() if name in used or name not in texts])


def carried(plan: Plan, chunks: Chunked) -> tuple[str, ...]:
    """Return the columns of the book that every output carries: its key, what checks compare within, the insurer."""
    names = [plan.key or "", *(check.of if check.kind == "unique" else check.by for check in plan.checks), "insurer"]
    return tuple(dict.fromkeys(name for name in names if name in chunks.names.values()))


def _plain(column: pa.ChunkedArray, kind: pa.DataType) -> pa.Array:
    """Return a column of the book as the output carries it, free of how the file stored it."""
    array = whole(column)
    if pa.types.is_dictionary(kind):
        return array.cast(kind.value_type).dictionary_encode()
    if pa.types.is_dictionary(array.type):
        array = array.cast(array.type.value_type)
    return array if array.type == kind else array.cast(kind)
