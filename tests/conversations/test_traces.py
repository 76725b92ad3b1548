"""A photo says nothing about who took it, where and when, and looks as it did."""

import io
import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageChops, ImageOps, features
from PIL.PngImagePlugin import PngInfo

from balie.conversations.media import recognise
from balie.conversations.traces import without_traces
from balie.kernel.errors import BalieError, MalformedError

CANARY = "Kerkstraat-7-Utrecht"
PROFILE = b"\0\0\0\x80lcmsCANARYPROFILE" + bytes(110)
XMP = f"<x:xmpmeta><exif:GPSLatitude>{CANARY}</exif:GPSLatitude></x:xmpmeta>".encode()


def exif(turned=6):
    told = Image.Exif()
    told[0x0112] = turned
    told[0x010F] = CANARY
    gps = told.get_ifd(0x8825)
    gps[1], gps[2], gps[29] = "N", (52.0, 5.0, 27.0), CANARY
    return told


def photo(kind, turned=6, **more):
    picture = Image.linear_gradient("L").resize((64, 40)).convert("RGB")
    if kind == "PNG":
        notes = PngInfo()
        notes.add_text("Comment", CANARY)
        notes.add_itxt("XML:com.adobe.xmp", XMP.decode())
        notes.add_text("Long", CANARY * 50, zip=True)
        more["pnginfo"] = notes
    elif kind in ("WEBP", "AVIF"):
        more["xmp"] = XMP
    elif kind == "JPEG":
        more |= {"comment": CANARY.encode(), "xmp": XMP}
    kept = io.BytesIO()
    picture.save(kept, kind, exif=exif(turned), icc_profile=PROFILE, **more)
    return kept.getvalue()


KINDS = ["JPEG", "PNG", "WEBP"]


def stripped(kind, content):
    return without_traces(f"image/{kind.lower()}", content)


@pytest.mark.parametrize("turned", [1, 3, 6, 8])
@pytest.mark.parametrize("kind", KINDS)
def test_the_place_goes_and_the_picture_stays(kind, turned):
    before = photo(kind, turned)
    assert CANARY.encode() in before
    after = stripped(kind, before)
    assert CANARY.encode() not in after
    assert b"GPS" not in after
    assert len(after) < len(before)
    one, other = Image.open(io.BytesIO(before)), Image.open(io.BytesIO(after))
    assert other.getexif().get(0x0112, 1) == turned
    assert set(other.getexif()) <= {0x0112}
    assert other.info.get("icc_profile") == PROFILE
    shown = [ImageOps.exif_transpose(each).convert("RGB") for each in (one, other)]
    assert ImageChops.difference(*shown).getbbox() is None


@pytest.mark.parametrize("kind", KINDS)
def test_twice_is_as_once(kind):
    once = stripped(kind, photo(kind))
    assert stripped(kind, once) == once
    assert recognise(once, "x").media_type == f"image/{kind.lower()}"


@pytest.mark.parametrize("kind", KINDS)
def test_what_comes_after_the_picture_goes(kind):
    """A telephone's moving photo; a page or an archive glued to a picture."""
    content = photo(kind)
    glued = content + b"ftypmp42" + CANARY.encode() + b"<script>alert(1)</script>"
    assert stripped(kind, glued) == stripped(kind, content)


def test_a_jpeg_of_many_scans_and_its_thumbnail():
    before = photo("JPEG", progressive=True, quality=95)
    assert before.count(b"\xff\xda") > 3
    after = stripped("JPEG", before)
    one, other = (Image.open(io.BytesIO(each)).convert("RGB") for each in (before, after))
    assert ImageChops.difference(one, other).getbbox() is None


def test_a_second_picture_and_a_makers_own_segment_go():
    content = photo("JPEG")
    maker = b"\xff\xe5" + (2 + len(CANARY)).to_bytes(2) + CANARY.encode()
    photoshop = b"\xff\xed" + (16 + len(CANARY)).to_bytes(2) + b"Photoshop 3.0\0" + CANARY.encode()
    grown = content[:2] + maker + photoshop + content[2:] + content
    after = stripped("JPEG", grown)
    assert CANARY.encode() not in after
    assert after.count(b"\xff\xd8\xff") == 1


def test_moving_pictures_move_on():
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "green", "blue")]
    for kind in ("WEBP", "PNG"):
        kept = io.BytesIO()
        frames[0].save(kept, kind, save_all=True, append_images=frames[1:], exif=exif())
        after = Image.open(io.BytesIO(stripped(kind, kept.getvalue())))
        assert after.n_frames == 3
        assert CANARY.encode() not in stripped(kind, kept.getvalue())


# Photos in boxes. Pillow may come without AVIF; these are written by hand.


def box(kind, *content):
    body = b"".join(content)
    return (8 + len(body)).to_bytes(4) + kind + body


def heif(brand=b"heic", *, version=1, in_idat=False):
    """The skeleton of a HEIF file with an EXIF and an XMP item."""
    secret = b"\0\0\0\0" + exif().tobytes()[6:]
    tail = b"PIXELS" + secret + XMP
    iinf = box(
        b"iinf",
        bytes(4) + (3).to_bytes(2),
        box(b"infe", b"\2\0\0\0", struct.pack(">HH4s", 1, 0, b"hvc1"), b"\0"),
        box(b"infe", b"\2\0\0\0", struct.pack(">HH4s", 2, 0, b"Exif"), b"\0"),
        box(b"infe", b"\3\0\0\0", struct.pack(">IH4s", 3, 0, b"mime"), b"\0application/rdf+xml\0"),
    )
    ispe = box(b"iprp", box(b"ipco", box(b"ispe", bytes(4), struct.pack(">II", 640, 480))))

    def placed(base):
        wide = "I" if version == 2 else "H"
        rows = b""
        at = base
        for item, size in ((1, 6), (2, len(secret)), (3, len(XMP))):
            rows += struct.pack(f">{wide}", item)
            if version:
                rows += struct.pack(">H", 1 if in_idat and item > 1 else 0)
            rows += struct.pack(">HHII", 0, 1, at, size)
            at += size
        head = bytes([version, 0, 0, 0, 0x44, 0x00]) + struct.pack(f">{wide}", 3)
        return box(b"iloc", head, rows)

    def whole(base):
        parts = [bytes(4), iinf, ispe, placed(base)]
        if in_idat:
            parts.append(box(b"idat", tail))
        meta = box(b"meta", *parts)
        ends = b"" if in_idat else box(b"mdat", tail)
        return box(b"ftyp", brand, bytes(4), b"mif1") + meta + ends

    return whole(0 if in_idat else whole(0).index(b"PIXELS"))


@pytest.mark.parametrize("version", [0, 1, 2])
@pytest.mark.parametrize("in_idat", [False, True])
def test_a_photo_in_boxes_keeps_its_shape(version, in_idat):
    if in_idat and version == 0:
        return
    content = heif(version=version, in_idat=in_idat)
    assert CANARY.encode() in content
    after = without_traces("image/heic", content)
    assert len(after) == len(content)
    assert CANARY.encode() not in after
    assert b"PIXELS" in after
    assert without_traces("image/heic", after) == after


def test_the_pixels_of_an_avif_are_counted():
    content = heif(b"avif")
    found = recognise(content, "x.avif")
    assert (found.media_type, found.width, found.height) == ("image/avif", 640, 480)
    giant = content.replace(struct.pack(">II", 640, 480), struct.pack(">II", 65_536, 65_536))
    with pytest.raises(BalieError, match="65536"):
        recognise(giant, "x.avif")
    with pytest.raises(MalformedError):
        recognise(content.replace(b"ispe", b"free"), "x.avif")


@pytest.mark.skipif(not features.check("avif"), reason="this Pillow has no AVIF")
def test_a_real_avif():
    before = photo("AVIF", turned=1)
    after = without_traces("image/avif", before)
    assert CANARY.encode() in before
    assert CANARY.encode() not in after
    one, other = (Image.open(io.BytesIO(each)).convert("RGB") for each in (before, after))
    assert ImageChops.difference(one, other).getbbox() is None


# What is broken.


def test_other_files_stay_as_they_are():
    for kind in ("application/pdf", "text/plain", "image/gif", "application/octet-stream"):
        assert without_traces(kind, b"anything") == b"anything"


@pytest.mark.parametrize("kind", [*KINDS, "heic"])
def test_what_is_cut_off_is_cleaned_or_refused(kind):
    content = heif() if kind == "heic" else photo(kind)
    for end in range(16, len(content), 7):
        try:
            after = stripped(kind, content[:end])
        except MalformedError:
            continue
        # An item whose place lies behind the end is not there to be read.
        assert CANARY.encode() not in after or kind == "heic"


@given(
    st.sampled_from([*KINDS, "heic"]),
    st.lists(st.tuples(st.integers(0, 5_000), st.binary(max_size=9))),
)
def test_what_is_mangled_is_cleaned_or_refused(kind, changes):
    content = bytearray(GOOD[kind])
    for place, change in changes:
        at = place % len(content)
        content[at : at + len(change)] = change
    try:
        stripped(kind, bytes(content))
    except MalformedError:
        return


GOOD = {kind: photo(kind) for kind in KINDS} | {"heic": heif()}


def test_lengths_that_lead_in_circles_end():
    assert stripped("JPEG", b"\xff\xd8" + b"\xff\xe0\0\0" * 50_000)
    zero = b"\x89PNG\r\n\x1a\n" + (b"\0\0\0\0tEXt" + zlib.crc32(b"tEXt").to_bytes(4)) * 50_000
    assert stripped("PNG", zero) == zero[:8]
    with pytest.raises(MalformedError):
        without_traces("image/heic", b"\0\0\0\1ftyp" + bytes(8))
