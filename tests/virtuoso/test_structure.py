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
    {"arguments", "symbols", "timeframes", "config"},
    {"calls"},
    {"parts"},
    {"convert", "frames", "liquidity", "parse", "positioning", "sentiment", "tickers"},
    {"kinds"},
    {"health"},
    {"session"},
    {"large_trades"},
    {"assembling"},
    {"market_data", "listings"},
    {"streaming"},
    {"fetch_methods", "polling"},
    {"stream_methods"},
    {"exchange"},
    {"registration", "sources"},
    {"metrics"},
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


ROOMS: dict[str, tuple[str, ...]] = {
    "config": (),
    "health": (),
    "polling": (),
    "streaming": ("config", "health"),
    "sources": ("config", "health"),
}


def test_rooms_stand_on_each_other_in_one_direction() -> None:
    """What is streamed, polled or judged is the same whoever asks for it: rooms below know nothing of the others."""
    package = "virtuoso_binance"
    assert {path.parent.name for path in PACKAGE.glob("*/__init__.py")} == set(ROOMS)
    modules = [f"{package}.{path.stem}" for path in PACKAGE.glob("*.py")]
    for room, below in ROOMS.items():
        allowed = (*modules, *(f"{package}.{name}" for name in (room, *below)))
        found = [
            f"{path.relative_to(ADAPTERS)}:{each.line} imports {each.name}"
            for path in sources(PACKAGE / room)
            for each in imports(path, ADAPTERS)
            if each.within(package) and not each.within(*allowed)
        ]
        assert found == []
