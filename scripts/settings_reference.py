#!/usr/bin/env python3
"""Writes docs/settings.md from the code: every `FRAUD_*` variable, its default and what it is.

python -m scripts.settings_reference
"""

from pathlib import Path

from pydantic import SecretStr

from fraud.durations import format_duration
from fraud.environment import variables
from fraud.settings import Settings

PAGE = Path(__file__).resolve().parent.parent / "docs" / "settings.md"

HEAD = """# Settings

Every component reads the same variables, once, when it starts. A wrong value ends the process with one
message a mistake and exit code 2; so does a `FRAUD_*` variable that is not in this list. An empty
variable counts as not set. Durations are a whole number and a unit: `500ms`, `60s`, `10m`, `1h`, `1d`.

(Written from the code by `python -m scripts.settings_reference`; a test compares.)
"""

TITLES = {"kafka": "Kafka", "object_store": "Object store", "detection": "Detection", "login": "Log-in"}


def reference() -> str:
    """The page's text (Markdown)."""
    defaults = Settings()
    lines = [HEAD]
    for part, title in TITLES.items():
        lines += [f"## {title}\n", "| variable | default | what it is |", "|---|---|---|"]
        for variable, (owner, field) in variables().items():
            if owner == part:
                info = type(getattr(defaults, part)).model_fields[field]
                shown = _shown(field, getattr(getattr(defaults, part), field), str(info.annotation))
                lines.append(f"| `{variable}` | {shown} | {info.description} |")
        lines.append("")
    return "\n".join(lines)


_DURATIONS = ("allowed_lateness", "retention", "clock_skew", "trigger", "archive_trigger", "outage")


def _shown(field: str, value: object, annotation: str) -> str:
    if value in (None, "") or isinstance(value, SecretStr):
        return "(a secret)" if SecretStr.__name__ in annotation else "(not set)"
    if field in _DURATIONS:
        return f"`{format_duration(int(str(value)))}`"
    if isinstance(value, Path) and value.is_absolute():
        return f"`fraud/{value.name}`"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


if __name__ == "__main__":
    PAGE.write_text(reference(), "utf-8")
    print(f"wrote {PAGE}")
