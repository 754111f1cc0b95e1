"""A client of a module, as web applications have one: made at import, used by whichever process comes along."""

from __future__ import annotations

import os

from binance_sdk import SyncBinanceClient

URL = os.environ["EXCHANGE_URL"]
CLIENT = SyncBinanceClient(spot_base_url=URL, timeout=10, max_retries=0)


def ask(symbol: str) -> str:
    """The symbol of the answer, or what went wrong."""
    try:
        return CLIENT.spot.ticker_price(symbol).symbol
    except Exception as error:  # noqa: BLE001 - the parent looks at it
        return f"{type(error).__name__}: {error}"


def application(environ: dict[str, str], start_response: object) -> list[bytes]:
    """A WSGI application: the path is the symbol asked for."""
    assert callable(start_response)
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [f"{os.getpid()} {ask(environ['PATH_INFO'][1:])}".encode()]


def used_application() -> object:
    """The same, after the client has been used."""
    for number in range(8):
        ask(f"A{number}USDT")
    return application
