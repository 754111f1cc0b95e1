"""What Binance adds reaches the client through spec files alone: no line of Python is written for it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from project import Project

HERE = Path(__file__).parent / "new_endpoint"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    project = Project(tmp_path_factory.mktemp("new"))
    shutil.copy(HERE / "liquidity.yaml", project.root / "spec" / "spot" / "liquidity.yaml")
    for path in (HERE / "fixtures" / "spot").iterdir():
        shutil.copy(path, project.root / "spec" / "fixtures" / "spot" / path.name)
    project.generate()
    return project


def test_the_new_methods_work_async_and_sync(project: Project) -> None:
    shutil.copy(HERE / "use.py", project.root)
    assert project.run("-W", "error", "use.py") == "used\n"


def test_the_new_methods_are_typed(project: Project) -> None:
    shutil.copy(HERE / "typed.py", project.root)
    project.check_types("typed.py")


@pytest.fixture(scope="module")
def changed(tmp_path_factory: pytest.TempPathFactory) -> Project:
    project = Project(tmp_path_factory.mktemp("changed"))
    project.change(
        "spot/market.yaml",
        '      mins: {type: int, description: "Time averaged over, in minutes."}\n',
        '      mins: {type: int, description: "Time averaged over, in minutes."}\n'
        "      medianPrice: {type: decimal, optional: true, description: Median of the prices.}\n",
    )
    project.change("spot/market.yaml", "{min: 1, max: 100, weight: 5}", "{min: 1, max: 100, weight: 7}")
    project.change("spot/klines.yaml", "values: [1s, 1m, 3m,", "values: [1s, 1m, 2m, 3m,")
    old = "{since: 2026-01-01, use: %s}"
    project.change(
        "spot/klines.yaml",
        "    path: /api/v3/uiKlines\n",
        f"    path: /api/v3/uiKlines\n    deprecated: {old % 'klines'}\n",
    )
    project.change(
        "streams/spot.yaml",
        "    event_type: avgPrice\n",
        f"    event_type: avgPrice\n    deprecated: {old % 'trade'}\n",
    )
    project.generate()
    return project


def test_a_new_field(changed: Project) -> None:
    changed.run(
        "-c",
        "from decimal import Decimal\n"
        "from binance_sdk.spot import AvgPrice\n"
        """wire = '{"mins":5,"medianPrice":"1.50","price":"1.00","closeTime":1}'\n"""
        "price = AvgPrice.model_validate_json(wire)\n"
        "assert price.median_price == Decimal('1.50') and not price.model_extra\n"
        "assert price.model_dump_json(by_alias=True, exclude_unset=True) == wire\n",
    )


def test_a_changed_weight(changed: Project) -> None:
    changed.run(
        "-c",
        "from binance_sdk import SyncBinanceClient\n"
        "with SyncBinanceClient() as client:\n"
        "    depth = client.spot.plan.depth\n"
        "    assert [depth('BTCUSDT').weight, depth('BTCUSDT', limit=101).weight] == [7, 25]\n"
        "    assert 'Weight: 7 for `limit` up to 100, 25 up to 500' in client.spot.depth.__doc__\n",
    )


def test_a_new_value_of_an_enum(changed: Project) -> None:
    changed.run(
        "-c",
        "from typing import get_args\n"
        "from binance_sdk import SyncBinanceClient, errors, futures, spot\n"
        "assert '2m' in get_args(spot.KlineInterval) and '2m' not in get_args(futures.KlineInterval)\n"
        "with SyncBinanceClient() as client:\n"
        "    assert client.spot.plan.klines('BTCUSDT', '2m').requests == 1\n"
        "    try:\n"
        "        client.futures.plan.klines('BTCUSDT', '2m')\n"
        "    except errors.ParameterError as error:\n"
        "        assert '2m' in str(error)\n"
        "    else:\n"
        "        raise AssertionError('futures has no 2m')\n",
    )


DEPRECATED = """
import asyncio, pathlib, warnings
from binance_sdk import BinanceClient, SyncBinanceClient

def told(make):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        made = make()
    if asyncio.iscoroutine(made):
        made.close()
    (one,) = caught
    assert one.category is DeprecationWarning and one.filename == __file__, one
    return str(one.message)

async def main():
    with SyncBinanceClient() as blocking:
        async with BinanceClient() as client:
            calls = "`ui_klines` is deprecated by Binance since 2026-01-01: use `klines`."
            for api in (client.spot, client.spot.with_raw_response, client.spot.plan, blocking.spot.plan):
                assert told(lambda: api.ui_klines("BTCUSDT", "1h")) == calls
            for api in (client.spot, client.spot.plan, blocking.spot):
                assert told(lambda: api.iter_ui_klines("BTCUSDT", "1h", limit=2)) == calls
            for streams in (client.spot.streams, blocking.spot.streams):
                text = told(lambda: streams.avg_price("BTCUSDT"))
                assert text == "`avg_price` is deprecated by Binance since 2026-01-01: use `trade`."

asyncio.run(main())
"""


def test_what_is_deprecated_warns_where_it_is_called(changed: Project) -> None:
    (changed.root / "deprecated.py").write_text(DEPRECATED, encoding="utf-8")
    changed.run("-W", "error", "deprecated.py")


OVERLOADED = """
from binance_sdk import SyncBinanceClient

def call(client: SyncBinanceClient) -> None:
    client.futures.ticker_price("BTCUSDT")
    client.futures.ticker_price()
    client.spot.ui_klines("BTCUSDT", "1h")
    client.spot.klines("BTCUSDT", "1h")
"""


def test_type_checkers_strike_out_what_is_deprecated(changed: Project) -> None:
    (changed.root / "overloaded.py").write_text(OVERLOADED, encoding="utf-8")
    told = changed.check_types("overloaded.py")
    assert [line.split(":")[1] for line in told.splitlines() if "is deprecated by Binance" in line] == ["5", "6", "7"]
