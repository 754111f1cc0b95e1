"""Arguments of a client and environment variables, as one JSON object below a line that is ignored."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Collection
from contextlib import suppress
from typing import Any
from unittest import mock

from binance_sdk import Caps, RequestOptions, SyncBinanceClient
from binance_sdk.errors import ConfigError

_ARGUMENTS = {
    "environment": "testnet", "spot_base_url": "http://127.0.0.1:1", "futures_stream_url": "ws://127.0.0.1:1",
    "api_key": "key", "timeout": 1.5, "max_retries": 2, "transport": "httpx", "proxy": "socks5://u:p@127.0.0.1:1",
    "trust_env": True, "cache": 60, "safety_margin": 0.1, "budget": True, "max_concurrency": 4, "hooks": [],
    "limits_key": "a", "limits_share": 0.5,
}  # fmt: skip
_VARIABLES = {
    "BINANCE_SDK_ENVIRONMENT": "mainnet", "BINANCE_SDK_SPOT_BASE_URL": "https://example.invalid",
    "BINANCE_SDK_SPOT_STREAM_URL": "wss://example.invalid", "BINANCE_SDK_SIMULATOR": "http://127.0.0.1:1",
    "BINANCE_API_KEY": "key", "HTTPS_PROXY": "http://127.0.0.1:1", "NO_PROXY": "localhost,.invalid,[::1]:80",
}  # fmt: skip
_OPTIONS = {"timeout": 1, "max_retries": 0, "headers": {"x-a": "b"}, "wait": True, "deadline": 2.5, "cache": False}
_CAPS = {"spot_weight_per_minute": 100, "requests_per_minute": 5, "requests_per_second": 0.5}


def seeds() -> list[bytes]:
    whole = {"arguments": _ARGUMENTS, "variables": _VARIABLES, "options": _OPTIONS, "caps": _CAPS}
    made: list[dict[str, Any]] = [whole, {"arguments": _ARGUMENTS}, {"variables": _VARIABLES}]
    return [b"\n" + json.dumps(one).encode() for one in made]


def target(data: bytes) -> bool:
    """A client is made, or refused by a ConfigError of a line or two."""
    try:
        given = json.loads(data.partition(b"\n")[2])
    except (ValueError, RecursionError):
        return False
    if not isinstance(given, dict):
        return False
    with mock.patch.dict(os.environ, clear=True):
        for name, value in _block(given, "variables", _VARIABLES).items():
            # The system itself refuses some texts.
            with suppress(ValueError, TypeError):
                os.environ[name] = value
        read = _is_made(lambda: SyncBinanceClient(**_block(given, "arguments", _ARGUMENTS)).close())
    read &= _is_made(lambda: RequestOptions(**_block(given, "options", _OPTIONS)))
    return read & _is_made(lambda: Caps(**_block(given, "caps", _CAPS)))


def _block(given: dict[str, Any], name: str, known: Collection[str]) -> dict[str, Any]:
    found = given.get(name)
    return {key: value for key, value in found.items() if key in known} if isinstance(found, dict) else {}


def _is_made(make: Callable[[], object]) -> bool:
    try:
        make()
    except ConfigError as error:
        assert 10 < len(str(error)) < 1000
        return False
    return True
