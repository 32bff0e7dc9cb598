"""Refuses, before anything starts, what a person asked of the demo and what would only fail late."""

import os
from argparse import ArgumentTypeError
from pathlib import Path

from local.native.arguments import Wishes
from local.native.export import check_target
from producer import words
from producer.lines import InputError
from producer.replay import Replay


class DemoError(Exception):
    """Options that cannot be carried out; the message says which, why, and what would do."""


def check(wishes: Wishes) -> None:
    """Raise DemoError or ExportError for what would only fail later."""
    if wishes.replay:
        _check_replay(wishes, wishes.replay)
    elif wishes.duration is None and (wishes.export or wishes.json):
        raise DemoError("--export and --json come at the end of a run: add --duration SECONDS or --from FILE")
    if wishes.rate is not None:
        _check_rate(wishes.rate)
    if wishes.export:
        check_target(wishes.export)
    if wishes.json:
        _check_json(wishes.json)


def _check_replay(wishes: Wishes, file: Path) -> None:
    shapers = {"--rate": wishes.rate, "--duration": wishes.duration, "--no-producer": not wishes.producer}
    wrong = [option for option, given in shapers.items() if given]
    if wrong:
        raise DemoError(f"{', '.join(wrong)} and --from exclude each other")
    if not file.is_file():
        raise DemoError(f"--from {file}: there is no such file")
    try:
        Replay(str(file))  # reads the first record, as the producer will
    except InputError as error:
        raise DemoError(f"--from {error}") from error


def _check_rate(rate: str) -> None:
    try:
        words.rate(rate)
    except ArgumentTypeError as error:
        raise DemoError(f"--rate {error}") from error


def _check_json(file: Path) -> None:
    folder = file.absolute().parent
    if file.is_dir():
        raise DemoError(f"--json {file}: this is a folder; name a file")
    if not folder.is_dir():
        raise DemoError(f"--json {file}: there is no folder {folder}; make it first")
    if not os.access(file if file.exists() else folder, os.W_OK):
        raise DemoError(f"--json {file}: it cannot be written; choose another")
