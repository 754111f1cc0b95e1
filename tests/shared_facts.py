"""The fact base beside the checkout: other people's examples and recordings, read in place and never copied.

Most checkouts have none; tests that read it carry ``needs_facts`` and are skipped there.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

REPOSITORY = Path(__file__).resolve().parents[1]
FACTS = REPOSITORY.parent / "shared" / "binance"
_FOLDERS = {"coin_futures": "coin-m/"}
"""Markets that the fact base tells of in a folder of their own; the others share its root."""
_MARKETS = {"coinm": "coin_futures"}
"""What the fact base calls a market that has another name here."""

needs_facts = pytest.mark.skipif(not FACTS.is_dir(), reason="no fact base: it is looked for in ../shared/binance")


def found(pattern: str) -> list[Path]:
    """Files of the fact base, sorted; none where there is no fact base."""
    return sorted(FACTS.glob(pattern)) if FACTS.is_dir() else []


def name_of(path: Path) -> str:
    """How a test calls a file: its path within the fact base."""
    return path.relative_to(FACTS).as_posix()


def load(path: str | Path) -> Any:
    return json.loads((FACTS / path).read_bytes())


def market_of(path: Path) -> str:
    """The market that an example or a recording is of."""
    name = name_of(path)
    for market, folder in _FOLDERS.items():
        if name.startswith(folder):
            return market
    return "spot" if "/spot/" in name else "futures"


def answer_of(market: str, name: str) -> str:
    """Where the example answer of an endpoint stands."""
    return f"{_FOLDERS[market]}examples/rest/{name}.json" if market in _FOLDERS else f"examples/{market}/{name}.json"


def message_of(market: str, name: str) -> str:
    """Where the example message of a stream stands."""
    inner = f"streams/{name}.json" if market in _FOLDERS else f"streams/{market}/{name}.json"
    return f"{_FOLDERS.get(market, '')}examples/{inner}"


def messages() -> list[Path]:
    """The example messages of all streams."""
    markets = ("spot", "futures", *_FOLDERS)
    return [path for market in markets for path in found(message_of(market, "*"))]


def answers() -> list[Path]:
    """The example answers of all endpoints."""
    return [path for market in ("spot", "futures", *_FOLDERS) for path in found(answer_of(market, "*"))]


@cache
def endpoints() -> dict[str, Any]:
    """What is documented of each endpoint, by our id."""
    return _by_id("rest-endpoints.yaml", "endpoints")


@cache
def streams() -> dict[str, Any]:
    """What is documented of each stream, by our id."""
    return _by_id("streams.yaml", "streams")


def _by_id(file: str, key: str) -> dict[str, Any]:
    texts = [(FACTS / folder / file).read_text(encoding="utf-8") for folder in ("", *_FOLDERS.values())]
    return {_our_id(entry["id"]): entry for text in texts for entry in yaml.safe_load(text)[key]}


def vectors() -> list[dict[str, Any]]:
    """Calls and what they cost, each with our id as ``endpoint``."""
    found = [
        vector for folder in ("", *_FOLDERS.values()) for vector in load(f"{folder}weight-vectors.json")["vectors"]
    ]
    return [{**vector, "endpoint": _our_id(vector["endpoint"])} for vector in found]


def _our_id(id_: str) -> str:
    market, _, name = id_.partition(".")
    return f"{_MARKETS.get(market, market)}.{name}"
