"""Gives the wheel's Java the certificate authorities that this machine trusts, for downloads by Ivy.

A Java of the system brings them along; the wheel's has a list of its own, which fails behind a company's
proxy that signs with the company's certificate.
"""

import hashlib
import ssl
import struct
import time
from collections.abc import Sequence
from pathlib import Path

_PASSWORD = "changeit"  # noqa: S105  # Java's default: a trust store holds nothing secret


def trust_options(file: Path) -> list[str]:
    """Java options that trust what Python trusts here, with a trust store written to `file`.

    Empty when Python names no authority (some systems keep them where it cannot list them).
    """
    certificates = ssl.create_default_context().get_ca_certs(binary_form=True)
    if not certificates:
        return []
    file.write_bytes(trust_store(certificates, time.time_ns() // 1_000_000))
    return [f"-Djavax.net.ssl.trustStore={file}", "-Djavax.net.ssl.trustStoreType=JKS"]


def trust_store(certificates: Sequence[bytes], now: int) -> bytes:
    """DER certificates as a Java key store (JKS, version 2); `now` in epoch milliseconds."""
    entries = b"".join(
        struct.pack(">I", 2) + _text(f"authority{number}") + struct.pack(">Q", now)
        + _text("X.509") + struct.pack(">I", len(der)) + der
        for number, der in enumerate(certificates)
    )  # fmt: skip
    store = struct.pack(">III", 0xFEEDFEED, 2, len(certificates)) + entries
    salt = _PASSWORD.encode("utf-16-be") + b"Mighty Aphrodite"  # as the format has it
    return store + hashlib.sha1(salt + store, usedforsecurity=False).digest()


def _text(text: str) -> bytes:
    return struct.pack(">H", len(text)) + text.encode()
