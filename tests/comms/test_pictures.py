"""Pictures come out small enough, upright, and without what the camera knew; bombs and broken files do not come out."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from comms.pictures import OtherKindError, PictureError, prepare


def picture(kind: str = "JPEG", size: tuple[int, int] = (2000, 1000), mode: str = "RGB", **options: Any) -> bytes:
    image = Image.linear_gradient("L").resize(size).convert(mode)
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def opened(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


def png_that_says(width: int, height: int) -> bytes:
    """A few bytes that claim to be a picture of this size."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 100)) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(("kind", "suffix"), [("JPEG", ".jpg"), ("PNG", ".png"), ("GIF", ".gif")])
def test_a_wide_picture_is_made_narrow_and_stays_of_its_kind(kind: str, suffix: str) -> None:
    made = prepare(picture(kind))

    assert (made.suffix, made.width, made.height) == (suffix, 1280, 640)
    image = opened(made.data)
    assert (image.format, image.size) == (kind, (1280, 640))


def test_nothing_is_made_larger() -> None:
    assert (prepare(picture(size=(300, 200))).width, prepare(picture(size=(1, 1))).height) == (300, 1)


def test_a_picture_taken_sideways_is_turned_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    made = prepare(picture(size=(800, 400), exif=exif))

    assert (made.width, made.height) == (400, 800)


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_nothing_tells_where_and_with_what_it_was_taken(kind: str) -> None:
    exif = Image.Exif()
    exif[0x010F] = "SecretCamera"
    exif.get_ifd(0x8825)[2] = (47.0, 36.0, 0.0)
    made = prepare(picture(kind, exif=exif, **({"comment": b"SecretCamera"} if kind == "JPEG" else {})))

    assert b"SecretCamera" not in made.data
    assert not dict(opened(made.data).getexif())


def test_transparent_pictures_stay_so() -> None:
    image = Image.new("RGBA", (2000, 10), (255, 0, 0, 0))
    out = io.BytesIO()
    image.save(out, "PNG")

    made = opened(prepare(out.getvalue()).data)
    assert made.mode == "RGBA"
    assert made.getpixel((5, 3))[3] == 0


@pytest.mark.parametrize("mode", ["L", "LA", "P", "1", "CMYK", "I;16"])
def test_pictures_of_any_colours_come_out(mode: str) -> None:
    made = prepare(picture("JPEG" if mode == "CMYK" else "PNG", size=(1400, 10), mode=mode))
    assert made.width == 1280


def test_moving_pictures_keep_moving() -> None:
    frames = [Image.new("RGB", (2000, 20), (shade, 0, 0)) for shade in (0, 100, 200)]
    out = io.BytesIO()
    frames[0].save(out, "GIF", save_all=True, append_images=frames[1:], duration=[100, 200, 300], loop=0)

    made = opened(prepare(out.getvalue()).data)
    assert (made.n_frames, made.size) == (3, (1280, 13))  # type: ignore[attr-defined]


def test_a_portrait_is_a_small_square_of_the_middle() -> None:
    image = Image.new("RGB", (600, 200), "white")
    image.paste("black", (200, 0, 400, 200))
    out = io.BytesIO()
    image.save(out, "PNG")

    made = prepare(out.getvalue(), portrait=True)
    assert (made.width, made.height) == (144, 144)
    assert opened(made.data).getpixel((70, 70)) == (0, 0, 0)
    assert opened(made.data).getpixel((2, 70)) == (0, 0, 0)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"no picture",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"GIF89a" + b"\xff" * 40,
        picture()[:300],
        png_that_says(60_000, 60_000),
        png_that_says(8_000, 8_000),
        png_that_says(0, 10),
        png_that_says(20, 20),
        b"\xff\xd8\xff\xe0" + b"\0" * 1000,
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
    ],
    ids=range(11),
)
def test_bombs_and_broken_files_are_refused(data: bytes) -> None:
    with pytest.raises(PictureError):
        prepare(data)


def test_a_file_that_is_too_large_is_not_even_opened() -> None:
    with pytest.raises(PictureError, match="bytes"):
        prepare(picture() + b"\0" * 50_000_000)


@pytest.mark.parametrize("kind", ["WEBP", "BMP", "TIFF"])
def test_kinds_that_only_some_programs_show_are_told_apart_from_broken_files(kind: str) -> None:
    with pytest.raises(OtherKindError, match=kind):
        prepare(picture(kind, size=(10, 10)))


SEEDS = [picture(kind, size=(40, 30)) for kind in ("JPEG", "PNG", "GIF")]


@given(st.sampled_from(SEEDS), st.lists(st.tuples(st.integers(0, 2_000), st.integers(0, 255)), max_size=8))
def test_damaged_pictures_come_out_or_are_refused(seed: bytes, changes: list[tuple[int, int]]) -> None:
    data = bytearray(seed)
    for position, value in changes:
        data[position % len(data)] = value
    try:
        made = prepare(bytes(data))
    except PictureError:
        return
    assert opened(made.data).size == (made.width, made.height)
