"""Who is signed in is what this load balancer has signed; whatever else a request says, nobody is."""

import hashlib
import hmac
import socket
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from dashboard import identity
from dashboard.identity import ServedKeys, UnverifiedError, address_of_keys, verified
from tests.load_balancer import KEY_ID, NOW, SIGNER, LoadBalancer, encoded, unsigned

BALANCER = LoadBalancer()
OTHER_ID = KEY_ID.replace("5", "6")


def key_of(key_id: str) -> EllipticCurvePublicKey:
    """AWS's keys, of which there is one."""
    if key_id != KEY_ID:
        raise UnverifiedError("there is no such key")
    return BALANCER.public_key


def name_in(token: str | None, now: float = NOW) -> str:
    return verified(token, SIGNER, key_of, now)


def why_not(token: str | None, now: float = NOW) -> str:
    with pytest.raises(UnverifiedError) as caught:
        name_in(token, now)
    return str(caught.value)


# --- who it is ---------------------------------------------------------------------------------------------


def test_a_token_names_who_is_signed_in_with_the_padding_that_aws_leaves() -> None:
    token = BALANCER.token()
    assert token.endswith("==")
    assert name_in(token) == "ann@example.com"


def test_of_any_length_and_in_any_script() -> None:
    for length in range(1, 7):  # padded by each number of characters that there is
        assert name_in(BALANCER.token({"email": "é" * length})) == "é" * length


@pytest.mark.parametrize(
    "claims",
    [{"email": None}, {"email": ""}, {"email": 7}, {"email_verified": False}, {"email_verified": "false"}],
    ids=str,
)
def test_without_an_address_that_is_sure_it_is_the_subject(claims: dict[str, Any]) -> None:
    assert name_in(BALANCER.token(claims)) == "u-1"


@pytest.mark.parametrize("is_verified", [True, "true"])
def test_a_verified_address_goes_before_the_subject(is_verified: object) -> None:
    assert name_in(BALANCER.token({"email_verified": is_verified})) == "ann@example.com"


def test_the_providers_own_times_and_audiences_do_not_matter() -> None:
    claims = {"exp": NOW - 10**6, "iat": NOW + 10**9, "nbf": NOW + 10**9, "aud": "another"}
    assert name_in(BALANCER.token(claims)) == "ann@example.com"


# --- who it is not -----------------------------------------------------------------------------------------


def test_nobody_is_signed_in_without_the_header() -> None:
    assert why_not(None) == why_not("") == "the request has no header x-amzn-oidc-data"


def test_a_token_ends_when_it_says() -> None:
    token = BALANCER.token(exp=NOW)
    assert name_in(token, NOW - 1) == "ann@example.com"
    assert why_not(token, NOW) == "it has expired"


@pytest.mark.parametrize("expires", [None, "tomorrow", str(NOW + 120), True])
def test_a_token_without_an_end_is_none(expires: object) -> None:
    assert why_not(BALANCER.token(exp=expires)) == "it has expired"


@pytest.mark.parametrize("signer", [None, "", f"{SIGNER}0", SIGNER.replace("1234", "4321"), [SIGNER]])
def test_another_load_balancer_is_not_believed_even_with_aws_s_key(signer: object) -> None:
    assert why_not(BALANCER.token(signer=signer)) == "another load balancer signed it"


def test_a_changed_or_foreign_signature_is_noticed() -> None:
    header, claims, signature = BALANCER.token().split(".")
    forged = unsigned({}, {"sub": "u-1", "email": "eve@example.com"}).split(".")[1]
    foreign = LoadBalancer().token()
    for token in (f"{header}.{forged}.{signature}", f"{header}.{claims}.{encoded(b'x' * 64)}", foreign):
        assert "InvalidSignatureError" in why_not(token)


@pytest.mark.parametrize("signature", ["", encoded(b""), encoded(b"x"), encoded(b"x" * 65), "%"])
def test_a_signature_of_another_length_is_none(signature: str) -> None:
    assert "none that a load balancer signed" in why_not(f"{BALANCER.token().rpartition('.')[0]}.{signature}")


def with_algorithm(algorithm: object, claims: object = "eve") -> str:
    """The two parts of a token that is right otherwise."""
    return unsigned({"kid": KEY_ID, "alg": algorithm, "signer": SIGNER, "exp": NOW + 120}, claims)


def test_a_token_without_signature_is_none() -> None:
    for algorithm in ("none", "None", "", None, ["ES256"]):
        assert "none that a load balancer signed" in why_not(f"{with_algorithm(algorithm)}.")


def test_the_public_key_is_no_shared_secret() -> None:
    signed = with_algorithm("HS256")
    mac = hmac.new(BALANCER.pem, signed.encode(), hashlib.sha256).digest()
    assert "InvalidAlgorithmError" in why_not(f"{signed}.{encoded(mac)}")


@pytest.mark.parametrize(
    "key_id",
    [
        None, "", 7, ["x"], "../../latest/meta-data", f"{KEY_ID}/../../x", f"../{KEY_ID}", f"{KEY_ID}\n",
        f"{KEY_ID}?x", f"{KEY_ID}#", "@evil.example.com/key", "%2e%2e%2f", KEY_ID[:-1],
        KEY_ID.replace("5", "\u0665"),
    ],
)  # fmt: skip
def test_only_an_id_as_aws_s_gets_into_an_address(key_id: object) -> None:
    def asked(key_id: str) -> EllipticCurvePublicKey:
        raise AssertionError(f"{key_id!r} was asked for")

    with pytest.raises(UnverifiedError):
        verified(BALANCER.token(kid=key_id), SIGNER, asked, NOW)


@pytest.mark.parametrize(
    "token",
    [
        "x", "..", "a.b.c", "é.é.é", "\x00.\x00.\x00", encoded(b"{}"), f"{encoded(b'[]')}.e30.e30",
        f"{encoded(b'{')}.e30.e30", f"{encoded(b'[' * 50_000)}.e30.e30", "." * 10_000,
    ],
    ids=lambda token: repr(token[:20]),
)  # fmt: skip
def test_nonsense_is_no_token(token: str) -> None:
    assert "none that a load balancer signed" in why_not(token)


@pytest.mark.parametrize(
    "claims", [[], "ann", None, {}, {"email": None, "sub": None}, {"sub": ["ann"]}, {"sub": ""}], ids=str
)
def test_a_token_that_names_nobody_is_of_nobody(claims: object) -> None:
    assert why_not(BALANCER.signed(with_algorithm("ES256", claims))) == "it names nobody"


def test_what_it_says_holds_nothing_of_the_request() -> None:
    evil = "\r\nforged line"
    tokens = [
        evil,
        f"{evil}.{evil}.{evil}",
        BALANCER.token(kid=evil),
        BALANCER.token(signer=evil),
        BALANCER.token(exp=evil),
        BALANCER.token(alg=evil),
        LoadBalancer().token({"email": evil}),
    ]
    assert [token for token in tokens if "forged" in why_not(token) or "\n" in why_not(token)] == []


# --- the server of keys ------------------------------------------------------------------------------------


@contextmanager
def served(keys: dict[str, bytes]) -> Iterator[tuple[str, Counter[str]]]:
    """A server of keys: its address, and what was asked for, how often."""
    asked: Counter[str] = Counter()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked[self.path] += 1
            content = keys.get(self.path.removeprefix("/"))
            self.send_response(404 if content is None else 200)
            self.end_headers()
            self.wfile.write(content or b"")

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", asked
        finally:
            server.shutdown()
            thread.join()


def test_keys_come_from_aws_in_the_load_balancers_region() -> None:
    assert address_of_keys(SIGNER) == "https://public-keys.auth.elb.eu-west-1.amazonaws.com"


def test_a_key_is_fetched_once() -> None:
    with served({KEY_ID: BALANCER.pem}) as (address, asked):
        keys = ServedKeys(address)
        for _ in range(3):
            assert verified(BALANCER.token(), SIGNER, keys, NOW) == "ann@example.com"
        assert asked == {f"/{KEY_ID}": 1}


def test_a_key_that_is_not_there_yet_is_asked_for_again() -> None:
    keys: dict[str, bytes] = {}
    with served(keys) as (address, asked):
        served_keys = ServedKeys(address)
        with pytest.raises(UnverifiedError, match="404"):
            served_keys(KEY_ID)
        keys[KEY_ID] = BALANCER.pem
        assert served_keys(KEY_ID) == BALANCER.public_key
        assert asked == {f"/{KEY_ID}": 2}


def test_what_is_no_such_key_is_none() -> None:
    other = generate_private_key(65537, 2048).public_key()
    pem = other.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    with served({KEY_ID: b"<html>", OTHER_ID: pem}) as (address, _):
        with pytest.raises(UnverifiedError, match="is no key"):
            ServedKeys(address)(KEY_ID)
        with pytest.raises(UnverifiedError, match="another kind"):
            ServedKeys(address)(OTHER_ID)


def test_a_server_that_is_away_or_silent_is_not_waited_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(identity, "SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:  # takes connections, says nothing
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(UnverifiedError, match="cannot be had"):
            ServedKeys(address)(KEY_ID)
    with pytest.raises(UnverifiedError, match="cannot be had"):
        ServedKeys(address)(KEY_ID)
