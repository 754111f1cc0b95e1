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
