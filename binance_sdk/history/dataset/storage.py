"""Where the files of a dataset lie: a folder of this machine, or an object store."""

from __future__ import annotations

import os
import secrets
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from binance_sdk.errors import DatasetError, shown
from binance_sdk.history.dataset.files import TEMPORARY, Storage, StoredFile
from binance_sdk.history.dataset.libraries import library
from binance_sdk.history.dataset.object_store import ObjectStorage


def storage_at(url: str | os.PathLike[str]) -> Storage:
    """The storage of a path or URL.

    Args:
        url: A path of this machine, ``file://...``, or the URL of an object store such as ``s3://bucket/prefix``.

    Raises:
        ConfigError: A library that the URL needs is not installed.
        DatasetError: The URL is of no kind that is known, or is not complete.
    """
    if not isinstance(cast("object", url), (str, os.PathLike)):
        raise DatasetError(f"a dataset needs a folder or a URL, e.g. 'data/'; this one is {shown(url)}")
    text = os.fspath(url)
    if "\0" in text:
        raise DatasetError(f"a dataset needs a folder or a URL; {shown(text)} has a character that no name may have")
    scheme, separator, _ = text.partition("://")
    # One letter is a drive of Windows.
    if separator and len(scheme) > 1 and scheme != "file":
        return ObjectStorage.at(text)
    if not text:
        raise DatasetError("a dataset needs a folder or a URL; this one is empty")
    return LocalStorage(Path(text.removeprefix("file://")).expanduser().absolute())


@dataclass(frozen=True, slots=True)
class LocalStorage:
    """A folder of this machine."""

    folder: Path

    @property
    def url(self) -> str:
        return str(self.folder)

    @property
    def native(self) -> bool:
        return True

    @property
    def local(self) -> bool:
        return True

    def read(self, path: str) -> bytes | None:
        target = self.folder / path
        with _told(target, "read"):
            try:
                return target.read_bytes()
            except (FileNotFoundError, NotADirectoryError):
                return None

    def put(self, path: str, data: bytes) -> None:
        target = self.folder / path
        temporary = target.with_name(f".{target.name}.{secrets.token_hex(6)}{TEMPORARY}")
        with _told(target, "written"):
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                with temporary.open("xb") as file:
                    file.write(data)
                    file.flush()
                    # A name that survives a power cut must not lead to a file that did not.
                    os.fsync(file.fileno())
                temporary.replace(target)
            except BaseException:
                with suppress(OSError):
                    temporary.unlink(missing_ok=True)
                raise
            _sync_folder(target.parent)

    def move(self, source: str, target: str) -> None:
        with _told(self.folder / target, "written"):
            (self.folder / source).replace(self.folder / target)
            _sync_folder((self.folder / target).parent)

    def delete(self, path: str) -> None:
        target = self.folder / path
        with _told(target, "removed"):
            # Its folder stays: another process may be about to put something there.
            target.unlink(missing_ok=True)

    def files(self, below: str = "") -> list[StoredFile]:
        top = self.folder / below
        found: list[StoredFile] = []
        with _told(top, "listed"):
            for folder, _, names in os.walk(top, onerror=_raise_but_absence):
                for name in names:
                    path = Path(folder, name)
                    with suppress(FileNotFoundError):  # its writer has just given it its last name
                        found.append(StoredFile(path.relative_to(self.folder).as_posix(), path.stat().st_size))
        return sorted(found, key=lambda file: file.path)

    def location(self, path: str) -> str:
        return str(self.folder / path)

    def file_system(self) -> tuple[object, str]:
        return library("pyarrow.fs").LocalFileSystem(), str(self.folder)


def _raise_but_absence(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):
        raise error


def _sync_folder(folder: Path) -> None:
    if os.name == "nt":
        return  # Windows opens no folders
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def _told(path: Path, what: str) -> Generator[None]:
    try:
        yield
    except OSError as error:
        if isinstance(error, (NotADirectoryError, FileExistsError)):
            remedy = "a file is in its way: choose a folder"
        else:
            remedy = "make room there or choose another folder" if what == "written" else "see that it may be used"
        raise DatasetError(f"{path} cannot be {what}: {error.strerror or error}; {remedy}", path=str(path)) from error
