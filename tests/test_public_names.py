"""One name, one thing: public classes share a name only where they are the same thing of two markets."""

from __future__ import annotations

import functools
import importlib
import inspect
import pkgutil
from collections import defaultdict
from collections.abc import Iterator
from types import ModuleType

import pytest

import binance_sdk
from binance_sdk.catalogue import MARKETS

TWINS = {f"binance_sdk.{market}" for market in MARKETS}
"""Modules that call the same thing of several markets the same, so that code moves from one to the other."""


REFERENCE = {
    *("binance_sdk", "binance_sdk.batch", "binance_sdk.books", "binance_sdk.catalogue", "binance_sdk.errors"),
    *(
        "binance_sdk.events",
        "binance_sdk.frames",
        "binance_sdk.history",
        "binance_sdk.metrics",
        "binance_sdk.simulator",
    ),
    *("binance_sdk.shared_limits", "binance_sdk.streams", "binance_sdk.symbols", "binance_sdk.verify", *TWINS),
}
"""Modules whose classes the reference shows."""


def public_modules() -> Iterator[ModuleType]:
    packages = [binance_sdk, pytest.importorskip("virtuoso_binance")]
    for package in packages:
        yield package
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not any(part.startswith("_") for part in found.name.split(".")):
                yield importlib.import_module(found.name)


def test_no_two_public_classes_have_one_name() -> None:
    homes: defaultdict[str, dict[type, str]] = defaultdict(dict)
    for module in public_modules():
        for name in getattr(module, "__all__", ()):
            thing = getattr(module, name)
            if inspect.isclass(thing):
                homes[name].setdefault(thing, module.__name__)
    shared = {name: set(places.values()) for name, places in homes.items() if len(places) > 1}
    assert {name: places for name, places in shared.items() if not places <= TWINS} == {}
    assert "Ticker24hr" in shared, "the twins are looked at as well"


def test_every_public_member_says_what_it_is() -> None:
    """The reference leaves out what has no docstring."""
    silent: set[str] = set()
    for module in public_modules():
        things = (getattr(module, name) for name in getattr(module, "__all__", ()) if module.__name__ in REFERENCE)
        for thing in filter(inspect.isclass, things):
            if thing.__module__.startswith("binance_sdk."):
                silent |= {f"{thing.__qualname__}.{name}" for name in vars(thing) if _is_silent(thing, name)}
    assert sorted(silent) == []


def _is_silent(thing: type, name: str) -> bool:
    member = vars(thing)[name]
    is_shown = inspect.isroutine(member) or isinstance(member, property | functools.cached_property)
    return is_shown and not name.startswith("_") and not inspect.getdoc(getattr(thing, name))
