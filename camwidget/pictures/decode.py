"""Decode untrusted pictures into upright RGB, or fail with an error that helps."""

import struct
import threading
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from os import PathLike
from pathlib import Path
from typing import TypeAlias

import numpy as np
from jaxtyping import UInt8
from PIL import Image, UnidentifiedImageError

from camwidget.errors import ImageError, a_kind, three_parts

MIN_SIDE = 8
"""Fewest pixels a side may have. Below that there is nothing to see, and most networks have no map left."""

MAX_RATIO = 100
"""How many times the shorter side the longer one may be."""

# Only formats that Pillow decodes itself: its EPS plugin would start an external program on any input.
_FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF", "PPM")
_ALLOWED = f"A picture is a {', '.join(_FORMATS[:-1])} or {_FORMATS[-1]} file: a path, bytes, PIL image or uint8 array"
_EIGHT_BITS, _TWELVE_BITS, _SIXTEEN_BITS = 255, 4095, 65535
_SIXTEEN_BIT = ("I", "I;16", "I;16L", "I;16B", "I;16N")
# What Pillow raises on damaged files, found by damaging files; a bare Exception would hide our own mistakes.
_DAMAGED = (OSError, SyntaxError, ValueError, TypeError, EOFError, IndexError, KeyError, struct.error, zlib.error)
_ORIENTATION = 0x0112
# Not ImageOps.exif_transpose: it also rewrites the metadata, and fails if they are damaged though the pixels are fine.
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

ImageSource: TypeAlias = str | PathLike[str] | bytes | Image.Image | np.ndarray


def open_image(source: ImageSource, *, max_pixels: int = 50_000_000) -> Image.Image:
    """Return `source` as a new, upright RGB picture; `source` itself does not change.

    Grey, palette, CMYK and 16-bit pictures become 8-bit RGB; transparent pictures are laid over white; a camera's
    rotation (EXIF) is applied; an animation gives its first frame.

    Args:
        source: a path, the bytes of a file, a PIL image, or an array (height, width) or (height, width, 1 to 4) of
            uint8, bool, floats in [0, 1], or wider whole numbers: up to 255 they are taken for 8 bits, beyond 4095 (in
            uint16) for 16 bits; what lies between may be either and is refused.
        max_pixels: the most pixels a picture may have; the header is checked before anything is decoded.

    Raises:
        ImageError: `source` is none of these, or is missing, empty, damaged, too small or too large.
    """
    if isinstance(source, np.ndarray):
        source = _from_array(source)
    if isinstance(source, Image.Image):
        name = "The picture"
        with _reading(name):
            return _decode(source, name=name, max_pixels=max_pixels)
    if isinstance(source, bytes | bytearray | memoryview):
        content: BytesIO | Path = BytesIO(source)
        name, size, start = "The picture in these bytes", len(source), bytes(source[:256])
    elif isinstance(source, str | PathLike):
        try:
            content = _existing_file(source)
            name, size = f"The file {content.name!r}", content.stat().st_size
            with content.open("rb") as file:
                start = file.read(256)
        except OSError as error:
            raise _refused(f"The file cannot be opened ({error.strerror})", "Check its path and permissions") from error
    else:
        raise _refused(f"This is {a_kind(source)}, not a picture", "Give a path or a PIL image")
    if size == 0:
        raise _refused(f"{name} is empty: it has 0 bytes", "Save or download it again")
    with _reading(name):
        try:
            opened = Image.open(content, formats=_FORMATS)
        except UnidentifiedImageError:
            raise _refused(f"{name} is not a picture that can be read", _what_it_may_be(start)) from None
        with opened:
            return _decode(opened, name=name, max_pixels=max_pixels)


def is_read_alike(source: ImageSource) -> bool:
    """Whether Pillow's `convert("RGB")` shows a picture as `open_image` does; told by the header, where that is cheap.

    It does not turn what a camera held upright, shows what lies under transparent places, and clips 16 bits to white.

    Args:
        source: in any form that `open_image` has read before.
    """
    if isinstance(source, np.ndarray):
        return True
    if not isinstance(source, Image.Image):
        content = BytesIO(source) if isinstance(source, bytes | bytearray | memoryview) else _existing_file(source)
        with _reading("The picture"), Image.open(content, formats=_FORMATS) as opened:
            return is_read_alike(opened)
    if source.mode in (*_SIXTEEN_BIT, "F") or source.has_transparency_data:
        return False
    # what a PNG file notes may follow its pixels, all of which would be read for it
    noted = source.format != "PNG" or "exif" in source.info
    return not noted or source.getexif().get(_ORIENTATION) not in _UPRIGHT


def _refused(given: str, try_: str) -> ImageError:
    return ImageError(three_parts(given, _ALLOWED, try_))


def _existing_file(source: str | PathLike[str]) -> Path:
    if str(source).startswith(("http://", "https://")):
        raise _refused(f"{str(source)!r} is an address on the web", "Download the picture and give its path")
    try:
        path = Path(source).expanduser()
    except RuntimeError:  # ~name, and no user has that name
        path = Path(source)
    if "\0" in str(path) or not path.exists():
        raise _refused(f"There is no file {str(source)!r}", f"Look for it from the folder {str(Path.cwd())!r}")
    if not path.is_file():
        raise _refused(f"{str(source)!r} is not a file", "Give the path of one picture")
    return path


def _what_it_may_be(start: bytes) -> str:
    head = start.lstrip().lower()
    if b"<svg" in head or head.startswith((b"<?xml", b"<!doctype", b"<html", b"<head")):
        return "It looks like a web page or an SVG drawing: save the picture itself, as PNG or JPEG"
    if b"ftyp" in head[:12]:
        return "It looks like HEIC or AVIF, as phones write: export it as JPEG"
    return "Open it in a picture viewer and save it as PNG or JPEG"


_silencing = threading.RLock()  # the filters of warnings belong to all threads: overlapping blocks would lose them


@contextmanager
def _reading(name: str) -> Iterator[None]:
    """Turn what Pillow raises on a bad picture into one ImageError, and silence its warnings."""
    with _silencing, warnings.catch_warnings():
        # A picture is read or refused; Pillow's warnings about size (our limit is stricter) and metadata help nobody.
        warnings.simplefilter("ignore")
        try:
            yield
        except ImageError:
            raise
        except Image.DecompressionBombError:
            limit = 2 * (Image.MAX_IMAGE_PIXELS or 0) / 1e6
            raise _refused(f"{name} has more than {limit:.0f} million pixels", "Make it smaller first") from None
        except _DAMAGED as error:
            reason = str(error) or type(error).__name__
            raise _refused(f"{name} is damaged or cut short ({reason})", "Save or download it again") from error


def _decode(opened: Image.Image, *, name: str, max_pixels: int) -> Image.Image:
    width, height = opened.size
    if width * height > max_pixels:
        raise ImageError(
            three_parts(
                f"{name} has {width} x {height} = {width * height / 1e6:.1f} million pixels",
                f"At most {max_pixels / 1e6:g} million are opened",
                "Make it smaller first: a network sees about 224 x 224",
            )
        )
    if min(width, height) < MIN_SIDE:
        raise ImageError(
            three_parts(
                f"{name} has {width} x {height} pixels",
                f"Each side needs at least {MIN_SIDE}",
                "Give the picture itself, not a thumbnail or a tracking pixel",
            )
        )
    if max(width, height) > MAX_RATIO * min(width, height):
        raise ImageError(
            three_parts(
                f"{name} has {width} x {height} pixels: it is a thin strip",
                f"The longer side may be {MAX_RATIO} times the shorter",
                "Cut out the part that matters: scaling the shorter side to a network's size would fill the memory",
            )
        )
    _load(opened, name)
    orientation = opened.getexif().get(_ORIENTATION)
    image = _to_rgb(opened, name)
    return image.transpose(_UPRIGHT[orientation]) if orientation in _UPRIGHT else image


def _load(opened: Image.Image, name: str) -> None:
    """Read the pixels; a picture whose file was closed meanwhile is not damaged."""
    try:
        opened.load()
    except (AssertionError, AttributeError, ValueError) as error:
        file = getattr(opened, "fp", None)
        if file is not None and not getattr(file, "closed", False):
            raise
        given = f"{name} was not read before its file was closed"
        raise _refused(given, "Pass its path, or call image.load() while the file is open") from error


def _to_rgb(image: Image.Image, name: str) -> Image.Image:
    if image.mode in _SIXTEEN_BIT:
        # Pillow's own conversion clips at 255, which would turn nearly every 16-bit picture white.
        return Image.fromarray(_to_bytes(np.asarray(image).astype(np.int64), 65535.0, name)).convert("RGB")
    if image.mode == "F":
        return Image.fromarray(_to_bytes(np.asarray(image), 1.0, name)).convert("RGB")
    if image.has_transparency_data:
        rgba = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba).convert("RGB")
    if image.mode == "RGB":
        return image.copy()
    return image.convert("RGB")


def _to_bytes(levels: np.ndarray, white: float, name: str) -> UInt8[np.ndarray, "..."]:
    """Return `levels` from 0 to `white` as whole numbers from 0 to 255."""
    if not ((levels >= 0) & (levels <= white)).all():  # Also true where a level is not a number.
        raise ImageError(
            three_parts(
                f"{name} holds values outside of 0 to {white:g}",
                f"Values of this kind run from 0 (black) to {white:g} (white)",
                "Shift and scale them first, or give whole numbers from 0 to 255 as uint8",
            )
        )
    return np.rint(levels * (255 / white)).astype(np.uint8)


def _from_array(array: np.ndarray) -> Image.Image:
    channels: tuple[int, ...] = array.shape[2:]
    if array.ndim not in (2, 3) or channels not in ((), (1,), (2,), (3,), (4,)):
        raise _refused(f"The array has the shape {array.shape}", _how_to_lay(array.shape))
    levels = array[:, :, 0] if channels == (1,) else array
    if levels.size and levels.dtype != np.uint8:
        levels = _eight_bit(levels)
    # Pillow makes a picture with a side of zero; the check of the smallest side then refuses it.
    return Image.fromarray(np.ascontiguousarray(levels)) if levels.size else Image.new("L", array.shape[1::-1])


def _how_to_lay(shape: tuple[int, ...]) -> str:
    """How to make a picture of an array of that shape."""
    start = "Arrays are (height, width) or (height, width, 3)"
    if len(shape) == 3 and shape[0] in (1, 3, 4):
        return f"{start}: with the channels first use array.transpose(1, 2, 0)"
    if len(shape) == 4 and shape[3] in (1, 3, 4):
        return f"{start}: take the first of a batch, array[0]"
    if len(shape) == 4 and shape[1] in (1, 3, 4):
        return f"{start}: take the first of a batch with array[0].transpose(1, 2, 0)"
    return f"{start}: for a network of other channels pass a tensor (1, channel, height, width), normalised"


def _eight_bit(levels: np.ndarray) -> UInt8[np.ndarray, "..."]:
    kind, size = levels.dtype.kind, levels.dtype.itemsize
    if kind in "bf":
        return _to_bytes(levels.astype(np.float64), 1.0, f"The array of {levels.dtype}")
    if kind not in "iu" or size == 1:
        raise _refused(f"The array holds {levels.dtype}", "For values from 0 to 255 use array.astype('uint8')")
    lowest, highest = int(levels.min()), int(levels.max())
    given = f"The array of {levels.dtype} holds values from {lowest} to {highest}"
    if lowest < 0 or highest > _SIXTEEN_BITS:
        raise _refused(given, "Shift and scale them to 0 to 255 first, then use array.astype('uint8')")
    if highest <= _EIGHT_BITS:  # whatever the type: in 16 bits this would be black
        return levels.astype(np.uint8)
    if highest <= _TWELVE_BITS:
        advice = "For 12 bits use (array // 16).astype('uint8'), for a dark picture of 16 bits (array // 256)"
        raise _refused(f"{given}, which may be 12 bits or 16", f"{advice}.astype('uint8')")
    if (kind, size) != ("u", 2):
        raise _refused(given, "If white is 65535 use array.astype('uint16'), else scale them to 0 to 255 first")
    return _to_bytes(levels.astype(np.float64), float(_SIXTEEN_BITS), given)
