"""``${NAME:default}`` in configuration values, and the ``.env`` file the names may come from."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from binance_sdk.errors import ConfigError

__all__ = ["UNSET", "environment", "expand", "is_placeholder", "read_dotenv"]

_PLACEHOLDER = re.compile(r"\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::(?P<default>.*))?\}", re.DOTALL)
_LINE = re.compile(r"\s*(?:export\s+)?(?P<name>[A-Za-z_][A-Za-z0-9_]*)\s*=\s*(?P<value>.*?)\s*")


class _Unset:
    """Stands for a placeholder without default whose name is not set: as if the key were not there."""

    def __repr__(self) -> str:
        return "UNSET"


UNSET = _Unset()


def is_placeholder(value: object) -> bool:
    """Whether a value is a placeholder that nobody has expanded, e.g. the literal text ``${BINANCE_API_KEY}``."""
    return isinstance(value, str) and _PLACEHOLDER.fullmatch(value.strip()) is not None


def expand(value: object, names: Mapping[str, str]) -> Any:
    """Replace values that are a placeholder from end to end, in nested mappings and lists too.

    ``true`` and ``false`` become booleans and digits integers, as Virtuoso's own loader does it, but only where they
    came out of a placeholder: text that was written as text stays text.
    """
    if isinstance(value, Mapping):
        return {key: expand(item, names) for key, item in cast("Mapping[object, object]", value).items()}
    if isinstance(value, list):
        return [expand(item, names) for item in cast("list[object]", value)]
    found = _PLACEHOLDER.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None:
        return value
    text: str | None = names.get(found["name"], cast("str | None", found["default"]))
    return UNSET if text is None else _typed(text.strip())


def _typed(text: str) -> str | int | bool:
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    return int(text) if text.isascii() and text.isdigit() else text


def read_dotenv(path: Path) -> dict[str, str]:
    """The names in a ``.env`` file; none where there is no such file.

    Known: comments, ``export``, single and double quotes. Other lines are left out.

    Raises:
        ConfigError: the file cannot be read.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return {}
    except (OSError, ValueError) as error:
        # What is wrong in the text may be a part of a secret, so only the kind of error is named.
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise ConfigError(f"{path} cannot be read ({reason}); correct it, or pass dotenv=None") from error
    names: dict[str, str] = {}
    for line in lines:
        found = _LINE.fullmatch(line)
        if found is not None:
            names[found["name"]] = _unquoted(found["value"])
    return names


def _unquoted(value: str) -> str:
    for quote in ('"', "'"):
        if value.startswith(quote):
            inside, end, _ = value[1:].partition(quote)
            return inside if end else value
    # Without quotes a comment may follow, after a blank.
    return "" if value.startswith("#") else re.split(r"\s+#", value, maxsplit=1)[0]


def environment(dotenv: str | Path | None = ".env") -> dict[str, str]:
    """Environment variables, and behind them the names of a ``.env`` file.

    Args:
        dotenv: Where the file is; None reads none.
    """
    return {**({} if dotenv is None else read_dotenv(Path(dotenv))), **os.environ}
