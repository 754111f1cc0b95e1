"""One exchange for all tests of a module; what a test has changed is undone before the next."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .mutated import MutatedExchange, mutated_exchange


@pytest.fixture(scope="package")
def _exchange() -> Iterator[MutatedExchange]:
    with mutated_exchange() as exchange:
        yield exchange


@pytest.fixture
def exchange(_exchange: MutatedExchange) -> MutatedExchange:
    """An exchange on which nothing has changed yet."""
    _exchange.reset()
    return _exchange
