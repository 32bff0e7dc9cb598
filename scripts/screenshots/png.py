"""Makes a picture of a page small: its few colours become a palette."""

from pathlib import Path

from PIL import Image

COLOURS = 256


def shrink(file: Path) -> None:
    """Write the PNG anew with at most COLOURS colours."""
    with Image.open(file) as image:
        small = image.convert("RGB").quantize(COLOURS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    small.save(file, optimize=True)
