"""A stream that Binance adds reaches the client through spec files alone: no line of Python is written for it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from project import Project

HERE = Path(__file__).parent / "new_stream"
ENUM = "  PressureSide:\n    description: Who presses harder.\n    values: [BUYERS, SELLERS]\n"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    project = Project(tmp_path_factory.mktemp("new_stream"))
    file = "streams/spot.yaml"
    project.change(file, "\nenums:\n", f"\nenums:\n{ENUM}")
    project.change(file, "\nschemas:\n", "\nschemas:\n" + (HERE / "event.yaml").read_text(encoding="utf-8"))
    project.change(file, "\nstreams:\n", "\nstreams:\n" + (HERE / "pressure.yaml").read_text(encoding="utf-8"))
    shutil.copy(HERE / "pressure.json", project.root / "spec" / "fixtures" / "spot" / "streams")
    project.generate()
    return project


def test_the_new_method_works_async_and_sync(project: Project) -> None:
    shutil.copy(HERE / "use.py", project.root)
    assert project.run("-W", "error", "use.py") == "used\n"


def test_the_new_method_is_typed(project: Project) -> None:
    shutil.copy(HERE / "typed.py", project.root)
    project.check_types("typed.py")


def test_whoever_calls_endpoints_does_not_load_the_events(project: Project) -> None:
    project.run(
        "-c",
        "import sys\n"
        "from binance_sdk import BinanceClient, catalogue\n"
        "import binance_sdk._generated.spot as spot\n"
        "loaded = {name for name in sys.modules if name.startswith('binance_sdk._generated.')}\n"
        "assert 'binance_sdk._generated.spot.models' in loaded, loaded\n"
        "assert not {name for name in loaded if 'stream' in name or 'events' in name}, loaded\n"
        "assert spot.PressureEvent.__module__ == 'binance_sdk._generated.spot.events'\n"
        "assert not hasattr(spot, 'NoSuchEvent')\n",
    )
