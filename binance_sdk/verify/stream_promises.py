"""Names of streams to listen to, and what their messages promise, compared with what came. Pure: no IO, no clock."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from pydantic import JsonValue

from binance_sdk._runtime.calls.parameters import lower
from binance_sdk.verify.compare import Difference, compare, item_of, shown
from binance_sdk.verify.market_spec import MarketSpec, SequenceSpec, StreamSpec
from binance_sdk.verify.plan import LiveSymbols

_ENOUGH = 4
"""Messages of a stream that sends at fixed times: three distances show whether they are what was said."""
_SOME = 3
"""Messages of a stream that sends when something happens."""
_FASTER, _SLOWER = 0.6, 1.7
"""A part of the promised distance that no jitter of the exchange explains."""


@dataclass(frozen=True)
class Chosen:
    """One stream to listen to.

    Attributes:
        name: Its name on the wire.
        parameters: What the name was made of.
        wanted: How many messages are waited for.
        period_ms: Distance of two messages, where the spec says one.
    """

    name: str
    parameters: dict[str, JsonValue]
    wanted: int
    period_ms: int | None


def choose(stream: StreamSpec, live: LiveSymbols, listed: Mapping[str, str]) -> Chosen:
    """The stream for a symbol that trades, with its default choices or the first ones.

    Args:
        stream: What the spec says of it.
        live: What trades.
        listed: By name of an operation, the first symbol that its rows name.
    """
    given: dict[str, JsonValue] = {}
    texts: dict[str, str] = {}
    for name, parameter in stream.parameters.items():
        if parameter.type == "symbol":
            value = live.pair if parameter.pair else listed.get(parameter.listed_by or "", live.symbol)
            given[name], texts[name] = value, lower(value)
        else:
            choice = str(parameter.default) if parameter.default is not None else next(iter(parameter.texts))
            given[name], texts[name] = choice, parameter.texts[choice]
    quiet = stream.quiet
    period = quiet.values_ms.get(str(given[quiet.by])) if quiet.by else quiet.period_ms
    wanted = {"periodic": _ENOUGH, "activity": _SOME, "never": 0}[quiet.kind]
    return Chosen(stream.pattern.format_map(texts), given, wanted, period)


def own(stream: StreamSpec, messages: Sequence[JsonValue]) -> list[JsonValue]:
    """The messages without the rows of other markets."""
    rule = stream.own_rows
    if rule is None:
        return [*messages]

    def is_own(row: JsonValue) -> bool:
        return not isinstance(row, dict) or rule.key not in row or row[rule.key] in rule.values

    return [
        [row for row in message if is_own(row)] if isinstance(message, list) else message
        for message in messages
        if is_own(message)
    ]


def message_differences(
    spec: MarketSpec, stream: StreamSpec, chosen: Chosen, messages: Sequence[JsonValue]
) -> Iterator[Difference]:
    """Everything in which messages are not what the spec says."""
    yield from compare(spec, stream.event, messages)
    yield from _event_type(stream, messages)
    yield from _interval(stream, chosen, messages)
    if stream.sequence is not None and item_of(stream.event, "list") is None:
        yield from _sequence(stream, stream.sequence, messages)


def _rows(messages: Sequence[JsonValue]) -> Iterator[dict[str, JsonValue]]:
    for message in messages:
        for row in message if isinstance(message, list) else (message,):
            if isinstance(row, dict):
                yield row


def _event_type(stream: StreamSpec, messages: Sequence[JsonValue]) -> Iterator[Difference]:
    if stream.event_type is None:
        return
    for row in _rows(messages):
        kind = row.get("e")
        if isinstance(kind, str) and kind != stream.event_type:
            path = "[].e" if stream.event.startswith("list<") else "e"
            yield Difference("event_type_changed", path, "", stream.event_type, kind, stream.uncertain)
            return


def _interval(stream: StreamSpec, chosen: Chosen, messages: Sequence[JsonValue]) -> Iterator[Difference]:
    if chosen.period_ms is None or stream.moment is None:
        return
    moments: list[int] = []
    for message in messages:
        times = [time for row in _rows([message]) if isinstance(time := row.get(stream.moment), int)]
        if times:
            moments.append(max(times))
    if len(moments) < _ENOUGH:
        return
    distance = round(median(second - first for first, second in pairwise(moments)))
    if distance <= 0 or _FASTER * chosen.period_ms <= distance <= _SLOWER * chosen.period_ms:
        return
    yield Difference("interval_changed", stream.moment, "", chosen.period_ms, distance, stream.uncertain)


def _sequence(stream: StreamSpec, sequence: SequenceSpec, messages: Sequence[JsonValue]) -> Iterator[Difference]:
    """Ids that break the rule in most places: in one place something may have been lost on the way."""
    pairs = 0
    broken: list[tuple[int, int]] = []
    for before, after in pairwise(_rows(messages)):
        last = _at(before, sequence.last)
        begins = _at(after, sequence.previous or sequence.first)
        if last is None or begins is None:
            continue
        pairs += 1
        if begins != (last if sequence.previous else last + 1):
            broken.append((last, begins))
    if pairs >= _SOME - 1 and len(broken) * 2 > pairs:
        rule: JsonValue = sequence.model_dump(exclude_none=True)
        yield Difference("sequence_changed", sequence.first, "", rule, list(broken[0]), stream.uncertain)


def _at(row: JsonValue, path: str) -> int | None:
    for key in path.split("."):
        row = row.get(key) if isinstance(row, dict) else None
    return row if isinstance(row, int) and not isinstance(row, bool) else None


def strange_difference(text: str) -> Difference:
    """A message that is neither an event nor an answer."""
    return Difference("wrapper_changed", "", "", ["stream", "data"], shown(text))
