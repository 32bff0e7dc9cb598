"""Decodes one JSON object to the letter of RFC 8259, for the single-record parser; numbers stay text."""

import json
import re
from typing import Any, NoReturn

MAX_DEPTH = 100
"""Brackets nested deeper are refused, so that no record can exhaust the decoder's stack."""


class Integer(str):
    """The text of a number without decimals or exponent, of any length."""

    __slots__ = ()


class Fraction(str):
    """The text of any other number."""

    __slots__ = ()


class Object(list[tuple[str, Any]]):
    """The members of an object as sent: a name can come twice."""

    __slots__ = ()


class NotJsonError(Exception):
    """One sentence for a person: what keeps the bytes from being a JSON object."""


def decode_object(value: bytes) -> Object:
    """The members of the object in `value`; numbers as Integer or Fraction. Raises NotJsonError."""
    try:
        text = value.decode()
    except UnicodeDecodeError as error:
        raise NotJsonError(f"invalid UTF-8 at byte {error.start}") from None
    if text.startswith("\ufeff"):
        raise NotJsonError("the value starts with a byte order mark")
    if text.count("{") + text.count("[") > MAX_DEPTH and _depth(text) > MAX_DEPTH:
        raise NotJsonError(f"brackets are nested deeper than {MAX_DEPTH}")
    try:
        decoded = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        raise NotJsonError(f"{error.msg.removesuffix(' at')} at character {error.pos}") from None
    if type(decoded) is not Object:
        raise NotJsonError(f"the value is {shown(decoded)}, not an object")
    return decoded


def shown(content: Any) -> str:
    """What a person needs to recognise a decoded value: at most 40 characters, all printable."""
    if isinstance(content, list):
        return "an object" if type(content) is Object else "an array"
    if content is None or isinstance(content, bool):
        return json.dumps(content)
    text = repr(content[:40]) if type(content) is str else str(content)
    return text if len(text) <= 40 else f"{text[:37]}..."


def _refuse_constant(name: str) -> NoReturn:
    raise NotJsonError(f"{name} is not a JSON number")


_DECODER = json.JSONDecoder(
    object_pairs_hook=Object, parse_int=Integer, parse_float=Fraction, parse_constant=_refuse_constant
)
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"?', re.DOTALL)  # an open one runs to the end: no backtracking
_BRACKET = re.compile(r"[\[\]{}]")


def _depth(text: str) -> int:
    depth = deepest = 0
    for bracket in _BRACKET.findall(_STRING.sub("", text)):
        depth += 1 if bracket in "[{" else -1
        deepest = max(deepest, depth)
    return deepest
