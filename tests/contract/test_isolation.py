"""The fixtures that hold for every test do what they say; without them a green run would prove less."""

from __future__ import annotations

import asyncio
import os
import socket

import httpx
import pytest

from binance_sdk import SyncBinanceClient
from binance_sdk._runtime.budget import pool


@pytest.mark.parametrize("address", [("192.0.2.1", 80), ("2001:db8::1", 80, 0, 0)])
@pytest.mark.parametrize("method", ["connect", "connect_ex"])
def test_no_socket_leaves_this_machine(address: tuple[str, int], method: str) -> None:
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    with socket.socket(family) as connection, pytest.raises(AssertionError, match="tried to reach"):
        getattr(connection, method)(address)


def test_no_datagram_leaves_this_machine() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as connection:
        with pytest.raises(AssertionError, match="tried to reach"):
            connection.sendto(b"x", ("192.0.2.1", 53))
        with pytest.raises(AssertionError, match="tried to reach"):
            connection.sendto(b"x", 0, ("192.0.2.1", 53))


async def test_no_name_is_looked_up() -> None:
    with pytest.raises(AssertionError, match=r"look up 'api\.binance\.com'"):
        await asyncio.get_running_loop().getaddrinfo("api.binance.com", 443)
    with pytest.raises(socket.gaierror):
        socket.getaddrinfo("nowhere.invalid", 443)
    assert socket.getaddrinfo("localhost", 80)
    assert socket.getaddrinfo("192.0.2.1", 80)


async def test_a_client_cannot_hide_it() -> None:
    with pytest.raises(AssertionError, match="look up"):
        async with httpx.AsyncClient(trust_env=False) as client:
            await client.get("https://api.binance.com/api/v3/ping")


def test_this_machine_can_be_reached() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as connection:
        assert connection.getpeername() == server.getsockname()


def test_settings_of_the_developer_are_gone() -> None:
    assert [name for name in os.environ if name.startswith("BINANCE_")] == []


@pytest.mark.parametrize("turn", ["first", "second"])
def test_every_test_has_its_own_pools(turn: str) -> None:
    assert pool._POOLS == {}
    with SyncBinanceClient() as client:
        assert client.limits.spot.used == 0
    assert pool._POOLS
