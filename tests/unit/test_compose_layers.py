"""The search for secrets in what `docker save` writes finds them, in both formats and under later layers."""

import io
import tarfile

import pytest

from tests.compose.layers import secrets_in

KEY = b"-----BEGIN RSA PRIVATE KEY-----\n"


def tar(files: dict[str, bytes], mode: str = "w") -> bytes:
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode=mode) as archive:  # type: ignore[call-overload]
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return sink.getvalue()


def found(layers: list[dict[str, bytes]], settings: bytes = b"{}", mode: str = "w") -> list[str]:
    parts = {f"blobs/sha256/{number}": tar(layer, mode) for number, layer in enumerate(layers)}
    saved = tar({"manifest.json": settings, "VERSION": b"1.0", **parts})
    return secrets_in(io.BytesIO(saved), ["s3cret"])


@pytest.mark.parametrize("mode", ["w", "w:gz"])
def test_a_file_that_a_later_layer_deletes_is_found(mode: str) -> None:
    noise = bytes(range(256)) * 100
    layers = [{"app/notes": noise + b"password=s3cret" + noise}, {"app/.wh.notes": b""}]
    assert found(layers, mode=mode) == ["app/notes holds a password"]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("app/.env", b"", "is a file for passwords"),
        ("root/.aws/credentials", b"", "is a file for passwords"),
        ("app/server.pem", KEY, "is a private key"),
    ],
)
def test_files_that_are_made_for_secrets_are_found(name: str, content: bytes, said: str) -> None:
    assert found([{name: content, "padding": bytes(20_000)}]) == [f"{name} {said}"]


def test_settings_and_history_are_searched_too() -> None:
    assert found([], b'{"Env": ["A=s3cret"]}') == ["manifest.json holds a password"]


def test_code_and_the_test_keys_of_packages_are_none() -> None:
    layer = {"app/jobs/init.py": bytes(20_000), "opt/venv/lib/tornado/test/test.key": KEY, "app/env": b""}
    assert found([layer]) == []
