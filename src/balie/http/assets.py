"""The built web apps, held in memory: ready compressed, with an ETag each."""

import gzip
import hashlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
from litestar import Response

SHORT = "public, max-age=300, stale-while-revalidate=86400"
FOR_EVER = "public, max-age=31536000, immutable"
SMALLEST_COMPRESSED = 256

MEDIA_TYPES = {
    ".css": "text/css",
    ".html": "text/html",
    ".ico": "image/x-icon",
    ".js": "text/javascript",
    ".json": "application/json",
    ".map": "application/json",
    ".mp3": "audio/mpeg",
    ".ogg": "audio/ogg",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".wav": "audio/wav",
    ".webmanifest": "application/manifest+json",
    ".webp": "image/webp",
    ".woff2": "font/woff2",
}
_TEXTS = (".css", ".js", ".json", ".svg", ".webmanifest", ".map")
_HASHED = re.compile(r"-[\w-]{8}\.\w+$", re.ASCII)


class Asset(msgspec.Struct, frozen=True):
    """A file as it is served; `encoded` holds it per content coding, best first."""

    body: bytes
    encoded: tuple[tuple[str, bytes], ...]
    etag: str
    media_type: str


class Entry(msgspec.Struct, frozen=True):
    """What a page of an app must load: its script, the scripts that one needs, and style sheets."""

    script: str
    preloads: tuple[str, ...]
    styles: tuple[str, ...]


class Chunk(msgspec.Struct, frozen=True):
    """A line of Vite's manifest."""

    file: str
    css: tuple[str, ...] = ()
    imports: tuple[str, ...] = ()


class Assets:
    """All files below `folder`, by their path; an empty folder or none means: not built."""

    def __init__(self, folder: Path) -> None:
        files = sorted(folder.rglob("*")) if folder.is_dir() else []
        self._assets = {
            path.relative_to(folder).as_posix(): _load(path)
            for path in files
            if path.is_file() and path.suffix in MEDIA_TYPES
        }
        self._manifests = {
            app: _manifest(folder / app / ".vite" / "manifest.json")
            for app in ("console", "widget")
        }

    def find(self, path: str) -> Asset | None:
        """The file at a path such as `widget/main-3f….js`."""
        return self._assets.get(path)

    def entry(self, app: str) -> Entry | None:
        """What the page of an app loads; None when the app is not built."""
        chunks = self._manifests[app]
        main = chunks.get(f"{app}/main.tsx")
        if main is None:
            return None
        needed = _needed(chunks, main)
        styles = dict.fromkeys(style for chunk in [main, *needed] for style in chunk.css)
        return Entry(
            f"/assets/{app}/{main.file}",
            tuple(f"/assets/{app}/{chunk.file}" for chunk in needed),
            tuple(f"/assets/{app}/{style}" for style in styles),
        )


def asset_response(
    asset: Asset, path: str, accepted: str, known_etag: str | None, *, versioned: bool = False
) -> Response[bytes]:
    """An asset in the best coding that `accepted` (Accept-Encoding) allows; 304 when it is known."""
    coding, body = _best_coding(asset, accepted)
    etag = f'"{asset.etag}-{coding}"' if coding else f'"{asset.etag}"'
    headers = {
        "Cache-Control": FOR_EVER if versioned or _HASHED.search(path) else SHORT,
        "ETag": etag,
        "Vary": "Accept-Encoding",
        # Public files: any page may load them, as a script or as a module.
        "Access-Control-Allow-Origin": "*",
        "Cross-Origin-Resource-Policy": "cross-origin",
    }
    if known_etag == etag:
        return Response(b"", status_code=304, headers=headers)
    if coding:
        headers["Content-Encoding"] = coding
    return Response(body, media_type=asset.media_type, headers=headers)


def _load(path: Path) -> Asset:
    body = path.read_bytes()
    return Asset(
        body,
        tuple(_encoded(path, body)),
        hashlib.sha256(body).hexdigest()[:20],
        MEDIA_TYPES[path.suffix],
    )


def _encoded(path: Path, body: bytes) -> list[tuple[str, bytes]]:
    """Brotli where the build put it beside the file; gzip made here."""
    if path.suffix not in _TEXTS or len(body) < SMALLEST_COMPRESSED:
        return []
    found = [("gzip", gzip.compress(body, 9, mtime=0))]
    brotli = path.with_name(path.name + ".br")
    if brotli.is_file():
        found.insert(0, ("br", brotli.read_bytes()))
    return found


def _best_coding(asset: Asset, accepted: str) -> tuple[str, bytes]:
    wanted = {
        name.strip().lower()
        for name, _, weight in (part.partition(";") for part in accepted.split(","))
        if weight.replace(" ", "") not in ("q=0", "q=0.0")
    }
    for coding, body in asset.encoded:
        if coding in wanted:
            return coding, body
    return "", asset.body


def _manifest(path: Path) -> dict[str, Chunk]:
    if not path.is_file():
        return {}
    read: Any = msgspec.json.decode(path.read_bytes(), type=dict[str, Chunk])
    found: dict[str, Chunk] = read
    return found


def _needed(chunks: Mapping[str, Chunk], chunk: Chunk) -> list[Chunk]:
    """The chunks that one imports, and those that they import, each once."""
    found: dict[str, Chunk] = {}
    waiting = list(chunk.imports)
    while waiting:
        name = waiting.pop(0)
        if name not in found and name in chunks:
            found[name] = chunks[name]
            waiting.extend(chunks[name].imports)
    return list(found.values())
