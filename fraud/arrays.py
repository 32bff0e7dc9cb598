"""The array type that the domain computes with, and the decimals it gives out."""

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Integers = npt.NDArray[np.int64]
"""One 64-bit integer an entry: codes, positions, cents, milliseconds."""

Flags = npt.NDArray[np.bool_]
"""Whether something holds, for each row."""


def decimals(unscaled: Integers, decimal: pa.Decimal128Type) -> pa.Array:
    """Decimals of which `unscaled` are the digits: 1250 -> 12.50. Exact, without floats."""
    words = np.empty((len(unscaled), 2), dtype="<i8")  # 128 bits, low word first
    words[:, 0] = unscaled
    words[:, 1] = unscaled >> 63
    return pa.Array.from_buffers(decimal, len(unscaled), [None, pa.py_buffer(words)])
