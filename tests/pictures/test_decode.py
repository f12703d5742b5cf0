"""Pictures that nobody has looked at yet: read to the right pixels, or refused with a message that helps."""

import io
import struct
import warnings
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from camwidget.errors import ImageError
from camwidget.pictures.decode import open_image

WIDTH, HEIGHT = 24, 16


def corners() -> Image.Image:
    """Wider than high, with another colour in each corner."""
    pixels = np.full((HEIGHT, WIDTH, 3), 128, np.uint8)
    pixels[:8, :8], pixels[:8, -8:] = (255, 0, 0), (0, 255, 0)
    pixels[-8:, :8], pixels[-8:, -8:] = (0, 0, 255), (255, 255, 0)
    return Image.fromarray(pixels)


def encoded(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format=kind, **options)
    return buffer.getvalue()


def header_only(width: int, height: int) -> bytes:
    """A PNG that claims a size and has no pixels: whoever decodes it fails in another way."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("content", "given", "advice"),
    [
        (b"", "empty: it has 0 bytes", "download it again"),
        (b"just some text", "not a picture that can be read", "save it as PNG or JPEG"),
        (b"<!DOCTYPE html><p>no</p>", "not a picture that can be read", "web page or an SVG"),
        (b"<svg xmlns='x'></svg>", "not a picture that can be read", "web page or an SVG"),
        (b"\0\0\0 ftypheic\0\0\0\0", "not a picture that can be read", "HEIC or AVIF"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n", "not a picture that can be read", "PNG or JPEG"),
        (encoded(Image.effect_noise((200, 120), 90))[:9000], "damaged or cut short", "download it again"),
        (encoded(Image.effect_noise((200, 120), 90), "JPEG")[:6000], "damaged or cut short", "download it again"),
        (encoded(Image.new("RGB", (1, 1))), "1 x 1 pixels", "not a thumbnail"),
        (encoded(Image.new("RGB", (300, 1))), "300 x 1 pixels", "Each side needs at least 8"),
        (encoded(Image.new("L", (8, 4000))), "8 x 4000 pixels", "Cut out the part that matters"),
    ],
    ids=["empty", "text", "web page", "svg", "heic", "eps", "cut png", "cut jpeg", "1x1", "one row", "strip"],
)
@pytest.mark.parametrize("form", ["bytes", "path"])
def test_what_is_no_picture_is_refused_in_three_parts(
    content: bytes, given: str, advice: str, form: str, tmp_path: Path
) -> None:
    path = tmp_path / "given.png"
    path.write_bytes(content)

    with pytest.raises(ImageError) as refused:
        open_image(content if form == "bytes" else path)

    message = str(refused.value)
    assert given in message
    assert advice in message
    assert ("these bytes" if form == "bytes" else "given.png") in message


def test_a_missing_file_a_folder_and_an_address_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=r"There is no file .*missing\.png"):
        open_image(tmp_path / "missing.png")
    with pytest.raises(ImageError, match="is not a file"):
        open_image(tmp_path)
    with pytest.raises(ImageError, match=r"address on the web.*Download the picture"):
        open_image("https://example.org/cat.png")
    with pytest.raises(ImageError, match=r"There is no file '~nobody-of-this-name/cat\.png'"):
        open_image("~nobody-of-this-name/cat.png")


def test_a_path_that_the_system_refuses_is_refused_in_our_words() -> None:
    with pytest.raises(ImageError, match=r"cannot be opened \(File name too long\).*Check its path"):
        open_image("cat" * 2000)


@pytest.mark.parametrize("given", [None, 7, ["cat.png"], {"image": 1}])
def test_another_kind_of_thing_is_named(given: Any) -> None:
    # outside of tests no annotation is checked: the function itself must say it
    with pytest.raises(ImageError, match=f"This is an? {type(given).__name__}, not a picture"):
        getattr(open_image, "__wrapped__", open_image)(given)


def test_a_hundred_megapixels_are_refused_before_anything_is_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image.Image, "load", lambda *_: pytest.fail("the picture was decoded"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(ImageError, match=r"10000 x 10000 = 100\.0 million pixels.*At most 50 million.*smaller"):
            open_image(header_only(10_000, 10_000))


def test_a_bomb_beyond_pillows_own_limit_is_refused_too() -> None:
    with pytest.raises(ImageError, match="million pixels"):
        open_image(header_only(60_000, 60_000))


def test_the_limit_can_be_moved() -> None:
    assert open_image(corners(), max_pixels=WIDTH * HEIGHT).size == (WIDTH, HEIGHT)
    with pytest.raises(ImageError, match="24 x 16"):
        open_image(corners(), max_pixels=WIDTH * HEIGHT - 1)


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (lambda: Image.new("L", (20, 10), 77), (77, 77, 77)),
        (lambda: Image.new("1", (20, 10), 1), (255, 255, 255)),
        (lambda: Image.new("LA", (20, 10), (0, 128)), (127, 127, 127)),
        (lambda: Image.new("RGBA", (20, 10), (255, 0, 0, 0)), (255, 255, 255)),
        (lambda: Image.new("RGBA", (20, 10), (0, 0, 0, 51)), (204, 204, 204)),
        (lambda: Image.new("CMYK", (20, 10), (0, 255, 255, 0)), (255, 0, 0)),
        (lambda: Image.new("I;16", (20, 10), 65535), (255, 255, 255)),
        (lambda: Image.new("I;16", (20, 10), 2570), (10, 10, 10)),
        (lambda: Image.new("F", (20, 10), 0.2), (51, 51, 51)),
    ],
    ids=["grey", "one bit", "grey alpha", "clear", "a fifth black", "cmyk", "16 bit white", "16 bit dark", "float"],
)
def test_every_mode_becomes_the_right_rgb(made: Any, expected: tuple[int, int, int]) -> None:
    image = open_image(made())

    assert (image.mode, image.size) == ("RGB", (20, 10))
    assert np.abs(np.asarray(image).astype(int) - expected).max() <= 1


def test_a_palette_with_a_clear_colour_lies_over_white() -> None:
    palette = Image.new("P", (20, 10), 1)
    palette.putpalette([9, 9, 9, 200, 100, 50])
    palette.paste(0, (0, 0, 10, 10))

    image = np.asarray(open_image(encoded(palette, transparency=0)))

    assert (image[:, :10] == 255).all()
    assert (image[:, 10:] == (200, 100, 50)).all()


def test_a_16_bit_file_keeps_its_greys(tmp_path: Path) -> None:
    levels = np.linspace(0, 65535, 200).astype(np.uint16).reshape(10, 20)
    path = tmp_path / "deep.png"
    Image.fromarray(levels).save(path)

    read = np.asarray(open_image(path))[..., 0]

    assert np.abs(read - levels / 257).max() <= 0.5 + 1e-6


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_camera_s_rotation_is_applied(orientation: int) -> None:
    """Against the definition in the EXIF standard: where row 0 and column 0 of what is stored belong."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = encoded(corners(), exif=exif)
    pixels = np.asarray(corners())
    upright = {
        1: pixels,
        2: pixels[:, ::-1],
        3: pixels[::-1, ::-1],
        4: pixels[::-1],
        5: pixels.transpose(1, 0, 2),
        6: pixels[::-1].transpose(1, 0, 2),
        7: pixels[::-1, ::-1].transpose(1, 0, 2),
        8: pixels[:, ::-1].transpose(1, 0, 2),
    }[orientation]

    assert np.array_equal(np.asarray(open_image(stored)), upright)


def test_of_an_animation_the_first_frame_is_taken() -> None:
    frames = [Image.new("RGB", (20, 10), colour) for colour in ("red", "blue")]
    content = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])

    assert np.asarray(open_image(content))[5, 5].tolist() == [255, 0, 0]


def test_path_text_bytes_picture_and_array_give_the_same_pixels(tmp_path: Path) -> None:
    path = tmp_path / "corners.png"
    corners().save(path)
    pixels = np.asarray(corners())

    for source in (
        path,
        str(path),
        path.read_bytes(),
        corners(),
        pixels,
        pixels / 255.0,
        pixels.astype(np.uint16) * 257,
        (pixels.astype(np.uint16) * 257).astype(">u2"),
    ):
        assert np.array_equal(np.asarray(open_image(source)), pixels)


@pytest.mark.parametrize("kind", ["u2", ">u2", "i2", "u4", "i4", "i8"])
def test_levels_of_8_bits_in_a_wider_type_are_read_as_they_are(kind: str) -> None:
    pixels = np.asarray(corners())

    assert np.array_equal(np.asarray(open_image(pixels.astype(kind))), pixels)
    assert np.array_equal(np.asarray(open_image(pixels[..., :1].astype(kind)))[..., 0], pixels[..., 0])


def test_a_picture_of_16_bits_may_be_dark() -> None:
    assert np.asarray(open_image(np.full((20, 30), 4096, np.uint16)))[0, 0].tolist() == [16, 16, 16]


def test_what_was_given_is_not_changed_and_not_shared() -> None:
    given = corners()
    before = given.tobytes()

    read = open_image(given)
    read.putpixel((0, 0), (1, 2, 3))

    assert given.tobytes() == before


def test_a_file_that_another_has_opened_is_refused_or_read_as_well() -> None:
    whole = encoded(Image.effect_noise((200, 120), 90))
    assert open_image(Image.open(io.BytesIO(whole))).tobytes() == open_image(whole).tobytes()
    with pytest.raises(ImageError, match="The picture is damaged or cut short"):
        open_image(Image.open(io.BytesIO(whole[:9000])))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # of the opening here, which is not ours
        huge = Image.open(io.BytesIO(header_only(10_000, 10_000)))
    with pytest.raises(ImageError, match=r"100\.0 million pixels"):
        open_image(huge)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF"])
def test_a_picture_whose_file_was_closed_before_it_was_read_is_not_called_damaged(kind: str, tmp_path: Path) -> None:
    (tmp_path / "picture").write_bytes(encoded(corners(), kind))
    with Image.open(tmp_path / "picture") as left:
        pass
    with (tmp_path / "picture").open("rb") as file:
        shut = Image.open(file)
    with Image.open(tmp_path / "picture") as loaded:
        loaded.load()

    for closed in (left, shut):
        with pytest.raises(ImageError, match=r"was not read before its file was closed.*path, or call image\.load\(\)"):
            open_image(closed)
    assert open_image(loaded).size == (WIDTH, HEIGHT)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF", "PPM"])
def test_damage_anywhere_is_read_or_refused_and_nothing_else(kind: str) -> None:
    whole = encoded(corners(), kind)
    random = np.random.default_rng(7)
    messages = []
    for attempt in range(60):
        content = bytearray(whole)
        content[random.integers(len(whole) if attempt % 2 else min(len(whole), 60))] = random.integers(256)
        try:
            assert open_image(bytes(content[: random.integers(1, len(whole) + 1)])).mode == "RGB"
        except ImageError as error:
            messages.append(str(error))
    assert len(messages) > 10
    assert all(len(message.split(". ")) >= 3 for message in messages)


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (np.zeros((3, 20, 30), np.uint8), r"\(3, 20, 30\).*transpose"),
        (np.zeros((2, 20, 30, 3), np.uint8), r"\(2, 20, 30, 3\).*array\[0\]\.$"),
        (np.zeros((2, 3, 20, 30), np.uint8), r"array\[0\]\.transpose\(1, 2, 0\)"),
        (np.zeros((20, 30, 5), np.uint8), r"\(20, 30, 5\).*other channels pass a tensor"),
        (np.full((20, 30, 3), 1.5), r"outside of 0 to 1"),
        (np.full((20, 30, 3), np.nan), r"outside of 0 to 1"),
        (np.full((20, 30, 3), 1j), r"complex128.*astype\('uint8'\)"),
        (np.full((20, 30, 3), 9, np.int8), r"int8.*astype\('uint8'\)"),
        (np.full((20, 30, 3), -1, np.int64), r"int64 holds values from -1 to -1.*Shift and scale"),
        (np.full((20, 30, 3), 65536, np.int32), r"int32 holds values from 65536.*Shift and scale"),
        (np.full((20, 30, 3), 65535, np.int32), r"int32.*65535.*astype\('uint16'\)"),
        (np.full((20, 30, 3), 256, np.uint16), r"uint16.*to 256, which may be 12 bits or 16.*// 16.*// 256"),
        (np.full((20, 30), 4095, np.int32), r"int32.*to 4095, which may be 12 bits or 16"),
        (np.full((20, 30, 3), 200.0), r"outside of 0 to 1.*uint8"),
        (np.zeros((0, 30, 3), np.uint8), r"30 x 0 pixels"),
    ],
    ids=[
        "channels first",
        "batch",
        "batch with channels first",
        "five channels",
        "above one",
        "nan",
        "complex",
        "int8",
        "below zero",
        "too much",
        "16 bits in 32",
        "a little more than 8 bits",
        "12 bits",
        "levels",
        "no rows",
    ],
)
def test_an_array_that_is_no_picture_is_refused(array: np.ndarray, words: str) -> None:
    with pytest.raises(ImageError, match=words):
        open_image(array)
