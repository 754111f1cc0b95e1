"""The block ``data_sources`` of the configuration: which sources there are, and what is done with several."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, cast, get_args

from binance_sdk.errors import ConfigError, plain_number, shown
from virtuoso_binance.config.env_vars import UNSET, environment, expand
from virtuoso_binance.scalars import is_number
from virtuoso_binance.sources.asking import Exchange

__all__ = ["DataSources", "Mode", "check_exchange", "exchanges_by_name", "read_data_sources"]

logger: logging.Logger = logging.getLogger("virtuoso_binance")

Mode: TypeAlias = Literal["primary_only", "primary_with_fallback", "aggregate"]
_MODES: tuple[str, ...] = get_args(Mode)
_AWAITED = ("fetch_market_data", "initialize", "close", "fetch_status")
_LONGEST = 86_400.0
_MOST_CHECKS = 1000


@dataclass(frozen=True, slots=True)
class DataSources:
    """The block as it was understood.

    Args:
        primary: The source that serves where nothing is wrong.
        secondary: Those that stand in for it, the first one first.
        mode: ``primary_only``, ``primary_with_fallback`` or ``aggregate``.
        cross_validation: Ask all sources each time, and compare what they say.
        timeout: Seconds that a source may take for one symbol.
        patience: Seconds that late sources are waited for where all are asked, and the one that serves has answered.
        min_quality: Score below which the next source is asked, 0 to 100.
        failback_after: Seconds that a source has to be good again before it is gone back to.
        failback_checks: Good answers in a row that it needs for that.
    """

    primary: str
    secondary: tuple[str, ...] = ()
    mode: Mode = "primary_with_fallback"
    cross_validation: bool = False
    timeout: float = 15.0
    patience: float = 2.0
    min_quality: float = 90.0
    failback_after: float = 60.0
    failback_checks: int = 3

    @property
    def names(self) -> tuple[str, ...]:
        """All sources, the primary one first."""
        return (self.primary, *self.secondary)

    @property
    def serving(self) -> tuple[str, ...]:
        """Those whose data may be delivered."""
        return self.names[:1] if self.mode == "primary_only" else self.names

    @property
    def asks_all(self) -> bool:
        """Every source is asked each time, and not only where the one before it is not good enough."""
        return self.cross_validation or self.mode == "aggregate"


def read_data_sources(
    block: Mapping[str, Any],
    known: Collection[str],
    *,
    switched_off: Collection[str] = (),
    names: Mapping[str, str] | None = None,
) -> DataSources:
    """Read a block, and check it.

    Args:
        block: What stands below ``data_sources``.
        known: The names of the sources that there are.
        switched_off: Those among them that the configuration has switched off.
        names: What placeholders mean; by default the environment and ``.env``.

    Raises:
        ConfigError: a value cannot be used; the message names key, value and remedy.
    """
    if not isinstance(cast("object", block), Mapping):
        raise ConfigError(f"data_sources={shown(block)} must be a block of keys and values; begin with primary:")
    expanded = cast("dict[str, object]", expand(block, environment() if names is None else names))
    given = {key: value for key, value in expanded.items() if value is not None and value is not UNSET}
    for key in given:
        if key not in _KEYS:
            raise ConfigError(f"data_sources.{shown(key)} is not known; correct it to one of {', '.join(_KEYS)}")
    if "primary" not in given:
        raise ConfigError(f"data_sources.primary is missing; {_choices(known)}")
    found: dict[str, Any] = {
        _FIELDS.get(key, key): _KEYS[key](f"data_sources.{key}", value) for key, value in given.items()
    }
    sources = DataSources(**found)
    _check_names(sources, known, switched_off)
    _check_modes(sources)
    return sources


def exchanges_by_name(exchanges: object) -> dict[str, Exchange]:
    """Exchanges by their names as the block is read: upper and lower case are the same.

    Raises:
        ConfigError: they are none, a name is no text, or two are the same.
    """
    if not isinstance(exchanges, Mapping):
        text = f"exchanges={shown(exchanges)} must be a mapping of names to exchanges"
        raise ConfigError(f"{text}, e.g. {{'bybit': bybit, 'binance': binance}}")
    found: dict[str, Exchange] = {}
    for written, exchange in cast("Mapping[object, Exchange]", exchanges).items():
        if not isinstance(written, str):
            raise ConfigError(f"exchanges has the name {shown(written)}, which must be text, e.g. 'bybit'")
        name = written.strip().lower()
        if name in found:
            text = f"exchanges[{written!r}] is exchanges[{name!r}] once more, as upper and lower case are the same here"
            raise ConfigError(f"{text}; leave one of them")
        found[name] = exchange
    return found


def check_exchange(name: str, exchange: Exchange, others: Mapping[str, Exchange]) -> None:
    """Check that an exchange can be a source.

    Args:
        name: What it is called.
        exchange: What it is.
        others: Those that are sources already.

    Raises:
        ConfigError: it cannot.
    """
    if isinstance(exchange, type):
        raise ConfigError(f"exchanges[{name!r}]={shown(exchange)} is a class; make an instance of it")
    if not callable(getattr(exchange, "fetch_market_data", None)):
        raise ConfigError(f"exchanges[{name!r}]={shown(exchange)} has no method fetch_market_data")
    for method in _AWAITED:
        if _cannot_be_awaited(getattr(exchange, method, None)):
            text = f"exchanges[{name!r}]={shown(exchange)} has a method {method} that is not async"
            raise ConfigError(f"{text}; write async def {method}, with whatever blocks in asyncio.to_thread")
    twin = next((other for other, known in others.items() if known is exchange), None)
    if twin is not None:
        text = f"exchanges[{name!r}] and exchanges[{twin!r}] are one and the same object"
        raise ConfigError(f"{text}, which cannot stand in for itself; make another one, or leave one out")


def _cannot_be_awaited(method: object) -> bool:
    """Whether a call of it gives nothing to wait for, as far as that can be told without a call.

    That is so of a plain function which does not say that it returns something of the kind. Whatever else can be called
    may return anything.
    """
    function = inspect.unwrap(method) if callable(method) else method
    function = getattr(function, "__func__", function)
    if not inspect.isfunction(function) or inspect.iscoroutinefunction(function):
        return False
    returned = str(function.__annotations__.get("return", ""))
    return not any(word in returned for word in ("Awaitable", "Coroutine", "Future", "Task"))


def _check_names(sources: DataSources, known: Collection[str], switched_off: Collection[str]) -> None:
    for number, name in enumerate(sources.names):
        key = "data_sources.primary" if number == 0 else "data_sources.secondary"
        if name not in known:
            raise ConfigError(f"{key}={shown(name)} is no source that there is; {_choices(known)}")
        if name in sources.names[:number]:
            where = "the primary source" if name == sources.primary else "named before"
            raise ConfigError(f"{key}={shown(name)} is {where} already; name each source once")
        if name in switched_off:
            text = f"{key}={shown(name)} is switched off; write exchanges.{name}.enabled: true"
            raise ConfigError(f"{text}, or take it out of data_sources")


def _check_modes(sources: DataSources) -> None:
    if sources.secondary:
        if sources.mode == "primary_only" and not sources.cross_validation:
            logger.warning(
                "data_sources.secondary=%s is never asked, as aggregation_mode is primary_only; take it out, or write "
                "primary_with_fallback",
                list(sources.secondary),
            )
        return
    if sources.cross_validation:
        text = "data_sources.cross_validation=True has nothing to compare with; add a secondary source, or write false"
        raise ConfigError(text)
    if sources.mode != "primary_only":
        text = f"data_sources.aggregation_mode={shown(sources.mode)} needs a second source; add secondary"
        raise ConfigError(f"{text}, e.g. [binance], or write primary_only")


def _choices(known: Collection[str]) -> str:
    if not known:
        return "there is no exchange at all yet; add it below exchanges"
    return f"write one of {', '.join(sorted(known))}, or add it below exchanges"


# ------------------------------------------------------------------------------------- values


def _name(key: str, value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ConfigError(f"{key}={shown(value)} must be the name of a source, e.g. bybit")
    return value.strip().lower()


def _names(key: str, value: object) -> tuple[str, ...]:
    items = [cast("object", value)] if isinstance(value, str) else value
    if not isinstance(items, list):
        raise ConfigError(f"{key}={shown(value)} must be a list of sources, e.g. [binance]")
    return tuple(_name(key, item) for item in cast("list[object]", items))


def _mode(key: str, value: object) -> str:
    text = value.strip().lower() if isinstance(value, str) else ""
    if text not in _MODES:
        raise ConfigError(f"{key}={shown(value)} is no mode; write one of {', '.join(_MODES)}")
    return text


def _flag(key: str, value: object) -> bool:
    text = value.strip().lower() if isinstance(value, str) else value
    if text in ("true", "false"):
        return text == "true"
    if not isinstance(text, bool):
        raise ConfigError(f"{key}={shown(value)} must be true or false; write one of them")
    return text


def _number(least: float, most: float, example: str) -> Callable[[str, object], float]:
    def read(key: str, value: object) -> float:
        if not is_number(value) or not least <= value <= most:
            bounds = f"from {plain_number(least)} to {plain_number(most)}"
            raise ConfigError(f"{key}={shown(value)} must be a number {bounds}; write e.g. {example}")
        return float(value)

    return read


def _checks(key: str, value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= _MOST_CHECKS:
        raise ConfigError(f"{key}={shown(value)} must be a whole number from 1 to {_MOST_CHECKS}; write e.g. 3")
    return value


_KEYS: Mapping[str, Callable[[str, object], object]] = {
    "primary": _name,
    "secondary": _names,
    "aggregation_mode": _mode,
    "cross_validation": _flag,
    "timeout": _number(0.001, _LONGEST, "15, in seconds"),
    "patience": _number(0.001, _LONGEST, "2, in seconds"),
    "min_quality": _number(0, 100, "90"),
    "failback_after": _number(0, _LONGEST, "60, in seconds"),
    "failback_checks": _checks,
}
"""What may stand in the block, and how it is read. Ours are those behind cross_validation."""
_FIELDS = {"aggregation_mode": "mode"}
