"""The files of a dataset, wherever they lie, behind one small protocol.

Paths are relative to the dataset, with ``/`` between their parts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

TEMPORARY = ".tmp"
"""How the name of a file ends that is not written to its end yet; it begins with a dot."""


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file as its storage lists it.

    Attributes:
        path: Where it lies in the dataset.
        size: Bytes.
    """

    path: str
    size: int


class Storage(Protocol):
    """Files of a dataset. Whoever reads one meanwhile sees the old one or the new one, never a part.

    All raise DatasetError, with the path, where the storage refuses.
    """

    @property
    def url(self) -> str:
        """Where the dataset is, as messages name it."""
        ...

    @property
    def native(self) -> bool:
        """Polars, Arrow and DuckDB can read its locations by themselves."""
        ...

    @property
    def local(self) -> bool:
        """Its locations are paths of this machine."""
        ...

    def read(self, path: str) -> bytes | None:
        """A file; None where there is none."""
        ...

    def put(self, path: str, data: bytes) -> None:
        """Write a file, whole or not at all, over an old one where there is one."""
        ...

    def move(self, source: str, target: str) -> None:
        """Give a file another name, over an old one where there is one."""
        ...

    def delete(self, path: str) -> None:
        """Take a file away; one that is not there is in order."""
        ...

    def files(self, below: str = "") -> list[StoredFile]:
        """All files below a folder, sorted by path; none where the folder is not there."""
        ...

    def location(self, path: str) -> str:
        """Path or URL by which other programs find a file."""
        ...

    def file_system(self) -> tuple[object, str]:
        """The same for Arrow: a file system of its own, and the path of the dataset in it."""
        ...
