"""What to write instead of a value that cannot be used, and warnings about values that can."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, cast

from binance_sdk.errors import shown
from virtuoso_binance.config.env_vars import UNSET, is_placeholder

__all__ = ["STALE_TESTNET_STREAM", "remedy_for", "warnings_about"]

STALE_TESTNET_STREAM = "wss://testnet.binance.vision"
"""The host of the integration plan, which serves no streams any more."""

_KEY_LENGTH = 64
_KNOWN_QUOTES = ("USDT", "BTC", "ETH", "BNB", "BUSD", "USDC", "DAI", "TUSD")
_LOW_VOLUME = 100_000
_LARGEST = 10**18

_REMEDIES: Mapping[str, str] = {
    "api_credentials": "add it with api_key and api_secret, which may be empty",
    "api_credentials.api_key": "add it, empty is fine",
    "api_credentials.api_secret": "add it, empty is fine",
    "rate_limits": "add it with requests_per_minute and requests_per_second",
    "rate_limits.requests_per_minute": "write e.g. 1200",
    "rate_limits.requests_per_second": "write e.g. 10",
    "rate_limits.weight_per_minute": "write e.g. 6000, Binance's limit for spot",
    "rate_limits.futures_weight_per_minute": "write e.g. 2400, Binance's limit for futures, or leave it out",
    "rest_endpoint": "write e.g. https://api.binance.com",
    "testnet_endpoint": "write e.g. https://testnet.binance.vision",
    "futures_rest_endpoint": "write e.g. https://fapi.binance.com",
    "futures_testnet_endpoint": "write e.g. https://testnet.binancefuture.com",
    "websocket": "add it with public: wss://stream.binance.com:9443/ws",
    "websocket.public": "write e.g. wss://stream.binance.com:9443/ws",
    "websocket.futures_public": "write e.g. wss://fstream.binance.com",
    "websocket.testnet_public": "write e.g. wss://stream.testnet.binance.vision",
    "websocket.futures_testnet_public": "write e.g. wss://fstream.binancefuture.com",
    "websocket.ping_interval": "write e.g. 30",
    "websocket.reconnect_attempts": "write e.g. 3",
    "streaming": "write e.g. [order_books, trades, klines], or false",
    "market_types": "write e.g. [spot, futures]",
    "data_preferences": "add preferred_quote_currencies, exclude_symbols and min_24h_volume below it, or leave it out",
    "data_preferences.preferred_quote_currencies": "write e.g. [USDT, BTC, ETH]",
    "data_preferences.exclude_symbols": "write e.g. [BTCUSDT], or []",
    "data_preferences.min_24h_volume": "write e.g. 1000000, in the quote currency",
}


def remedy_for(name: str) -> str:
    """What to write as the value of a key."""
    return _REMEDIES.get(name, "write true or false")


def warnings_about(section: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Warnings about a section whose placeholders are expanded: name of the key, and what follows it in the message."""
    for name, text in _all(section):
        yield name, text if text.startswith("=") else f" {text}"


def _all(section: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield from _about_switches(section)
    yield from _about_credentials(_block(section, "api_credentials"))
    yield from _about_rates(_block(section, "rate_limits"))
    yield from _about_streams(_block(section, "websocket"))
    yield from _about_preferences(section)


def _block(section: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = section.get(name)
    return cast("Mapping[str, Any]", found) if isinstance(found, Mapping) else {}


def _about_switches(section: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    def on(name: str) -> bool:
        return section.get(name) is True or _text(section.get(name)) == "true"

    if on("use_ccxt"):
        yield (
            "use_ccxt",
            ("is true: then Virtuoso builds its generic CCXT exchange and never asks this adapter; write false"),
        )
    traded = section.get("data_only") is False or _text(section.get("data_only")) == "false"
    if on("primary") and not traded:
        yield "primary", "is true while data_only is true: analysis works, orders cannot be placed through Binance"
    if traded:
        yield "data_only", "is false, but this adapter reads public data only and trades nothing; write true"
    for name in ("enabled", "primary", "data_only", "testnet"):
        value = section.get(name)
        if _text(value) in ("true", "false"):
            yield name, f"is the text {value!r}; write it without quotes"
        if value is UNSET:
            yield name, "is a placeholder whose name is not set and which has no default; the default is used"


def _about_credentials(credentials: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    values = {name: credentials.get(name) for name in ("api_key", "api_secret")}
    given = {name: value for name, value in values.items() if isinstance(value, str) and value and not _is_unset(value)}
    if not given:
        yield "api_credentials", "are not set: fine, public data needs none, and a key would raise no limit"
    for name, value in given.items():
        if len(value) != _KEY_LENGTH:
            yield f"api_credentials.{name}", f"is not {_KEY_LENGTH} characters long, as Binance's keys are"


def _is_unset(value: object) -> bool:
    return value is UNSET or is_placeholder(value)


def _about_rates(rates: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, top in (("requests_per_minute", 1200), ("requests_per_second", 20), ("weight_per_minute", 6000)):
        value = _number(rates.get(name))
        if value is not None and not 1 <= value <= top:
            yield f"rate_limits.{name}", f"={value} is outside 1 to {top}"
    minute, second = _number(rates.get("requests_per_minute")), _number(rates.get("requests_per_second"))
    if minute is not None and second is not None and second > minute / 60:
        yield (
            "rate_limits.requests_per_second",
            (f"={second} is more than requests_per_minute={minute} allows on average; bursts are fine"),
        )


def _about_streams(streams: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, top in (("ping_interval", 300), ("reconnect_attempts", 10)):
        value = _number(streams.get(name))
        if value is not None and not 1 <= value <= top:
            yield f"websocket.{name}", f"={value} is outside 1 to {top}"
    if _text(streams.get("testnet_public")).startswith(STALE_TESTNET_STREAM):
        yield (
            "websocket.testnet_public",
            ("names a host that serves no streams any more; wss://stream.testnet.binance.vision is used instead"),
        )


def _about_preferences(section: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    types = section.get("market_types")
    if isinstance(types, list):
        names = cast("list[object]", types)
        if not names:
            yield "market_types", "is empty; spot and futures are both used"
        for name in names:
            if name in ("margin", "options"):
                yield "market_types", f"names {name}, for which this adapter has no data"
    preferences = _block(section, "data_preferences")
    quotes = preferences.get("preferred_quote_currencies")
    for quote in cast("list[object]", quotes) if isinstance(quotes, list) else []:
        if not isinstance(quote, str) or quote.upper() not in _KNOWN_QUOTES:
            yield "data_preferences.preferred_quote_currencies", f"names the unusual quote currency {shown(quote)}"
    volume = _number(preferences.get("min_24h_volume"))
    if volume is not None and 0 <= volume < _LOW_VOLUME:
        yield "data_preferences.min_24h_volume", f"={volume} is below {_LOW_VOLUME}: thin markets will be listed"


def _text(value: object) -> str:
    return value.strip().lower() if isinstance(value, str) else ""


def _number(value: object) -> float | None:
    """A number to warn about; None for anything else, which is reported as an error."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value if abs(value) <= _LARGEST else None
