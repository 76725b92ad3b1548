"""Whatever image comes in, a small square comes out with nothing else inside; bombs are not lit."""

import io
import struct
import zlib

import pytest
from PIL import Image

from balie.agents.pictures import SIDE, portrait
from balie.kernel.errors import MalformedError, TooLongError


def encoded(image, kind, **options):
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def png_header(width, height):
    """A PNG that claims a size and holds nothing of it."""

    def chunk(name, body):
        return (
            struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        )

    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 9))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF"])
@pytest.mark.parametrize("size", [(1, 1), (3, 700), (900, 400)])
def test_a_square_comes_out(kind, size):
    digest, content = portrait(encoded(Image.new("RGB", size, "teal"), kind))
    assert Image.open(io.BytesIO(content)).size == (SIDE, SIDE)
    assert Image.open(io.BytesIO(content)).format == "WEBP"
    assert len(digest) == 64


def test_where_it_was_taken_stays_behind():
    exif = Image.Exif()
    exif[0x0112] = 6  # held upright: turned a quarter
    exif.get_ifd(0x8825)[2] = (52.0, 22.0, 12.0)
    exif[0x010E] = "CANARY"
    picture = Image.new("RGB", (400, 400), "red")
    picture.paste("blue", (0, 0, 400, 200))
    _, content = portrait(encoded(picture, "JPEG", exif=exif))
    assert b"CANARY" not in content
    made = Image.open(io.BytesIO(content))
    assert not made.getexif()
    # What lay on top lies right after the turn.
    assert made.getpixel((240, 128))[2] > 200
    assert made.getpixel((16, 128))[0] > 200


def test_what_is_clear_becomes_white():
    _, content = portrait(encoded(Image.new("RGBA", (10, 10), (0, 0, 0, 0)), "PNG"))
    assert Image.open(io.BytesIO(content)).getpixel((100, 100)) == (255, 255, 255)


@pytest.mark.parametrize("size", [(50_000, 50_000), (4_001, 4_000), (2**31 - 1, 2**31 - 1)])
def test_a_bomb_is_refused_by_its_header(size):
    with pytest.raises((TooLongError, MalformedError)) as refused:
        portrait(png_header(*size))
    if size[0] < 2**30:
        assert isinstance(refused.value, TooLongError)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        b"<html>",
        b"GIF89a",
        b"\xff\xd8\xff\xe0",
        b"%PDF-1.7",
        b"RIFF\x00\x00\x00\x00WEBPVP8 ",
        bytes(range(256)) * 8,
    ],
)
def test_what_is_no_picture_is_refused(content):
    with pytest.raises(MalformedError):
        portrait(content)


def test_a_polyglot_loses_its_other_half():
    image = encoded(Image.new("RGB", (20, 20), "teal"), "PNG") + b"<script>alert('CANARY')</script>"
    assert b"CANARY" not in portrait(image)[1]


def test_too_many_bytes_are_not_opened():
    with pytest.raises(TooLongError):
        portrait(b"\x00" * (8 * 1024 * 1024 + 1))
