"""The page on proxies and certificates: its programs reach Binance's own hosts by a proxy that wants a password."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from binance_sdk import SyncBinanceClient, errors
from tests.docs.notebook import run
from tests.pages import ROOT, blocks

from .lab import PASSWORD, USER, Lab

PAGE = "docs/recipes/proxy.md"
PROXY, CERTIFICATES = "proxy.internal:3128", "/etc/ssl/internal.pem"
STREAM, REST = "stream.binance.com:9443", "api.binance.com:443"


@pytest.fixture
def proxy(lab: Lab) -> str:
    lab.http.password = PASSWORD
    return f"{USER}:{quote(PASSWORD, safe='')}@127.0.0.1:{lab.http.port}"


def test_its_programs_run(lab: Lab, proxy: str, certificates: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loop = asyncio.new_event_loop()
    for block in blocks(PAGE, "python"):
        monkeypatch.delenv("SSL_CERT_FILE", raising=False)
        if "ssl_context" not in block.code:
            monkeypatch.setenv("SSL_CERT_FILE", str(certificates))
        code = block.code.replace(PROXY, proxy).replace(CERTIFICATES, str(certificates))
        names: dict[str, Any] = {"_loop": loop}
        run(replace(block, code=code), names)
    loop.close()
    assert lab.http.targets == [REST, STREAM, REST]


def test_its_variables_do_what_it_says(
    lab: Lab, proxy: str, certificates: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    block = next(block for block in blocks(PAGE) if "export HTTPS_PROXY" in block.code)
    for name, value in re.findall(r"^export (\w+)=(.*)$", block.code, re.MULTILINE):
        monkeypatch.setenv(name, value.replace(PROXY, proxy).replace(CERTIFICATES, str(certificates)))
    with SyncBinanceClient() as client:
        assert client.spot.time().server_time
    assert lab.http.targets == [REST]


@pytest.mark.parametrize(
    ("message", "error"), re.findall(r"^\| `([^`]+)` \| `(\w+)` \|", (ROOT / PAGE).read_text("utf-8"), re.MULTILINE)
)
def test_its_messages_are_those_that_come(message: str, error: str, lab: Lab) -> None:
    port = lab.http.port
    match message:
        case "the certificate is not trusted":
            pass
        case "the proxy requires authentication":
            lab.http.password = PASSWORD
        case "the proxy refused":
            lab.http.refuse = "403 Forbidden"
        case _:
            # Discard: nothing listens there.
            port = 9
    with (
        SyncBinanceClient(proxy=f"http://127.0.0.1:{port}", max_retries=0) as client,
        pytest.raises(getattr(errors, error), match=message),
    ):
        client.spot.time()
