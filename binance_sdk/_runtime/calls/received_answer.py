"""What a request brought: its bytes, and what they decode to, once somebody wants to know."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar, cast

from binance_sdk._runtime.response import Library

T = TypeVar("T")

_UNREAD: Any = object()


class ReceivedAnswer(Generic[T]):
    """An answer that is decoded when it is read for the first time, or was decoded when it came.

    Args:
        operation: Id of the operation.
        type_: Type of the decoded answer.
        content: Its bytes.
        decode: Decodes it, or raises a ``DecodeError``.
        data: What it decodes to, if that is known.
    """

    __slots__ = ("_content", "_data", "_decode", "_operation", "_type")

    def __init__(
        self,
        operation: str,
        type_: object,
        content: bytes,
        decode: Callable[[], T] | None = None,
        data: T = _UNREAD,
    ) -> None:
        self._operation = operation
        self._type = type_
        self._content = content
        self._decode = decode
        self._data = data

    @property
    def data(self) -> T:
        """The decoded answer."""
        decode = self._decode
        if decode is not None:
            # In this order, for another thread may read it meanwhile, and decodes it too.
            self._data = decode()
            self._decode = None
        return self._data

    def own_copy(self) -> ReceivedAnswer[T]:
        """The same with a list of its own: models are frozen, but a caller may change his list."""
        data: object = self.data
        copied: Any = list(cast("list[object]", data)) if type(data) is list else data
        return ReceivedAnswer(self._operation, self._type, self._content, data=copied)

    def frame(self, library: Library, **options: Any) -> Any:
        """It as a frame of a library."""
        from binance_sdk._runtime.columns.frames import frame_of_answer
        from binance_sdk._runtime.columns.options import FrameOptions

        # Bad rows that were to be left out are met in the bytes as well: then the frame is made of ``data``.
        wanted = FrameOptions(**options)
        return frame_of_answer(library, self._operation, self._type, self._content, lambda: self.data, wanted)

    def __reduce__(self) -> tuple[object, ...]:
        # How to decode it stays with the client.
        return _restored, (self._operation, self._type, self._content, self.data)


def _restored(operation: str, type_: object, content: bytes, data: T) -> ReceivedAnswer[T]:
    return ReceivedAnswer(operation, type_, content, data=data)
