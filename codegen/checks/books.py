"""That a market's live order books can be kept as the word ``book`` of the spec says."""

from __future__ import annotations

from collections.abc import Iterator

from codegen.documents import Problem
from codegen.names import snake
from codegen.spec_model.books import Book, snapshot_limits
from codegen.spec_model.operations import Operation
from codegen.spec_model.spec import Spec
from codegen.spec_model.stream_names import texts
from codegen.spec_model.streams import StreamNode
from codegen.spec_model.types import parse_type

_SIDES = ("bids", "asks")


def check_books(spec: Spec) -> Iterator[Problem]:
    """Every mistake in the word ``book`` that no single node can see."""
    document = next(document for document, node in spec.documents if node is spec.markets)
    for market, entry in spec.markets.markets.items():
        if entry.book is not None:
            for message, *path in _mistakes(spec, market, entry.book):
                at = ("markets", market, "book", *path)
                yield Problem(document.file, document.line(*at), f"{'.'.join(at)}: {message}")


def _mistakes(spec: Spec, market: str, book: Book) -> Iterator[tuple[str, ...]]:
    placed = spec.operations.get((market, book.snapshot))
    if placed is None:
        yield f"there is no operation `{book.snapshot}` in {market}", "snapshot"
    else:
        yield from _wrong_snapshot(spec, market, book, placed.value)
    stream = spec.streams.get((market, book.stream))
    if stream is None:
        yield f"there is no stream `{book.stream}` in {market}", "stream"
    else:
        yield from _wrong_stream(spec, market, book, stream.value)


def _wrong_snapshot(spec: Spec, market: str, book: Book, operation: Operation) -> Iterator[tuple[str, ...]]:
    limit = operation.parameters.get("limit")
    if limit is None or "symbol" not in operation.parameters or (limit.values is None and limit.max is None):
        yield f"`{book.snapshot}` must take a `symbol`, and a `limit` with `values` or a `max`", "snapshot"
    elif book.limit not in snapshot_limits(limit):
        yield f"{book.limit} is no `limit` that `{book.snapshot}` takes", "limit"
    schema = spec.schema(market, parse_type(operation.returns[0].type).leaf.name)
    fields = {} if schema is None else spec.fields(market, schema.value)
    names = {field.name or snake(wire) for wire, field in fields.items()}
    for name in ("last_update_id", *_SIDES):
        if name not in names:
            yield f"the answer of `{book.snapshot}` has no field `{name}`", "snapshot"


def _wrong_stream(spec: Spec, market: str, book: Book, stream: StreamNode) -> Iterator[tuple[str, ...]]:
    if stream.sequence is None or stream.sequence.kind not in ("range", "previous"):
        yield (
            f"`{book.stream}` needs a `sequence` of the kind `range` or `previous`, which tells what follows",
            "stream",
        )
    for name in _SIDES:
        if name not in spec.wire_keys(market, stream.event):
            yield f"an event of `{book.stream}` has no field `{name}`", "stream"
    speed = stream.parameters.get("speed")
    if speed is None:
        yield f"`{book.stream}` has no parameter `speed`", "stream"
    elif book.speed not in texts(spec, market, speed):
        yield f"`{book.speed}` is no speed of `{book.stream}`", "speed"
