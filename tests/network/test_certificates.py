"""REST and streams trust the same certificates."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

import certifi
import pytest

from binance_sdk import BinanceClient, SyncBinanceClient, errors

from .clients import EVERY, REST, use
from .lab import Lab

every = pytest.mark.parametrize("library", EVERY)


def local(lab: Lab) -> dict[str, str]:
    return {
        "spot_base_url": f"https://localhost:{lab.rest.port}",
        "spot_stream_url": f"wss://localhost:{lab.streams.port}",
    }


@every
def test_certifi_where_openssl_knows_nobody(
    library: str, lab: Lab, certificates: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As on macOS with the Python of python.org, whose OpenSSL comes with an empty store.
    monkeypatch.setattr(ssl.SSLContext, "load_default_certs", lambda *_: None)
    monkeypatch.setattr(ssl.SSLContext, "set_default_verify_paths", lambda *_: None)
    monkeypatch.setattr(certifi, "where", lambda: str(certificates))
    assert use(library, **local(lab)) is None


@every
def test_what_openssl_trusts_is_not_asked(library: str, lab: Lab, certificates: Path) -> None:
    assert isinstance(use(library, **local(lab)), (errors.APIConnectionError, errors.StreamError))


@every
def test_a_certificate_that_is_not_trusted(library: str, lab: Lab) -> None:
    error = use(library, **local(lab))
    assert type(error) is (errors.APIConnectionError if library in REST else errors.StreamError)
    assert "the certificate is not trusted" in str(error)
    assert "SSL_CERT_FILE or ssl_context=" in str(error)
    assert str(error).count("no connection") == 1


@every
def test_a_context_of_the_users(library: str, lab: Lab, certificates: Path) -> None:
    context = ssl.create_default_context(cafile=certificates)
    assert use(library, ssl_context=context, **local(lab)) is None


@every
@pytest.mark.parametrize("trust", [True, False])
def test_a_file_of_the_environment(
    library: str, trust: bool, lab: Lab, certificates: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificates))
    error = use(library, trust_env=trust, **local(lab))
    assert (error is None) is trust


@every
def test_a_folder_of_the_environment(
    library: str, lab: Lab, certificates: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / _hashed_name(certificates)).write_bytes(certificates.read_bytes())
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))
    assert use(library, **local(lab)) is None


def _hashed_name(certificate: Path) -> str:
    """OpenSSL finds a certificate in a folder by the hash of its subject."""
    import hashlib

    from cryptography import x509

    subject = x509.load_pem_x509_certificate(certificate.read_bytes()).subject
    # The canonical form: sets of lower-case UTF-8 strings, without the outer sequence.
    parts = b"".join(_canonical(attribute.oid.dotted_string, str(attribute.value)) for attribute in subject)
    return f"{int.from_bytes(hashlib.sha1(parts, usedforsecurity=False).digest()[:4], 'little'):08x}.0"


def _canonical(oid: str, value: str) -> bytes:
    first, second, *rest = (int(part) for part in oid.split("."))
    assert all(part < 128 for part in rest)
    name = bytes([first * 40 + second, *rest])
    text = " ".join(value.lower().split()).encode()
    pair = b"\x06" + bytes([len(name)]) + name + b"\x0c" + bytes([len(text)]) + text
    sequence = b"\x30" + bytes([len(pair)]) + pair
    return b"\x31" + bytes([len(sequence)]) + sequence


@every
@pytest.mark.parametrize("what", ["missing", "no certificate", "a folder"])
def test_a_file_that_cannot_be_used(
    library: str, what: str, lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "certificates.pem"
    if what == "no certificate":
        path.write_text("nothing of the kind")
    elif what == "a folder":
        path.mkdir()
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    error = use(library, **local(lab))
    assert type(error) is errors.ConfigError
    assert f"SSL_CERT_FILE='{path}' cannot be used" in str(error)


@every
def test_a_folder_that_is_none(library: str, lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path / "gone"))
    error = use(library, **local(lab))
    assert type(error) is errors.ConfigError
    assert "SSL_CERT_DIR" in str(error)


@pytest.mark.parametrize("kind", [BinanceClient, SyncBinanceClient])
@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("proxy", 1),
        ("proxy", b"http://p"),
        ("proxy", ""),
        ("ssl_context", True),
        ("ssl_context", "a.pem"),
        ("trust_env", None),
        ("trust_env", "yes"),
        ("http_client", object()),
        ("http_client", "httpx"),
    ],
)
def test_a_wrong_setting_is_told_at_once(kind: Any, setting: str, value: Any) -> None:
    with pytest.raises(errors.ConfigError, match=setting):
        kind(**{setting: value})


def test_a_client_of_the_other_kind_is_told_at_once() -> None:
    import httpx

    blocking: Any = httpx.Client()
    with pytest.raises(errors.ConfigError, match=r"http_client must be an httpx\.AsyncClient, not Client"):
        BinanceClient(http_client=blocking)
    with pytest.raises(errors.ConfigError, match=r"http_client must be an httpx\.Client, not AsyncClient"):
        SyncBinanceClient(http_client=httpx.AsyncClient())  # pyright: ignore[reportArgumentType]
    blocking.close()
