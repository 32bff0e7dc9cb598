"""Copies what a demo found to a folder: the Parquet of `alerts/`, and the rejected records as JSON lines."""

import json
import os
from base64 import b64encode
from pathlib import Path

from fraud.settings import Settings
from local.native.findings import Record, download, explained, read_topic


class ExportError(Exception):
    """The target folder cannot be used."""


def check_target(target: Path) -> None:
    """Raise ExportError unless `target` is free (absent, or an empty folder) and can be written."""
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise ExportError(f"--export {target}: it exists and is not an empty folder; choose another")
    there = next(folder for folder in (target, *target.absolute().parents) if folder.exists())
    if not there.is_dir() or not os.access(there, os.W_OK):
        raise ExportError(f"--export {target}: nothing can be written to {there}; choose another folder")


def export(settings: Settings, target: Path) -> tuple[int, int]:
    """Copy to `target`/alerts/ and `target`/rejected.jsonl; returns how many objects and records.

    Raises UnreadableError.
    """
    with explained(f"--export {target} failed"):
        target.mkdir(parents=True, exist_ok=True)
        objects = download(settings.object_store, "alerts/", target)
        rejected = 0
        with (target / "rejected.jsonl").open("w", encoding="utf-8") as lines:
            for record in read_topic(settings.kafka, settings.kafka.rejected_topic):
                lines.write(json.dumps(as_json(record), ensure_ascii=False) + "\n")
                rejected += 1
    return objects, rejected


def as_json(record: Record) -> dict[str, str | None]:
    """A rejected record: its headers, and its bytes as `value` (text; null for none) or `value_base64`."""
    value = record.sent.value
    try:
        return {**record.headers, "value": None if value is None else value.decode()}
    except UnicodeDecodeError:
        return {**record.headers, "value_base64": b64encode(value or b"").decode()}
