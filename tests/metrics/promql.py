"""Which metrics and labels an expression of PromQL names: as much of it as dashboards and rules of ours use."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_SELECTOR = re.compile(r"\b(?P<name>(?:binance_sdk|virtuoso_binance)_\w+|up)\b(?:\{(?P<labels>[^}]*)\})?")
_LABEL = re.compile(r'(\w+)\s*(?:=~|!~|!=|=)\s*"(?:[^"\\]|\\.)*"')
_GROUPING = re.compile(r"\b(?:by|on|without|ignoring)\s*\(([^)]*)\)")
_SHOWN = re.compile(r"\{\{\s*(?:\$labels\.)?(\w+)\s*\}\}")


@dataclass(frozen=True)
class Selector:
    """A metric, and the labels that it is chosen by."""

    name: str
    labels: frozenset[str]


def selectors(expression: str) -> Iterator[Selector]:
    """Every metric in an expression.

    Raises:
        ValueError: what stands in braces is no list of labels.
    """
    for match in _SELECTOR.finditer(expression):
        text = match["labels"] or ""
        if _LABEL.sub("", text).strip(" ,"):
            raise ValueError(f"no list of labels: {text}")
        yield Selector(match["name"], frozenset(_LABEL.findall(text)))


def grouped_by(expression: str) -> set[str]:
    """Labels by which an expression groups or joins."""
    return {name.strip() for group in _GROUPING.findall(expression) for name in group.split(",") if name.strip()}


def shown(text: str) -> set[str]:
    """Labels that a legend or a message names."""
    return set(_SHOWN.findall(text)) - {"value"}
