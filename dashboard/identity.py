"""Who is signed in: what an AWS load balancer says of each request in a header that it signs, verified.

https://docs.aws.amazon.com/elasticloadbalancing/latest/application/listener-authenticate-users.html
"""

import json
import re
from collections.abc import Callable, Mapping
from http.client import HTTPException
from typing import Any
from urllib.request import urlopen

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

HEADER = "x-amzn-oidc-data"

SECONDS = 2.0
"""A page waits so long for the server of keys."""

_KEY_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_LARGEST_KEY = 10_000  # bytes


class UnverifiedError(Exception):
    """Nobody can say who it is. The text says why, and holds nothing that came with the request."""


KeyLookup = Callable[[str], EllipticCurvePublicKey]
"""A key by its id, which is a UUID. Raises UnverifiedError."""


def verified(token: str | None, signer: str, key_of: KeyLookup, now: float) -> str:
    """The e-mail address, or else the subject, of who signed in at the load balancer with the ARN `signer`.

    `token` is the value of HEADER, `now` the time in epoch seconds. Raises UnverifiedError.
    """
    if not token:
        raise UnverifiedError(f"the request has no header {HEADER}")
    try:
        header = jwt.get_unverified_header(token)
        if header.get("signer") != signer:
            raise UnverifiedError("another load balancer signed it")
        expires = header.get("exp")
        if not isinstance(expires, int) or expires <= now:
            raise UnverifiedError("it has expired")
        key = key_of(_key_id(header))
        # Not as a whole JWT: what the provider says in it of times and audiences is about tokens of its own.
        claims = json.loads(jwt.PyJWS().decode(token, key, algorithms=["ES256"]))
    except (jwt.PyJWTError, ValueError) as error:
        raise UnverifiedError(f"it is none that a load balancer signed: {type(error).__name__}") from error
    if not isinstance(claims, dict):
        raise UnverifiedError("it names nobody")
    return _name(claims)


def _key_id(header: Mapping[str, Any]) -> str:
    """The id goes into an address."""
    key_id = str(header.get("kid"))
    if not _KEY_ID.fullmatch(key_id):
        raise UnverifiedError("its key has an id that is none of AWS's")
    return key_id


def _name(claims: Mapping[str, Any]) -> str:
    email, subject = claims.get("email"), claims.get("sub")
    # An address that the provider has not verified could be anybody's.
    if isinstance(email, str) and email and claims.get("email_verified") not in (False, "false"):
        return email
    if isinstance(subject, str) and subject:
        return subject
    raise UnverifiedError("it names nobody")


def address_of_keys(signer: str) -> str:
    """Where AWS serves the public keys of a load balancer, by its ARN."""
    region = signer.split(":")[3]
    return f"https://public-keys.auth.elb.{region}.amazonaws.com"


class ServedKeys:
    """A KeyLookup at an address: each key is fetched once. Threads may share it."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._keys: dict[str, EllipticCurvePublicKey] = {}

    def __call__(self, key_id: str) -> EllipticCurvePublicKey:
        """See KeyLookup."""
        if key_id not in self._keys:
            self._keys[key_id] = self._fetched(key_id)
        return self._keys[key_id]

    def _fetched(self, key_id: str) -> EllipticCurvePublicKey:
        try:
            with urlopen(f"{self._address}/{key_id}", timeout=SECONDS) as answer:  # noqa: S310  # a UUID at AWS
                key = load_pem_public_key(answer.read(_LARGEST_KEY))
        except (OSError, HTTPException) as error:
            raise UnverifiedError(f"the keys at {self._address} cannot be had: {error}") from error
        except ValueError as error:
            raise UnverifiedError(f"what {self._address} serves is no key") from error
        if not isinstance(key, EllipticCurvePublicKey):
            raise UnverifiedError(f"what {self._address} serves is a key of another kind")
        return key
