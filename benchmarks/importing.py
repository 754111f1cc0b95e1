"""What ``import binance_sdk`` costs a fresh interpreter, and what it must not load."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks._environments import YARDSTICK, Environment, base
from benchmarks._figures import Figure, Target
from benchmarks._timing import interleaved

_STARTS = 15
_MODEL = """
import httpx
from pydantic import BaseModel
class Price(BaseModel):
    symbol: str
    price: str
"""
_FIRST_USE = """
import binance_sdk
from binance_sdk.catalogue import CATALOGUE
client = binance_sdk.SyncBinanceClient()
client._core.open("benchmark")
adapter = CATALOGUE["spot"].operations["ticker_price"].variants[0].adapter
adapter.validate_json(b'{"symbol":"BTCUSDT","price":"92314.51000000"}', by_alias=True, by_name=False)
client.close()
"""
_FIRST_USE_FLOOR = (
    _MODEL
    + """
client = httpx.Client()
Price.model_validate_json(b'{"symbol":"BTCUSDT","price":"92314.51000000"}')
client.close()
"""
)
_SIZE = f"""
from importlib.metadata import distributions
files = [file for one in distributions() if one.name != {YARDSTICK!r} for file in one.files or ()]
print(sum(file.locate().stat().st_size for file in files if file.suffix != ".pyc" and file.locate().exists()))
"""
FORBIDDEN = (
    "aiohttp",
    "black",
    "ccxt",
    "click",
    "codegen",
    "datamodel_code_generator",
    "isort",
    "jinja2",
    "msgspec",
    "numpy",
    "pandas",
    "polars",
    "redis",
    "rich",
    "ruamel",
    "typer",
    "uvicorn",
    "websockets",
    "yaml",
)


def run(options: object) -> list[Figure]:
    place = base()
    timed = interleaved(
        {
            "ours": _start(place, "import binance_sdk"),
            "floor": _start(place, _MODEL),
            "first use": _start(place, _FIRST_USE),
            "first use floor": _start(place, _FIRST_USE_FLOOR),
        },
        _STARTS,
    )
    loaded = _loaded(place)
    mebibytes = json.loads(place.execute("-I", "-c", _SIZE)) / 2**20
    # Where they are not installed nothing can load them, so the full environment is asked as well.
    here = _loaded(Environment(Path(sys.executable), ""))
    return [
        Figure(
            "import",
            "import binance_sdk / httpx + pydantic with one model",
            timed.seconds("ours") * 1000,
            "ms CPU",
            timed.seconds("floor") * 1000,
            timed.ratio("ours", "floor"),
            Target("≤", 1.3, "ratio"),
            place.note,
        ),
        Figure(
            "import",
            "import, client and first answer decoded / httpx.Client and one model",
            timed.seconds("first use") * 1000,
            "ms CPU",
            timed.seconds("first use floor") * 1000,
            timed.ratio("first use", "first use floor"),
            note="informs: httpx is loaded at the first call, not by the import",
        ),
        Figure(
            "import",
            "forbidden modules loaded, base-only environment",
            len(loaded),
            target=Target("=", 0),
            note=", ".join(loaded) or place.note,
        ),
        Figure(
            "import",
            "forbidden modules loaded where all are installed",
            len(here),
            target=Target("=", 0),
            note=", ".join(here),
        ),
        Figure(
            "import",
            "base install with all that it brings, without bytecode",
            mebibytes,
            "MiB",
            target=Target("<", 16),
            note=place.note,
        ),
    ]


def _start(place: Environment, code: str) -> Callable[[], float]:
    timed = f"import time; begun = time.process_time()\n{code}\nprint(time.process_time() - begun)"

    def sample() -> float:
        return float(place.execute("-I", "-c", timed))

    return sample


def _loaded(place: Environment) -> list[str]:
    """Top-level packages that the import loads though it must not."""
    code = "import binance_sdk, json, sys; print(json.dumps(sorted({name.partition('.')[0] for name in sys.modules})))"
    names: list[str] = json.loads(place.execute("-I", "-c", code))
    return [name for name in names if name in FORBIDDEN]
