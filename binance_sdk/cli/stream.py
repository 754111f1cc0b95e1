"""``binance-sdk stream``: one kind of stream, as a live table or as one line of JSON a message."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, cast

from pydantic import BaseModel

from binance_sdk import BinanceClient
from binance_sdk.catalogue import STREAMS, Market, StreamOperation
from binance_sdk.cli.arguments import did_you_mean
from binance_sdk.cli.check_symbols import check_symbols
from binance_sdk.cli.event_loop import run, run_beside
from binance_sdk.cli.exit_codes import CommandError
from binance_sdk.cli.live_rows import View
from binance_sdk.cli.live_table import LiveTable
from binance_sdk.cli.markets import ALL_MARKETS, market_word, which_have
from binance_sdk.streams import Notice, Stream


@dataclass(frozen=True)
class StreamCall:
    """What the command line asks for."""

    market: Market
    kind: str
    words: Sequence[str]
    environment: str | None = None
    as_json: bool = False
    fill_gaps: bool = False
    count: int | None = None


def kinds(market: str) -> list[str]:
    """Names of the streams of a market."""
    return [known.name for known in STREAMS if known.market == market]


def run_stream(call: StreamCall) -> None:
    """Print what comes until Ctrl-C, the end of the reader, or ``count`` messages.

    Raises:
        CommandError: the command line is wrong.
        BinanceError: the stream cannot be opened.
    """
    symbols, choices = _read(call)
    as_json = call.as_json or not sys.stdout.isatty()
    run(lambda: _follow(call, symbols, choices, as_json=as_json))


def find_stream(market: Market, kind: str) -> StreamOperation[object]:
    """The stream of a market with this name.

    Raises:
        CommandError: there is none.
    """
    found = next((known for known in STREAMS if known.market == market and known.name == kind), None)
    if found is not None:
        return found
    missing = f"{market_word(market)} has no stream {kind!r}"
    others: list[Market] = [other for other in ALL_MARKETS if kind in kinds(other)]
    if others:
        raise CommandError(f"{missing}, but {which_have(others)}")
    raise CommandError(f"{missing}{did_you_mean(kind, kinds(market))}; `binance-sdk stream --help` lists all")


def _read(call: StreamCall) -> tuple[list[str], dict[str, str | int]]:
    """Symbols and choices out of ``BTCUSDT interval=1m``."""
    operation = find_stream(call.market, call.kind)
    symbols = [word for word in call.words if "=" not in word]
    taken = next((parameter for parameter in operation.parameters if parameter.kind == "symbol"), None)
    if taken is not None and not symbols:
        example = taken.symbol_form.example if taken.symbol_form else "BTCUSDT"
        raise CommandError(
            f"{operation.id} needs a symbol: binance-sdk stream {market_word(call.market)} {call.kind} {example}"
        )
    if symbols and taken is None:
        raise CommandError(f"{operation.id} takes no symbol: leave {symbols[0]} out")
    known = {parameter.name: parameter for parameter in operation.parameters if parameter.kind == "choice"}
    choices: dict[str, str | int] = {}
    for word in call.words:
        name, sign, text = word.partition("=")
        if not sign:
            continue
        if name not in known:
            takes = f"it takes {', '.join(known)}" if known else "it takes none"
            raise CommandError(f"{operation.id} has no parameter {name!r}; {takes}")
        accepted = {str(value): value for value in known[name].texts}
        if text not in accepted:
            raise CommandError(f"{name}={text} must be one of {', '.join(accepted)}")
        choices[name] = accepted[text]
    for name, parameter in known.items():
        if name not in choices and parameter.default is None:
            values = "|".join(str(value) for value in parameter.texts)
            raise CommandError(f"{operation.id}: {name} is required: add {name}={values}")
    return symbols, choices


async def _follow(call: StreamCall, symbols: Sequence[str], choices: Mapping[str, str | int], *, as_json: bool) -> None:
    # The client refuses an unknown environment and names the known ones.
    async with BinanceClient(cast(Any, call.environment)) as client:
        streams = client.market(call.market).streams
        make = cast("Callable[..., Stream[object]]", getattr(streams, call.kind))
        stream = make(*symbols, **choices, fill_gaps=call.fill_gaps)

        def check() -> Coroutine[Any, Any, None]:
            return check_symbols(client, call.market, call.kind, symbols)

        if as_json:
            await run_beside(_read_on(stream, call.count, _print_message, _print_notice), check())
            return
        live_table = LiveTable(", ".join(stream.names), view_of(call.market, call.kind, len(stream.names)))
        live_table.start()
        try:
            await run_beside(
                _read_on(stream, call.count, live_table.show, live_table.tell), check(), live_table.redrawer.run()
            )
        finally:
            live_table.stop()


async def _read_on(
    stream: Stream[object],
    count: int | None,
    show: Callable[[object], None],
    tell: Callable[[Notice], None],
) -> None:
    """Show what comes until there have been ``count`` messages."""
    left = count
    async with stream as events:
        async for event in events.with_notices():
            if isinstance(event, Notice):
                tell(event)
                continue
            show(event)
            left = None if left is None else left - 1
            if left == 0:
                return


def view_of(market: Market, kind: str, streams: int) -> View:
    """How the messages of so many streams of a kind are shown.

    Args:
        market: Which one.
        kind: Name of the stream, e.g. ``agg_trade``.
        streams: How many of that kind are followed.
    """
    operation = next(known for known in STREAMS if known.market == market and known.name == kind)
    if not any(parameter.kind == "symbol" for parameter in operation.parameters):
        fields = getattr(operation.item, "model_fields", {})
        nested = any("symbol" in getattr(field.annotation, "model_fields", {}) for field in fields.values())
        return View("symbol") if "symbol" in fields or nested else View("message")
    if streams > 1:
        return View("stream")
    sequence = operation.sequence
    return View("bar", sequence.first) if sequence is not None and sequence.kind == "time" else View("message")


def _print_message(message: object) -> None:
    if isinstance(message, BaseModel):
        _print_line(message.model_dump_json(by_alias=True, exclude_unset=True))
        return
    items = cast("list[BaseModel]", message)
    _print_line(f"[{','.join(item.model_dump_json(by_alias=True, exclude_unset=True) for item in items)}]")


def _print_notice(notice: Notice) -> None:
    """A notice in its place among the messages: an object with the key ``notice``, which no message has."""
    _print_line(json.dumps({"notice": type(notice).__name__, **asdict(notice), "text": str(notice)}))


def _print_line(text: str) -> None:
    # Flushed at once, so that the reader of a pipe gets each message, and a closed pipe is noticed.
    sys.stdout.buffer.write(text.encode() + b"\n")
    sys.stdout.buffer.flush()
