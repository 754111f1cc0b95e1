"""What a refusal means for everything from the same IP address: one gate for requests and stream handshakes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from binance_sdk._runtime.answers.api_errors import api_error
from binance_sdk._runtime.budget.pool import Pool
from binance_sdk._runtime.operation import Catalogue
from binance_sdk._runtime.response import Headers
from binance_sdk._runtime.transport.protocol import RawResponse
from binance_sdk.errors import APIError, ForbiddenError, IPBannedError, RateLimitError
from binance_sdk.events import Event, GateClosed


def close_gate(pool: Pool, error: APIError, sent: float, now: float, notify: Callable[[Event], None]) -> None:
    """Close the gate of a pool if an error demands it, and set in the error when it opens.

    Args:
        pool: The pool whose gate is closed.
        error: The refusal; its ``retry_after`` and ``retry_at`` become the moment at which the gate opens.
        sent: Monotonic time at which the refused request was sent.
        now: Monotonic time.
        tell: Told of a gate that closed.
    """
    gate, before = pool.gate, pool.gate.closed_until
    with pool.ledger.lock:
        if isinstance(error, IPBannedError):
            until = None if error.retry_after is None else now + error.retry_after
            if until is not None and "retry-after" not in error.headers:
                # The end is given by the server's clock, which we only estimate; asking too early prolongs the ban.
                until += pool.time.uncertainty(now)
            gate.ban(now, until, sent)
            pool.ledger.fail(gate, lambda operation: pool.ban_error(operation, now), now)
        elif isinstance(error, RateLimitError):
            pool.weight.roll(now)
            told = error.retry_after
            gate.limited(now, pool.weight.next_opening if told is None else now + told, sent)
        elif isinstance(error, ForbiddenError):
            gate.refuse(now, sent, error.retry_after)
        else:
            return
        error.retry_after = max(0.0, gate.closed_until - now)
        error.retry_at = round(pool.time.now(gate.closed_until) * 1000)
        if isinstance(error, IPBannedError) and error.banned_until is None:
            error.banned_until = error.retry_at
    if gate.closed_until > before:
        notify(GateClosed(pool.name, gate.reason, gate.closed_until - now))


@dataclass(frozen=True, slots=True)
class Gatekeeper:
    """The gate of one market, for connections that the engine does not make. All times are monotonic seconds."""

    pool: Pool
    catalogue: Catalogue
    environment: str
    """Name of the environment, or empty where a base URL was given."""
    notify: Callable[[Event], None]

    def closed_until(self) -> float:
        """Time until which no connection may be opened; in the past while the gate is open."""
        return self.pool.gate.closed_until

    def closed_for(self, now: float) -> float:
        """Seconds for which no connection may be opened; 0.0 while the gate is open."""
        return max(0.0, self.pool.gate.closed_until - now)

    def reason(self, now: float) -> str:
        """Why the gate is closed; empty while it is open."""
        return self.pool.gate.reason if self.closed_for(now) else ""

    def check(self, name: str, now: float) -> None:
        """Check that there is no ban.

        Raises:
            IPBannedError: the IP address is banned; it says until when.
        """
        if self.pool.gate.banned(now):
            raise self.pool.ban_error(name, now)

    def refused(
        self, name: str, status: int, headers: Mapping[str, str], body: bytes, *, sent: float, now: float
    ) -> APIError | None:
        """The error in an answer to a handshake, as for a request; closes the gate in the same way.

        Args:
            name: The stream, for messages.
            status: HTTP status.
            headers: Headers of the answer.
            body: As much of its body as was read.
            sent: When the handshake was sent.
            now: When it was refused.

        Returns:
            None if the answer is not a refusal (101, or 200 with data).
        """
        now_ms = round(self.pool.time.now(now) * 1000)
        answer = RawResponse(status, Headers(headers), body)
        error = api_error(name, answer, self.catalogue, self.environment, now_ms)
        if error is not None:
            close_gate(self.pool, error, sent, now, self.notify)
        return error

    def passed(self, sent: float) -> None:
        """Called when a handshake that was sent then succeeded: the next refusal counts as the first again."""
        self.pool.gate.passed(sent)
