"""The bucket that Spark puts a Kafka key in, without Spark: pmod(xxhash64(key), buckets), seed 42. Pure.

XXH64 as its specification has it (github.com/Cyan4973/xxHash, doc/xxhash_spec.md); a user is hashed once.
"""

from collections.abc import Iterator

_P1, _P2, _P3 = 0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9
_P4, _P5 = 0x85EBCA77C2B2AE63, 0x27D4EB2F165667C5
_MASK = 2**64 - 1
_SEED = 42  # Spark's


def bucket_of(key: bytes, buckets: int) -> int:
    """The bucket of a Kafka key, of `buckets`."""
    unsigned = xxh64(key, _SEED)
    signed = unsigned - 2**64 if unsigned >= 2**63 else unsigned
    return signed % buckets


def xxh64(data: bytes, seed: int) -> int:
    """The 64-bit hash of `data`, unsigned."""
    if len(data) >= 32:
        lanes = [seed + _P1 + _P2, seed + _P2, seed, seed - _P1]
        stripes = len(data) // 32 * 32
        for start in range(0, stripes, 32):
            words = _words(data[start : start + 32], 8)
            lanes = [_round(lane, word) for lane, word in zip(lanes, words, strict=True)]
        turns = zip(lanes, (1, 7, 12, 18), strict=True)
        value = sum(_left(lane, turn) for lane, turn in turns) & _MASK
        for lane in lanes:
            value = ((value ^ _round(0, lane)) * _P1 + _P4) & _MASK
    else:
        stripes, value = 0, (seed + _P5) & _MASK
    value = (value + len(data)) & _MASK
    rest = data[stripes:]
    longs, rest = rest[: len(rest) // 8 * 8], rest[len(rest) // 8 * 8 :]
    for word in _words(longs, 8):
        value = (_left(value ^ _round(0, word), 27) * _P1 + _P4) & _MASK
    if len(rest) >= 4:
        (word,), rest = _words(rest[:4], 4), rest[4:]
        value = (_left(value ^ (word * _P1 & _MASK), 23) * _P2 + _P3) & _MASK
    for byte in rest:
        value = _left(value ^ (byte * _P5 & _MASK), 11) * _P1 & _MASK
    value = (value ^ (value >> 33)) * _P2 & _MASK
    value = (value ^ (value >> 29)) * _P3 & _MASK
    return value ^ (value >> 32)


def _round(lane: int, word: int) -> int:
    return _left((lane + word * _P2) & _MASK, 31) * _P1 & _MASK


def _left(value: int, bits: int) -> int:
    value &= _MASK
    return (value << bits | value >> (64 - bits)) & _MASK


def _words(data: bytes, size: int) -> Iterator[int]:
    return (int.from_bytes(data[at : at + size], "little") for at in range(0, len(data), size))
