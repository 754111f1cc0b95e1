from __future__ import annotations

from collections.abc import Iterator

import pytest

from .servers import SERVERS, Server, running


@pytest.fixture(scope="module", params=sorted(SERVERS))
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    program = SERVERS[request.param]()
    if program is None:
        pytest.skip("redis-server is not installed: apt-get install redis-server")
    with running(program) as server:
        yield server
