"""How the live order books of a market are kept: the word ``book`` of the spec as values, a docstring, and checks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from codegen import words
from codegen.documents import Problem
from codegen.names import english_list, snake
from codegen.spec import Spec
from codegen.spec_books import Book
from codegen.spec_model import Operation, Parameter
from codegen.spec_streams import StreamNode
from codegen.streams import texts
from codegen.types import parse_type

_SIDES = ("bids", "asks")


@dataclass(frozen=True)
class BookView:
    """The book of a market, every decision already taken."""

    stream: str
    """Constant of its stream."""
    rules: str
    """Arguments of ``BookRules``."""
    limit: int
    speed: str
    speeds: str
    """The values that ``speed`` may have, as a list of literals."""
    example: str
    """A symbol."""
    description: str
    arguments: str
    """The section ``Args:`` of the methods, without the symbols."""
    source: str


def book_view(spec: Spec, market: str) -> BookView | None:
    """The book of a market; None where there is none."""
    book = spec.entry(market).book
    if book is None:
        return None
    operation, stream = spec.operations[market, book.snapshot].value, spec.streams[market, book.stream].value
    symbols, sequence = spec.entry(market).symbols, stream.sequence
    assert sequence is not None
    keys = _keys(spec, market, stream)
    rules: dict[str, object] = {
        "snapshot": book.snapshot,
        "stream": book.stream,
        "limits": _limits(operation.parameters["limit"]),
        "default_limit": book.limit,
        "first_id": keys[sequence.first],
        "last_id": keys[sequence.last],
        "previous_id": keys[sequence.previous] if sequence.previous else None,
        "bids": keys["bids"],
        "asks": keys["asks"],
        "joins_after": book.joins_after,
    }
    speeds = texts(spec, market, stream.parameters["speed"])
    return BookView(
        stream=book.stream.upper(),
        rules=", ".join(f"{name}={value!r}" for name, value in rules.items()),
        limit=book.limit,
        speed=book.speed,
        speeds=", ".join(repr(speed) for speed in speeds),
        example="BTCUSDT" if symbols is None else symbols.example,
        description=words.sentence(book.description),
        arguments=_arguments(book, operation, [str(speed) for speed in speeds]),
        source=f"{book.source.document}; as of {book.source.date.isoformat()}",
    )


def _arguments(book: Book, operation: Operation, speeds: list[str]) -> str:
    limits = _limits(operation.parameters["limit"])
    allowed = (
        f"{limits[0]} to {limits[-1]}" if isinstance(limits, range) else english_list([str(n) for n in limits], "or")
    )
    weight = words.weight(operation.weight, operation, left_out=False)
    described = {
        "limit": f"Levels a side of a snapshot, {allowed}: what lies behind the last of them is not known. "
        f"A snapshot weighs {weight}.",
        "speed": f"Time between two messages of the stream, {english_list(speeds, 'or')}.",
        "share": "Part of the usable weight that the snapshots of this client's books may take in a window, above 0 "
        "and at most 1; the rest is left to other requests.",
        "verify_every": "Compare each book once in so many seconds with a fresh snapshot, which takes the weight of "
        "one; None never does. A book that differs starts from another snapshot.",
    }
    return "\n".join(f"    {name}: {text}" for name, text in described.items())


def _limits(parameter: Parameter) -> range | tuple[int, ...]:
    """Levels a side that a snapshot can be asked for; more than the largest are never sent."""
    if parameter.values is not None:
        return tuple(sorted(parameter.values))
    assert parameter.max is not None
    return range(parameter.min or 1, parameter.max + 1)


def _keys(spec: Spec, market: str, stream: StreamNode) -> dict[str, str]:
    """Fields of an event's own, from the name that they have in Python to their key on the wire."""
    event = spec.schema(market, parse_type(stream.event).leaf.name)
    if event is None:
        return {}
    return {field.name or snake(wire): wire for wire, field in spec.fields(market, event.value).items()}


# --------------------------------------------------------------------------------------------- checks


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
    elif book.limit not in _limits(limit):
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
        if name not in _keys(spec, market, stream):
            yield f"an event of `{book.stream}` has no field `{name}`", "stream"
    speed = stream.parameters.get("speed")
    if speed is None:
        yield f"`{book.stream}` has no parameter `speed`", "stream"
    elif book.speed not in texts(spec, market, speed):
        yield f"`{book.speed}` is no speed of `{book.stream}`", "speed"
