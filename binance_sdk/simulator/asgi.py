"""The part of ASGI that the simulator speaks with uvicorn: its types, and how a whole response is sent."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any, TypeAlias

Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
AsgiApp: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]


async def send_head(send: Send, status: int, headers: Mapping[str, str], length: int) -> None:
    """Send the status and headers of a response whose body has ``length`` bytes."""
    encoded = [(name.encode(), value.encode()) for name, value in headers.items()]
    encoded.append((b"content-length", str(length).encode()))
    await send({"type": "http.response.start", "status": status, "headers": encoded})


async def send_response(send: Send, status: int, headers: Mapping[str, str], body: bytes) -> None:
    """Send a whole response."""
    await send_head(send, status, headers, len(body))
    await send({"type": "http.response.body", "body": body})
