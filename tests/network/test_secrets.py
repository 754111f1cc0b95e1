"""Secrets everywhere a client takes one, and a search through all that comes out of it."""

from __future__ import annotations

import asyncio
import base64
import io
import logging
import pickle
import traceback
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from rich.traceback import Traceback

from binance_sdk import BinanceClient, RequestOptions, SyncBinanceClient, errors
from binance_sdk._runtime.transport.network import Network
from binance_sdk._runtime.transport.protocol import PreparedRequest
from tests.runtime.server import RawServer, http

from .clients import EVERY, REST, STREAMS
from .lab import Lab

KEY, PASSWORD, HEADER = "k3yThatNobodyMaySee", "s3cretOfTheProxy", "t0kenOfTheCompany"
SECRETS = [KEY, PASSWORD, HEADER, base64.b64encode(f"user:{PASSWORD}".encode()).decode()]
OPTIONS = RequestOptions(headers={"X-Company": HEADER})
# Of this test and of the machinery that runs it: they hold the secrets by themselves.
OWN_FRAMES = ("/tests/", "_pytest", "pluggy")
every = pytest.mark.parametrize("library", EVERY)


def search(texts: list[str]) -> list[str]:
    return [text[:3000] for text in texts if any(secret in text for secret in SECRETS)]


def shown(error: BaseException, *, rich: bool = False) -> list[str]:
    """Everything that people or programs make of an error; rich takes its time over it."""
    trace = error.__traceback__
    while trace is not None and any(part in trace.tb_frame.f_code.co_filename for part in OWN_FRAMES):
        trace = trace.tb_next
    error = error.with_traceback(trace)
    texts = [str(error), repr(error), repr(vars(error)), pickle.dumps(error).decode("latin-1")]
    texts += traceback.TracebackException.from_exception(error, capture_locals=True).format()
    if rich:
        out = io.StringIO()
        Console(file=out, width=400).print(Traceback.from_exception(type(error), error, trace, show_locals=True))
        texts.append(out.getvalue())
    behind: list[BaseException | None] = [error]
    while behind:
        each = behind.pop()
        if each is not None:
            texts += [str(each), repr(each)]
            behind += [each.__cause__, each.__context__]
    return texts


class Watch:
    """All that a client says while it works."""

    def __init__(self, caplog: pytest.LogCaptureFixture) -> None:
        self.events: list[object] = []
        self.caplog = caplog
        caplog.set_level(1)
        for name in ("binance_sdk", "httpx", "httpcore", "websockets", "aiohttp", "asyncio"):
            logging.getLogger(name).setLevel(1)

    def texts(self) -> list[str]:
        told = [repr(event) + str(event) for event in self.events]
        return told + [record.getMessage() + repr(record.args) for record in self.caplog.records]


@pytest.fixture
def watch(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> Any:
    yield Watch(caplog)
    for name in ("binance_sdk", "httpx", "httpcore", "websockets", "aiohttp", "asyncio"):
        logging.getLogger(name).setLevel(logging.NOTSET)


def use(library: str, watch: Watch, **settings: Any) -> list[str]:
    """One call that needs the key, or one stream; everything that can be seen of it."""
    settings = {"max_retries": 1, "api_key": KEY, "hooks": [watch.events.append], **settings}
    texts: list[str] = []

    def look(client: Any) -> None:
        engine = client._core.engine
        texts.extend(repr(each) for each in (client, client._core.settings, engine, engine.attempts))

    if library == "httpx blocking":
        with SyncBinanceClient(**settings) as client:
            try:
                client.futures.historical_trades("BTCUSDT", options=OPTIONS)
            except errors.BinanceError as error:
                texts.extend(shown(error))
            look(client)
        return texts

    async def run() -> None:
        transport: Any = "aiohttp" if "aiohttp" in library else "httpx"
        async with BinanceClient(transport=transport, **settings) as client:
            try:
                if library in STREAMS:
                    async with client.spot.streams.trade("BTCUSDT") as events:
                        await anext(aiter(events))
                else:
                    await client.futures.historical_trades("BTCUSDT", options=OPTIONS)
            except errors.BinanceError as error:
                texts.extend(shown(error))
            look(client)

    asyncio.run(run())
    return texts


@every
@pytest.mark.parametrize("scheme", ["http", "https", "socks5"])
@pytest.mark.parametrize("end", ["works", "wrong password", "refused", "nobody"])
@pytest.mark.parametrize("named", ["argument", "environment"])
def test_on_the_way_through_a_proxy(
    library: str,
    scheme: str,
    end: str,
    named: str,
    lab: Lab,
    watch: Watch,
    certificates: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificates))
    proxy = {"http": lab.http, "https": lab.https, "socks5": lab.socks}[scheme]
    proxy.password = "another" if end == "wrong password" else PASSWORD
    proxy.refuse = "403 Forbidden" if end == "refused" else None
    url = f"{scheme}://user:{PASSWORD}@{'127.0.0.1:9' if end == 'nobody' else proxy.address}"
    given = {"proxy": url} if named == "argument" else {}
    if named == "environment":
        monkeypatch.setenv("HTTPS_PROXY", url)
    texts = use(library, watch, **given)
    assert len(texts) >= 4
    assert search(texts + watch.texts()) == []
    if end == "works" and library in REST:
        # The secret was sent to where it belongs.
        assert lab.rest.seen[0].headers["x-mbx-apikey"] == KEY


@every
@pytest.mark.parametrize(
    "value",
    [f"user:{PASSWORD}@127.0.0.1:9", f"ftp://user:{PASSWORD}@p", f"http://user:{PASSWORD}/x@p", f"http://p:{PASSWORD}"],
)
def test_a_proxy_that_is_none(library: str, value: str, watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", value)
    texts = use(library, watch)
    assert len(texts) > 4
    assert search(texts + watch.texts()) == []


@pytest.mark.parametrize("library", REST)
@pytest.mark.parametrize(
    "answer", [b"", b"no http\r\n\r\n", http("500 x", b"{}"), http("200 OK", b"[1]"), http("302 x", b"")]
)
def test_whatever_the_answer_is(library: str, answer: bytes, watch: Watch) -> None:
    with RawServer(answer) as server:
        texts = use(library, watch, futures_base_url=server.url, max_retries=0)
    assert KEY.encode() in server.requests[0]
    assert len(texts) > 4
    assert search(texts + watch.texts()) == []


@pytest.mark.parametrize("kind", [BinanceClient, SyncBinanceClient])
@pytest.mark.parametrize(
    "settings",
    [
        {"api_key": KEY, "safety_margin": 7},
        {"api_key": f"{KEY} {KEY}"},
        {"proxy": f"http://user:{PASSWORD}/@p"},
        {"proxy": f"socks4://user:{PASSWORD}@p"},
        {"spot_base_url": f"https://user:{PASSWORD}@api.example"},
        {"futures_stream_url": f"wss://user:{PASSWORD}@api.example"},
    ],
)
def test_a_constructor_that_refuses(kind: Any, settings: dict[str, Any]) -> None:
    with pytest.raises(errors.ConfigError) as caught:
        kind(**settings)
    assert search(shown(caught.value, rich=True)) == []


def test_representations() -> None:
    request = PreparedRequest("https://api.example", {"X-MBX-APIKEY": KEY}, 1.0)
    network = Network(proxy=f"http://user:{PASSWORD}@p:1")
    texts = [repr(each) for each in (request, network, network.route("https://api.example"), OPTIONS)]
    assert search(texts) == []
    assert "X-Company" in texts[-1]
    assert "p" in texts[1]
