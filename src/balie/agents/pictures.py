"""A picture of somebody: whatever image comes in, 256 × 256 WebP goes out, with nothing else inside."""

import hashlib
import io
import threading
import warnings

from balie.kernel.errors import BalieError, MalformedError, TooLongError

SIDE = 256
BYTES_LIMIT = 8 * 1024 * 1024
FORMATS = ("JPEG", "PNG", "WEBP", "GIF")
# A JPEG is decoded at a fraction of its size, so a large one costs little; the others are not.
JPEG_PIXELS_LIMIT = 60_000_000
PIXELS_LIMIT = 16_000_000

_one_at_a_time = threading.Lock()


def portrait(image: bytes) -> tuple[str, bytes]:
    """The hash (SHA-256, hexadecimal) and bytes of a square portrait cut from the middle of `image`.

    EXIF, and with it where the picture was taken, stays behind; only its rotation is kept. The number of
    pixels is read from the header and judged before anything is decoded. Raises MalformedError for what
    is no JPEG, PNG, WebP or GIF, TooLongError for too many bytes or pixels.
    """
    if len(image) > BYTES_LIMIT:
        raise TooLongError(f"a picture is at most {BYTES_LIMIT // 1024 // 1024} MiB")
    try:
        with _one_at_a_time, warnings.catch_warnings():
            # Pillow warns of large images while opening; they are judged right after.
            warnings.simplefilter("ignore")
            content = _drawn(image)
    except BalieError:
        raise
    except Exception as error:  # Pillow's decoders raise nearly anything on broken files
        raise MalformedError("this is no JPEG, PNG, WebP or GIF that can be read") from error
    return hashlib.sha256(content).hexdigest(), content


def _drawn(image: bytes) -> bytes:
    # Imported here: an installation where nobody uploads a picture does not pay for the library.
    from PIL import Image, ImageOps  # noqa: PLC0415

    try:
        opened = Image.open(io.BytesIO(image), formats=FORMATS)
    except Image.DecompressionBombError:
        raise TooLongError("a picture of so many pixels is not opened") from None
    _refuse_giant(opened.width * opened.height, str(opened.format))
    opened.draft("RGB", (SIDE * 2, SIDE * 2))
    square = ImageOps.fit(ImageOps.exif_transpose(opened).convert("RGBA"), (SIDE, SIDE))
    paper = Image.new("RGB", square.size, "white")
    paper.paste(square, mask=square.getchannel("A"))
    drawn = io.BytesIO()
    paper.save(drawn, "WEBP", quality=82, method=4)
    return drawn.getvalue()


def _refuse_giant(pixels: int, kind: str) -> None:
    limit = JPEG_PIXELS_LIMIT if kind == "JPEG" else PIXELS_LIMIT
    if pixels > limit:
        raise TooLongError(f"a {kind} picture is at most {limit // 1_000_000} million pixels")
