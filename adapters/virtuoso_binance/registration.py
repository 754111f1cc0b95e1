"""Registration with Virtuoso's factory, which then builds our class where ``exchanges.binance`` asks for it."""

from __future__ import annotations

import importlib
import inspect
import logging
import sys
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, cast

from binance_sdk.errors import ConfigError
from virtuoso_binance.base_exchange import ABSTRACT, BaseExchange
from virtuoso_binance.config import is_switched_off, section_of, uses_ccxt
from virtuoso_binance.exchange import make_exchange_class

__all__ = ["find_base_class", "register", "unregister"]

logger: logging.Logger = logging.getLogger("virtuoso_binance")

_METHOD = "create_exchange"
_MARK = "__virtuoso_binance_original__"

Create = Callable[..., Awaitable[Any]]


def register(factory: Any, config: Mapping[str, Any] | None = None, *, base_exchange_class: type | None = None) -> bool:
    """Let a factory build our ``BinanceExchange`` for the id ``binance``; all other ids are built as before.

    Args:
        factory: Virtuoso's ``ExchangeFactory``, the class or an instance.
        config: The section ``exchanges.binance``, or the whole configuration.
        base_exchange_class: Virtuoso's ``BaseExchange``; by default it is found beside the factory.

    Returns:
        Whether it was registered. False, with nothing changed, where the section or ``ENABLE_BINANCE_DATA`` switches
        Binance off, which is the complete rollback.

    Raises:
        ConfigError: a value in the section cannot be used, or there is no base class to be found.
    """
    section = section_of(config)
    unregister(factory)
    if is_switched_off(section):
        logger.info("Binance data are switched off; the factory stays as it is")
        return False
    if not callable(getattr(factory, _METHOD, None)):
        raise ConfigError(f"{factory!r} has no method {_METHOD}; pass Virtuoso's ExchangeFactory")
    exchange_class = make_exchange_class(base_exchange_class or find_base_class(factory), section)
    raw = inspect.getattr_static(factory, _METHOD)
    original = cast("Create", getattr(factory, _METHOD))

    async def build(otherwise: Create, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        values = [*args, *kwargs.values()]
        asked: str = next((value for value in values if isinstance(value, str)), "")
        given = _first_mapping(values)
        if asked.strip().lower() != "binance" or uses_ccxt(given) or is_switched_off(given):
            return await otherwise(*args, **kwargs)
        try:
            exchange = exchange_class({"exchanges": {"binance": given}})
            return exchange if await exchange.initialize() else None
        except Exception:
            # As the factory does it: no exchange, and the manager goes on without.
            logger.exception("the exchange binance could not be made")
            return None

    replacement: Any
    if isinstance(factory, type) and inspect.isfunction(raw):

        async def method(self: Any, *args: Any, **kwargs: Any) -> Any:
            return await build(partial(original, self), args, kwargs)

        replacement = method
    else:

        async def function(*args: Any, **kwargs: Any) -> Any:
            return await build(original, args, kwargs)

        replacement = staticmethod(function) if isinstance(factory, type) else function
    setattr(replacement, _MARK, raw if isinstance(factory, type) else original)
    setattr(factory, _METHOD, replacement)
    return True


def _first_mapping(values: Sequence[object]) -> Mapping[str, Any]:
    for value in values:
        if isinstance(value, Mapping):
            return cast("Mapping[str, Any]", value)
    return {}


def unregister(factory: Any) -> None:
    """Give a factory its own method back; nothing happens where it was not registered."""
    original = getattr(inspect.getattr_static(factory, _METHOD, None), _MARK, None)
    if original is not None:
        setattr(factory, _METHOD, original)


def find_base_class(factory: Any) -> type:
    """Virtuoso's ``BaseExchange``: known by its thirteen abstract methods, looked for near the factory.

    Raises:
        ConfigError: no class near it has these methods.
    """
    for candidate in _candidates(factory):
        for cls in candidate.__mro__ if isinstance(candidate, type) else ():
            # A class of ours may be about, e.g. from an earlier registration.
            if frozenset(getattr(cls, "__abstractmethods__", ())) >= ABSTRACT and cls is not BaseExchange:
                return cls
    raise ConfigError(
        "Virtuoso's BaseExchange was not found near the factory; pass it: register(..., base_exchange_class=...)"
    )


def _candidates(factory: Any) -> Iterator[object]:
    cls = factory if isinstance(factory, type) else type(factory)
    module = sys.modules.get(cls.__module__)
    for namespace in (vars(cls), vars(module) if module is not None else {}):
        for value in list(namespace.values()):
            yield value
            if isinstance(value, Mapping):
                yield from cast("Mapping[object, object]", value).values()
    package = cls.__module__.rpartition(".")[0]
    if package:
        try:
            yield from vars(importlib.import_module(f"{package}.base")).values()
        except ImportError:
            logger.debug("there is no module base beside %s", cls.__module__)
    for other in list(sys.modules.values()):
        yield getattr(other, "BaseExchange", None)
