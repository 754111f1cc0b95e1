"""The certificates a server is checked against: one context for REST and streams, whichever library dials.

Those of ``certifi``, as httpx does it: the same everywhere, while what OpenSSL finds by itself may be nothing at all
(python.org's Python for macOS comes without). ``SSL_CERT_FILE`` and ``SSL_CERT_DIR`` replace them, which OpenSSL, curl
and httpx read too; the store of the operating system is ``ssl_context=truststore.SSLContext(...)`` away.
"""

from __future__ import annotations

import os
import ssl

from binance_sdk.errors import ConfigError

FILE, FOLDER = "SSL_CERT_FILE", "SSL_CERT_DIR"


def client_context(file: str | None = None, folder: str | None = None) -> ssl.SSLContext:
    """A context that checks certificate and host name.

    Args:
        file: What ``SSL_CERT_FILE`` says.
        folder: What ``SSL_CERT_DIR`` says.

    Raises:
        ConfigError: a variable names a file that is not there or holds no certificates.
    """
    file, folder = (file or "").strip() or None, (folder or "").strip() or None
    if file is None and folder is None:
        import certifi

        return _speaking_http(ssl.create_default_context(cafile=certifi.where()))
    if folder is not None and not any(os.path.isdir(part) for part in folder.split(os.pathsep)):
        raise ConfigError(f"{FOLDER}={folder!r} is no folder; correct it, unset it, or give ssl_context=")
    try:
        return _speaking_http(ssl.create_default_context(cafile=file, capath=folder))
    except (OSError, ValueError) as error:
        # ssl.SSLError is an OSError: the file is there and holds no certificate.
        why = error.strerror or str(error) if isinstance(error, OSError) else str(error)
        text = f"{FILE}={file!r} cannot be used: {why}; correct it, unset it, or give ssl_context="
        raise ConfigError(text) from error


def _speaking_http(context: ssl.SSLContext) -> ssl.SSLContext:
    # httpx sets this on the context it gets; all who share it do the same from the beginning.
    context.set_alpn_protocols(["http/1.1"])
    return context
