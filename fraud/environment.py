"""Reads the settings from `FRAUD_*` variables, once, at a process's entry; nothing else reads them.

The same variables mean the same on a laptop, in compose and on AWS; only values differ.
"""

import os
import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING

from pydantic import ValidationError

from fraud.settings import (
    DetectionSettings,
    KafkaSettings,
    LoginSettings,
    ObjectStoreSettings,
    Part,
    Settings,
    SettingsError,
)

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

PREFIX = "FRAUD_"


def variables() -> dict[str, tuple[str, str]]:
    """Every known variable: its name -> (part, field), both as attributes of Settings."""
    return {
        f"{part.prefix_of_variables}{field.upper()}": (name, field)
        for name, part in _parts().items()
        for field in part.model_fields
    }


def _parts() -> dict[str, type[Part]]:
    return {
        "kafka": KafkaSettings,
        "object_store": ObjectStoreSettings,
        "detection": DetectionSettings,
        "login": LoginSettings,
    }


def load(environ: Mapping[str, str] | None = None) -> Settings:
    """Read and check all `FRAUD_*` variables of `environ` (default: the process's environment).

    Raises SettingsError with one problem a mistake: the variable, its value (never a secret) and what
    is allowed. An unknown `FRAUD_*` variable is a mistake too; an empty one counts as not set.
    """
    environ = os.environ if environ is None else environ
    known = variables()
    given = {name: value for name, value in environ.items() if name.startswith(PREFIX) and value}
    problems = [_unknown(name, known) for name in sorted(given.keys() - known.keys())]
    values: dict[str, dict[str, str]] = {name: {} for name in _parts()}
    for name in given.keys() & known.keys():
        part, field = known[name]
        values[part][field] = given[name]
    parts: dict[str, Part] = {}
    for name, part_type in _parts().items():
        try:
            parts[name] = part_type.model_validate(values[name])
        except ValidationError as error:
            problems += [_explain(part_type, mistake) for mistake in error.errors()]
    if problems:
        raise SettingsError(problems)
    return Settings.model_validate(parts)


def _unknown(name: str, known: Iterable[str]) -> str:
    near = get_close_matches(name, known, n=1)
    hint = f"did you mean {near[0]}?" if near else "docs/settings.md lists what there is."
    return f"{name} is not a setting of this project; {hint}"


def _explain(part: type[Part], mistake: "ErrorDetails") -> str:
    """One sentence: variable, value, what is wrong, what the setting is."""
    if not mistake["loc"]:  # a validator over several fields names them itself
        return mistake["msg"].removeprefix("Value error, ")
    field = str(mistake["loc"][0])
    info = part.model_fields[field]
    secret = "SecretStr" in str(info.annotation)
    # Somebody may have put a password before the host of an address.
    value = "(a secret, not shown)" if secret else repr(re.sub(r"[^/@]*@", "***@", str(mistake["input"])))
    problem = mistake["msg"].removeprefix("Value error, ")
    pattern = mistake.get("ctx", {}).get("pattern")
    if pattern:
        problem = f"it must match {pattern}"
    return f"{part.prefix_of_variables}{field.upper()} is {value}: {problem}. It is: {info.description}."
