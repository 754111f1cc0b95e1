"""How the adapter is built: on public names only, thin, and never in need of Virtuoso."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.test_layers import LONGEST, imports, sources

ADAPTERS = Path(__file__).resolve().parents[2] / "adapters"
PACKAGE = ADAPTERS / "virtuoso_binance"


@pytest.mark.parametrize("path", sources(PACKAGE), ids=lambda path: path.stem)
def test_the_adapter_stands_on_public_names(path: Path) -> None:
    found = [item.name for item in imports(path, ADAPTERS) if item.within("binance_sdk", "src", "virtuoso", "tests")]
    assert [name for name in found if any(part.startswith("_") for part in name.split("."))] == []
    assert [name for name in found if not name.startswith("binance_sdk")] == []


def test_the_base_part_is_thin() -> None:
    lines = sum(len((PACKAGE / name).read_text("utf-8").splitlines()) for name in ("exchange.py", "market_data.py"))
    assert lines < 600


def test_files_are_short() -> None:
    long = [path.name for path in sources(PACKAGE) if len(path.read_text("utf-8").splitlines()) > LONGEST]
    assert long == []


def test_pandas_is_needed_in_one_module() -> None:
    users = {
        path.stem for path in sources(PACKAGE) for item in imports(path, ADAPTERS) if item.within("pandas", "numpy")
    }
    assert users == {"frames"}


LAYERS = (
    {"errors", "scalars", "series", "base_exchange"},
    {"symbols", "timeframes", "config"},
    {"live_books"},
    {"calls", "session"},
    {"parts"},
    {"convert", "frames", "large_trades", "liquidity", "parse", "positioning", "sentiment", "tickers"},
    {"assembling"},
    {"market_data", "listings"},
    {"fetch_methods", "polling"},
    {"exchange"},
    {"registration", "sources"},
)
"""Files and packages of the adapter, those that are built upon first."""


def rank(name: str) -> int:
    top = name.split(".")[1]
    (found,) = (number for number, layer in enumerate(LAYERS) if top in layer)
    return found


@pytest.mark.parametrize(
    "path", [path for path in sources(PACKAGE) if path.parent != PACKAGE or path.stem != "__init__"]
)
def test_nothing_stands_on_what_is_above_it(path: Path) -> None:
    own = rank(".".join(path.relative_to(ADAPTERS).with_suffix("").parts))
    # ``from virtuoso_binance import calls`` names the package too, which has no place of its own.
    names = {item.name for item in imports(path, ADAPTERS) if item.within("virtuoso_binance") and not item.for_types}
    assert [name for name in names if "." in name and rank(name) > own] == []
