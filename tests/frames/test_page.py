"""The page on frames: its code runs, and its table tells the types that there are."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from binance_sdk import frames
from binance_sdk.simulator import Simulator
from binance_sdk.spot import Kline
from tests.pages import blocks

PAGE = (Path(__file__).parents[2] / "docs" / "frames.md").read_text("utf-8")
BLOCKS = [block.code for block in blocks("docs/frames.md", "python")]


def test_its_code_runs() -> None:
    assert len(BLOCKS) == 3
    with Simulator() as simulator, simulator.sync_client() as client:
        names: dict[str, Any] = {"client": client, "Kline": Kline, "frames": frames}
        for block in BLOCKS:
            exec(compile(block, "docs/frames.md", "exec"), names)
    assert len(names["seen"]) == 3


@pytest.mark.parametrize(
    ("row", "column"), [("price, quantity, rate", "close"), ("time", "open_time"), ("integer", "trade_count")]
)
def test_its_table_tells_the_types(row: str, column: str) -> None:
    cells = re.search(rf"^\| {row} \| (.*) \|$", PAGE, re.MULTILINE)
    assert cells is not None
    of_polars, of_arrow, of_pandas, of_numpy = (cell.strip().strip("`") for cell in cells[1].split("|"))
    empty: list[object] = []
    assert (
        eval(f"pl.{of_polars}", {"pl": pytest.importorskip("polars")})
        == frames.to_polars(empty, row_type=Kline)[column].dtype
    )
    arrow_type = str(frames.to_arrow(empty, row_type=Kline).schema.field(column).type)
    assert arrow_type == of_arrow.replace(", UTC", ", tz=UTC")
    assert str(frames.to_pandas(empty, row_type=Kline)[column].dtype) == of_pandas
    assert str(frames.to_numpy(empty, row_type=Kline)[column].dtype) == of_numpy
