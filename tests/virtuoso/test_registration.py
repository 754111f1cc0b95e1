"""``register``: on every form a factory may have, found base class, rollback, and the patch of the docs."""

from __future__ import annotations

import sys
import types
from typing import Any, ClassVar

import pytest

from binance_sdk.errors import ConfigError
from binance_sdk.simulator import Simulator
from tests.pages import blocks
from tests.virtuoso import fake_virtuoso
from tests.virtuoso.conftest import section_for
from virtuoso_binance import BaseExchange, register, unregister
from virtuoso_binance.registration import find_base_class

PAGE = "docs/virtuoso.md"


class StaticFactory:
    create_exchange = staticmethod(fake_virtuoso.ExchangeFactory.create_exchange)


class ClassFactory:
    made: ClassVar[list[str]] = []

    @classmethod
    async def create_exchange(cls, exchange_id: str, config: dict[str, Any]) -> Any:
        cls.made.append(exchange_id)
        return await fake_virtuoso.ExchangeFactory.create_exchange(exchange_id, config)


class InstanceFactory:
    def __init__(self) -> None:
        self.made: list[str] = []

    async def create_exchange(self, exchange_id: str, config: dict[str, Any]) -> Any:
        self.made.append(exchange_id)
        return await fake_virtuoso.ExchangeFactory.create_exchange(exchange_id, config)


def forms() -> list[tuple[Any, Any]]:
    """What is registered, and what is called then."""
    instance = InstanceFactory()
    return [
        (StaticFactory, StaticFactory), (ClassFactory, ClassFactory), (InstanceFactory, InstanceFactory()),
        (instance, instance),
    ]  # fmt: skip


@pytest.mark.parametrize("position", range(4), ids=["static", "class", "method", "instance"])
async def test_binance_is_ours_and_others_are_theirs(simulator: Simulator, position: int) -> None:
    factory, called = forms()[position]
    section = section_for(simulator)
    try:
        assert register(factory, section) is True
        ours = await called.create_exchange("binance", section)
        assert type(ours).__name__ == "BinanceExchange"
        assert isinstance(ours, fake_virtuoso.BaseExchange)
        assert ours.initialized
        await ours.close()
        theirs = await called.create_exchange("bybit", {})
        assert type(theirs) is fake_virtuoso.TheirBinance
        unregister(factory)
        assert type(await called.create_exchange("binance", section)) is fake_virtuoso.TheirBinance
    finally:
        unregister(factory)


async def test_arguments_may_come_by_name(simulator: Simulator) -> None:
    section = section_for(simulator)
    register(ClassFactory, section)
    try:
        ours = await ClassFactory.create_exchange(exchange_id="Binance", config=section)
        assert type(ours).__name__ == "BinanceExchange"
        await ours.close()
    finally:
        unregister(ClassFactory)


async def test_use_ccxt_stays_with_virtuoso(simulator: Simulator) -> None:
    register(StaticFactory, section_for(simulator))
    try:
        other = await StaticFactory.create_exchange("binance", section_for(simulator, use_ccxt=True))
        assert other is not None
        assert other.exchange_id == "ccxt"
    finally:
        unregister(StaticFactory)


async def test_a_broken_section_or_a_dead_server_gives_no_exchange(simulator: Simulator) -> None:
    register(StaticFactory, section_for(simulator))
    try:
        broken = section_for(simulator, market_types="spot")
        assert await StaticFactory.create_exchange("binance", broken) is None
    finally:
        unregister(StaticFactory)
    with pytest.raises(ConfigError, match="market_types"):
        register(StaticFactory, {"market_types": "spot"})


@pytest.mark.parametrize("form", ["section", "environment"])
def test_rollback_leaves_the_factory_as_it_was(monkeypatch: pytest.MonkeyPatch, form: str) -> None:
    before = vars(StaticFactory)["create_exchange"]
    if form == "environment":
        monkeypatch.setenv("ENABLE_BINANCE_DATA", "false")
    # Not even a broken section can hurt what is switched off.
    section = {"enabled": form == "environment", "market_types": 7}
    assert register(StaticFactory, section) is False
    assert vars(StaticFactory)["create_exchange"] is before


async def test_the_environment_switches_off_what_was_registered(
    simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    register(StaticFactory, section_for(simulator))
    try:
        monkeypatch.setenv("ENABLE_BINANCE_DATA", "false")
        found = await StaticFactory.create_exchange("binance", section_for(simulator))
        assert type(found) is fake_virtuoso.TheirBinance
    finally:
        unregister(StaticFactory)


def test_registering_twice_is_registering_once(simulator: Simulator) -> None:
    before = vars(StaticFactory)["create_exchange"]
    register(StaticFactory, section_for(simulator))
    register(StaticFactory, section_for(simulator))
    unregister(StaticFactory)
    assert vars(StaticFactory)["create_exchange"] is before
    unregister(StaticFactory)


# -------------------------------------------------------------------------------------- base class


def test_the_base_class_is_found_beside_the_factory() -> None:
    assert find_base_class(fake_virtuoso.ExchangeFactory) is fake_virtuoso.BaseExchange


def test_the_base_class_is_found_behind_a_table_of_classes() -> None:
    namespace: dict[str, Any] = {"classes": {"binance": fake_virtuoso.TheirBinance}, "__module__": "nowhere"}
    assert find_base_class(type("Factory", (), namespace)) is fake_virtuoso.BaseExchange


def test_the_base_class_is_found_in_the_module_base(monkeypatch: pytest.MonkeyPatch) -> None:
    package, base, factory = (types.ModuleType(name) for name in ("virt", "virt.base", "virt.factory"))
    package.__path__ = []  # type: ignore[attr-defined]
    base.BaseExchange = fake_virtuoso.BaseExchange  # type: ignore[attr-defined]
    for module in (package, base, factory):
        monkeypatch.setitem(sys.modules, module.__name__, module)
    assert find_base_class(type("Factory", (), {"__module__": "virt.factory"})) is fake_virtuoso.BaseExchange


def test_ours_is_never_taken_for_virtuosos(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, module in list(sys.modules.items()):
        if getattr(module, "BaseExchange", None) is fake_virtuoso.BaseExchange:
            monkeypatch.delitem(sys.modules, name)
    with pytest.raises(ConfigError, match="base_exchange_class="):
        find_base_class(type("Factory", (), {"__module__": "nowhere", "base": BaseExchange}))


def test_what_is_no_factory() -> None:
    with pytest.raises(ConfigError, match="create_exchange"):
        register(object, {}, base_exchange_class=fake_virtuoso.BaseExchange)


# ------------------------------------------------------------------------------------------ docs


async def test_the_three_lines_of_the_docs(simulator: Simulator, monkeypatch: pytest.MonkeyPatch) -> None:
    (block,) = blocks(PAGE, mark="the patch")
    lines = [line for line in block.code.splitlines() if line.strip()]
    assert len(lines) == 3
    where = lines[1].split()[1]
    module = types.ModuleType(where)
    module.ExchangeFactory = StaticFactory  # type: ignore[attr-defined]
    parts = where.split(".")
    for i in range(1, len(parts)):
        monkeypatch.setitem(sys.modules, ".".join(parts[:i]), types.ModuleType(".".join(parts[:i])))
    monkeypatch.setitem(sys.modules, where, module)
    section = section_for(simulator)
    try:
        exec("\n".join(lines), {"config": {"exchanges": {"binance": section}}})
        ours = await StaticFactory.create_exchange("binance", section)
        assert type(ours).__name__ == "BinanceExchange"
        assert ours is not None
        await ours.close()
    finally:
        unregister(StaticFactory)
