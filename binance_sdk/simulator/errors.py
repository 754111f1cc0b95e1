"""What can go wrong in the simulator: for its user, and for the client that talks to it."""

from __future__ import annotations


class SimulatorError(Exception):
    """The simulator itself could not do what it was asked to."""


class PortInUseError(SimulatorError, OSError):
    """Host and port cannot be bound, or the port is none of those there are; the message says what to try."""


class RejectionError(Exception):
    """An error answer on its way to the client, in Binance's words.

    Attributes:
        status: HTTP status.
        code: Binance's error code, the ``code`` of the body.
        message: The ``msg`` of the body.
    """

    def __init__(self, code: int, message: str, status: int = 400) -> None:
        super().__init__(code, message, status)
        self.status = status
        self.code = code
        self.message = message

    @property
    def body(self) -> dict[str, int | str]:
        return {"code": self.code, "msg": self.message}
