"""The array type that the domain computes with."""

import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.int64]
"""One 64-bit integer an entry: codes, positions, cents, milliseconds."""
