"""Arguments and environment variables of a client, checked before anything is opened."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import TYPE_CHECKING, cast, get_args
from urllib.parse import urlsplit

from binance_sdk._arguments import VARIABLES, Arguments, EnvironmentName, TransportName
from binance_sdk._caps import Caps
from binance_sdk._generated.environments import ENVIRONMENTS, LIMITS
from binance_sdk._generated.markets import MARKETS
from binance_sdk._runtime.budget.pool import shared_pool
from binance_sdk._runtime.calls.hosts import Host, MarketHosts
from binance_sdk._runtime.clock import Clock
from binance_sdk._runtime.market import Environment, Market
from binance_sdk._runtime.options import RequestOptions, check_cache
from binance_sdk._runtime.setting_checks import (
    MOST_CONCURRENT,
    MOST_RETRIES,
    check_count,
    check_flag,
    check_function,
    check_instance,
    check_number,
    check_seconds,
    is_number,
    refuse,
)
from binance_sdk._runtime.transport.network import Network
from binance_sdk.base_urls import read_base_url, read_stream_url
from binance_sdk.errors import ConfigError
from binance_sdk.events import Drift, Hook
from binance_sdk.simulator_url import SIMULATOR_VARIABLE, read_simulator_url

if TYPE_CHECKING:
    from binance_sdk._runtime.budget.shared.store import Store
    from binance_sdk._runtime.budget.shared.store_settings import StoreSettings
    from binance_sdk._runtime.store.address import StoreAddress

_LONGEST_KEY = 1000
_LONGEST_LIMITS_KEY = 200
_LEAST_SHARE, _MOST_SHARE = 0.01, 1000.0


@dataclass(frozen=True)
class MarketURLs:
    """Hosts of one market, and the name of the pool that pays for calls to them."""

    base_urls: tuple[str, ...]
    pool: str
    environment: str
    """Empty where the URL was given."""
    stream_urls: tuple[str, ...] = ()
    """Empty where there are no streams."""


@dataclass(frozen=True)
class Settings:
    """Arguments and environment variables of a client, checked."""

    environment: str
    """As named; its hosts are used where no URL was given."""
    urls: Mapping[Market, MarketURLs]
    api_key: str | None = field(repr=False)
    budget: bool
    caps: Caps
    safety_margin: float
    max_concurrency: int
    hooks: tuple[Hook, ...]
    on_drift: Callable[[Drift], None] | None
    defaults: RequestOptions
    network: Network
    transport: TransportName = "httpx"
    store: StoreSettings | None = None
    """Where the budget is shared with other processes."""
    cache_store: StoreAddress | None = None
    """Where cached answers are."""

    def markets(self, clock: Clock, store: Store | None) -> Mapping[Market, MarketHosts]:
        pool = shared_pool if store is None else store.pool
        return {
            market: MarketHosts(
                tuple(Host.at(url) for url in urls.base_urls),
                pool(urls.pool, LIMITS[MARKETS[market].pool], clock.time(), clock.monotonic()),
                urls.environment,
            )
            for market, urls in self.urls.items()
        }


def read_settings(given: Arguments) -> Settings:
    """Arguments first, environment variables where an argument was left out.

    Raises:
        ConfigError: naming the argument or variable, its value and the remedy.
    """
    margin = given.safety_margin
    if not is_number(margin) or not 0 <= margin < 1:
        refuse("safety_margin", margin, "must be a number of at least 0 and below 1; 0.05 leaves 5 % unused")
    check_count("max_concurrency", given.max_concurrency, 1, MOST_CONCURRENT)
    check_flag("budget", given.budget)
    check_seconds("timeout", given.timeout)
    check_count("max_retries", given.max_retries, 0, MOST_RETRIES)
    check_cache(given.cache)
    if given.on_drift is not None:
        check_function("on_drift", given.on_drift)
    environment = _environment(given)
    store = _store(given)
    return Settings(
        environment=environment.name,
        urls=_urls(environment, given),
        api_key=_api_key(given.api_key),
        budget=given.budget,
        caps=Caps() if given.caps is None else check_instance("caps", given.caps, Caps),
        safety_margin=margin,
        max_concurrency=given.max_concurrency,
        hooks=_hooks(given.hooks),
        on_drift=given.on_drift,
        defaults=RequestOptions(timeout=given.timeout, max_retries=given.max_retries, cache=given.cache),
        network=Network(proxy=given.proxy, ssl_context=given.ssl_context, trust_env=given.trust_env),
        transport=_transport(given.transport, given.http_client),
        store=store,
        cache_store=_cache_store(given, store),
    )


def _environment(given: Arguments) -> Environment:
    value, source = _argument_or_variable(given, "environment")
    name = next(iter(ENVIRONMENTS)) if value is None else value
    if not isinstance(name, str) or name not in ENVIRONMENTS:
        refuse(source, name, f"must be one of {', '.join(get_args(EnvironmentName))}")
    return ENVIRONMENTS[name]


def _store(given: Arguments) -> StoreSettings | None:
    check_number("limits_share", given.limits_share, _LEAST_SHARE, _MOST_SHARE)
    key = cast("object", given.limits_key)
    if not isinstance(key, str) or not key.strip() or not key.isprintable() or len(key) > _LONGEST_LIMITS_KEY:
        refuse("limits_key", key, f"must be a str of 1 to {_LONGEST_LIMITS_KEY} printable characters")
    url, source = _argument_or_variable(given, "limits_url")
    if url is None or (not given.budget and given.limits_url is None):
        return None
    if not given.budget:
        raise ConfigError("limits_url shares a budget, and budget=False switches it off: leave one of them out")
    from binance_sdk._runtime.budget.shared.store_settings import StoreSettings

    return StoreSettings(_store_address(url, source), key, given.limits_share)


def _cache_store(given: Arguments, limits: StoreSettings | None) -> StoreAddress | None:
    url, source = _argument_or_variable(given, "cache_url")
    if isinstance(url, str) and not url:
        return None
    if url is None:
        return limits.address if limits is not None and given.cache is not False else None
    return _store_address(url, source)


def _store_address(url: object, source: str) -> StoreAddress:
    from binance_sdk._runtime.store.address import read_store_address

    address = read_store_address(url, source)
    if find_spec("redis") is None:
        raise ConfigError(f"{source} needs redis-py: pip install 'binance-market-sdk[shared]'")
    return address


def _hooks(hooks: object) -> tuple[Hook, ...]:
    if callable(hooks):
        refuse("hooks", hooks, "must be a list of functions: write hooks=[...]")
    if not isinstance(hooks, Sequence) or isinstance(hooks, (str, bytes, bytearray)):
        refuse("hooks", hooks, "must be a list of functions that take one event, e.g. hooks=[print]")
    for hook in cast("Sequence[object]", hooks):
        check_function("hooks", hook)
    return tuple(cast("Sequence[Hook]", hooks))


def _transport(name: object, http_client: object) -> TransportName:
    if not isinstance(name, str) or name not in ("httpx", "aiohttp"):
        refuse("transport", name, "must be one of 'httpx', 'aiohttp'")
    if name == "httpx":
        return "httpx"
    if http_client is not None:
        raise ConfigError("http_client is a client of httpx: leave it out, or use transport='httpx'")
    if find_spec("aiohttp") is None:
        raise ConfigError("transport='aiohttp' needs aiohttp: pip install 'binance-market-sdk[speed]'")
    return "aiohttp"


def _urls(environment: Environment, given: Arguments) -> dict[Market, MarketURLs]:
    urls: dict[Market, MarketURLs] = {}
    simulator = read_simulator_url()
    pools: dict[tuple[str, bool], str] = {}
    for market, facts in MARKETS.items():
        hosts = environment.hosts.get(market)
        stream_url, stream_source = _argument_or_variable(given, f"{market}_stream_url")
        streams = () if stream_url is None else (read_stream_url(stream_url, stream_source),)
        url, source = _argument_or_variable(given, f"{market}_base_url")
        simulated = url is None and simulator is not None
        if url is None and simulator is not None:
            url, source = simulator.rest[market], SIMULATOR_VARIABLE
            streams = streams or (simulator.streams[market],)
        if url is not None:
            base_url = read_base_url(url, source)
            # Clients of one host share one budget, whatever path they reach it by. Hosts of several markets of one
            # pool are taken for one exchange, which counts their requests together: the first of them names the pool.
            pool = pools.setdefault((facts.pool, simulated), f"{urlsplit(base_url).netloc.lower()}/{facts.pool}")
            # Without a URL of their own there are no streams: another exchange's would fill this one's gaps.
            urls[market] = MarketURLs((base_url,), pool, "", streams)
        elif hosts is not None:
            pool = f"{environment.pool}/{facts.pool}"
            urls[market] = MarketURLs(hosts.rest, pool, environment.name, streams or hosts.stream)
    return urls


def _argument_or_variable(given: Arguments, name: str) -> tuple[object, str]:
    """The value, or None where neither says anything; and the name of the argument or variable."""
    argument: object = getattr(given, name)
    if argument is not None:
        return argument, name
    variable = VARIABLES[name]
    return os.environ.get(variable, "").strip() or None, variable


def _api_key(argument: object) -> str | None:
    key = argument if argument is not None else os.environ.get(VARIABLES["api_key"], "").strip()
    if not isinstance(key, str):
        raise ConfigError(f"api_key must be a str, not a {type(key).__name__}; copy it from your account at Binance")
    if not key:
        return None
    if not key.isascii() or not key.isprintable() or " " in key or len(key) > _LONGEST_KEY:
        # No message contains the key itself.
        what = f"longer than {_LONGEST_KEY} characters or contains some that no header can hold"
        raise ConfigError(f"the API key (api_key, BINANCE_API_KEY) is {what}; copy it again")
    return key
