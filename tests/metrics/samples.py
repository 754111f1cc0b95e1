"""What a registry says, for tests."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from prometheus_client import CollectorRegistry

from binance_sdk.metrics.definitions import METRICS, Definition
from virtuoso_binance.metrics import METRICS as ADAPTER_METRICS


def value(registry: CollectorRegistry, name: str, **labels: str) -> float | None:
    """One sample, by its name without the prefix."""
    return registry.get_sample_value(f"binance_sdk_{name}", labels)


def definition_of(name: str) -> Definition | None:
    """Whose sample that is, by its full name."""
    for definition in (*METRICS, *ADAPTER_METRICS):
        ends = ("_bucket", "_sum", "_count") if definition.kind == "histogram" else ("",)
        if name in {definition.full_name + end for end in ends}:
            return definition
    return None


def samples(registry: CollectorRegistry) -> Iterator[Any]:
    """All but the times at which counters were made."""
    for family in registry.collect():
        yield from (sample for sample in family.samples if not sample.name.endswith("_created"))


def named(registry: CollectorRegistry, name: str) -> Iterable[tuple[dict[str, str], float]]:
    return [(sample.labels, sample.value) for sample in samples(registry) if sample.name == f"binance_sdk_{name}"]
