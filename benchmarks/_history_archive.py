"""A year of minute bars of one symbol from files of the archive to Parquet: CPU against the same with bare libraries.

The floor opens the same zips, which it has in memory, reads the columns that are kept into the same types, and writes
one Parquet file a month with the same compression. Ours plans, downloads, compares checksums, checks every row, writes
so that a kill loses nothing, and keeps a manifest.
"""

from __future__ import annotations

import hashlib
import io
import urllib.request
import zipfile
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from time import process_time
from typing import TYPE_CHECKING

from benchmarks._figures import Figure, Target
from benchmarks._timing import interleaved
from binance_sdk.catalogue import ARCHIVE
from binance_sdk.history.piece import Prices
from binance_sdk.simulator import simulator_process

if TYPE_CHECKING:
    import polars as pl

    from binance_sdk.history import FetchSettings

_SYMBOL, _INTERVAL = "BTCUSDT", "1m"
_ROUNDS = 5
_MONTHS = 12
_MINUTES_A_DAY = 1440
_TIMES = ("open_time", "close_time")


@dataclass(frozen=True)
class _Year:
    """What both sides make Parquet of.

    Attributes:
        since: First day of the first month.
        until: First day after the last one.
        zips: The files of the months, in order.
        settings: How the archive is reached.
    """

    since: datetime
    until: datetime
    zips: Sequence[bytes]
    settings: FetchSettings

    @property
    def rows(self) -> int:
        """How many minutes it has."""
        return (self.until - self.since).days * _MINUTES_A_DAY


def figures_of_archive() -> list[Figure]:
    """The figures, of floats and of exact decimals."""
    with _year() as year:
        return [*_figures(year, "float", Target("≤", 1.5, "ratio")), *_figures(year, "decimal", None)]


def _figures(year: _Year, prices: Prices, target: Target | None) -> list[Figure]:
    with TemporaryDirectory() as folder:
        places = iter(Path(folder, str(number)) for number in range(10**6))
        bare, ours = next(places), next(places)
        wrong = _differences(_bare(year, prices, bare), _kept(year, prices, ours), year)
        found = interleaved(
            {
                "bare": _sampler(lambda: _bare(year, prices, next(places))),
                "ours": _sampler(lambda: _run(year, prices, next(places))),
            },
            _ROUNDS,
        )
    name = f"a year of {_INTERVAL} klines from the archive to Parquet, {prices}"
    note = (
        f"{_MONTHS} monthly zips, {year.rows:,} rows; floor: zipfile, polars read_csv and write_parquet of the same "
        "bytes in memory. Ours has downloads, checksums, checks, fsync and manifest in it"
    )
    seconds = found.seconds("ours"), found.seconds("bare")
    ratio = found.ratio("ours", "bare")
    return [
        Figure(
            "history", f"cells that differ from those of the bare libraries, {prices}", wrong, target=Target("=", 0)
        ),
        Figure("history", name, seconds[0], "s CPU", seconds[1], ratio, target, note),
    ]


@contextmanager
def _year() -> Generator[_Year]:
    from binance_sdk.history import FetchSettings

    # The newest month that is published for certain, and the twelve up to it.
    until = (datetime.now(UTC) - timedelta(days=10)).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    months = [until]
    for _ in range(_MONTHS):
        months.insert(0, (months[0] - timedelta(days=1)).replace(day=1))
    days = (datetime.now(UTC) - months[0]).days + 1
    with simulator_process(symbols=[_SYMBOL], history_days=days, lively=False) as control:
        kind = ARCHIVE.kinds["futures", "klines"]
        folder = f"{control.archive_url}/data/{ARCHIVE.folders['futures']}/monthly/{kind.folder}/{_SYMBOL}/{_INTERVAL}"
        zips: list[bytes] = []
        for month in months[:-1]:
            url = f"{folder}/{_SYMBOL}-{_INTERVAL}-{month:%Y-%m}.zip"
            with urllib.request.urlopen(url) as answer, urllib.request.urlopen(f"{url}.CHECKSUM") as checksum:
                zips.append(answer.read())
                if hashlib.sha256(zips[-1]).hexdigest() != checksum.read().decode().split()[0]:
                    raise RuntimeError(f"the checksum of {url} does not fit")
        settings = FetchSettings(
            archive={"url": control.archive_url, "listing_url": control.archive_listing_url},
            client={"futures_base_url": control.base_url("futures")},
        )
        yield _Year(months[0], until, zips, settings)


def _bare(year: _Year, prices: Prices, folder: Path) -> pl.DataFrame:
    """What anybody would write who knows these files; the frame of all months, to compare."""
    import polars as pl

    from binance_sdk.history.columns import polars_schema

    kind = ARCHIVE.kinds["futures", "klines"]
    schema = polars_schema(kind, prices)
    names = [column.wire for column in kind.kept]
    read = {column.wire: pl.Int64() if column.name in _TIMES else schema[column.name] for column in kind.kept}
    times = [pl.from_epoch(name, "ms").dt.cast_time_unit("us").dt.replace_time_zone("UTC") for name in _TIMES]
    folder.mkdir()
    frames: list[pl.DataFrame] = []
    for number, body in enumerate(year.zips):
        with zipfile.ZipFile(io.BytesIO(body)) as opened:
            text = opened.read(opened.namelist()[0])
        frame = pl.read_csv(text, columns=names, schema_overrides=read).with_columns(times)
        frame.write_parquet(folder / f"{number}.parquet", compression="zstd")
        frames.append(frame)
    return pl.concat(frames).rename({column.wire: column.name for column in kind.kept})


def _run(year: _Year, prices: Prices, folder: Path) -> None:
    from binance_sdk import history

    plan = history.plan(
        _SYMBOL,
        market="futures",
        interval=_INTERVAL,
        since=year.since,
        until=year.until,
        source="archive",
        settings=year.settings,
        listing=False,
    )
    report = history.run(plan, folder, prices=prices, settings=year.settings)
    if (len(report.fetched), report.rows) != (_MONTHS, year.rows):
        raise RuntimeError(f"{len(report.fetched)} pieces with {report.rows} rows came: {report.remarks[:3]}")


def _kept(year: _Year, prices: Prices, folder: Path) -> pl.DataFrame:
    import polars as pl

    from binance_sdk import history

    _run(year, prices, folder)
    dataset = history.Dataset.open(folder)
    return pl.concat([dataset.read(record) for record in dataset.records()]).sort("open_time")


def _differences(bare: pl.DataFrame, kept: pl.DataFrame, year: _Year) -> int:
    """Cells that are not the same; all of them where the shapes are not."""
    if (bare.shape, bare.schema) != (kept.shape, kept.schema) or bare.height != year.rows:
        return bare.height * bare.width
    return sum(int((bare[name] != kept[name]).sum()) for name in bare.columns)


def _sampler(call: Callable[[], object]) -> Callable[[], float]:
    def sample() -> float:
        begun = process_time()
        call()
        return process_time() - begun

    return sample
