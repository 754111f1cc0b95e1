"""Turns failed requests and refusing answers into typed errors."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any, cast
from urllib.parse import urlsplit

from binance_sdk._runtime.operation import Catalogue, ErrorCode, Operation, plain_text
from binance_sdk._runtime.response import Headers
from binance_sdk._runtime.transport.protocol import RawResponse, TransportFailure
from binance_sdk._runtime.transport.reasons import with_remedy
from binance_sdk._runtime.weight import Arguments
from binance_sdk.errors import (
    APIConnectionError,
    APIError,
    APITimeoutError,
    AuthenticationError,
    BadRequestError,
    BinanceError,
    ConfigError,
    DecodeError,
    ForbiddenError,
    IPBannedError,
    NotFoundError,
    RateLimitError,
    RestrictedLocationError,
    ServerError,
    plain_number,
    shown,
)

_BY_STATUS: Mapping[int, type[APIError]] = {
    401: AuthenticationError,
    403: ForbiddenError,
    404: NotFoundError,
    408: ServerError,
    418: IPBannedError,
    429: RateLimitError,
    451: RestrictedLocationError,
}
_BANNED_UNTIL = re.compile(r"banned until ([0-9]{12,14})")
_LONGEST_WAIT = 3 * 86_400.0
"""Seconds; Binance bans for three days at most, so a longer wait is a mistake."""
_READ = 8192
"""Bytes of a body that are searched for words; the pages that are looked for have a few hundred."""
_SHOWN = 200


def deadline_text(seconds: float | None) -> str:
    """The deadline of a call, for a message."""
    return "deadline" if seconds is None else f"deadline of {plain_number(seconds)} s"


def transport_error(
    operation: Operation[Any], failure: TransportFailure, url: str, deadline: float | None = None
) -> BinanceError:
    """The error for a request that got no complete answer.

    Args:
        operation: The endpoint.
        failure: What went wrong.
        url: URL of the request.
        deadline: Seconds of the call's deadline, if that passed before the timeout of the request.
    """
    address = host_and_port(url)
    text = f"{operation.id}: {failure} ({address}{failure.via})"
    if failure.kind == "timeout" and deadline is not None:
        text += f"; its {deadline_text(deadline)} has passed: raise deadline=, or leave it out"
        return APITimeoutError(text, operation=operation.id)
    if failure.kind == "timeout":
        return APITimeoutError(f"{text}; raise timeout= if the connection is slow", operation=operation.id)
    if failure.kind in ("encoding", "too_large"):
        return DecodeError(text, operation=operation.id, problems=(str(failure),), garbled=failure.kind == "encoding")
    if failure.kind == "setup":
        return ConfigError(text, operation=operation.id)
    if failure.kind in ("connect", "broken"):
        text = with_remedy(text, address)
    return APIConnectionError(text, operation=operation.id)


def host_and_port(url: str) -> str:
    """Host and port of a URL, with the default port where it names none."""
    parts = urlsplit(url)
    port = {"http": ":80", "https": ":443"}.get(parts.scheme, "")
    return parts.netloc if re.search(r":[0-9]+$", parts.netloc) else f"{parts.netloc}{port}"


def holds_data(response: RawResponse) -> bool:
    """Whether an answer is certainly not an error."""
    return response.status_code == 200 and not _looks_like_error(response.content)


def api_error(
    name: str, response: RawResponse, catalogue: Catalogue, environment: str, now_ms: int, called_with: str = ""
) -> APIError | None:
    """The error in an answer, or None if it holds data.

    Args:
        name: The endpoint or stream that was asked for, for messages.
        response: The answer.
        catalogue: What statuses and codes mean.
        environment: Name of the environment, or empty.
        now_ms: Server time in epoch milliseconds.
        called_with: The arguments, as ``called_with`` shows them: Binance does not say which value it refuses.
    """
    status = response.status_code
    code, message = None, ""
    if not holds_data(response):
        code, message = _code_and_message(response.content)
    if status == 200 and code is None:
        return None
    known = catalogue.error_codes.get(code) if code is not None else None
    meant = _meant(response, catalogue, known)
    kind = _kind(meant)
    retry_after = wait_seconds(response.headers.get("retry-after"), message, now_ms)
    if kind is IPBannedError and not retry_after:
        # A ban whose announced end has passed goes on all the same, so its end is unknown.
        retry_after = None
    parts = [f"{name}: HTTP {status}"]
    if code is not None:
        parts.append(f"code {code}{f' ({known.name})' if known else ''}")
    if known is not None and not message:
        parts.append(known.meaning)
    if message:
        parts.append(message)
    elif response.content.strip():
        parts.append(f"body: {_excerpt(response.content)}")
    else:
        parts.append("no body")
    if meant != status and meant in catalogue.status_remedies:
        parts.append(catalogue.status_remedies[meant][0])
    remedy = _remedy(meant, kind, catalogue, environment, response.headers)
    if retry_after is not None and kind is not ForbiddenError:
        # After 403 the gate decides how long to wait and limits what the answer says; it sets ``retry_after``.
        parts.append(f"retry after {plain_number(retry_after)} s")
    if called_with and kind is BadRequestError:
        parts.append(f"Called with {called_with}.")
    if remedy:
        parts.append(remedy)
    fields: dict[str, Any] = {
        "operation": name,
        "status_code": status,
        "code": code,
        "message": message,
        "retry_after": retry_after,
        "retry_at": None if retry_after is None else now_ms + round(retry_after * 1000),
        "headers": dict(response.headers),
        "body": response.content,
    }
    if kind is IPBannedError:
        fields["banned_until"] = fields["retry_at"]
    return kind(_joined(parts), **fields)


def called_with(operation: Operation[Any], given: Arguments) -> str:
    """The arguments of a call, for a message: ``symbol='BTCUSDT', limit=5``."""
    return ", ".join(f"{operation.by_wire[wire].name}={shown(value)}" for wire, value in given.items())


def _joined(parts: list[str]) -> str:
    """The parts of a message on one line; no semicolon follows a part that ends a sentence."""
    text = parts[0]
    for part in parts[1:]:
        text += f"{' ' if text.endswith('.') else '; '}{part}"
    return text


def _meant(response: RawResponse, catalogue: Catalogue, known: ErrorCode | None) -> int:
    """The status, or the one that the words of the body stand for; of an error with status 200, its code says which."""
    status = response.status_code
    if status == 200 and known is not None and known.means is not None:
        return known.means
    if any(override.status == status for override in catalogue.status_overrides):
        text = plain_text(response.content[:_READ].decode("utf-8", "replace"))
        return next((override.means for override in catalogue.status_overrides if override.fits(status, text)), status)
    return status


def _kind(status: int) -> type[APIError]:
    found = _BY_STATUS.get(status)
    if found is not None:
        return found
    if status >= 500:
        return ServerError
    return BadRequestError if status >= 400 or status == 200 else APIError


def _remedy(status: int, kind: type[APIError], catalogue: Catalogue, environment: str, headers: Headers) -> str:
    if 300 <= status < 400:
        return f"redirects are not followed; it points to {headers.get('location', 'nowhere')!r:.120}"
    if kind is RestrictedLocationError and environment == "data_only":
        return catalogue.status_remedies[status][0]
    known = catalogue.status_remedies.get(status)
    return known[1] if known else ""


def _looks_like_error(content: bytes) -> bool:
    return b'"code"' in content[:512] and b'"msg"' in content[:4096] and content[:64].lstrip().startswith(b"{")


def _code_and_message(content: bytes) -> tuple[int | None, str]:
    try:
        body = json.loads(content)
    except (ValueError, RecursionError):
        return None, ""
    if not isinstance(body, dict) or "code" not in body:
        return None, ""
    fields = cast("dict[str, object]", body)
    raw, message = fields["code"], fields.get("msg")
    try:
        code = int(raw) if isinstance(raw, (int, str)) and not isinstance(raw, bool) else None
    except (TypeError, ValueError, OverflowError):
        code = None
    return code, message if isinstance(message, str) else ""


def wait_seconds(header: str | None, message: str, now_ms: int) -> float | None:
    """Seconds to wait, by ``Retry-After`` (seconds or a date) or "banned until <ms>": the later of the two, or None."""
    until = _BANNED_UNTIL.search(message)
    told = [_seconds(header or "", now_ms), (int(until[1]) - now_ms) / 1000 if until else None]
    found = [seconds for seconds in told if seconds is not None]
    return min(max(0.0, *found), _LONGEST_WAIT) if found else None


def _seconds(header: str, now_ms: int) -> float | None:
    text = header.strip()
    if re.fullmatch(r"[0-9]+(\.[0-9]+)?", text):
        return float(text)
    try:
        return parsedate_to_datetime(text).timestamp() - now_ms / 1000 if text else None
    except (ValueError, TypeError, OverflowError):
        return None


def _excerpt(content: bytes) -> str:
    shown = content[:_SHOWN].decode("utf-8", "replace")
    return repr(" ".join(shown.split())) + ("…" if len(content) > _SHOWN else "")
