"""Reads and changes a simulator in another process of this machine, over its control surface."""

from __future__ import annotations

import json
from http.client import HTTPConnection
from typing import cast
from urllib.parse import urlsplit

from pydantic_core import to_json

from binance_sdk.simulator.clients import Clients
from binance_sdk.simulator.control.remote import RemoteCommands
from binance_sdk.simulator.errors import SimulatorError

PREFIX = "/_simulator/"
"""Where the control surface of a simulator is."""
_TIMEOUT_SECONDS = 30.0


class SimulatorControl(RemoteCommands, Clients):
    """A ``Simulator(control=True)`` in another process, as far as it can be read and changed from here.

    Raises:
        SimulatorError: By every method, when the simulator does not take the arguments or cannot be reached.
    """

    def __init__(self, url: str) -> None:
        """``url`` is the address of the simulator, e.g. ``http://127.0.0.1:8765``."""
        self._url = url.rstrip("/")

    @property
    def url(self) -> str:
        """The address of the simulator: what ``BINANCE_SDK_SIMULATOR`` takes."""
        return self._url

    def ask(self, name: str, **arguments: object) -> object:
        """Send one command by its name to the control surface; the result as JSON has it."""
        parts = urlsplit(self.url)
        connection = HTTPConnection(parts.hostname or "", parts.port, timeout=_TIMEOUT_SECONDS)
        try:
            connection.request("POST", PREFIX + name, to_json(arguments), headers={"Content-Type": "application/json"})
            response = connection.getresponse()
            answer: object = json.loads(response.read())
        except (OSError, ValueError) as error:
            raise SimulatorError(f"no simulator answers at {self.url}: {error}") from error
        finally:
            connection.close()
        if response.status != 200:
            body = cast("dict[str, object]", answer) if isinstance(answer, dict) else {}
            # The exchange itself answers unknown paths with an "error" too, but with more fields beside it.
            if body.keys() != {"error"}:
                raise SimulatorError(f"{self.url} is no simulator, or one that was started without control=True")
            raise SimulatorError(str(body["error"]))
        return answer
