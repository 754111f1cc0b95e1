"""What is not used is not loaded: read from the modules of a fresh interpreter."""

from __future__ import annotations

import subprocess
import sys

import pytest


def loaded_by(code: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys\nprint(*sys.modules)"], capture_output=True, text=True, check=True
    )
    return set(done.stdout.split())


def test_importing_the_package_loads_no_engine() -> None:
    loaded = loaded_by("import binance_sdk\nfrom binance_sdk import BinanceClient, Caps, RequestOptions, errors")
    assert loaded & {"asyncio", "httpx", "pydantic", "ssl", "binance_sdk._core", "binance_sdk.events"} == set()


def test_a_client_loads_neither_its_libraries_nor_a_market() -> None:
    loaded = loaded_by("import binance_sdk\nclient = binance_sdk.SyncBinanceClient()\nclient.limits.spot.used")
    assert loaded & {"aiohttp", "httpx", "websockets", "binance_sdk._generated.spot.models"} == set()
    assert "binance_sdk._core" in loaded


@pytest.mark.parametrize(("market", "other"), [("spot", "futures"), ("futures", "spot")])
@pytest.mark.parametrize("client", ["BinanceClient", "SyncBinanceClient"])
def test_a_market_loads_no_other_market(client: str, market: str, other: str) -> None:
    loaded = loaded_by(f"import binance_sdk\nbinance_sdk.{client}().{market}.plan.ping()")
    assert f"binance_sdk._generated.{market}.models" in loaded
    assert {name for name in loaded if name.startswith(f"binance_sdk._generated.{other}")} == set()
    assert f"binance_sdk._generated.{market}.events" not in loaded
