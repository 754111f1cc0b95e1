"""The simulated archive is what is known of the real one: paths, columns, habits, checksums, listing, publication."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from binance_sdk.simulator import ManualClock, Simulator, SimulatorError
from binance_sdk.simulator.archive import listing
from binance_sdk.simulator.archive.files import file_at

from .archive_reading import ArchiveReader, file_key, found
from .conftest import NOW, simulator

KLINES = "data/spot/daily/klines/BTCUSDT/1h/BTCUSDT-1h-2027-01-13.zip"


@pytest.fixture(scope="module")
def archive() -> Iterator[ArchiveReader]:
    with simulator() as running:
        reader = ArchiveReader(running)
        with reader.client:
            yield reader


@pytest.fixture(scope="module")
def old_archive() -> Iterator[ArchiveReader]:
    """Of a market that has traded since 2022-02."""
    with simulator(history_days=1800) as running:
        reader = ArchiveReader(running)
        with reader.client:
            yield reader


# ------------------------------------------------------------------------------------------ columns

FIRST_LINES: list[tuple[tuple[str, ...], str | None, str]] = [
    # spot: no header, eight decimals, microseconds since 2025, closing times that end in 999999, Python's booleans
    (
        ("spot", "daily", "klines", "BTCUSDT", "2027-01-13", "1h"),
        None,
        r"1799798400000000,\d+\.\d{8},.*,1799801999999999,",
    ),
    (("spot", "daily", "klines", "BTCUSDT", "2027-01-13", "1s"), None, r"1799798400000000,.*,1799798400999999,"),
    (
        ("spot", "daily", "aggTrades", "BTCUSDT", "2027-01-13"),
        None,
        r"\d+,\d+\.\d{8},\d\.\d{8},\d+,\d+,\d{16},(True|False),True$",
    ),
    (
        ("spot", "daily", "trades", "BTCUSDT", "2027-01-13"),
        None,
        r"\d+,\d+\.\d{8},\d\.\d{8},\d+\.\d{8},\d{16},(True|False),True$",
    ),
    # USDⓈ-M: a header, milliseconds, prices to the tick in klines, short ones in aggTrades, booleans of JSON
    (
        ("futures/um", "daily", "klines", "BTCUSDT", "2027-01-13", "1m"),
        "open_time,open,high,low,close,volume,close_time,quote_volume,count,taker_buy_volume,taker_buy_quote_volume,ignore",
        r"1799798400000,\d+\.\d0,.*,1799798459999,.*,0$",
    ),
    (
        ("futures/um", "daily", "aggTrades", "BTCUSDT", "2027-01-13"),
        "agg_trade_id,price,quantity,first_trade_id,last_trade_id,transact_time,is_buyer_maker",
        r"\d+,\d+\.\d,0\.\d{0,2}[1-9],\d+,\d+,\d{13},(true|false)$",
    ),
    (
        ("futures/um", "daily", "trades", "BTCUSDT", "2027-01-13"),
        "id,price,qty,quote_qty,time,is_buyer_maker",
        r"\d+,\d+\.\d0,0\.\d{3},\d+\.\d+,\d{13},(true|false)$",
    ),
    (
        ("futures/um", "monthly", "fundingRate", "BTCUSDT", "2026-12"),
        "calc_time,funding_interval_hours,last_funding_rate",
        r"17960832000\d\d,8,-?0\.\d{8}$",
    ),
    (
        ("futures/um", "daily", "metrics", "BTCUSDT", "2027-01-13"),
        "create_time,symbol,sum_open_interest,sum_open_interest_value,count_toptrader_long_short_ratio,"
        "sum_toptrader_long_short_ratio,count_long_short_ratio,sum_taker_long_short_vol_ratio",
        r"2027-01-13 00:00:00,BTCUSDT,\d+\.\d{8},\d+\.\d{8}(,\d\.\d{8}){4}$",
    ),
    (
        ("futures/um", "monthly", "markPriceKlines", "BTCUSDT", "2026-12", "1h"),
        "open_time,open,high,low,close,volume,close_time,quote_volume,count,taker_buy_volume,taker_buy_quote_volume,ignore",
        r"1796083200000(,\d+\.\d{8}){4},0,1796086799999,0,3600,0,0,0$",
    ),
    # COIN-M: mostly no header, index prices by pair, metrics with sixteen decimals
    (
        ("futures/cm", "daily", "klines", "BTCUSD_PERP", "2027-01-13", "1m"),
        None,
        r"1799798400000(,\d+\.\d){4},\d+,1799798459999,\d+\.\d{8},\d+,\d+,\d+\.\d{8},0$",
    ),
    (
        ("futures/cm", "daily", "trades", "BTCUSD_PERP", "2027-01-13"),
        None,
        r"\d+,\d+\.\d,\d+,\d+\.\d{8},\d{13},(true|false)$",
    ),
    (("futures/cm", "monthly", "indexPriceKlines", "BTCUSD", "2026-12", "1h"), None, r"1796083200000,"),
    (
        ("futures/cm", "daily", "metrics", "BTCUSD_PERP", "2027-01-13"),
        "create_time,symbol,",
        r"2027-01-13 00:00:00,BTCUSD_PERP,\d+\.0{16},\d+\.\d{16}(,\d\.\d{16}){4}$",
    ),
]


@pytest.mark.parametrize(("key", "header", "first"), FIRST_LINES, ids=["-".join(key[:4]) for key, _, _ in FIRST_LINES])
def test_the_columns_of_each_kind(archive: ArchiveReader, key: tuple[str, ...], header: str | None, first: str) -> None:
    lines = [",".join(line) for line in archive.lines(file_key(*key))]
    if header is not None:
        assert lines.pop(0).startswith(header)
    assert_matches(lines[0], first)


def assert_matches(line: str, pattern: str) -> None:
    assert re.match(pattern, line), line


def test_units_and_headers_change_with_the_years(old_archive: ArchiveReader) -> None:
    """Spot wrote milliseconds until 2024, and USDⓈ-M futures no header until 2022-05; funding always had one."""
    assert old_archive.rows(file_key("spot", "daily", "klines", "BTCUSDT", "2024-12-31", "1d"))[0][0] == "1735603200000"
    assert (
        old_archive.rows(file_key("spot", "daily", "klines", "BTCUSDT", "2025-01-01", "1d"))[0][0] == "1735689600000000"
    )
    before, after = (
        old_archive.lines(file_key("futures/um", "monthly", "klines", "BTCUSDT", month, "1d"))
        for month in ("2022-05", "2022-06")
    )
    assert (before[0][0][:3], after[0][0]) == ("165", "open_time")
    assert (
        old_archive.lines(file_key("futures/um", "monthly", "fundingRate", "BTCUSDT", "2022-05"))[0][0] == "calc_time"
    )


def test_months_are_spelled_so_that_no_file_system_mixes_them_with_minutes(archive: ArchiveReader) -> None:
    rows = archive.rows("data/spot/monthly/klines/BTCUSDT/1mo/BTCUSDT-1mo-2026-12.zip")
    assert [row[0] for row in rows] == ["1796083200000000"]
    assert archive.get("data/spot/monthly/klines/BTCUSDT/1M/BTCUSDT-1M-2026-12.zip").status_code == 404


NO_FILES = [
    "data/spot/monthly/klines/BTCUSDT/1m/BTCUSDT-1m-2026-13.zip",
    "data/spot/daily/klines/BTCUSDT/1m/BTCUSDT-1m-2027-02-30.zip",
    "data/spot/daily/klines/BTCUSDT/1m/BTCUSDT-5m-2027-01-13.zip",
    "data/spot/daily/klines/BTCUSDT/1m/ETHUSDT-1m-2027-01-13.zip",
    "data/spot/daily/klines/BTCUSDT/BTCUSDT-1m-2027-01-13.zip",
    "data/spot/daily/klines/NOSUCH/1m/NOSUCH-1m-2027-01-13.zip",
    "data/spot/daily/klines/BTCUSDT/1w/BTCUSDT-1w-2027-01-13.zip",
    "data/futures/um/daily/klines/BTCUSDT/1s/BTCUSDT-1s-2027-01-13.zip",
    "data/futures/um/daily/fundingRate/BTCUSDT/BTCUSDT-fundingRate-2027-01-13.zip",
    "data/futures/um/monthly/metrics/BTCUSDT/BTCUSDT-metrics-2026-12.zip",
    "data/futures/cm/monthly/indexPriceKlines/BTCUSD_PERP/1h/BTCUSD_PERP-1h-2026-12.zip",
    "data/spot/monthly/metrics/BTCUSDT/BTCUSDT-metrics-2026-12.zip",
    "data/spot/daily/klines/BTCUSDT/1h/BTCUSDT-1h-2025-01-13.zip",
    "data/option/daily/BVOLIndex/BTCBVOLUSDT/BTCBVOLUSDT-BVOLIndex-2027-01-13.zip",
    "robots.txt",
]


@pytest.mark.parametrize("key", NO_FILES)
def test_what_is_not_there_is_a_404_of_s3(archive: ArchiveReader, key: str) -> None:
    answer = archive.get(key)
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/xml")
    assert f"<Code>NoSuchKey</Code><Message>The specified key does not exist.</Message><Key>{key}</Key>" in answer.text


# --------------------------------------------------------------------------------------------- HTTP


def test_a_file_is_told_apart_by_its_etag(archive: ArchiveReader) -> None:
    answer = archive.get(KLINES)
    assert answer.headers["last-modified"] == "Thu, 14 Jan 2027 07:00:00 GMT"
    assert "content-encoding" not in answer.headers
    assert archive.get(KLINES, **{"If-None-Match": answer.headers["etag"]}).status_code == 304
    assert archive.get(KLINES, **{"If-None-Match": '"another"'}).status_code == 200
    head = archive.client.head(f"{archive.url}/{KLINES}")
    assert (head.headers["content-length"], head.content) == (str(len(answer.content)), b"")
    assert archive.client.post(f"{archive.url}/{KLINES}").status_code == 405


def test_some_checksums_end_without_a_newline(archive: ArchiveReader) -> None:
    ends = {archive.get(f"{KLINES[:-6]}{day:02d}.zip.CHECKSUM").text[-1] for day in range(1, 9)}
    assert ends == {"\n", "p"}


def test_the_same_market_has_the_same_bytes() -> None:
    bodies: set[bytes] = set()
    for seed in (1, 1, 2):
        with simulator(seed=seed) as running, ArchiveReader(running).client as client:
            bodies.add(client.get(f"{running.archive_url}/{KLINES}").content)
    assert len(bodies) == 2


def test_requests_are_counted_by_path() -> None:
    with simulator(symbols=["BTCUSDT"], control=True) as running:
        reader = ArchiveReader(running)
        with reader.client:
            reader.checked(KLINES)
            reader.get(KLINES)
            reader.listing(prefix="data/", delimiter="/")
        assert running.archive_requests() == {
            f"/{KLINES}": 2,
            f"/{KLINES}.CHECKSUM": 1,
            "/data.binance.vision?prefix=data%2F&delimiter=%2F": 1,
        }
        assert running.requests.total == 0


# -------------------------------------------------------------------------------------- publication


@pytest.mark.parametrize(
    ("key", "published"),
    [
        ("data/spot/daily/klines/BTCUSDT/1h/BTCUSDT-1h-2027-01-14.zip", "2027-01-15T07:00"),
        # 2027-02-01 is a Monday, 2027-03-01 another; the first Monday after December was the 4th.
        ("data/spot/monthly/klines/BTCUSDT/1h/BTCUSDT-1h-2027-01.zip", "2027-02-01T07:00"),
        ("data/spot/monthly/klines/BTCUSDT/1h/BTCUSDT-1h-2026-12.zip", "2027-01-04T07:00"),
        # The bar of three days that opens on 2027-02-28 is over on 2027-03-03.
        ("data/spot/monthly/klines/BTCUSDT/3d/BTCUSDT-3d-2027-02.zip", "2027-03-03T07:00"),
    ],
)
def test_files_come_after_their_time_is_over(key: str, published: str) -> None:
    file = file_at(key)
    assert file is not None
    assert f"{datetime.fromtimestamp(file.published / 1000, UTC):%Y-%m-%dT%H:%M}" == published
    clock = ManualClock(NOW)
    with Simulator(clock=clock, symbols=["BTCUSDT"], lively=False) as running:
        reader = ArchiveReader(running)
        with reader.client:
            for moment, there in ((file.published - 1, False), (file.published, True)):
                clock.set(moment)
                assert reader.get(key).is_success is there
                assert reader.get(f"{key}.CHECKSUM").is_success is there
                assert (key in found(reader.listing(prefix=key), "Contents/Key")) is there


def test_what_is_no_longer_listed_keeps_its_files() -> None:
    clock = ManualClock(NOW)
    with simulator(clock=clock, symbols=["BTCUSDT", "ETHUSDT"]) as running:
        reader = ArchiveReader(running)
        with reader.client:
            running.delist_symbol("spot", "ETHUSDT")
            clock.advance(3 * 86_400)
            prefixes = found(reader.listing(prefix="data/spot/daily/klines/", delimiter="/"), "CommonPrefixes/Prefix")
            assert prefixes == ["data/spot/daily/klines/BTCUSDT/", "data/spot/daily/klines/ETHUSDT/"]
            key = "data/spot/daily/klines/ETHUSDT/1h/ETHUSDT-1h-2027-01-{}.zip"
            last = reader.rows(key.format(15))
            assert (len(last), last[-1][0]) == (9, "1800000000000000")
            assert [reader.get(key.format(day)).status_code for day in (14, 16)] == [200, 404]


# ------------------------------------------------------------------------------------------ listing


def test_the_listing_is_walked_from_the_top(archive: ArchiveReader) -> None:
    for prefix, below in [
        ("", ["data/"]),
        ("data/", ["data/futures/", "data/spot/"]),
        ("data/futures/", ["data/futures/cm/", "data/futures/um/"]),
        ("data/spot/", ["data/spot/daily/", "data/spot/monthly/"]),
        ("data/spot/daily/", [f"data/spot/daily/{kind}/" for kind in ("aggTrades", "klines", "trades")]),
        ("data/sp", ["data/spot/"]),
        ("data/futures/um/monthly/m", ["data/futures/um/monthly/markPriceKlines/"]),
        ("data/futures/um/daily/m", [f"data/futures/um/daily/{kind}/" for kind in ("markPriceKlines", "metrics")]),
        ("data/spot/daily/nothing/", []),
    ]:
        page = archive.listing(prefix=prefix, delimiter="/")
        assert (found(page, "CommonPrefixes/Prefix"), found(page, "Contents/Key")) == (below, [])
        assert found(page, "IsTruncated") == ["false"]
    pairs = found(
        archive.listing(prefix="data/futures/cm/daily/indexPriceKlines/BT", delimiter="/"), "CommonPrefixes/Prefix"
    )
    assert pairs == ["data/futures/cm/daily/indexPriceKlines/BTCUSD/"]


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("delimiter", ["/", ""])
def test_pages_go_on_where_the_last_one_ended(archive: ArchiveReader, version: int, delimiter: str) -> None:
    """Version 1 names the next marker only with a delimiter; without one, it is the last key."""
    prefix = "data/futures/um/monthly/fundingRate/" + ("" if delimiter else "BTC")
    first = {
        "prefix": prefix,
        **({"delimiter": delimiter} if delimiter else {}),
        **({"list_type": "2"} if version == 2 else {}),
    }
    whole = archive.listing(**first)
    expected = found(whole, "Contents/Key") + found(whole, "CommonPrefixes/Prefix")
    assert len(expected) > 15
    collected: list[str] = []
    marker = ""
    while True:
        name = "marker" if version == 1 else "continuation_token"
        page = archive.listing(**first, max_keys="7", **({name: marker} if marker else {}))
        keys = found(page, "Contents/Key") + found(page, "CommonPrefixes/Prefix")
        collected += keys
        if found(page, "IsTruncated") == ["false"]:
            break
        assert len(keys) == 7
        named = found(page, "NextMarker" if version == 1 else "NextContinuationToken")
        assert bool(named) is (version == 2 or bool(delimiter))
        marker = named[0] if named else keys[-1]
    assert collected == expected == sorted(expected)


def test_a_page_has_a_thousand_keys_and_counts_checksums_among_them(old_archive: ArchiveReader) -> None:
    page = old_archive.listing(prefix="data/spot/daily/klines/WTCUSDT/1d/", max_keys="5000")
    keys = found(page, "Contents/Key")
    # It was traded for 300 days.
    assert (len(keys), found(page, "IsTruncated")) == (602, ["false"])
    key, checksum = keys[0], keys[1]
    assert checksum == f"{key}.CHECKSUM"
    sizes, etags = found(page, "Contents/Size"), found(page, "Contents/ETag")
    assert [len(old_archive.get(one).content) for one in (key, checksum)] == [int(size) for size in sizes[:2]]
    assert [old_archive.get(one).headers["etag"] for one in (key, checksum)] == etags[:2]
    assert found(page, "Contents/LastModified")[0] == "2022-02-11T07:00:00.000Z"
    page = old_archive.listing(prefix="data/spot/daily/klines/BTCUSDT/1d/", max_keys="5000")
    assert (len(found(page, "Contents/Key")), found(page, "IsTruncated")) == (1000, ["true"])


def test_a_page_ends_early_where_its_files_are_long_to_make(
    archive: ArchiveReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    prefix = "data/spot/daily/klines/BTCUSDT/1h/"
    expected = found(archive.listing(prefix=prefix), "Contents/Key")
    monkeypatch.setattr(listing, "_MOST_BYTES", 10_000)
    pages = [archive.listing(prefix=prefix)]
    while found(pages[-1], "IsTruncated") == ["true"]:
        pages.append(archive.listing(prefix=prefix, marker=found(pages[-1], "Contents/Key")[-1]))
    assert len(pages) > 1
    assert [key for page in pages for key in found(page, "Contents/Key")] == expected
    for page in pages:
        sizes = zip(found(page, "Contents/Key"), map(int, found(page, "Contents/Size")), strict=True)
        zips = [size for key, size in sizes if key.endswith(".zip")]
        assert sum(zips[:-1]) <= 10_000


@pytest.mark.parametrize("params", [{"max_keys": "-1"}, {"max_keys": "many"}, {"delimiter": "-"}])
def test_a_listing_refuses_what_means_nothing(archive: ArchiveReader, params: dict[str, str]) -> None:
    answer = archive.client.get(archive.listing_url, params={name.replace("_", "-"): params[name] for name in params})
    assert (answer.status_code, "InvalidArgument" in answer.text) == (400, True)


def test_the_archive_has_no_address_before_the_start() -> None:
    with pytest.raises(SimulatorError, match="no address"):
        _ = Simulator().archive_url
