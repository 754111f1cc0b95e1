"""Requests to the archive: few at a time, each until it is answered, and none while the archive asks for a pause."""

from __future__ import annotations

import asyncio
import hashlib
import os
import ssl
import tempfile
from collections.abc import Awaitable, Callable, Generator, Mapping
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass
from types import TracebackType
from typing import IO, Self, TypeVar
from urllib.parse import urlencode

from binance_sdk._runtime.answers.api_errors import wait_seconds
from binance_sdk._runtime.calls.retry import is_transient, pause_after
from binance_sdk._runtime.clock import AsyncClock, Clock
from binance_sdk._runtime.setting_checks import check_count, check_seconds
from binance_sdk._runtime.transport.network import Network
from binance_sdk._runtime.transport.over_httpx import AsyncHttpxTransport
from binance_sdk._runtime.transport.protocol import PreparedRequest, RawResponse, TransportFailure
from binance_sdk._version import __version__
from binance_sdk.base_urls import read_base_url
from binance_sdk.catalogue import ARCHIVE, Archive
from binance_sdk.errors import (
    APIConnectionError,
    APIError,
    APITimeoutError,
    ArchiveError,
    ConfigError,
    ForbiddenError,
    HistoryError,
    IPBannedError,
    RateLimitError,
    RestrictedLocationError,
    ServerError,
)
from binance_sdk.history.archive.file_names import url_of
from binance_sdk.simulator_url import read_simulator_url

URL_VARIABLE = "BINANCE_SDK_ARCHIVE_URL"
LISTING_URL_VARIABLE = "BINANCE_SDK_ARCHIVE_LISTING_URL"

_LARGEST = 2 * 1024 * 1024 * 1024
"""Ten times the largest file that was seen."""
_IN_MEMORY = 32 * 1024 * 1024
_LEAST_PACE = 50_000
"""Bytes a second: so slow may a download be as a whole."""
_PAUSE = 60.0
_LONG_PAUSE = 300.0
"""Seconds of peace after a refusal that names no time."""
_LONGEST_WAIT = 120.0
"""A pause that is longer is told to the caller instead of waited for."""
_REFUSALS: Mapping[int, tuple[type[APIError], str, float]] = {
    403: (ForbiddenError, "the archive refused the request; something on the way may filter it", _LONG_PAUSE),
    418: (IPBannedError, "the archive has banned this address; nothing more is sent to it for now", _LONG_PAUSE),
    429: (RateLimitError, "too many requests to the archive", _PAUSE),
    451: (RestrictedLocationError, "the archive is not served where you are", _LONG_PAUSE),
}

T = TypeVar("T")


@dataclass
class Download:
    """A file as it came; whoever gets it closes ``file``.

    Attributes:
        url: Where it came from.
        file: Its bytes, in memory or, where it is large, in a temporary file.
        sha256: Of its bytes.
        size: Bytes.
    """

    url: str
    file: IO[bytes]
    sha256: str
    size: int


@dataclass(frozen=True)
class _Refusal:
    error: APIError
    until: float


@dataclass
class _Gate:
    """What all who use a session wait for."""

    refusal: _Refusal | None = None


class ArchiveSession:
    """Requests to the archive of bulk files. Costs no request weight.

    After 403, 418, 429 and 451 nothing else is sent either until the pause is over: a pause of up to two minutes is
    waited for where the answer was 429, and every other one is an error of all downloads.

    Args:
        url: Base URL of the files; by default ``BINANCE_SDK_ARCHIVE_URL``, else the simulator of
            ``BINANCE_SDK_SIMULATOR``, else Binance's.
        listing_url: URL of the listing, likewise; its variable is ``BINANCE_SDK_ARCHIVE_LISTING_URL``.
        max_downloads: How many requests are under way at once.
        max_retries: How often one is sent again after a failure that may pass.
        timeout: Seconds without a sign of the server after which a request has failed.
        proxy: URL of a proxy; by default that of the environment.
        ssl_context: Used for TLS instead of our own.
        trust_env: Whether environment variables for proxies and certificates are read.
        archive: What the archive has.
        clock: Tells the time and waits.

    Raises:
        ConfigError: An argument is wrong.
    """

    def __init__(
        self,
        url: str | None = None,
        listing_url: str | None = None,
        *,
        max_downloads: int = 8,
        max_retries: int = 3,
        timeout: float = 30.0,
        proxy: str | None = None,
        ssl_context: ssl.SSLContext | None = None,
        trust_env: bool = True,
        archive: Archive = ARCHIVE,
        clock: Clock | None = None,
    ) -> None:
        check_count("max_downloads", max_downloads, 1, 64)
        check_count("max_retries", max_retries, 0, 100)
        check_seconds("timeout", timeout)
        simulator = read_simulator_url()
        self.archive = archive
        self.url: str = _url(url, "url", URL_VARIABLE, simulator.archive if simulator else archive.url)
        self.listing_url: str = _url(
            listing_url,
            "listing_url",
            LISTING_URL_VARIABLE,
            simulator.archive_listing if simulator else archive.listing_url,
        )
        self._clock = clock or AsyncClock()
        self._timeout = timeout
        self._max_retries = max_retries
        self._transport = AsyncHttpxTransport(None, Network(proxy=proxy, ssl_context=ssl_context, trust_env=trust_env))
        self._slots = asyncio.Semaphore(max_downloads)
        self._gate = _Gate()
        self._requests = 0

    @property
    def requests(self) -> int:
        """How many requests were sent, but for those of ``counted``."""
        return self._requests

    def counted(self) -> Self:
        """The same session, which counts requests from zero; it is closed with this one."""
        same = copy(self)
        same._requests = 0
        return same

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections."""
        await self._transport.aclose()

    async def download(self, path: str) -> Download:
        """The file at a path.

        Raises:
            ArchiveError: There is none (``missing``), or the answer is nothing that the archive answers.
            APIError: The archive refuses, or fails.
            APIConnectionError: No whole answer arrived.
            HistoryError: It cannot be kept on this machine.
        """
        return await self._persistently(url_of(self.url, path), self._download)

    async def text(self, path: str) -> str:
        """A small file, as text; raises what ``download`` does."""
        url = url_of(self.url, path)
        body = await self._persistently(url, self._body)
        return body.decode("utf-8", "replace")

    async def listing(self, parameters: Mapping[str, str]) -> bytes:
        """A page of the listing; raises what ``download`` does."""
        return await self._persistently(f"{self.listing_url}?{urlencode(parameters)}", self._body)

    # ------------------------------------------------------------------------------------- one request

    async def _persistently(self, url: str, send: Callable[[str], Awaitable[T]]) -> T:
        async with self._slots:
            attempt = 0
            while True:
                await self._pass_gate(url)
                attempt += 1
                try:
                    return await send(url)
                except (APIError, APIConnectionError) as error:
                    if not is_transient(error) or attempt > self._max_retries:
                        raise
                    pause = 0.0 if isinstance(error, RateLimitError) else pause_after(error, attempt)
                await self._clock.sleep(pause)

    async def _pass_gate(self, url: str) -> None:
        while (refusal := self._gate.refusal) is not None:
            left = refusal.until - self._clock.monotonic()
            if left <= 0:
                self._gate.refusal = None
            elif isinstance(refusal.error, RateLimitError) and left <= _LONGEST_WAIT:
                await self._clock.sleep(left)
            else:
                raise self._error(type(refusal.error), f"{refusal.error}; {url} was not asked for", refusal.error, left)

    async def _body(self, url: str) -> bytes:
        with _told(url):
            answer = await self._transport.send(self._request(url))
        self._requests += 1
        self._check(answer, url)
        return answer.content

    async def _download(self, url: str) -> Download:
        file = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 - the caller closes it
        digest = hashlib.sha256()
        size = 0

        def keep(chunk: bytes) -> None:
            nonlocal size
            digest.update(chunk)
            size += len(chunk)
            try:
                file.write(chunk)
            except OSError as error:
                text = f"{url} cannot be kept in {tempfile.gettempdir()}: {error.strerror}; TMPDIR names another folder"
                raise HistoryError(text) from error

        try:
            with _told(url):
                whole = self._timeout + _LARGEST / _LEAST_PACE
                answer = await self._transport.download(self._request(url), keep, whole=whole, most=_LARGEST)
            self._requests += 1
            self._check(answer, url)
            file.seek(0)
        except BaseException:
            file.close()
            raise
        return Download(url, file, digest.hexdigest(), size)

    def _request(self, url: str) -> PreparedRequest:
        headers = {
            "Accept": "*/*",
            "Accept-Encoding": "identity",
            "User-Agent": f"binance-market-sdk/{__version__}",
        }
        return PreparedRequest(url, headers, self._timeout)

    def _check(self, answer: RawResponse, url: str) -> None:
        status = answer.status_code
        if status == 200:
            return
        if status == 404:
            raise ArchiveError(f"the archive has no {url}", url=url, missing=True)
        pause = wait_seconds(answer.headers.get("retry-after"), "", self._now_ms())
        if status in _REFUSALS:
            cls, text, default = _REFUSALS[status]
            error = self._error(cls, f"{text} (status {status} of {url})", answer, default if pause is None else pause)
            self._gate.refusal = _Refusal(error, self._clock.monotonic() + (error.retry_after or 0.0))
            raise error
        if status >= 500 or status == 408:
            raise self._error(ServerError, f"the archive failed (status {status} of {url})", answer, pause)
        where = answer.headers.get("location")
        more = f", which leads to {where[:200]}" if where else ""
        raise ArchiveError(f"{url} was answered with status {status}{more}; check the URL of the archive", url=url)

    def _now_ms(self) -> int:
        return int(self._clock.time() * 1000)

    def _error(self, kind: type[APIError], text: str, answer: RawResponse | APIError, pause: float | None) -> APIError:
        body = answer.content if isinstance(answer, RawResponse) else answer.body
        return kind(
            text,
            status_code=answer.status_code,
            retry_after=pause,
            retry_at=None if pause is None else self._now_ms() + int(pause * 1000),
            headers=dict(answer.headers),
            body=body,
        )


@contextmanager
def _told(url: str) -> Generator[None]:
    """What the transport raises, as one of our errors that names the URL."""
    try:
        yield
    except TransportFailure as error:
        text = f"{url}: {error}{error.via}"
        if error.kind == "setup":
            raise ConfigError(text) from error
        if error.kind in ("encoding", "too_large"):
            raise ArchiveError(text, url=url) from error
        raise (APITimeoutError if error.kind == "timeout" else APIConnectionError)(text) from error


def _url(given: str | None, name: str, variable: str, default: str) -> str:
    if given is not None:
        return read_base_url(given, name)
    told = os.environ.get(variable, "").strip()
    return read_base_url(told, variable) if told else default
