"""A ``MarketDataSource`` out of Virtuoso's whole configuration: our class for Binance, CCXT for the others."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from time import time
from typing import Any, cast

from binance_sdk.errors import ConfigError, shown
from virtuoso_binance.base_exchange import BaseExchange
from virtuoso_binance.config import is_switched_off, load_settings, uses_ccxt
from virtuoso_binance.config.env_vars import UNSET, environment, expand
from virtuoso_binance.exchange import make_exchange_class
from virtuoso_binance.scalars import is_number
from virtuoso_binance.sources.asking import Exchange
from virtuoso_binance.sources.ccxt_library import UnknownExchangeError
from virtuoso_binance.sources.ccxt_source import CcxtSource
from virtuoso_binance.sources.data_sources import read_data_sources
from virtuoso_binance.sources.events import SourceHook
from virtuoso_binance.sources.market_data_source import MarketDataSource

__all__ = ["make_market_data_source"]

logger: logging.Logger = logging.getLogger("virtuoso_binance")

LOST_BY_CCXT = (
    "Binance is asked through CCXT, which is without the budget of weights that all clients of this process share, "
    "without the pause after a 429 or a ban, without live order books, and with open interest of up to five minutes ago"
)


def make_market_data_source(
    config: Mapping[str, Any],
    *,
    hooks: Sequence[SourceHook] = (),
    base_exchange_class: type = BaseExchange,
    names: Mapping[str, str] | None = None,
    now: Callable[[], float] = time,
) -> MarketDataSource:
    """A source by the blocks ``exchanges`` and ``data_sources``; it asks nobody yet.

    ``exchanges.binance`` is our own class, unless it has ``use_ccxt: true``; every other exchange is CCXT's.

    Args:
        config: The whole configuration.
        hooks: As of ``MarketDataSource``.
        base_exchange_class: What our class is made over; any will do.
        names: What placeholders mean; by default the environment and ``.env``.
        now: The local wall clock, in seconds.

    Raises:
        ConfigError: a value cannot be used, or CCXT is needed and not installed.
    """
    if not isinstance(cast("object", config), Mapping):
        raise ConfigError(f"config={shown(config)} must be the whole configuration, with exchanges and data_sources")
    known = environment() if names is None else names
    sections = _sections(_block(config, "exchanges"), known)
    off = [name for name, section in sections.items() if _is_off(name, section, known)]
    settings = read_data_sources(_block(config, "data_sources"), sections, switched_off=off, names=known)
    made = {name: _exchange(name, sections[name], known, base_exchange_class, now) for name in settings.names}
    return MarketDataSource(made, settings, hooks=hooks, now=now)


def _block(config: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found: object = config.get(key)
    if not isinstance(found, Mapping):
        raise ConfigError(f"{key}={shown(found)} must be a block of keys and values; add it to the configuration")
    return cast("Mapping[str, Any]", found)


def _sections(exchanges: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Mapping[str, Any]]:
    found: dict[str, Mapping[str, Any]] = {}
    for written, section in exchanges.items():
        name = str(written).strip().lower()
        if name in found:
            text = f"exchanges.{written} is exchanges.{name} once more, as upper and lower case are the same here"
            raise ConfigError(f"{text}; leave one of them")
        found[name] = _section(written, section, names)
    return found


def _section(name: object, section: object, names: Mapping[str, str]) -> Mapping[str, Any]:
    if section is not None and not isinstance(section, Mapping):
        raise ConfigError(f"exchanges.{name}={shown(section)} must be a block of keys and values")
    expanded = cast("Mapping[str, object]", expand(cast("object", section or {}), names))
    return {key: value for key, value in expanded.items() if value is not UNSET}


def _is_off(name: str, section: Mapping[str, Any], names: Mapping[str, str]) -> bool:
    return is_switched_off(section, names if name == "binance" else {})


def _exchange(
    name: str, section: Mapping[str, Any], names: Mapping[str, str], base: type, now: Callable[[], float]
) -> Exchange:
    if name != "binance":
        return _through_ccxt(name, section, now)
    if not uses_ccxt(section, names):
        return cast("Exchange", make_exchange_class(base, section, now=now)({}))
    logger.warning("exchanges.binance.use_ccxt is true: %s; write use_ccxt: false to have that", LOST_BY_CCXT)
    settings = load_settings({key: value for key, value in section.items() if key != "ccxt"}, names)
    return CcxtSource(
        name,
        spot_url=settings.spot_url,
        futures_url=settings.futures_url,
        requests_per_second=settings.caps.requests_per_second,
        options=section.get("ccxt"),
        now=now,
    )


_READ = ("enabled", "rest_endpoint", "testnet", "rate_limits", "ccxt")
_OF_VIRTUOSO = (
    "primary", "data_only", "use_ccxt", "api_credentials", "testnet_endpoint", "websocket", "market_types",
    "data_preferences",
)  # fmt: skip
"""What Virtuoso reads in the section of an exchange, and CCXT has no use for."""


def _through_ccxt(name: str, section: Mapping[str, Any], now: Callable[[], float]) -> CcxtSource:
    for key in section:
        if key not in (*_READ, *_OF_VIRTUOSO):
            logger.warning("exchanges.%s.%s is not known and not read; check its spelling", name, key)
    _flag(name, section, "enabled")
    testnet = _flag(name, section, "testnet")
    url, pace = _url(name, section), _pace(name, section)
    try:
        return CcxtSource(
            name, spot_url=url, testnet=testnet, requests_per_second=pace, options=section.get("ccxt"), now=now
        )
    except UnknownExchangeError as error:
        raise ConfigError(f"exchanges.{name} can be no source: {error}") from error


def _flag(name: str, section: Mapping[str, Any], key: str) -> bool:
    value: object = section.get(key)
    text = value.strip().lower() if isinstance(value, str) else ""
    if value is not None and not isinstance(value, bool) and text not in ("true", "false"):
        raise ConfigError(f"exchanges.{name}.{key}={shown(value)} must be true or false; write one of them")
    return value is True or text == "true"


def _url(name: str, section: Mapping[str, Any]) -> str | None:
    url = section.get("rest_endpoint")
    if url is None:
        return None
    text = url.strip() if isinstance(url, str) else ""
    if not text.lower().startswith(("http://", "https://")):
        remedy = "write an address that begins with https://, or leave it out"
        raise ConfigError(f"exchanges.{name}.rest_endpoint={shown(url)} is no address; {remedy}")
    return text


def _pace(name: str, section: Mapping[str, Any]) -> float | None:
    """Requests a second by the lower one of the limits; None where there are none."""
    key, limits = f"exchanges.{name}.rate_limits", cast("object", section.get("rate_limits"))
    if limits is None:
        return None
    if not isinstance(limits, Mapping):
        raise ConfigError(f"{key}={shown(limits)} must be a block of keys and values; begin with requests_per_second:")
    given = cast("Mapping[str, object]", limits)
    paces: list[float] = []
    for word, seconds in (("requests_per_second", 1), ("requests_per_minute", 60)):
        value = given.get(word)
        if value is None:
            continue
        if not is_number(value) or not 0 < value <= 1_000_000:
            raise ConfigError(f"{key}.{word}={shown(value)} must be a number above 0; write e.g. {10 * seconds}")
        paces.append(value / seconds)
    return min(paces, default=None)
