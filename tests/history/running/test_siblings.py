"""Where one of many requests fails, the others do not go on for nobody."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest

from binance_sdk.errors import APIConnectionError
from binance_sdk.history.running import sync


async def test_a_checksum_that_cannot_be_had_ends_the_asking_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    async def checksum_of(file: str, session: object) -> str:
        asked.append(file)
        if file == "bad":
            raise APIConnectionError("no connection", operation="archive")
        await asyncio.sleep(0)
        return "same"

    monkeypatch.setattr(sync, "checksum_of", checksum_of)
    files = ["bad", *(f"file {number}" for number in range(100))]
    records = [SimpleNamespace(piece=None, files=[(file, "same")]) for file in files]
    before = asyncio.all_tasks()
    with pytest.raises(APIConnectionError):
        await sync._replaced(cast("Any", None), cast("Any", records), sync.SyncReport())
    assert asyncio.all_tasks() == before
    assert len(asked) < len(files)
