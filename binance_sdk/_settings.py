"""Arguments and environment variables of a client, checked before anything is opened."""

from __future__ import annotations

import os
import ssl
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Literal, get_args
from urllib.parse import urlsplit

from binance_sdk._generated.environments import ENVIRONMENTS, LIMITS
from binance_sdk._runtime.budget.limits import shared_pool
from binance_sdk._runtime.budget.spending import Caps
from binance_sdk._runtime.calls.hosts import Host, MarketHosts
from binance_sdk._runtime.clock import Clock
from binance_sdk._runtime.operation import Environment, Market
from binance_sdk._runtime.options import RequestOptions
from binance_sdk._runtime.transport.network import Network
from binance_sdk.errors import ConfigError
from binance_sdk.events import Hook, WeightDrift
from binance_sdk.simulator_url import SIMULATOR_VARIABLE, read_simulator_url

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
    cache: bool,
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
    if not 0 <= safety_margin < 1:
        raise ConfigError(f"safety_margin={safety_margin!r} must be at least 0 and below 1; 0.05 leaves 5 % unused")
    if isinstance(max_concurrency, bool) or max_concurrency < 1:
        raise ConfigError(f"max_concurrency={max_concurrency!r} must be at least 1")
    name, source = _setting(environment, "environment", "ENVIRONMENT")
    name = name or "mainnet"
    known = ENVIRONMENTS.get(name)
    if known is None:
        names = ", ".join(get_args(EnvironmentName))
        raise ConfigError(f"{source}={name!r} is no environment; use one of {names}")
    return Settings(
        environment=name,
        places=_places(
            known,
            {"spot": spot_base_url, "futures": futures_base_url},
            {"spot": spot_stream_url, "futures": futures_stream_url},
        ),
        api_key=_api_key(api_key),
        budget=budget,
        caps=caps or Caps(),
        safety_margin=safety_margin,
        max_concurrency=max_concurrency,
        hooks=tuple(hooks),
        on_drift=on_drift,
        defaults=RequestOptions(timeout=timeout, max_retries=max_retries, cache=cache),
        network=Network(proxy=proxy, ssl_context=ssl_context, trust_env=trust_env),
        transport=_transport(transport, http_client),
    )


def _transport(name: str, http_client: object) -> TransportName:
    if name == "httpx":
        return "httpx"
    if name != "aiohttp":
        raise ConfigError(f"transport={name!r} is none of 'httpx', 'aiohttp'")
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
        listening = () if stream_url is None else (_base_url(stream_url, stream_source, ("ws", "wss")),)
        url, source = _setting(argument, f"{market}_base_url", f"{market.upper()}_BASE_URL")
        if url is None and simulated is not None:
            url, source = simulated.rest, SIMULATOR_VARIABLE
            listening = listening or (simulated.streams[market],)
        if url is not None:
            base = _base_url(url, source)
            # Clients of one host share one budget, whatever path they reach it by.
            # Their streams are not those of the environment: another exchange would fill this one's gaps.
            places[market] = Place((base,), f"{urlsplit(base).netloc.lower()}/{market}", "", listening)
        elif alternatives:
            places[market] = Place(alternatives, f"{known.pool}/{market}", known.name, listening or hosts.stream)
    return places


def _setting(argument: str | None, name: str, variable: str) -> tuple[str | None, str]:
    if argument is not None:
        return argument, name
    variable = f"BINANCE_SDK_{variable}"
    return os.environ.get(variable, "").strip() or None, variable


def _base_url(url: str, source: str, schemes: tuple[str, str] = ("http", "https")) -> str:
    remedy = f"write e.g. {schemes[0]}://127.0.0.1:8080"
    if "@" in url:
        # Whatever stands before it may be a password, so the value is not shown.
        raise ConfigError(f"{source} must not hold a user or password; {remedy}")
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        raise ConfigError(f"{source}={url!r} is no URL ({error}); {remedy}") from error
    if parts.scheme not in schemes or not parts.hostname:
        raise ConfigError(f"{source}={url!r} is no {schemes[0]}(s) URL; {remedy}")
    if "?" in url or "#" in url:
        raise ConfigError(f"{source}={url!r} must be scheme, host and path only; {remedy}")
    return url.rstrip("/")


def _api_key(argument: str | None) -> str | None:
    key = argument if argument is not None else os.environ.get("BINANCE_API_KEY", "").strip()
    if not key:
        return None
    if not key.isascii() or not key.isprintable() or " " in key:
        # The key itself never goes into a message.
        raise ConfigError("the API key holds characters that no header can carry; copy it again")
    return key
