"""A load balancer of AWS that signs who is signed in, as its documentation says, padding and all."""

import base64
import json
from collections.abc import Mapping
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

SIGNER = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:loadbalancer/app/fraud/50dc6c495c0c9188"
KEY_ID = "5ca2ca7c-7e68-4a4e-9b0d-3f1f4f4f2f55"
NOW = 1_772_625_600
"""Epoch seconds: when these tests are."""


class LoadBalancer:
    """One with a key of its own."""

    def __init__(self) -> None:
        self._key = generate_private_key(SECP256R1())
        self.public_key = self._key.public_key()
        self.pem = self.public_key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    def token(self, claims: Mapping[str, Any] | None = None, **header: Any) -> str:
        """Of ann, good for two minutes; `header` has what differs."""
        usual = {
            "typ": "JWT",
            "kid": KEY_ID,
            "alg": "ES256",
            "iss": "https://login.example.com",
            "client": "fraud",
            "signer": SIGNER,
            "exp": NOW + 120,
        }
        named = {"sub": "u-1", "email": "ann@example.com", **(claims or {})}
        return self.signed(unsigned({**usual, **header}, named))

    def signed(self, parts: str) -> str:
        """The first two parts of a token, and the signature."""
        pair = decode_dss_signature(self._key.sign(parts.encode(), ECDSA(SHA256())))
        return f"{parts}.{encoded(b''.join(number.to_bytes(32) for number in pair))}"


def unsigned(header: Mapping[str, Any], claims: object) -> str:
    """The first two parts of a token."""
    return ".".join(encoded(json.dumps(part).encode()) for part in (header, claims))


def encoded(content: bytes) -> str:
    """In base64 with padding."""
    return base64.urlsafe_b64encode(content).decode()
