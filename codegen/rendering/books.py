"""How the live order books of a market are kept: the word ``book`` of the spec as values and a docstring."""

from __future__ import annotations

from dataclasses import dataclass

from codegen.names import english_list
from codegen.rendering import words
from codegen.spec_model.books import Book, snapshot_limits
from codegen.spec_model.operations import Operation
from codegen.spec_model.spec import Spec
from codegen.spec_model.stream_names import texts


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
    sequence = stream.sequence
    assert sequence is not None
    keys = spec.wire_keys(market, stream.event)
    rules: dict[str, object] = {
        "snapshot": book.snapshot,
        "stream": book.stream,
        "limits": snapshot_limits(operation.parameters["limit"]),
        "default_limit": book.limit,
        "first_id": keys[sequence.first],
        "last_id": keys[sequence.last],
        "previous_id": keys[sequence.previous] if sequence.previous else None,
        "bids": keys["bids"],
        "asks": keys["asks"],
        "joins_after": book.joins_after,
    }
    if (symbols := spec.entry(market).symbols) is not None and symbols.contract_size is not None:
        rules["counts_contracts"] = True
    speeds = texts(spec, market, stream.parameters["speed"])
    return BookView(
        stream=book.stream.upper(),
        rules=", ".join(f"{name}={value!r}" for name, value in rules.items()),
        limit=book.limit,
        speed=book.speed,
        speeds=", ".join(repr(speed) for speed in speeds),
        example=spec.example_symbol(market),
        description=words.sentence(book.description),
        arguments=_arguments(book, operation, [str(speed) for speed in speeds]),
        source=f"{book.source.document}; as of {book.source.date.isoformat()}",
    )


def _arguments(book: Book, operation: Operation, speeds: list[str]) -> str:
    limits = snapshot_limits(operation.parameters["limit"])
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
