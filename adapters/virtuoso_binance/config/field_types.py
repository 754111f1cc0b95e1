"""The kinds of values that the section ``exchanges.binance`` may hold."""

from __future__ import annotations

from typing import Annotated, Literal, cast, get_args

from pydantic import BeforeValidator, SecretStr

from binance_sdk.errors import ParameterError, plain_number
from virtuoso_binance.config.env_vars import UNSET, is_placeholder
from virtuoso_binance.scalars import is_number
from virtuoso_binance.symbols import plain_symbol

__all__ = [
    "STREAM_KINDS",
    "Flag",
    "Http",
    "MarketTypes",
    "PerMinute",
    "PerSecond",
    "Positive",
    "Seconds",
    "Secret",
    "StreamKind",
    "Streaming",
    "Symbols",
    "Texts",
    "Volume",
    "WebSocketUrl",
    "is_given",
]

StreamKind = Literal["order_books", "trades", "klines", "mark_prices", "tickers", "liquidations"]
STREAM_KINDS: tuple[StreamKind, ...] = get_args(StreamKind)
"""What of market data can come from streams."""
MARKET_TYPES = ("spot", "futures", "margin", "options")
_HIGHEST_CAP = 10**9
_SLOWEST, _FASTEST = 0.0001, 1_000_000
"""Requests a second that the SDK's caps take."""
_LARGEST_VOLUME = 10**18


def _flag(value: object) -> object:
    if isinstance(value, str) and value.strip().lower() in ("true", "false"):
        return value.strip().lower() == "true"
    if not isinstance(value, bool):
        raise ValueError("must be true or false")
    return value


def _number(least: float, most: float, words: str) -> BeforeValidator:
    """From ``least`` to ``most``, which leaves out .inf and .nan."""

    def check(value: object) -> object:
        if not is_number(value) or not least <= cast("float", value) <= most:
            raise ValueError(words)
        return value

    return BeforeValidator(check)


def _above_zero(least: float, most: float) -> BeforeValidator:
    return _number(least, most, f"must be a positive number, at most {plain_number(most)}")


def _url(*schemes: str) -> BeforeValidator:
    def check(value: object) -> object:
        text = value.strip() if isinstance(value, str) else ""
        scheme, _, rest = text.partition("://")
        if scheme.lower() not in schemes or not rest.strip("/"):
            raise ValueError(f"must be an address that begins with {' or '.join(f'{scheme}://' for scheme in schemes)}")
        return text.rstrip("/")

    return BeforeValidator(check)


def _list(value: object) -> list[object]:
    if not isinstance(value, list):
        raise ValueError("must be a list")
    return cast("list[object]", value)


def _texts(value: object) -> object:
    items = _list(value)
    if not all(isinstance(item, str) and item.strip() for item in items):
        raise ValueError("must be a list of names")
    return items


def _symbols(value: object) -> object:
    for item in _list(_texts(value)):
        try:
            plain_symbol(item)
        except ParameterError as error:
            raise ValueError(f"must be a list of symbols: {error}") from error
    return value


def _market_types(value: object) -> object:
    items = _list(value)
    if not all(isinstance(item, str) and item in MARKET_TYPES for item in items):
        raise ValueError(f"must be a list with values out of {', '.join(MARKET_TYPES)}")
    return items


def _streaming(value: object) -> object:
    text = value.strip().lower() if isinstance(value, str) else ""
    if value is True or text == "true":
        return list(STREAM_KINDS)
    if value is False or text == "false":
        return []
    if not isinstance(value, list) or not all(
        isinstance(item, str) and item in STREAM_KINDS for item in cast("list[object]", value)
    ):
        raise ValueError(f"must be a list with values out of {', '.join(STREAM_KINDS)}, or true for all of them")
    return cast("list[object]", value)


def is_given(value: object) -> bool:
    """Whether a credential is there: Virtuoso's loaders leave a placeholder unexpanded where nothing is set."""
    return not (value is None or value is UNSET or value == "" or is_placeholder(value))


def _secret(value: object) -> object:
    if not is_given(value):
        return ""
    if isinstance(value, SecretStr):
        return value
    # Virtuoso's loader makes an int of a text of digits.
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        raise ValueError("must be text")
    return str(value)


Flag = Annotated[bool, BeforeValidator(_flag)]
PerMinute = Annotated[float, _above_zero(5e-324, _HIGHEST_CAP)]
PerSecond = Annotated[float, _above_zero(_SLOWEST, _FASTEST)]
Positive = Annotated[float, _above_zero(5e-324, _FASTEST)]
Seconds = Annotated[float, _number(0.1, 86_400, "must be a number of seconds from 0.1 to 86400")]
Volume = Annotated[float, _number(0, _LARGEST_VOLUME, f"must be a number of 0 or more, at most {_LARGEST_VOLUME}")]
Http = Annotated[str, _url("http", "https")]
WebSocketUrl = Annotated[str, _url("ws", "wss")]
Texts = Annotated[list[str], BeforeValidator(_texts)]
Symbols = Annotated[list[str], BeforeValidator(_symbols)]
Streaming = Annotated[list[StreamKind], BeforeValidator(_streaming)]
MarketTypes = Annotated[list[str], BeforeValidator(_market_types)]
Secret = Annotated[SecretStr, BeforeValidator(_secret)]
