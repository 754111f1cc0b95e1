"""A dataset in an object store, or wherever else Arrow or fsspec reach.

There are no temporary names: such stores show an object when it was sent to its end, not before.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO, Protocol

from binance_sdk.errors import ConfigError, DatasetError
from binance_sdk.history.dataset.files import StoredFile
from binance_sdk.history.dataset.libraries import library

_NATIVE = ("s3", "gs", "gcs")
"""Schemes that Arrow, polars and DuckDB all speak by themselves."""

_GOOGLE = ("gs", "gcs")
_GOOGLES_SECONDS = 30
"""For which a request to Google's store is tried again; by itself it would be a quarter of an hour, without a word."""


class _FileInfo(Protocol):
    path: str
    size: int | None
    is_file: bool


class _FileSystem(Protocol):
    """What is used of Arrow's file systems, which come without types."""

    def open_input_stream(self, path: str) -> BinaryIO: ...

    def open_output_stream(self, path: str) -> BinaryIO: ...

    def move(self, src: str, dest: str) -> None: ...

    def delete_file(self, path: str) -> None: ...

    def get_file_info(self, selector: object) -> list[_FileInfo]: ...


@dataclass(frozen=True)
class ObjectStorage:
    """Objects below a URL."""

    url: str
    native: bool
    store: _FileSystem
    root: str

    @classmethod
    def at(cls, url: str) -> ObjectStorage:
        """The storage of a URL such as ``s3://bucket/prefix``.

        Keys, region and endpoint come from where each store's programs take them, e.g. ``AWS_ACCESS_KEY_ID``,
        ``AWS_REGION`` and ``AWS_ENDPOINT_URL``.

        Raises:
            ConfigError: Neither Arrow nor fsspec with what is installed knows such URLs.
            DatasetError: The URL is not complete.
        """
        fs = library("pyarrow.fs")
        scheme, _, place = url.partition("://")
        if not place.strip("/"):
            raise DatasetError(f"{url} names no place; write e.g. s3://bucket/prefix", path=url)
        url = url.rstrip("/")
        store: _FileSystem
        root: str
        try:
            store, root = fs.FileSystem.from_uri(_bounded(url)) if scheme in _NATIVE else _over_fsspec(url)
        except ValueError as error:
            raise DatasetError(f"{url} is no URL of a dataset: {error}", path=url) from error
        except OSError as error:
            raise DatasetError(f"{url} cannot be opened: {error}; {_remedy(url)}", path=url) from error
        return cls(url=url, native=scheme in _NATIVE, store=store, root=root.rstrip("/"))

    @property
    def local(self) -> bool:
        return False

    def read(self, path: str) -> bytes | None:
        with self._told(path, "read"):
            try:
                with self.store.open_input_stream(self._full(path)) as stream:
                    return stream.read()
            except FileNotFoundError:
                return None

    def put(self, path: str, data: bytes) -> None:
        with self._told(path, "written"), self.store.open_output_stream(self._full(path)) as stream:
            stream.write(data)

    def move(self, source: str, target: str) -> None:
        with self._told(target, "written"):
            self.store.move(self._full(source), self._full(target))

    def delete(self, path: str) -> None:
        with self._told(path, "removed"):
            try:
                self.store.delete_file(self._full(path))
            except FileNotFoundError:
                return

    def files(self, below: str = "") -> list[StoredFile]:
        selector = library("pyarrow.fs").FileSelector(
            self._full(below).rstrip("/"), allow_not_found=True, recursive=True
        )
        with self._told(below, "listed"):
            found = self.store.get_file_info(selector)
        start = len(self.root) + 1
        files = (StoredFile(info.path[start:], info.size or 0) for info in found if info.is_file)
        return sorted(files, key=lambda file: file.path)

    def location(self, path: str) -> str:
        return f"{self.url}/{path}"

    def file_system(self) -> tuple[object, str]:
        return self.store, self.root

    def _full(self, path: str) -> str:
        return f"{self.root}/{path}"

    @contextmanager
    def _told(self, path: str, what: str) -> Generator[None]:
        try:
            yield
        except OSError as error:
            where = self.location(path)
            raise DatasetError(f"{where} cannot be {what}: {error}; {_remedy(where)}", path=where) from error


def _bounded(url: str) -> str:
    """The URL for Arrow, which gives up after a while."""
    if url.partition("://")[0] not in _GOOGLE or "retry_limit_seconds=" in url:
        return url
    return f"{url}{'&' if '?' in url else '?'}retry_limit_seconds={_GOOGLES_SECONDS}"


def _remedy(url: str) -> str:
    if url.partition("://")[0] in _GOOGLE:
        return "look at the network, the bucket and GOOGLE_APPLICATION_CREDENTIALS"
    return "look at bucket, keys, region and AWS_ENDPOINT_URL"


def _over_fsspec(url: str) -> tuple[_FileSystem, str]:
    fs, url_to_fs = library("pyarrow.fs"), library("fsspec.core", "").url_to_fs
    try:
        store, root = url_to_fs(url)
    except ImportError as error:
        raise ConfigError(f"{url}: {error}") from error
    return fs.PyFileSystem(fs.FSSpecHandler(store)), root
