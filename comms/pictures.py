"""A picture as it goes into mails: turned upright, no wider than needed, without what the camera wrote into it.

Works on bytes in memory: finding and keeping files is for others.
"""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageOps, ImageSequence
from PIL.Image import DecompressionBombWarning, Resampling

from comms.errors import CommsError

MAX_BYTES = 50_000_000
MAX_PIXELS = 60_000_000
"""A photograph of a good camera has 24 to 50 million."""
MAX_FRAMES = 300
WIDEST = 1_280
"""Pixels: twice the 640 that a newsletter is wide, for screens that show two where others show one."""
POST_WIDEST = 2_048
POST_BYTES = 2_000_000
"""For pictures with posts: the least of what the networks take, which is Bluesky's."""
PORTRAIT = 144
"""Pixels: a portrait is shown as a square of half of this."""

SUFFIXES = {"JPEG": ".jpg", "PNG": ".png", "GIF": ".gif"}
"""What all mail programs show, and under which name it is kept."""
_FAULTS = (OSError, ValueError, SyntaxError, EOFError, MemoryError, OverflowError, Image.DecompressionBombError)
"""What a broken file can make Pillow raise."""
_TRANSPARENT = frozenset({"LA", "PA", "RGBA", "La", "RGBa"})


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture that can be linked; its size in pixels keeps its place free until it has come."""

    url: str
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Prepared:
    """A picture as bytes; `suffix` is that of its kind."""

    data: bytes
    suffix: str
    width: int
    height: int


class PictureError(CommsError, ValueError):
    """A file that can not be a picture in a mail."""


class OtherKindError(PictureError):
    """A picture of a kind that only some mail programs show."""


def prepare(data: bytes, *, portrait: bool = False) -> Prepared:
    """The picture at most `WIDEST` wide; a portrait as its middle square, `PORTRAIT` wide.

    JPEG, PNG and GIF stay what they are, and moving GIFs keep moving. Nothing is made larger. Raises PictureError
    for other kinds, for what is broken, and for what would need too much memory.
    """
    if len(data) > MAX_BYTES:
        raise PictureError(f"the file has {len(data):,} bytes.", hint=f"At most {MAX_BYTES:,} can be used.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DecompressionBombWarning)  # the check below is the stricter one
            with Image.open(io.BytesIO(data), formats=[*SUFFIXES, "WEBP", "TIFF", "BMP", "AVIF"]) as image:
                _check(image)
                return _prepared(image, portrait=portrait)
    except PictureError:
        raise
    except _FAULTS as error:
        raise PictureError(
            "the file is no picture, or a broken one.", hint="Open it in a picture program and save it as JPEG or PNG."
        ) from error


def for_post(data: bytes) -> Prepared:
    """The picture as every network takes it: JPEG or PNG, at most `POST_WIDEST` pixels each way and `POST_BYTES`.

    Of a moving GIF its first frame. Raises PictureError as `prepare`.
    """
    if len(data) > MAX_BYTES:
        raise PictureError(f"the file has {len(data):,} bytes.", hint=f"At most {MAX_BYTES:,} can be used.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DecompressionBombWarning)  # the check below is the stricter one
            with Image.open(io.BytesIO(data), formats=list(SUFFIXES)) as image:
                _check(image)
                upright = ImageOps.exif_transpose(image)
                upright.thumbnail((POST_WIDEST, POST_WIDEST), Resampling.LANCZOS)
                return _small_enough(upright)
    except PictureError:
        raise
    except _FAULTS as error:
        raise PictureError(
            "the file is no picture, or a broken one.", hint="Open it in a picture program and save it as JPEG or PNG."
        ) from error


def _small_enough(image: Image.Image) -> Prepared:
    transparent = image.mode in _TRANSPARENT or "transparency" in image.info
    image.info = {}
    tries: list[tuple[str, dict[str, int]]] = [("JPEG", {"quality": quality}) for quality in (85, 70, 50, 30)]
    if transparent or image.mode in ("1", "L", "P"):
        image = image.convert("RGBA" if transparent else "RGB")
        tries.insert(0, ("PNG", {}))
    for kind, options in tries:
        out = io.BytesIO()
        picture = image if kind == "PNG" else _on_white(image)
        picture.save(out, kind, optimize=True, **options)
        if out.tell() <= POST_BYTES:
            return Prepared(out.getvalue(), SUFFIXES[kind], *image.size)
    raise PictureError("the picture stays too large for networks.", hint="Make it smaller.")


def _on_white(image: Image.Image) -> Image.Image:
    if image.mode != "RGBA":
        return image.convert("RGB")
    white = Image.new("RGB", image.size, "white")
    white.paste(image, mask=image.getchannel("A"))
    return white


def measure(path: Path) -> tuple[int, int]:
    """Width and height of a picture that `prepare` made. Raises OSError."""
    with Image.open(path, formats=list(SUFFIXES)) as image:
        return image.size


def _check(image: Image.Image) -> None:
    if image.format not in SUFFIXES:
        raise OtherKindError(
            f"{image.format} pictures are not shown by all mail programs.", hint="Save it as JPEG or PNG."
        )
    frames = getattr(image, "n_frames", 1) if image.format == "GIF" else 1
    if image.width * image.height > MAX_PIXELS or frames > MAX_FRAMES or frames * _area(image) > 10 * MAX_PIXELS:
        raise PictureError(
            f"the picture has {image.width:,} by {image.height:,} pixels in {frames} frames.",
            hint=f"Make it smaller: {WIDEST} pixels in width are enough.",
        )


def _area(image: Image.Image) -> int:
    return image.width * image.height


def _prepared(image: Image.Image, *, portrait: bool) -> Prepared:
    kind = image.format or ""
    out = io.BytesIO()
    if kind == "GIF" and getattr(image, "is_animated", False) and not portrait:
        size = _save_moving(image, out)
    else:
        still = _fitted(ImageOps.exif_transpose(image), portrait=portrait)
        _save_still(still, kind, out)
        size = still.size
    return Prepared(out.getvalue(), SUFFIXES[kind], *size)


def _fitted(image: Image.Image, *, portrait: bool) -> Image.Image:
    if image.mode not in ("L", "RGB"):
        transparent = image.mode in _TRANSPARENT or "transparency" in image.info
        image = image.convert("RGBA" if transparent else "RGB")
    if portrait:
        side = min(PORTRAIT, *image.size)
        return ImageOps.fit(image, (side, side), Resampling.LANCZOS, centering=(0.5, 0.4))
    if image.width <= WIDEST:
        return image.copy()
    return image.resize(_size(image), Resampling.LANCZOS)


def _size(image: Image.Image) -> tuple[int, int]:
    if image.width <= WIDEST:
        return image.size
    return WIDEST, max(1, round(image.height * WIDEST / image.width))


def _save_still(image: Image.Image, kind: str, out: io.BytesIO) -> None:
    # Only what is named here is written: no EXIF, no place where it was taken, no thumbnail, no comment.
    image.info = {}
    if kind == "JPEG":
        image.convert("RGB").save(out, "JPEG", quality=84, optimize=True, progressive=True)
    elif kind == "PNG":
        image.save(out, "PNG", optimize=True)
    else:
        image.save(out, "GIF")


def _save_moving(image: Image.Image, out: io.BytesIO) -> tuple[int, int]:
    size, loop = _size(image), image.info.get("loop", 0)
    frames, durations = [], []
    for frame in ImageSequence.Iterator(image):
        durations.append(frame.info.get("duration", 100))
        still = frame.convert("RGBA")
        still.info = {}
        frames.append(still if still.size == size else still.resize(size, Resampling.LANCZOS))
    frames[0].save(
        out, "GIF", save_all=True, append_images=frames[1:], duration=durations, loop=loop, disposal=2, comment=b""
    )
    return size
