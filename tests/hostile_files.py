"""Files that lie, explode or run, made when a test needs them."""

import io
import zipfile
import zlib

HTML = b"<!doctype html><script>alert('ran')</script><img src=x onerror=alert('ran')>"
SVG = b"""<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY e SYSTEM "file:///etc/passwd">]>
<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" onload="alert('ran')">
<script>alert('ran')</script><foreignObject><body xmlns="http://www.w3.org/1999/xhtml">
<script>alert('ran')</script></body></foreignObject><a xlink:href="javascript:alert('ran')">
<use xlink:href="http://evil.example/x.svg#x"/></a><text>&e;</text></svg>"""
PDF = b"""%PDF-1.7
1 0 obj<</Type/Catalog/Pages 2 0 R/OpenAction<</S/JavaScript/JS(app.alert\\('ran'\\))>>>>endobj
2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj
trailer<</Root 1 0 R>>
%%EOF
"""


def chunk(name, data=b""):
    return len(data).to_bytes(4) + name + data + zlib.crc32(name + data).to_bytes(4)


def png(width, height, data=None):
    header = width.to_bytes(4) + height.to_bytes(4) + bytes([1, 0, 0, 0, 0])
    if data is None:
        data = zlib.compress(b"\0" * ((width + 7) // 8 + 1) * height, 9)
    parts = (chunk(b"IHDR", header), chunk(b"IDAT", data), chunk(b"IEND"))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def jpeg(width, height):
    frame = b"\xff\xc0\0\x0b\x08" + height.to_bytes(2) + width.to_bytes(2) + b"\1\1\x11\0"
    return b"\xff\xd8" + frame + b"\xff\xd9"


def gif(frames):
    picture = b"\x2c" + bytes(4) + b"\1\0\1\0\0\2\2\x44\1\0"
    return b"GIF89a\1\0\1\0\x80\0\0" + b"\0\0\0\xff\xff\xff" + picture * frames + b";"


def webp(width, height):
    body = b"\0\0\0\0" + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    inside = b"WEBPVP8X" + (10).to_bytes(4, "little") + body
    return b"RIFF" + len(inside).to_bytes(4, "little") + inside


def avif(width, height):
    def box(kind, *parts):
        body = b"".join(parts)
        return (8 + len(body)).to_bytes(4) + kind + body

    size = box(b"ispe", bytes(4), width.to_bytes(4), height.to_bytes(4))
    return box(b"ftyp", b"avif", bytes(4)) + box(
        b"meta", bytes(4), box(b"iprp", box(b"ipco", size))
    )


def nested_zip(levels):
    content = b"0" * 1_000_000
    for level in range(levels):
        kept = io.BytesIO()
        with zipfile.ZipFile(kept, "w", zipfile.ZIP_DEFLATED) as archive:
            for number in range(4):
                archive.writestr(f"{level}-{number}.zip", content)
        content = kept.getvalue()
    return content


def crowded_zip(entries):
    kept = io.BytesIO()
    with zipfile.ZipFile(kept, "w") as archive:
        for number in range(entries):
            archive.writestr(f"../../../../tmp/balie-canary-{number}", b"")
    return kept.getvalue()


def eicar():
    """The harmless string by which virus scanners are tried, made here so that none stumbles over us."""
    return b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$" + b"EICAR-STANDARD-" + b"ANTIVIRUS-TEST-FILE!$H+H*"


BOMBS = {
    "png 50,000 × 50,000": (lambda: png(50_000, 50_000, b"x" * 300_000), "image/png"),
    "png 2^31": (lambda: png(2**31 - 1, 2**31 - 1, b"x"), "image/png"),
    "png 0 × 1": (lambda: png(0, 1, b"x"), "image/png"),
    "png of 30 megapixels too many": (lambda: png(10_000, 8_000, b"x"), "image/png"),
    "jpeg 65,535 × 65,535": (lambda: jpeg(65_535, 65_535), "image/jpeg"),
    "webp 16,777,216 × 16,777,216": (lambda: webp(2**24, 2**24), "image/webp"),
    "avif 65,536 × 65,536": (lambda: avif(65_536, 65_536), "image/avif"),
    "gif 65,535 × 65,535": (lambda: b"GIF89a\xff\xff\xff\xff" + bytes(100), "image/gif"),
    "jpeg without a frame": (lambda: b"\xff\xd8\xff\xe0" + bytes(100), "image/jpeg"),
    "png that is only a sign": (lambda: b"\x89PNG\r\n\x1a\n", "image/png"),
}

# What it is, what it says it is, its name, and what Balie takes it for.
LIES = [
    (HTML, "image/png", "photo.png", "application/octet-stream"),
    (HTML, "text/html", "page.html", "application/octet-stream"),
    (HTML, "text/html; charset=utf-7", "page.htm", "application/octet-stream"),
    (HTML, "", "page", "application/octet-stream"),
    (HTML, "x" * 10_000, "page.xhtml", "application/octet-stream"),
    (HTML, "text/plain", "page.txt", "text/plain"),
    (
        b"+ADw-script+AD4-alert(1)+ADw-/script+AD4-",
        "text/html; charset=utf-7",
        "a.txt",
        "text/plain",
    ),
    (HTML, "image/svg+xml", "a.csv", "text/plain"),
    (SVG, "image/svg+xml", "logo.svg", "application/octet-stream"),
    (SVG, "image/png", "logo.png", "application/octet-stream"),
    (b"\xef\xbb\xbf" + SVG, "text/xml", "logo.xml", "application/octet-stream"),
    (png(1, 1) + HTML, "text/html", "both.html", "image/png"),
    (
        png(1, 1)[:33] + chunk(b"tEXt", b"a\0" + HTML) + png(1, 1)[33:],
        "text/html",
        "a.html",
        "image/png",
    ),
    (PDF, "application/pdf", "bill.pdf", "application/pdf"),
    (PDF + HTML, "text/html", "bill.html", "application/pdf"),
    (b"GIF89a/*" + b"\1\0\1\0" + b"*/=1;alert('ran')//", "text/javascript", "a.gif", "image/gif"),
    (gif(10_000), "image/gif", "film.gif", "image/gif"),
    (nested_zip(6), "application/zip", "42.zip", "application/zip"),
    (crowded_zip(2_000), "application/zip", "slip.zip", "application/zip"),
    (b"\0" * 10, "text/plain", "nul.txt", "application/octet-stream"),
    (b"1234WEBP" + HTML, "image/webp", "no-riff.webp", "application/octet-stream"),
    (b"<?php phpinfo();", "image/gif", "a.php", "application/octet-stream"),
    (b"MIME-Version: 1.0\nContent-Type: text/html\n\n" + HTML, "message/rfc822", "a.mht", None),
]

# What would run on the machine of whoever opens it, and its name.
RUNNABLES = [
    (b"MZ" + bytes(100), "photo.jpg.exe"),
    (b"MZ\x90\0" + bytes(100), "photo.jpg"),
    (b"\x7fELF" + bytes(100), "bill.pdf"),
    (b"\xcf\xfa\xed\xfe" + bytes(100), "bill"),
    (b"\xca\xfe\xba\xbe" + bytes(100), "Main.class"),
    (b"\x4c\0\0\0\x01\x14\x02\0" + bytes(100), "Rekening.pdf"),
    (b"#!/bin/sh\nrm -rf /", "notes.txt"),
    (b"#! /usr/bin/env python3", "notes"),
    (b"alert('ran')", "worker.js"),
    (b"GIF89a/*" + b"\1\0\1\0" + b"*/=1;alert('ran')//", "a.js"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(100), "setup.msi"),
    (b"PK\x03\x04" + bytes(100), "tool.jar"),
    (b"[InternetShortcut]\nURL=file:///c:/x", "Open.url"),
    *(
        (b"x", f"a.{ending}")
        for ending in (
            "exe",
            "EXE",
            "bat",
            "cmd",
            "vbs",
            "scr",
            "ps1",
            "lnk",
            "hta",
            "com",
            "pif",
            "apk",
        )
    ),
    (b"x", "a.exe. "),
    (b"x", "a.exe::$DATA"),
    (b"x", "Rekening\u202egpj.exe"),
]
