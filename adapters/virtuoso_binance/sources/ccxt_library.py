"""CCXT as a library: its classes with checked settings, its limiter and its errors in the words of this package."""

from __future__ import annotations

import asyncio
import importlib
import logging
import math
from asyncio import sleep
from collections.abc import Awaitable, Callable, Iterator, Mapping
from email.utils import parsedate_to_datetime
from time import monotonic
from typing import Any, TypeVar

from binance_sdk.errors import APIConnectionError, APITimeoutError, BinanceError, ConfigError, shown
from virtuoso_binance.scalars import is_number
from virtuoso_binance.symbols import MarketName

__all__ = [
    "CcxtError",
    "UnknownExchangeError",
    "checked_options",
    "class_of",
    "paced",
    "symbols_of",
    "time_there",
    "translated",
]

logger: logging.Logger = logging.getLogger("virtuoso_binance")

T = TypeVar("T")

_CLOCKS_APART = 10_000
"""Milliseconds that a local clock may be off before that of the exchange is taken, which tells whole seconds."""
_LONGEST = 400
"""Characters of an error: CCXT puts whole answers into its own."""


class CcxtError(BinanceError):
    """An exchange that CCXT asked did not give what was asked for; the cause is CCXT's own error."""


class UnknownExchangeError(ConfigError):
    """CCXT knows no exchange of that name."""


def time_there(headers: Mapping[str, str] | None, local: int) -> int:
    """The time at the exchange, in milliseconds: that of its answers where the local clock differs from it by much.

    Args:
        headers: Those of its newest answer, which has whole seconds and may have been on the way for some.
        local: The local wall clock.
    """
    date = next((value for name, value in (headers or {}).items() if name.lower() == "date"), "")
    try:
        time = round(parsedate_to_datetime(date).timestamp() * 1000)
    except ValueError:
        return local
    return time if abs(time - local) > _CLOCKS_APART else local


def paced(throttle: Callable[..., Awaitable[object]], per_second: float) -> Callable[..., Awaitable[None]]:
    """CCXT's limiter, and behind it so many requests a second at most.

    CCXT's own counts units, of which a request takes several by some exchanges, so it cannot be told this.
    """
    turn, due = asyncio.Lock(), 0.0

    async def wait(cost: object = None) -> None:
        nonlocal due
        await throttle(cost)
        async with turn:
            await sleep(max(0.0, due - monotonic()))
            due = monotonic() + 1 / per_second

    return wait


def class_of(exchange_id: object) -> Callable[[Mapping[str, Any]], Any]:
    try:
        ccxt = importlib.import_module("ccxt.async_support")
    except ModuleNotFoundError as error:
        text = f"the source {shown(exchange_id)} needs {error.name}: pip install 'binance-market-sdk[ccxt]'"
        raise ConfigError(text) from error
    if not isinstance(exchange_id, str) or exchange_id not in ccxt.exchanges:
        text = f"exchange_id={shown(exchange_id)} is no exchange of CCXT; write one of ccxt.exchanges"
        raise UnknownExchangeError(text)
    found: Callable[[Mapping[str, Any]], Any] = getattr(ccxt, exchange_id)
    return found


_CREDENTIALS = ("apiKey", "secret", "password", "uid", "privateKey", "walletAddress", "token")


def checked_options(exchange_id: str, options: object, exchange: object) -> dict[str, Any]:
    """Settings of CCXT's class, of which what is certain to be wrong is refused.

    Args:
        exchange_id: CCXT's name of the exchange.
        options: The settings.
        exchange: The class, which has nearly all that it can be told as an attribute.

    Raises:
        ConfigError: they cannot be used.
    """
    key = f"exchanges.{exchange_id}.ccxt"
    if not isinstance(options, Mapping):
        raise ConfigError(f"{key}={shown(options)} must be a block of settings of CCXT's class, or left out")
    given: dict[str, Any] = dict(options)  # pyright: ignore
    for name in _CREDENTIALS:
        if given.get(name):
            # Its value is not shown.
            raise ConfigError(f"{key}.{name} is set, but only public data are read; take it out")
    for name in ("enableRateLimit", "rateLimit"):
        if name in given:
            remedy = f"write exchanges.{exchange_id}.rate_limits.requests_per_second to ask less often"
            raise ConfigError(f"{key}.{name}={shown(given[name])} cannot be set, as CCXT's own limit holds; {remedy}")
    timeout: object = given.get("timeout", 10_000)
    if not is_number(timeout) or not 0 < timeout < math.inf:
        raise ConfigError(f"{key}.timeout={shown(timeout)} must be a number of milliseconds; write e.g. 10000")
    for name in given:
        if not hasattr(exchange, str(name)):
            logger.warning("%s.%s is no setting of CCXT's class that is known; check its spelling", key, name)
    if not isinstance(given.get("options", {}), Mapping):
        raise ConfigError(f"{key}.options={shown(given['options'])} must be a block of keys and values")
    return given


def symbols_of(markets: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[tuple[MarketName, str], str]]:
    """Market and plain symbol of each market that is served, with CCXT's own symbol."""
    for unified, market in markets.items():
        plain = f"{market['base']}{market['quote']}"
        if market.get("swap") and market.get("linear") and market.get("settle") == market.get("quote"):
            yield ("usdm", plain), unified
        elif market.get("spot"):
            yield ("spot", plain), unified


async def translated(exchange_id: str, call: Awaitable[T], what: str) -> T:
    """What a call of CCXT's gives; its errors as ours.

    Raises:
        APITimeoutError, APIConnectionError: no answer came.
        CcxtError: the answer was another one.
    """
    ccxt = importlib.import_module("ccxt.async_support")
    try:
        return await call
    except Exception as error:
        text = f"{what} of {exchange_id}: {type(error).__name__}: {error}"[:_LONGEST]
        if isinstance(error, ccxt.RequestTimeout):
            raise APITimeoutError(text) from error
        # A session that was closed behind our back is a RuntimeError.
        if isinstance(error, ccxt.NetworkError | OSError | RuntimeError):
            raise APIConnectionError(text) from error
        raise CcxtError(text) from error
