"""Where the section ``exchanges.binance`` comes from, and what is asked of it before it is checked."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from binance_sdk.errors import ConfigError, shown
from virtuoso_binance.config.env_vars import environment, expand

__all__ = ["block_of", "is_switched_off", "load_config", "section_of", "uses_ccxt"]

SWITCH = "ENABLE_BINANCE_DATA"
_MOST_VALUES = 100_000
"""Of a whole configuration with every alias written out; Virtuoso's own has some hundred."""


def section_of(config: Mapping[str, Any] | None) -> Mapping[str, Any]:
    """The section of a whole configuration; anything without ``exchanges`` is taken for the section itself.

    Raises:
        ConfigError: it is not a block of keys and values.
    """
    exchanges = block_of(config).get("exchanges")
    if not isinstance(exchanges, Mapping):
        return config or {}
    rows = cast("Mapping[str, object]", exchanges)
    found = rows.get("binance")
    if found is None and len(rows) == 1:
        # Virtuoso's factory passes a single exchange, under the id it was asked for.
        found = next(iter(rows.values()))
    return block_of(found)


def block_of(section: object) -> dict[str, Any]:
    """The keys and values of a section; none where there is nothing.

    Raises:
        ConfigError: it is something else.
    """
    if section is None:
        return {}
    if not isinstance(section, Mapping):
        raise ConfigError(f"exchanges.binance={shown(section)} must be a block of keys and values")
    return dict(cast("Mapping[str, Any]", section))


def load_config(path: str | Path, dotenv: str | Path | None = ".env") -> dict[str, Any]:
    """A whole ``config.yaml`` with its placeholders expanded.

    Args:
        path: The file.
        dotenv: Where names may come from besides the environment, which goes first; None reads no file.

    Raises:
        ConfigError: the file or a ``.env`` cannot be read, or it is not YAML with keys at its top.
    """
    import yaml

    try:
        loaded: object = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(
            f"{path} cannot be read ({error.strerror}); pass the path of Virtuoso's config.yaml"
        ) from error
    except UnicodeDecodeError as error:
        where = f"{error.reason} at byte {error.start}"
        raise ConfigError(f"{path} is not UTF-8 text ({where}); save it as UTF-8") from error
    except (TypeError, ValueError) as error:
        text = f"{shown(path)} is not a path ({error}); pass that of Virtuoso's config.yaml"
        raise ConfigError(text) from error
    except yaml.YAMLError as error:
        raise ConfigError(f"{path} is not YAML: {error}") from error
    except RecursionError as error:
        raise ConfigError(f"{path} is nested too deeply; a configuration is a few levels deep") from error
    if not isinstance(loaded, Mapping):
        raise ConfigError(f"{path} has no keys at its top; it should begin with exchanges:")
    if _is_endless(cast("object", loaded)):
        text = f"the aliases of {path} make it more than {_MOST_VALUES} values; write out what they stand for"
        raise ConfigError(text)
    return cast("dict[str, Any]", expand(dict(cast("Mapping[str, Any]", loaded)), environment(dotenv)))


def _is_endless(value: object) -> bool:
    """Whether aliases within aliases make a small file a huge one, or one that holds itself."""
    left, count = [value], 0
    while left and count <= _MOST_VALUES:
        found = left.pop()
        if isinstance(found, Mapping):
            left += cast("Mapping[object, object]", found).values()
        elif isinstance(found, list):
            left += cast("list[object]", found)
        count += 1
    return count > _MOST_VALUES


def uses_ccxt(section: Mapping[str, Any], names: Mapping[str, str] | None = None) -> bool:
    """Whether ``use_ccxt`` hands the section to Virtuoso's generic CCXT exchange."""
    return _says(section, "use_ccxt", environment() if names is None else names) == "true"


def is_switched_off(section: Mapping[str, Any], names: Mapping[str, str] | None = None) -> bool:
    """Whether Binance was switched off in so many words: by the section, or by the environment before it."""
    known = environment() if names is None else names
    return known.get(SWITCH, "").strip().lower() == "false" or _says(section, "enabled", known) == "false"


def _says(section: Mapping[str, Any], key: str, names: Mapping[str, str]) -> str:
    value: object = expand(block_of(section).get(key), names)
    return str(value).strip().lower() if isinstance(value, (str, bool)) else ""
