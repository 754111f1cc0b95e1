"""The page on monitoring: its tables list what there is, and its recipe for OpenTelemetry works."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from binance_sdk.errors import BadRequestError
from binance_sdk.metrics.definitions import METRICS
from binance_sdk.simulator import Simulator
from tests.pages import blocks

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "monitoring.md").read_text("utf-8")


def test_the_table_lists_every_metric() -> None:
    rows = re.findall(r"^\| `(binance_sdk_[a-z_]+)` \| (\w+) \| ([^|]+) \| ([^|]+) \|$", PAGE, re.MULTILINE)
    expected = [
        (each.full_name, each.kind, ", ".join(f"`{label}`" for label in each.labels) or "–", each.help)
        for each in METRICS
    ]
    assert rows == expected


def test_each_alert_is_on_the_page_of_those_whose_metrics_it_reads() -> None:
    loaded = yaml.safe_load((ROOT / "deploy" / "prometheus" / "alerts.yml").read_text("utf-8"))
    rules = [rule for group in loaded["groups"] for rule in group["rules"]]
    pages = {"monitoring.md": False, "virtuoso-monitoring.md": True}
    for page, of_virtuoso in pages.items():
        listed = re.findall(r"^\| `(Binance\w+)` \|", (ROOT / "docs" / page).read_text("utf-8"), re.MULTILINE)
        assert listed == [rule["alert"] for rule in rules if ("virtuoso_binance_" in rule["expr"]) == of_virtuoso]


def test_files_that_it_names_exist() -> None:
    named = set(re.findall(r"`(deploy/[\w./-]+\.\w+)`", PAGE))
    assert len(named) >= 4
    assert [name for name in named if not (ROOT / name).is_file()] == []


# --------------------------------------------------------------------------------- OpenTelemetry


@pytest.fixture
def recipe(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The names of the page's code, and where its spans and metrics go."""
    pytest.importorskip("opentelemetry.sdk", reason="opentelemetry-sdk is not installed: pip install opentelemetry-sdk")
    from opentelemetry import metrics, trace
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import InMemoryMetricReader
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    spans, reader = InMemorySpanExporter(), InMemoryMetricReader()
    tracers, meters = TracerProvider(), MeterProvider([reader])
    tracers.add_span_processor(SimpleSpanProcessor(spans))
    # Providers can be set only once in a process.
    monkeypatch.setattr(trace, "get_tracer", tracers.get_tracer)
    monkeypatch.setattr(metrics, "get_meter", meters.get_meter)
    recipes = blocks("docs/monitoring.md", "python", mark="run")
    assert len(recipes) == 2
    names: dict[str, Any] = {"spans": spans, "reader": reader}
    for block in recipes:
        exec(compile(block.code, block.page, "exec"), names)
    return names


def _points(recipe: dict[str, Any]) -> dict[str, list[tuple[dict[str, Any], Any]]]:
    data = recipe["reader"].get_metrics_data()
    return {
        metric.name: [(dict(point.attributes), point) for point in metric.data.data_points]
        for resource in data.resource_metrics
        for scope in resource.scope_metrics
        for metric in scope.metrics
    }


async def test_calls_become_spans_and_metrics(recipe: dict[str, Any], simulator: Simulator) -> None:
    simulator.add_fault("server_error:where=spot.ping,count=1")
    async with simulator.client(hooks=[recipe["opentelemetry"]]) as client:
        recipe["observe_limits"](client)
        with recipe["tracer"].start_as_current_span("mine") as mine:
            await client.spot.ping()
            with pytest.raises(BadRequestError):
                await client.spot.depth("NOSUCH")
        points = _points(recipe)
    failed, ping, depth, outer = recipe["spans"].get_finished_spans()
    assert (failed.name, ping.name, depth.name, outer.name) == ("spot.ping", "spot.ping", "spot.depth", "mine")
    assert {span.parent.span_id for span in (failed, ping, depth)} == {mine.get_span_context().span_id}
    assert outer.start_time <= ping.start_time <= ping.end_time <= outer.end_time
    assert (failed.attributes["http.response.status_code"], failed.status.status_code.name) == (503, "ERROR")
    assert (ping.attributes["binance_sdk.attempt"], ping.status.status_code.name) == (2, "UNSET")
    assert depth.attributes["error.type"] == "BadRequestError"
    assert [event.name for event in outer.events] == ["Retrying"]
    requests = {labels.get("error.type", "ok"): point.count for labels, point in points["binance_sdk.request.duration"]}
    assert requests == {"ok": 1, "ServerError": 1, "BadRequestError": 1}
    weights = {labels["binance_sdk.operation"]: point.value for labels, point in points["binance_sdk.request.weight"]}
    assert weights == {"spot.ping": 2, "spot.depth": 5}
    (spot, futures) = (point.value for _, point in points["binance_sdk.limit.remaining"])
    assert (spot < 6000, futures) == (True, 2400)
