"""Arguments and environment variables of a client, checked before anything is opened."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args
from urllib.parse import urlsplit

from binance_sdk._generated.environments import ENVIRONMENTS, LIMITS
from binance_sdk._runtime.engine import MarketHost
from binance_sdk._runtime.limits import shared_pool
from binance_sdk._runtime.operation import Market
from binance_sdk.errors import ConfigError

EnvironmentName = Literal["mainnet", "data_only", "testnet", "demo"]


@dataclass(frozen=True)
class Settings:
    """Where the markets are and with which key they are asked."""

    environment: str
    hosts: Mapping[Market, MarketHost]
    api_key: str | None

    @classmethod
    def read(
        cls,
        environment: str | None,
        spot_base_url: str | None,
        futures_base_url: str | None,
        api_key: str | None,
    ) -> Settings:
        """Arguments first, environment variables where an argument was left out.

        Raises:
            ConfigError: naming the argument or variable, its value and the remedy.
        """
        name, source = _setting(environment, "environment", "ENVIRONMENT")
        name = name or "mainnet"
        known = ENVIRONMENTS.get(name)
        if known is None:
            names = ", ".join(get_args(EnvironmentName))
            raise ConfigError(f"{source}={name!r} is no environment; use one of {names}")
        hosts: dict[Market, MarketHost] = {}
        given = False
        urls: tuple[tuple[Market, str | None, tuple[str, ...]], ...] = (
            ("spot", spot_base_url, known.spot.rest),
            ("futures", futures_base_url, known.futures.rest),
        )
        for market, argument, alternatives in urls:
            url, source = _setting(argument, f"{market}_base_url", f"{market.upper()}_BASE_URL")
            if url is not None:
                given = True
                base = _base_url(url, source)
                pool = f"{urlsplit(base).netloc.lower()}/{market}"
            elif alternatives:
                base, pool = alternatives[0], f"{known.pool}/{market}"
            else:
                continue
            hosts[market] = MarketHost(base, shared_pool(pool, LIMITS[market]))
        return cls("" if given else name, hosts, _api_key(api_key))


def _setting(argument: str | None, name: str, variable: str) -> tuple[str | None, str]:
    if argument is not None:
        return argument, name
    variable = f"BINANCE_SDK_{variable}"
    return os.environ.get(variable, "").strip() or None, variable


def _base_url(url: str, source: str) -> str:
    remedy = "write e.g. http://127.0.0.1:8080"
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        raise ConfigError(f"{source}={url!r} is no URL ({error}); {remedy}") from error
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigError(f"{source}={url!r} is no http(s) URL; {remedy}")
    if parts.query or parts.fragment or parts.username or parts.password:
        raise ConfigError(f"{source} must be scheme, host and path only; {remedy}")
    return url.rstrip("/")


def _api_key(argument: str | None) -> str | None:
    key = argument if argument is not None else os.environ.get("BINANCE_API_KEY", "").strip()
    if not key:
        return None
    if not key.isascii() or not key.isprintable() or " " in key:
        # The key itself never goes into a message.
        raise ConfigError("the API key holds characters that no header can carry; copy it again")
    return key
