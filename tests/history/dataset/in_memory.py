"""A storage in memory, which is quick, and one that ends the process at one of its steps."""

from __future__ import annotations

from binance_sdk.history.dataset.files import StoredFile


class InMemory:
    """Files by path."""

    url = "memory"
    native = False
    local = False

    def __init__(self) -> None:
        self.there: dict[str, bytes] = {}

    def read(self, path: str) -> bytes | None:
        return self.there.get(path)

    def put(self, path: str, data: bytes) -> None:
        self.there[path] = data

    def move(self, source: str, target: str) -> None:
        self.there[target] = self.there.pop(source)

    def delete(self, path: str) -> None:
        self.there.pop(path, None)

    def files(self, below: str = "") -> list[StoredFile]:
        inside = f"{below}/" if below else ""
        return [StoredFile(path, len(data)) for path, data in sorted(self.there.items()) if path.startswith(inside)]

    def location(self, path: str) -> str:
        return f"memory/{path}"

    def file_system(self) -> tuple[object, str]:
        raise NotImplementedError


class Killed(BaseException):
    """The process ends here."""


class Failing(InMemory):
    """Ends the process, or refuses, before or after each change in turn: the number of the step decides where."""

    def __init__(self, there: dict[str, bytes], step: int, error: BaseException) -> None:
        super().__init__()
        self.there = there
        self._left = step
        self._error = error

    def _step(self) -> None:
        self._left -= 1
        if self._left < 0:
            raise self._error

    def put(self, path: str, data: bytes) -> None:
        self._step()
        super().put(path, data)
        self._step()

    def move(self, source: str, target: str) -> None:
        self._step()
        super().move(source, target)
        self._step()

    def delete(self, path: str) -> None:
        self._step()
        super().delete(path)
        self._step()
