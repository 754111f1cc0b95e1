"""Every setting with values that people write by mistake: a ``ConfigError`` at once, or it works.

The table is the test: a value that is taken stands in ``TAKEN``; whatever is not there has to be refused when the
client is made, by an error that names the setting.
"""

from __future__ import annotations

import asyncio
import inspect
import json
import math
from collections.abc import Callable, Iterator
from decimal import Decimal
from fractions import Fraction
from typing import Any

import httpx
import pytest

from binance_sdk import BinanceClient, Caps, RequestOptions, SyncBinanceClient, errors
from binance_sdk.streams import Gap
from tests import wrong_values

from .support import Recorder

CLIENTS = [BinanceClient, SyncBinanceClient]
both = pytest.mark.parametrize("kind", CLIENTS, ids=["async", "sync"])


class Unprintable:
    def __repr__(self) -> str:
        raise RuntimeError("no repr")


class Incomparable:
    """Like an array: comparing it gives no truth."""

    def __eq__(self, other: object) -> Any:
        return self

    __hash__ = None  # type: ignore[assignment]

    def __bool__(self) -> bool:
        raise ValueError("the truth is ambiguous")


async def coroutine_function(event: object) -> None:
    raise AssertionError("never called")


class AsyncCallable:
    async def __call__(self, event: object) -> None:
        raise AssertionError("never called")


WRONG: dict[str, object] = {
    **wrong_values.WRONG,
    "None": None,
    "-0.5": -0.5,
    "nan": math.nan,
    "inf": math.inf,
    "1e-320": 1e-320,
    "-10**5000": -(10**5000),
    "Decimal": Decimal("0.5"),
    "Fraction": Fraction(1, 2),
    "complex": 1j,
    "digits": "3",
    "text": "https",
    "NUL": "a\0b",
    "list of None": [None],
    "tuple": (3,),
    "dict": {},
    "filled dict": {"timeout": 3},
    "set": {1},
    "object": object(),
    "class": dict,
    "function": print,
    "coroutine function": coroutine_function,
    "async callable": AsyncCallable(),
    "generator": (hook for hook in ()),
    "unprintable": Unprintable(),
    "incomparable": Incomparable(),
    "exception": ValueError("no"),
    "httpx module": httpx,
    "RequestOptions": RequestOptions(),
    "Caps": Caps(),
    "event": Gap,
}

TAKEN: dict[str, set[str]] = {
    "environment": {"None"},
    "spot_base_url": {"None"},
    "futures_base_url": {"None"},
    "coin_futures_base_url": {"None"},
    "spot_stream_url": {"None"},
    "futures_stream_url": {"None"},
    "coin_futures_stream_url": {"None"},
    "api_key": {"None", "empty", "digits", "text"},
    "timeout": {"1", "0.5", "1e-320"},
    "max_retries": {"0", "1"},
    "transport": set(),
    "http_client": {"None"},
    "proxy": {"None", "digits", "text"},
    "ssl_context": {"None"},
    "trust_env": {"True", "False"},
    "cache": {"True", "False", "0", "1", "0.5", "1e-320"},
    "cache_url": {"None", "empty"},
    "caps": {"None", "Caps"},
    "safety_margin": {"0", "0.5", "1e-320"},
    "budget": {"True", "False"},
    "limits_url": {"None"},
    "limits_key": {"digits", "text"},
    "limits_share": {"1", "0.5"},
    "max_concurrency": {"1"},
    "hooks": {"list"},
    "on_drift": {"None", "function", "class", "event"},
}


def refusal(make: Callable[[], object]) -> str | None:
    """Why it was refused, or None. Any other error fails the test."""
    try:
        make()
    except errors.ConfigError as error:
        return str(error)
    return None


def settings_of(kind: type) -> list[str]:
    return [name for name in inspect.signature(kind).parameters if name != "self"]


@both
def test_the_table_has_every_setting(kind: type) -> None:
    assert set(settings_of(kind)) == set(TAKEN)


@both
@pytest.mark.parametrize("setting", TAKEN)
def test_a_wrong_setting_is_refused_when_the_client_is_made(kind: type, setting: str) -> None:
    taken: set[str] = set()
    for label, value in WRONG.items():
        text = refusal(lambda value=value: close(kind(**{setting: value})))
        if text is None:
            taken.add(label)
        else:
            assert setting in text, f"{label}: {text}"
            assert len(text) < 400, f"{label}: {len(text)} characters"
    assert taken == TAKEN[setting]


def close(client: Any) -> None:
    if isinstance(client, SyncBinanceClient):
        client.close()
    else:
        asyncio.run(client.aclose())


URLS = {
    "no scheme": "127.0.0.1:8080",
    "other scheme": "ftp://127.0.0.1",
    "no host": "http://",
    "blank": "http://exa mple.invalid",
    "line break": "http://example\n.invalid",
    "long label": "http://" + "a" * 300 + ".invalid",
    "empty label": "http://a..b",
    "no punycode": "http://xn--/",
    "no port": "http://127.0.0.1:port",
    "port 0": "http://127.0.0.1:0",
    "large port": "http://127.0.0.1:65536",
    "open bracket": "http://[::1",
    "user": "http://user:secret@127.0.0.1",
    "query": "http://127.0.0.1?token=secret",
    "fragment": "http://127.0.0.1#secret",
    "path of spot": "https://api.binance.com/api/v3",
    "path of futures": "https://fapi.binance.com/fapi/v1/",
    "half a path": "https://api.binance.com/api",
    "path of an endpoint": "http://127.0.0.1:8080/api/v3/klines",
    "path behind a gateway": "http://127.0.0.1:8080/binance/futures/data",
    "surrogate": "http://\ud800",
}


@both
@pytest.mark.parametrize("variable", [False, True], ids=["argument", "variable"])
@pytest.mark.parametrize("setting", ["spot_base_url", "futures_base_url", "spot_stream_url", "futures_stream_url"])
def test_addresses_that_are_none(kind: type, setting: str, variable: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    found: dict[str, str] = {}
    streams = setting.endswith("stream_url")
    extra = {"stream": "ws://127.0.0.1:1/stream", "ws": "wss://fstream.binance.com/public", "rest": "http://127.0.0.1"}
    for label, url in {**URLS, **(extra if streams else {"streams": "ws://127.0.0.1"})}.items():
        given = url if not streams or label == "rest" else url.replace("http", "ws", 1)
        if streams and "path" in label and "binance.com" not in url:
            continue
        name = f"BINANCE_SDK_{setting.upper()}" if variable else setting
        if variable and not _can_be_in_the_environment(given):
            continue
        with monkeypatch.context() as patch:
            if variable:
                patch.setenv(name, given)
            with pytest.raises(errors.ConfigError, match=name) as caught:
                kind(**({} if variable else {setting: given}))
        found[label] = str(caught.value)
        assert "secret" not in found[label]
        assert "; write " in found[label]
    if not streams:
        assert found["path of spot"].endswith("write https://api.binance.com")
        assert found["path behind a gateway"].endswith("write http://127.0.0.1:8080/binance")


def _can_be_in_the_environment(text: str) -> bool:
    return "\ud800" not in text


@both
@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:8080",
        "HTTPS://Example.invalid/",
        "http://[::1]:80",
        "http://127.0.0.1/binance/spot",
        "http://ü.de",
    ],
)
def test_addresses_that_are_some(kind: type, url: str) -> None:
    close(kind(spot_base_url=url, futures_base_url=url))


@both
@pytest.mark.parametrize(
    "variable", ["BINANCE_SDK_ENVIRONMENT", "BINANCE_SDK_SIMULATOR", "BINANCE_SDK_LOG", "BINANCE_API_KEY"]
)
@pytest.mark.parametrize("value", ["7h", "main net", "\u00e9", "a" * 100_000, "1;2", "\x01"])
def test_variables(kind: type, variable: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(variable, value)
    if variable == "BINANCE_API_KEY" and value in ("7h", "1;2"):
        return
    with pytest.raises(errors.ConfigError, match=variable) as caught:
        kind()
    assert len(str(caught.value)) < 300


@both
@pytest.mark.parametrize("hooks", [print, "print", [print, 3], [coroutine_function], [AsyncCallable()], {print}])
def test_hooks_are_a_list_of_plain_functions(kind: Any, hooks: Any) -> None:
    with pytest.raises(errors.ConfigError, match=r"hooks.*(write|must|pass)"):
        kind(hooks=hooks)
    close(kind(hooks=(print, repr)))


@both
def test_an_http_client_of_the_other_kind(kind: Any) -> None:
    other: Any = httpx.Client() if kind is BinanceClient else httpx.AsyncClient()
    with pytest.raises(errors.ConfigError, match="http_client must be an httpx"):
        kind(http_client=other)
    if isinstance(other, httpx.Client):
        other.close()
    else:
        asyncio.run(other.aclose())


# ------------------------------------------------------------------------------------- of a call

OPTIONS: dict[str, set[str]] = {
    "timeout": {"None", "1", "0.5", "1e-320"},
    "max_retries": {"None", "0", "1"},
    "headers": {"None", "dict"},
    "wait": {"None", "True", "False"},
    "deadline": {"None", "1", "0.5", "1e-320"},
    "priority": {"None"},
    "cache": {"None", "True", "False", "0", "1", "0.5", "1e-320"},
    "bad_rows": {"None"},
}
CAPS: dict[str, set[str]] = {
    "spot_weight_per_minute": {"None", "1"},
    "futures_weight_per_minute": {"None", "1"},
    "requests_per_minute": {"None", "1"},
    "requests_per_second": {"None", "1", "0.5"},
}


@pytest.mark.parametrize(("kind", "table"), [(RequestOptions, OPTIONS), (Caps, CAPS)], ids=["RequestOptions", "Caps"])
def test_every_field_of_options_and_caps(kind: type, table: dict[str, set[str]]) -> None:
    assert set(settings_of(kind)) == set(table)
    for field, expected in table.items():
        taken: set[str] = set()
        for label, value in WRONG.items():
            text = refusal(lambda field=field, value=value: kind(**{field: value}))
            if text is None:
                taken.add(label)
            else:
                assert field in text, f"{label}: {text}"
                assert len(text) < 300
        # A dict of headers may be filled as well: its values are judged one by one.
        assert taken - ({"filled dict"} if field == "headers" else set()) == expected, field


def calls(client: Any, options: Any) -> Iterator[tuple[str, Any]]:
    """Every way to hand options to a call; each makes what has to be awaited or iterated in the async client."""
    yield "call", lambda: client.spot.klines("BTCUSDT", "1h", options=options)
    yield "raw", lambda: client.spot.with_raw_response.klines("BTCUSDT", "1h", options=options)
    yield "plan", lambda: client.spot.plan.klines("BTCUSDT", "1h", options=options)
    yield "iter", lambda: client.spot.iter_klines("BTCUSDT", "1h", start_time=0, limit=1, options=options)
    yield "plan iter", lambda: client.spot.plan.iter_klines("BTCUSDT", "1h", start_time=0, limit=1, options=options)
    yield "each", lambda: client.spot.each(client.spot.klines, ["BTCUSDT"], "1h", options=options)


def finish_blocking(made: Any) -> None:
    if hasattr(made, "__iter__"):
        list(made)


async def finish(made: Any) -> None:
    if inspect.isawaitable(made):
        await made
    elif hasattr(made, "__aiter__"):
        async for _ in made:
            pass


WRONG_OPTIONS = [{"timeout": 3}, {}, 3, 0, "fast", b"", [], True, False, Caps(), RequestOptions, Unprintable()]


@pytest.mark.parametrize("options", WRONG_OPTIONS, ids=[type(options).__name__ for options in WRONG_OPTIONS])
def test_options_of_a_call_are_request_options(options: Any) -> None:
    recorder = Recorder()

    async def asynchronous() -> None:
        async with recorder.asynchronous() as client:
            for way, call in calls(client, options):
                with pytest.raises(errors.ConfigError, match="options=") as caught:
                    await finish(call())
                assert "RequestOptions" in str(caught.value), way
            with pytest.raises(errors.ConfigError, match="options="):
                client.with_options(options)

    with recorder.sync() as client:
        for way, call in calls(client, options):
            with pytest.raises(errors.ConfigError, match="options=") as caught:
                finish_blocking(call())
            assert "RequestOptions" in str(caught.value), way
        with pytest.raises(errors.ConfigError, match="options="):
            client.with_options(options)
    asyncio.run(asynchronous())
    assert recorder.requests == []


@both
def test_none_is_no_options_for_a_copy(kind: Any) -> None:
    client = kind()
    with pytest.raises(errors.ConfigError, match="options=None"):
        client.with_options(None)
    close(client)


def test_headers_are_judged_one_by_one() -> None:
    wrong = [{"X": "a" * 8001}, {"X": "\ud800"}, {"": "a"}, {"X:": "a"}, {3: "a"}, {"X": None}, [("X", "a")], "X: a"]
    for headers in wrong:
        with pytest.raises(errors.ConfigError, match="headers") as caught:
            RequestOptions(headers=headers)  # type: ignore[arg-type]
        assert len(str(caught.value)) < 200
    RequestOptions(headers={"X": "a" * 8000, "x-token": json.dumps({"a": 1})})
