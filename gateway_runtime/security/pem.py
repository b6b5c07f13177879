"""PEM text in memory to what a TLS context shows: no key touches a disk."""

from __future__ import annotations

import os
import ssl


def load_chain(context: ssl.SSLContext, chain: bytes, key: bytes) -> None:
    """Have a context show a certificate chain. OpenSSL reads it by a path: that of memory without a name.

    Raises ssl.SSLError where it is none, the key is of another, or has a password.
    """
    memory = os.memfd_create("chain", os.MFD_CLOEXEC)
    try:
        with os.fdopen(memory, "wb", closefd=False) as file:
            file.writelines((chain, b"\n", key))
        context.load_cert_chain(f"/proc/self/fd/{memory}", password="")
    finally:
        os.close(memory)
