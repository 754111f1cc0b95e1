"""The server of a simulator: REST and archive by uvicorn and the streams of all markets, on one event loop.

The loop has a thread of its own.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
import sys
import threading
from typing import Any

import uvicorn

from binance_sdk.simulator.rest.app import ExchangeApp, H11Connection
from binance_sdk.simulator.sockets import Listeners
from binance_sdk.simulator.streams.streams import Streams

_LOG = logging.getLogger("binance_sdk.simulator")
STOP_SECONDS = 5.0
"""How long requests under way may take when the server stops."""


def _new_event_loop() -> asyncio.AbstractEventLoop:
    """asyncio's own, whatever this process has chosen: faults reach below the transport, where uvloop lets nobody."""
    if sys.platform == "win32":
        return asyncio.ProactorEventLoop()
    return asyncio.SelectorEventLoop()


class SimulatorServer(uvicorn.Server):
    """uvicorn, stopped by an event instead of a flag looked at ten times a second."""

    def __init__(self, app: ExchangeApp, streams: Streams, listeners: Listeners) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                http=H11Connection,
                interface="asgi3",
                proxy_headers=False,
                # Longer than a client keeps an idle connection: it must not be closed just when it is used again.
                timeout_keep_alive=75,
                log_config=None,
                access_log=False,
                lifespan="off",
                ws="none",
                server_header=False,
                date_header=False,
            )
        )
        self.ready: threading.Event = threading.Event()
        self.failure: BaseException | None = None
        self._exchange_app = app
        self._streams = streams
        self._listeners = listeners
        self._stop = asyncio.Event()
        self._short_of_files = False
        self._loop: asyncio.AbstractEventLoop | None = None

    def run_until_stopped(self) -> None:
        try:
            with asyncio.Runner(loop_factory=_new_event_loop) as runner:
                runner.get_loop().set_exception_handler(self._report)
                runner.run(self.serve(sockets=list(self._listeners.http)))
        except BaseException as error:  # noqa: BLE001 - handed to the thread that waits for the start
            self.failure = error
        finally:
            for listening in self._listeners.sockets:
                listening.close()
            self.ready.set()

    def _report(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Connections that cannot be taken wait until one ends; asyncio says so for each, with a traceback."""
        error = context.get("exception")
        if not isinstance(error, OSError) or error.errno not in (errno.EMFILE, errno.ENFILE):
            loop.default_exception_handler(context)
        elif not self._short_of_files:
            self._short_of_files = True
            _LOG.warning("the simulator has no open files left for more connections: raise the limit (ulimit -n)")

    def ask_to_stop(self) -> None:
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._stop.set)

    async def main_loop(self) -> None:
        self._loop = asyncio.get_running_loop()
        await self._streams.open(self._listeners.streams)
        self.ready.set()
        await self._stop.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await self._streams.close()
        for server in self.servers:
            server.close()
        self._exchange_app.stop()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        # Idle connections close within a turn of the loop; those with a request under way when it is answered.
        for _ in range(int(STOP_SECONDS * 500)):
            if not self.server_state.connections and not self.server_state.tasks:
                return
            await asyncio.sleep(0.001)
