"""Arguments and environment variables of a client, checked before anything is opened."""

from __future__ import annotations

import os
import ssl
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Literal, TypeVar, cast, get_args
from urllib.parse import urlsplit

from binance_sdk._generated.environments import ENVIRONMENTS, LIMITS
from binance_sdk._runtime.budget.caps import Caps
from binance_sdk._runtime.budget.pool import shared_pool
from binance_sdk._runtime.calls.hosts import Host, MarketHosts
from binance_sdk._runtime.clock import Clock
from binance_sdk._runtime.operation import Environment, Market
from binance_sdk._runtime.options import RequestOptions, check_cache
from binance_sdk._runtime.setting_checks import (
    MOST_CONCURRENT,
    MOST_RETRIES,
    check_count,
    check_flag,
    check_function,
    check_instance,
    check_seconds,
    is_number,
    refuse,
)
from binance_sdk._runtime.transport.network import Network
from binance_sdk.base_urls import read_base_url, read_stream_url
from binance_sdk.errors import ConfigError
from binance_sdk.events import Hook, WeightDrift
from binance_sdk.simulator_url import SIMULATOR_VARIABLE, read_simulator_url

T = TypeVar("T")
_LONGEST_KEY = 1000
TransportName = Literal["httpx", "aiohttp"]
EnvironmentName = Literal["mainnet", "data_only", "testnet", "demo"]


@dataclass(frozen=True)
class Place:
    """Hosts of one market, and the name of the pool their calls are paid from."""

    base_urls: tuple[str, ...]
    pool: str
    environment: str
    """Empty where the URL was given."""
    stream_urls: tuple[str, ...] = ()
    """Empty where there are no streams."""


@dataclass(frozen=True)
class Settings:
    """Everything a client was told, checked."""

    environment: str
    """As named; its hosts hold where no URL was given."""
    places: Mapping[Market, Place]
    api_key: str | None = field(repr=False)
    budget: bool
    caps: Caps
    safety_margin: float
    max_concurrency: int
    hooks: tuple[Hook, ...]
    on_drift: Callable[[WeightDrift], None] | None
    defaults: RequestOptions
    network: Network
    transport: TransportName = "httpx"

    def markets(self, clock: Clock) -> Mapping[Market, MarketHosts]:
        return {
            market: MarketHosts(
                tuple(Host.at(url) for url in place.base_urls),
                shared_pool(place.pool, LIMITS[market], clock.time(), clock.monotonic()),
                place.environment,
            )
            for market, place in self.places.items()
        }


def read_settings(
    *,
    environment: str | None,
    spot_base_url: str | None,
    futures_base_url: str | None,
    spot_stream_url: str | None,
    futures_stream_url: str | None,
    transport: str,
    http_client: object,
    proxy: str | None,
    ssl_context: ssl.SSLContext | None,
    trust_env: bool,
    api_key: str | None,
    timeout: float,
    max_retries: int,
    cache: bool | float,
    caps: Caps | None,
    safety_margin: float,
    budget: bool,
    max_concurrency: int,
    hooks: Sequence[Hook],
    on_drift: Callable[[WeightDrift], None] | None,
) -> Settings:
    """Arguments first, environment variables where an argument was left out.

    Raises:
        ConfigError: naming the argument or variable, its value and the remedy.
    """
    if not is_number(safety_margin) or not 0 <= safety_margin < 1:
        refuse("safety_margin", safety_margin, "must be a number of at least 0 and below 1; 0.05 leaves 5 % unused")
    check_count("max_concurrency", max_concurrency, 1, MOST_CONCURRENT)
    check_flag("budget", budget)
    check_seconds("timeout", timeout)
    check_count("max_retries", max_retries, 0, MOST_RETRIES)
    check_cache(cache)
    if on_drift is not None:
        check_function("on_drift", on_drift)
    known = _environment(environment)
    return Settings(
        environment=known.name,
        places=_places(
            known,
            {"spot": spot_base_url, "futures": futures_base_url},
            {"spot": spot_stream_url, "futures": futures_stream_url},
        ),
        api_key=_api_key(api_key),
        budget=budget,
        caps=Caps() if caps is None else check_instance("caps", caps, Caps),
        safety_margin=safety_margin,
        max_concurrency=max_concurrency,
        hooks=_hooks(hooks),
        on_drift=on_drift,
        defaults=RequestOptions(timeout=timeout, max_retries=max_retries, cache=cache),
        network=Network(proxy=proxy, ssl_context=ssl_context, trust_env=trust_env),
        transport=_transport(transport, http_client),
    )


def _environment(argument: object) -> Environment:
    given, source = _setting(argument, "environment", "ENVIRONMENT")
    name = "mainnet" if given is None else given
    if not isinstance(name, str) or name not in ENVIRONMENTS:
        refuse(source, name, f"is no environment; use one of {', '.join(get_args(EnvironmentName))}")
    return ENVIRONMENTS[name]


def _hooks(hooks: object) -> tuple[Hook, ...]:
    if callable(hooks):
        refuse("hooks", hooks, "is one function; write a list, hooks=[...], of one or more")
    if not isinstance(hooks, Sequence) or isinstance(hooks, (str, bytes, bytearray)):
        refuse("hooks", hooks, "must be a list of functions that take one event, e.g. hooks=[print]")
    for hook in cast("Sequence[object]", hooks):
        check_function("hooks", hook)
    return tuple(cast("Sequence[Hook]", hooks))


def _transport(name: object, http_client: object) -> TransportName:
    if not isinstance(name, str) or name not in ("httpx", "aiohttp"):
        refuse("transport", name, "is none of 'httpx', 'aiohttp'")
    if name == "httpx":
        return "httpx"
    if http_client is not None:
        raise ConfigError("http_client is httpx's; leave it out, or use transport='httpx'")
    if find_spec("aiohttp") is None:
        raise ConfigError("transport='aiohttp' needs aiohttp: pip install 'binance-market-sdk[speed]'")
    return "aiohttp"


def _places(
    known: Environment, arguments: Mapping[Market, str | None], streams: Mapping[Market, str | None]
) -> dict[Market, Place]:
    places: dict[Market, Place] = {}
    simulated = read_simulator_url()
    for market, argument in arguments.items():
        hosts = known.spot if market == "spot" else known.futures
        alternatives = hosts.rest
        stream_url, stream_source = _setting(streams[market], f"{market}_stream_url", f"{market.upper()}_STREAM_URL")
        listening = () if stream_url is None else (read_stream_url(stream_url, stream_source),)
        url, source = _setting(argument, f"{market}_base_url", f"{market.upper()}_BASE_URL")
        if url is None and simulated is not None:
            url, source = simulated.rest, SIMULATOR_VARIABLE
            listening = listening or (simulated.streams[market],)
        if url is not None:
            base = read_base_url(url, source)
            # Clients of one host share one budget, whatever path they reach it by.
            # Their streams are not those of the environment: another exchange would fill this one's gaps.
            places[market] = Place((base,), f"{urlsplit(base).netloc.lower()}/{market}", "", listening)
        elif alternatives:
            places[market] = Place(alternatives, f"{known.pool}/{market}", known.name, listening or hosts.stream)
    return places


def _setting(argument: T | None, name: str, variable: str) -> tuple[T | str | None, str]:
    if argument is not None:
        return argument, name
    variable = f"BINANCE_SDK_{variable}"
    return os.environ.get(variable, "").strip() or None, variable


def _api_key(argument: object) -> str | None:
    key = argument if argument is not None else os.environ.get("BINANCE_API_KEY", "").strip()
    if not isinstance(key, str):
        raise ConfigError(f"api_key must be a str, not a {type(key).__name__}; copy it from your account at Binance")
    if not key:
        return None
    if not key.isascii() or not key.isprintable() or " " in key or len(key) > _LONGEST_KEY:
        # The key itself never goes into a message.
        what = f"longer than {_LONGEST_KEY} characters or holds some that no header can carry"
        raise ConfigError(f"the API key (api_key, BINANCE_API_KEY) is {what}; copy it again")
    return key
