"""The page on monitoring: its table lists what there is."""

from __future__ import annotations

import re
from pathlib import Path

from binance_sdk.metrics.definitions import METRICS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "monitoring.md").read_text("utf-8")


def test_the_table_lists_every_metric() -> None:
    rows = re.findall(r"^\| `(binance_sdk_[a-z_]+)` \| (\w+) \| ([^|]+) \| ([^|]+) \|$", PAGE, re.MULTILINE)
    expected = [
        (each.full_name, each.kind, ", ".join(f"`{label}`" for label in each.labels) or "–", each.help)
        for each in METRICS
    ]
    assert rows == expected
