"""A further market is an entry of ``markets.yaml`` and its files: no line of Python is written for it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from project import Project

HERE = Path(__file__).parent / "further_market"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    project = Project(tmp_path_factory.mktemp("further"))
    shutil.copytree(HERE / "spec", project.root / "spec", dirs_exist_ok=True)
    markets = project.root / "spec" / "markets.yaml"
    markets.write_text(markets.read_text("utf-8") + (HERE / "entry.yaml").read_text("utf-8"), "utf-8")
    project.generate()
    return project


def test_it_is_called_and_paid_for_with_its_pool(project: Project) -> None:
    shutil.copy(HERE / "use.py", project.root)
    assert project.run("-W", "error", "use.py") == "used\n"


def test_it_is_typed(project: Project) -> None:
    shutil.copy(HERE / "typed.py", project.root)
    project.check_types("-p", "binance_sdk._generated", "-m", "typed", "-m", "binance_sdk.client")


def test_it_costs_nothing_where_it_is_not_used(project: Project) -> None:
    code = (
        "import sys\n"
        "from binance_sdk import SyncBinanceClient\n"
        "def loaded():\n"
        "    folders = ('binance_sdk._generated', 'binance_sdk._markets', 'binance_sdk')\n"
        "    markets = ('spot', 'futures', 'options')\n"
        "    return {m for m in markets for f in folders for n in sys.modules if n.startswith(f'{f}.{m}')}\n"
        "assert loaded() == set()\n"
        "SyncBinanceClient().spot\n"
        "assert loaded() == {'spot'}\n"
        "SyncBinanceClient().options\n"
        "assert loaded() == {'spot', 'options'}\n"
    )
    project.run("-c", code)
