"""How jars come: only those wanted, each checked, what is broken replaced, what came kept."""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from local.native import jars as module
from local.native.ivy import NoIvyError, proxy_options
from local.native.jars import Jar, JarsError, fetch, wanting

CONTENT = {f"org:jar-{number}:1": f"content of {number}".encode() for number in range(30)}
JARS = [
    Jar("broker" if number < 20 else "connector", coordinate, hashlib.sha256(content).hexdigest())
    for number, (coordinate, content) in enumerate(CONTENT.items())
]


@dataclass
class Repository:
    """Stands for Ivy and the public repository: what it serves, and what was asked of it."""

    served: dict[str, bytes] = field(default_factory=lambda: dict(CONTENT))
    asked: list[str] = field(default_factory=list)
    troubles: list[str] = field(default_factory=list)
    """What it answers to the next downloads, instead of the archives."""

    def download(
        self, name: str, coordinates: Iterable[str], folder: Path, downloaded: Callable[[], None]
    ) -> str:
        assert name.startswith(f"{folder.name}-")
        folder.mkdir(parents=True, exist_ok=True)
        if self.troubles:
            return self.troubles.pop(0)
        for coordinate in coordinates:
            self.asked.append(coordinate)
            if coordinate in self.served:
                _, artifact, revision = coordinate.split(":")
                (folder / f"{artifact}-{revision}.jar").write_bytes(self.served[coordinate])
                downloaded()
        return "  [FAILED     ] connection refused\n"


@pytest.fixture
def repository(monkeypatch: pytest.MonkeyPatch) -> Repository:
    repository = Repository()

    def prepared(cache: Path) -> Repository:
        cache.mkdir(exist_ok=True)
        return repository

    monkeypatch.setattr(module, "prepared", prepared)
    return repository


def test_every_jar_comes_once_and_the_second_time_none(
    tmp_path: Path, repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    fetch(JARS, tmp_path)
    assert sorted(repository.asked) == sorted(CONTENT)
    assert wanting(JARS, tmp_path) == []
    assert capsys.readouterr().err == "  jars of broker and connector: 30 of 30\n"
    fetch(JARS, tmp_path)
    assert len(repository.asked) == len(CONTENT)
    assert not (tmp_path / ".ivy").exists()


def test_a_truncated_and_a_tampered_jar_are_replaced_and_the_others_stay(
    tmp_path: Path, repository: Repository
) -> None:
    fetch(JARS, tmp_path)
    repository.asked.clear()
    JARS[3].path(tmp_path).write_bytes(b"cont")
    JARS[25].path(tmp_path).write_bytes(b"content of 99")
    fetch(JARS, tmp_path)
    assert sorted(repository.asked) == sorted([JARS[3].coordinate, JARS[25].coordinate])
    assert wanting(JARS, tmp_path) == []


def test_a_jar_that_is_served_with_other_bytes_is_named_and_never_stays(
    tmp_path: Path, repository: Repository
) -> None:
    repository.served[JARS[5].coordinate] = b"evil"
    with pytest.raises(JarsError, match=rf"they were deleted:\n  {JARS[5].coordinate}: SHA-256 is"):
        fetch(JARS, tmp_path)
    assert wanting(JARS, tmp_path) == [JARS[5]]
    assert not JARS[5].path(tmp_path).exists()
    assert not (tmp_path / ".ivy").exists()  # there the same bytes would be found again


def test_after_a_download_that_broke_off_the_next_try_asks_for_the_rest_only(
    tmp_path: Path, repository: Repository
) -> None:
    missing = [JARS[7].coordinate, JARS[21].coordinate]
    for coordinate in missing:
        del repository.served[coordinate]
    with pytest.raises(
        JarsError, match=r"(?s)could not fetch .*:jar-7:1, .*:jar-21:1.*what was fetched is kept"
    ):
        fetch(JARS, tmp_path)
    assert (tmp_path / ".ivy").exists()
    repository.served, repository.asked = dict(CONTENT), []
    fetch(JARS, tmp_path)
    assert sorted(repository.asked) == sorted(missing)


def test_a_repository_that_is_overloaded_is_asked_again_after_a_while(
    tmp_path: Path,
    repository: Repository,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    pauses: list[float] = []
    monkeypatch.setattr(module.time, "sleep", pauses.append)
    overloaded = "WARN: problem\n\tSERVER ERROR: Service Unavailable url=there\n"
    repository.troubles = [overloaded, "\tjava.net.SocketTimeoutException: Read timed out\n"]
    fetch(JARS[20:], tmp_path)
    assert wanting(JARS[20:], tmp_path) == []
    assert pauses == [2, 10]
    assert "  SERVER ERROR: Service Unavailable url=there; again in 2 s\n" in capsys.readouterr().err

    repository.troubles = [overloaded] * 10
    with pytest.raises(JarsError, match=r"could not fetch .*\n  SERVER ERROR: Service Unavailable"):
        fetch(JARS[:5], tmp_path)
    assert pauses == [2, 10, 2, 10, 30]


def test_without_a_network_nobody_waits(
    tmp_path: Path, repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository.troubles = ["\tConnection refused (Connection refused)\n"]
    monkeypatch.setattr(module.time, "sleep", pytest.fail)
    with pytest.raises(JarsError, match="could not fetch"):
        fetch(JARS[:5], tmp_path)


def test_without_pyspark_the_message_says_what_to_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def prepared(_: Path) -> None:
        raise NoIvyError("pyspark, which carries Ivy, is not installed; run scripts/demo.sh")

    monkeypatch.setattr(module, "prepared", prepared)
    with pytest.raises(JarsError, match=r"run scripts/demo\.sh"):
        fetch(JARS, tmp_path)


@pytest.mark.parametrize(
    ("environ", "options"),
    [
        ({}, []),
        ({"HTTPS_PROXY": "http://proxy.local:3128"}, ["proxy.local", "3128"]),
        ({"https_proxy": "http://ann:secret@proxy.local"}, ["proxy.local", "80"]),
        ({"HTTPS_PROXY": "nonsense"}, []),
    ],
)
def test_java_gets_the_proxy_that_other_programs_use(environ: dict[str, str], options: list[str]) -> None:
    said = [option.partition("=")[2] for option in proxy_options(environ)]
    assert said == options
