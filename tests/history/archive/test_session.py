"""Requests to the archive: where they go, how many at once, and what follows from an answer that is no file."""

from __future__ import annotations

import asyncio
import hashlib
import threading
from typing import Any

import pytest

from binance_sdk._runtime.clock import AsyncClock
from binance_sdk.catalogue import ARCHIVE
from binance_sdk.errors import (
    APIConnectionError,
    APITimeoutError,
    ArchiveError,
    BinanceError,
    ConfigError,
    ForbiddenError,
    HistoryError,
    IPBannedError,
    RateLimitError,
    RestrictedLocationError,
    ServerError,
)
from binance_sdk.history.archive import session as sessions
from binance_sdk.history.archive.session import ArchiveSession
from tests.history.archive.bucket import Answer, Bucket


class Clock(AsyncClock):
    """Waits in no time, and says for how long."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []
        self.monotonic = lambda: self.now  # type: ignore[method-assign,assignment]

    def time(self) -> float:
        return 1_735_689_600 + self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds
        await asyncio.sleep(0)


# ------------------------------------------------------------------------------------------ settings


def test_addresses_come_from_arguments_then_variables_then_the_spec(monkeypatch: pytest.MonkeyPatch) -> None:
    own = ArchiveSession()
    assert (own.url, own.listing_url) == (ARCHIVE.url, ARCHIVE.listing_url)
    monkeypatch.setenv("BINANCE_SDK_SIMULATOR", "http://127.0.0.1:7000")
    simulated = ArchiveSession()
    assert simulated.url.startswith("http://127.0.0.1:70")
    assert simulated.listing_url.startswith(simulated.url)
    monkeypatch.setenv("BINANCE_SDK_ARCHIVE_URL", "http://127.0.0.1:7100/mirror/")
    monkeypatch.setenv("BINANCE_SDK_ARCHIVE_LISTING_URL", "http://127.0.0.1:7200/list")
    told = ArchiveSession()
    assert (told.url, told.listing_url) == ("http://127.0.0.1:7100/mirror", "http://127.0.0.1:7200/list")
    given = ArchiveSession("http://127.0.0.1:1", "http://127.0.0.1:2/b")
    assert (given.url, given.listing_url) == ("http://127.0.0.1:1", "http://127.0.0.1:2/b")


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        ({"url": "ftp://x"}, "url"),
        ({"listing_url": "http://x?y=1"}, "listing_url"),
        ({"max_downloads": 0}, "max_downloads"),
        ({"max_retries": -1}, "max_retries"),
        ({"timeout": 0}, "timeout"),
        ({"proxy": 5}, "proxy"),
    ],
)
def test_a_wrong_setting_is_told_by_its_name(settings: dict[str, Any], name: str) -> None:
    with pytest.raises(ConfigError, match=name):
        ArchiveSession(**settings)


# ------------------------------------------------------------------------------------------ downloads


async def test_a_file_is_hashed_as_it_comes_and_a_large_one_goes_to_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    data = bytes(range(256)) * 4000
    monkeypatch.setattr(sessions, "_IN_MEMORY", 100_000)
    with Bucket() as bucket:
        bucket.files["a/b.zip"] = data
        async with bucket.session() as session:
            download = await session.download("a/b.zip")
            with download.file:
                assert download.file.read() == data
                assert download.file.fileno() > 0
            assert (download.sha256, download.size) == (hashlib.sha256(data).hexdigest(), len(data))
            assert session.requests == 1


async def test_so_many_downloads_are_under_way_at_once() -> None:
    with Bucket() as bucket:
        bucket.hold = threading.Event()
        bucket.files = {f"f{n}": b"x" for n in range(9)}
        async with bucket.session(max_downloads=3) as session:
            tasks = [asyncio.create_task(session.text(f"f{n}")) for n in range(9)]
            await asyncio.to_thread(bucket.wait_for, 3)
            bucket.hold.set()
            assert await asyncio.gather(*tasks) == ["x"] * 9
        assert bucket.most_at_once == 3


async def test_what_is_not_there_is_said_and_not_asked_for_again() -> None:
    with Bucket() as bucket:
        async with bucket.session(clock=Clock()) as session:
            with pytest.raises(ArchiveError, match=r"the archive has no http://.*/a/b.zip") as caught:
                await session.download("a/b.zip")
        assert caught.value.missing
        assert caught.value.url == f"{bucket.url}/a/b.zip"
        assert bucket.count("a/b.zip") == 1


@pytest.mark.parametrize(
    "first", [Answer(500), Answer(503, headers={"Retry-After": "7"}), Answer(408), Answer(200, b"abcdef", cut=3)]
)
async def test_failures_that_may_pass_are_tried_again_after_a_pause(first: Answer) -> None:
    clock = Clock()
    with Bucket() as bucket:
        bucket.files["f"] = b"good"
        bucket.answers["f"] = [first, first]
        async with bucket.session(clock=clock) as session:
            download = await session.download("f")
            with download.file:
                assert download.file.read() == b"good"
        assert bucket.count("f") == 3
        assert len(clock.slept) == 2
        assert ("Retry-After" in first.headers) == all(pause >= 7 for pause in clock.slept)


@pytest.mark.parametrize(
    ("answer", "error"), [(Answer(500), ServerError), (Answer(200, b"abcdef", cut=3), APIConnectionError)]
)
async def test_failures_that_stay_are_told_after_the_last_attempt(answer: Answer, error: type[BinanceError]) -> None:
    with Bucket() as bucket:
        bucket.answers["f"] = [answer] * 9
        async with bucket.session(clock=Clock(), max_retries=2) as session:
            with pytest.raises(error, match="/f"):
                await session.text("f")
        assert bucket.count("f") == 3


async def test_a_host_that_is_not_there_or_silent_is_told() -> None:
    async with ArchiveSession("http://127.0.0.1:1", clock=Clock(), max_retries=1) as session:
        with pytest.raises(APIConnectionError, match=r"http://127.0.0.1:1/f: no connection"):
            await session.download("f")
    with Bucket() as bucket:
        bucket.hold = threading.Event()
        async with bucket.session(clock=Clock(), max_retries=0, timeout=0.05) as session:
            with pytest.raises(APITimeoutError, match="no answer in time"):
                await session.download("f")
        bucket.hold.set()


async def test_other_answers_are_no_files() -> None:
    answers: list[tuple[Answer, str]] = [
        (
            Answer(302, headers={"Location": "http://login.example/"}),
            "status 302, which leads to http://login.example/",
        ),
        (Answer(400), "status 400"),
        (Answer(200, b"x", {"Content-Encoding": "gzip"}), "Content-Encoding 'gzip'"),
    ]
    for answer, words in answers:
        with Bucket() as bucket:
            bucket.answers["f"] = [answer]
            async with bucket.session(clock=Clock()) as session:
                with pytest.raises(ArchiveError, match=words) as caught:
                    await session.download("f")
            assert not caught.value.missing
            assert bucket.count("f") == 1


async def test_a_file_larger_than_any_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "_LARGEST", 10)
    with Bucket() as bucket:
        bucket.files["f"] = b"x" * 11
        async with bucket.session() as session:
            with pytest.raises(ArchiveError, match="larger than 10 bytes"):
                await session.download("f")


async def test_a_full_disk_is_told_with_the_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    class Full:
        def __init__(self, max_size: int) -> None:
            pass

        def write(self, data: bytes) -> int:
            raise OSError(28, "No space left on device")

        def close(self) -> None:
            pass

    monkeypatch.setattr(sessions.tempfile, "SpooledTemporaryFile", Full)
    with Bucket() as bucket:
        bucket.files["f"] = b"x"
        async with bucket.session() as session:
            with pytest.raises(HistoryError, match=r"cannot be kept in .*No space left on device; TMPDIR"):
                await session.download("f")


# ------------------------------------------------------------------------------------------ refusals


async def test_after_429_everybody_waits_for_the_pause_and_goes_on() -> None:
    clock = Clock()
    with Bucket() as bucket:
        bucket.files = {"f": b"1", "g": b"2"}
        bucket.answers["f"] = [Answer(429, headers={"Retry-After": "30"})]
        async with bucket.session(clock=clock, max_downloads=1) as session:
            assert await asyncio.gather(session.text("f"), session.text("g")) == ["1", "2"]
        assert sum(clock.slept) == 30
        assert bucket.asked == ["/f", "/f", "/g"]


async def test_a_pause_that_is_too_long_is_told() -> None:
    clock = Clock()
    with Bucket() as bucket:
        bucket.files["f"] = b"1"
        bucket.answers["f"] = [Answer(429, headers={"Retry-After": "121"})]
        async with bucket.session(clock=clock) as session:
            with pytest.raises(RateLimitError, match="too many requests") as caught:
                await session.text("f")
            assert caught.value.retry_after == pytest.approx(121)
            clock.now += 121
            assert await session.text("f") == "1"
        assert bucket.count("f") == 2


@pytest.mark.parametrize(
    ("status", "error"), [(403, ForbiddenError), (418, IPBannedError), (451, RestrictedLocationError)]
)
async def test_after_a_refusal_the_others_stop_too(status: int, error: type[BinanceError]) -> None:
    clock = Clock()
    with Bucket() as bucket:
        bucket.files = {"f": b"1", "g": b"2"}
        bucket.answers["f"] = [Answer(status)]
        async with bucket.session(clock=clock) as session:
            with pytest.raises(error, match=f"status {status} of http"):
                await session.text("f")
            with pytest.raises(error, match=r"/g was not asked for") as caught:
                await session.text("g")
            assert caught.value.retry_after == pytest.approx(300)
            assert bucket.asked == ["/f"]
            clock.now += 300
            assert await session.text("g") == "2"
        assert clock.slept == []


async def test_nothing_is_left_open_after_a_cancelled_download() -> None:
    with Bucket() as bucket:
        bucket.hold = threading.Event()
        async with bucket.session() as session:
            task = asyncio.create_task(session.download("f"))
            await asyncio.to_thread(bucket.wait_for, 1)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            bucket.hold.set()
            bucket.files["g"] = b"1"
            assert await session.text("g") == "1"
