"""Reads the archive of a simulator as a program does that knows nothing of this SDK: httpx, zipfile, csv, hashlib."""

from __future__ import annotations

import csv
import hashlib
import io
import xml.etree.ElementTree as ElementTree
import zipfile

import httpx

from binance_sdk.simulator import Simulator
from tests.simulated_http import NO_CERTIFICATES

NAMESPACE = "{http://s3.amazonaws.com/doc/2006-03-01/}"


class ArchiveReader:
    """One connection to the archive."""

    def __init__(self, simulator: Simulator) -> None:
        self.url = simulator.archive_url
        self.listing_url = simulator.archive_listing_url
        # A file of many rows takes seconds to make on a busy machine.
        self.client = httpx.Client(timeout=60, verify=NO_CERTIFICATES)

    def get(self, key: str, **headers: str) -> httpx.Response:
        return self.client.get(f"{self.url}/{key}", headers=headers)

    def checked(self, key: str) -> bytes:
        """A zip whose checksum fits."""
        zipped, checksum = self.get(key), self.get(f"{key}.CHECKSUM")
        assert (zipped.status_code, checksum.status_code) == (200, 200), key
        digest, name = checksum.text.rstrip("\n").split("  ")
        assert (digest, name) == (hashlib.sha256(zipped.content).hexdigest(), key.rpartition("/")[2])
        return zipped.content

    def lines(self, key: str) -> list[list[str]]:
        """All lines of a file, the header too."""
        with zipfile.ZipFile(io.BytesIO(self.checked(key))) as opened:
            (member,) = opened.namelist()
            assert member == key.rpartition("/")[2].removesuffix(".zip") + ".csv"
            text = opened.read(member).decode()
        assert text.endswith("\n")
        assert "\r" not in text
        return list(csv.reader(io.StringIO(text)))

    def rows(self, key: str) -> list[list[str]]:
        """The lines without the header, if there is one."""
        lines = self.lines(key)
        return lines[1:] if not lines[0][0][:1].isdecimal() or "_" in lines[0][0] else lines

    def listing(self, **params: str) -> ElementTree.Element:
        response = self.client.get(self.listing_url, params={name.replace("_", "-"): params[name] for name in params})
        assert response.status_code == 200, response.text
        return ElementTree.fromstring(response.text)


def found(page: ElementTree.Element, path: str) -> list[str]:
    """The texts at a path of a listing, e.g. ``Contents/Key``."""
    return [element.text or "" for element in page.findall("/".join(NAMESPACE + part for part in path.split("/")))]


def file_key(folder: str, period: str, kind: str, symbol: str, date: str, interval: str = "") -> str:
    """The path of a zip, built as the archive's README says."""
    below = f"{interval}/" if interval else ""
    return f"data/{folder}/{period}/{kind}/{symbol}/{below}{symbol}-{interval or kind}-{date}.zip"
