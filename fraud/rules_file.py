"""Reads a rule file (TOML), for whoever starts a process; each mistake becomes one sentence."""

import tomllib
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from fraud.rules import BaseRule, HighAmount, MultipleLocations, RuleSet, Velocity
from fraud.settings import SettingsError

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

KINDS: dict[str, type[BaseRule]] = {
    "high_amount": HighAmount,
    "velocity": Velocity,
    "multiple_locations": MultipleLocations,
}


def load_rules(path: Path) -> RuleSet:
    """The rules of a TOML file.

    Raises SettingsError with one problem a mistake, naming the file, the rule and the field.
    """
    try:
        content = tomllib.loads(path.read_text("utf-8"), parse_float=Decimal)
    except OSError as error:
        raise SettingsError([f"FRAUD_RULES_FILE is {str(path)!r}: {error.strerror}"]) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError([f"{path}: not valid TOML: {error}"]) from None
    try:
        return RuleSet.model_validate(content)
    except ValidationError as error:
        raise SettingsError([_explain(path, content, mistake) for mistake in error.errors()]) from None


def _explain(path: Path, content: dict[str, Any], mistake: "ErrorDetails") -> str:
    """One sentence: file, rule, field, what it is, what would be right."""
    match mistake["loc"]:
        case ("rules", int(index), *rest):
            rule = content["rules"][index]
            given = rule.get("id") if isinstance(rule, dict) else None
            name = f"rule {given!r}" if given is not None else f"rule number {index + 1}"
            # pydantic puts the kind between the index and the field
            field = f", field {str(rest[-1])!r}" if rest else ""
            return f"{path}: {name}{field}: {_what_would_be_right(rule, rest, mistake)}"
        case ("rules",):
            return f"{path}: rules: at least one [[rules]] table is wanted"
        case ():
            return f"{path}: {_message(mistake)}"
        case (*parts,):
            return f"{path}: {'.'.join(str(part) for part in parts)}: {_message(mistake)}"


def _what_would_be_right(rule: Any, place: list[int | str], mistake: "ErrorDetails") -> str:
    kinds = ", ".join(KINDS)
    match mistake["type"]:
        case "union_tag_not_found" | "union_tag_invalid":
            kind = rule.get("kind") if isinstance(rule, dict) else None
            return (
                f"there is no kind {kind!r}; kinds are {kinds}"
                if kind
                else f"kind is missing: one of {kinds}"
            )
        case "extra_forbidden":
            fields = ", ".join(name for name in KINDS[str(place[0])].model_fields if name != "window")
            return f"there is no such field; fields are {fields}, and window where the kind has one"
        case "none_required":
            return "this kind has no window"
        case "missing":
            return "it is missing"
        case _:
            return f"{_message(mistake)} (it is {_as_written(mistake['input'])})"


def _message(mistake: "ErrorDetails") -> str:
    return mistake["msg"].removeprefix("Value error, ")


def _as_written(value: object) -> str:
    return str(value) if isinstance(value, Decimal) else repr(value)
