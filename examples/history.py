"""Keeps hourly bars of two symbols on disk, brings them up to now, proves them, and prints the widest day of each.

Run it as often as you like: what is there is not fetched again. ``BINANCE_SDK_SIMULATOR`` lets it run on a simulator.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta

import polars as pl

from binance_sdk import history


def keep(folder: str, symbols: list[str], days: int) -> None:
    """Fetch what is missing of the last days, and say what that takes before."""
    since = (datetime.now(UTC) - timedelta(days=days)).date()
    plan = history.plan(symbols, market="futures", interval="1h", since=since, out=folder)
    print(f"{len(plan.pieces)} pieces, weight {plan.weight.value:.0f}, {plan.bytes.value / 1e6:.1f} MB to fetch")
    print(history.terms_notice())
    report = history.run(plan, folder, progress=lambda seen: print(f"  {seen.done} of {seen.pieces}", end="\r"))
    print(f"{report.rows:,} rows came with {report.requests} requests")
    for piece, remark in report.remarks:
        print(f"  {piece.series.symbol} {piece.name}: {remark.text}")


def prove(folder: str) -> None:
    """Stop where something is wrong; holes are told with their reason."""
    found = history.check(folder)
    for series in found.series:
        print(f"{series.series.symbol}: {series.rows:,} rows")
        for hole in series.holes:
            print(f"  {hole.text}")
    if not found.sound:
        sys.exit("the dataset is damaged: `binance-sdk history check` says where")


def widest_days(folder: str) -> pl.DataFrame:
    """The day of each symbol on which its price moved most."""
    bars = history.open(folder).polars(kind="klines", symbol=None)
    days = bars.group_by("symbol", pl.col("open_time").dt.date().alias("day")).agg(
        ((pl.col("high").max() - pl.col("low").min()) / pl.col("low").min()).alias("range")
    )
    return days.sort("range", descending=True).group_by("symbol", maintain_order=True).first().collect()


def main(folder: str = "data", days: int = 45) -> None:
    """Keep, prove, read."""
    keep(folder, ["BTCUSDT", "ETHUSDT"], days)
    prove(folder)
    print(widest_days(folder))


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "data")
