"""What lies in the layers of an image, also what a later layer hides or deletes."""

import re
import tarfile
from collections.abc import Iterator, Sequence
from typing import IO

NAMES = re.compile(
    r"(^|/)(\.env(\..*)?|\.netrc|\.pypirc|\.git-credentials|\.pgpass|pip\.conf|id_(rsa|dsa|ecdsa|ed25519)"
    r"|\.aws/credentials|\.docker/config\.json)$"
)
"""Files in which programs keep passwords."""

PRIVATE_KEY = re.compile(rb"-----BEGIN [A-Z ]*PRIVATE KEY-----")
PACKAGES = "opt/venv/"
"""Some packages bring the keys of their own tests: tornado does."""

GZIP = b"\x1f\x8b"


def secrets_in(saved: IO[bytes], secrets: Sequence[str]) -> list[str]:
    """Where something secret lies in what `docker save` has written: one of `secrets`, a file that is made
    for passwords, or a private key."""
    wanted = [secret.encode() for secret in secrets]
    found = []
    for name, content in _files(saved):
        if any(secret in content for secret in wanted):
            found.append(f"{name} holds a password")
        if NAMES.search(name):
            found.append(f"{name} is a file for passwords")
        if not name.startswith(PACKAGES) and PRIVATE_KEY.match(content):
            found.append(f"{name} is a private key")
    return found


def _files(saved: IO[bytes]) -> Iterator[tuple[str, bytes]]:
    """(path, content) of each file of each layer, and of what lies beside them: settings, history."""
    with tarfile.open(fileobj=saved, mode="r|") as parts:
        for part in parts:
            body = parts.extractfile(part) if part.isreg() else None
            if body is None:
                continue
            head = body.peek(512)
            if head.startswith(GZIP) or head[257:262] == b"ustar":
                yield from _files_of_layer(body)
            else:
                yield part.name, body.read()


def _files_of_layer(layer: IO[bytes]) -> Iterator[tuple[str, bytes]]:
    with tarfile.open(fileobj=layer, mode="r|*") as files:
        for member in files:
            file = files.extractfile(member) if member.isreg() else None
            if file is not None:
                yield member.name, file.read()
