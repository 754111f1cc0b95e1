"""What the shell is offered."""

from __future__ import annotations

import pytest

from .support import start


def offered(words: str, current: int) -> list[str]:
    process = start(_BINANCE_SDK_COMPLETE="complete_bash", COMP_WORDS=words, COMP_CWORD=str(current))
    output, errors = process.communicate(timeout=60)
    assert errors == ""
    return output.split()


@pytest.mark.parametrize(
    ("words", "current", "expected"),
    [
        ("binance-sdk si", 1, ["simulate"]),
        ("binance-sdk call spot ticker_p", 3, ["ticker_price"]),
        ("binance-sdk call futures open_", 3, ["open_interest", "open_interest_hist"]),
        ("binance-sdk call spot depth s", 4, ["symbol=", "symbol_status="]),
        ("binance-sdk call spot klines interval=1", 4, ["interval=1s", "interval=1m", "interval=15m"]),
        ("binance-sdk call spot time --environment d", 5, ["data_only", "demo"]),
    ],
)
def test_completion(words: str, current: int, expected: list[str]) -> None:
    found = offered(words, current)
    assert set(expected) <= set(found)
    start_of_word = words.split()[-1]
    assert all(word.startswith(start_of_word) for word in found)
