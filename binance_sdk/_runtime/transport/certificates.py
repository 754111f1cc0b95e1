"""The certificates that servers are checked against: one TLS context for REST and streams, whatever the library.

They are those of ``certifi``, as in httpx, and so the same everywhere; what OpenSSL finds by itself may be nothing (as
with Python from python.org on macOS). ``SSL_CERT_FILE`` and ``SSL_CERT_DIR``, which OpenSSL, curl and httpx read too,
replace them; ``ssl_context=truststore.SSLContext(...)`` uses the store of the operating system.
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
        ConfigError: a variable names a file that does not exist or holds no certificates.
    """
    file, folder = (file or "").strip() or None, (folder or "").strip() or None
    if file is None and folder is None:
        import certifi

        return _with_http_alpn(ssl.create_default_context(cafile=certifi.where()))
    if folder is not None and not any(os.path.isdir(part) for part in folder.split(os.pathsep)):
        raise ConfigError(f"{FOLDER}={folder!r} is not a folder; correct it, unset it, or give ssl_context=")
    try:
        return _with_http_alpn(ssl.create_default_context(cafile=file, capath=folder))
    except (OSError, ValueError) as error:
        # ssl.SSLError, raised for a file without certificates, is an OSError.
        why = error.strerror or str(error) if isinstance(error, OSError) else str(error)
        text = f"{FILE}={file!r} cannot be used: {why}; correct it, unset it, or give ssl_context="
        raise ConfigError(text) from error


def _with_http_alpn(context: ssl.SSLContext) -> ssl.SSLContext:
    # httpx sets this on any context it gets; set here, the context is the same for every library from the start.
    context.set_alpn_protocols(["http/1.1"])
    return context
