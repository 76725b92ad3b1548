"""Pages and assets: what is built is served compressed and lasting, and framed by whom the site allows."""

import gzip
import json
import re

import pytest
from tests.office import ORIGIN, SHOP, open_office

from balie.http.texts import choose_language
from balie.organisations.commands import SiteChange
from balie.organisations.model import Texts

SCRIPT = "console.log('balie');\n" * 40


@pytest.fixture
def static(tmp_path):
    """Apps as the build leaves them."""
    folder = tmp_path / "static"
    for app in ("console", "widget"):
        (folder / app / ".vite").mkdir(parents=True)
        manifest = {
            f"{app}/main.tsx": {
                "file": "main-aBcD_123.js",
                "css": ["main-00000000.css"],
                "imports": ["_shared.js"],
                "isEntry": True,
            },
            "_shared.js": {"file": "shared-12345678.js", "imports": ["_deep.js"]},
            "_deep.js": {"file": "deep-12345678.js", "imports": ["_shared.js"]},
        }
        (folder / app / ".vite" / "manifest.json").write_text(json.dumps(manifest))
        (folder / app / "main-aBcD_123.js").write_text(SCRIPT)
        (folder / app / "main-aBcD_123.js.br").write_bytes(b"brotli of it")
        (folder / app / "main-00000000.css").write_text("a{}")
    (folder / "widget" / "languages").mkdir()
    for language in ("nl", "en"):
        (folder / "widget" / "languages" / f"{language}.json").write_text(
            f'{{"title":"{language}"}}'
        )
    (folder / "console" / "manifest.webmanifest").write_text("{}")
    (folder / "console" / "worker.js").write_text("//")
    (folder / "balie.js").write_text(SCRIPT)
    (folder / "balie-panel.js").write_text(SCRIPT)
    (folder / "secret.txt").write_text("CANARY")
    (tmp_path / "outside.js").write_text("CANARY")
    return folder


@pytest.fixture
async def built(tmp_path, static):
    async with open_office(tmp_path, static=static) as office:
        yield office


def boot_of(page):
    text = re.search(r'<script type="application/json" id="balie-boot">(.*?)</script>', page)[1]
    return json.loads(text)


def ancestors(answer):
    return re.search(r"frame-ancestors ([^;]*)", answer.headers["content-security-policy"])[1]


async def test_the_console_at_every_address_of_its_own(built):
    for path in ("/app", "/app/", "/app/inbox/123", "/app/invitation"):
        answer = await built.browser().get(path)
        assert answer.status_code == 200, path
        assert '<script type="module" src="/assets/console/main-aBcD_123.js">' in answer.text
        assert '<link rel="modulepreload" href="/assets/console/deep-12345678.js">' in answer.text
        assert '<link rel="stylesheet" href="/assets/console/main-00000000.css">' in answer.text
        assert '<link rel="manifest" href="/app/manifest.webmanifest">' in answer.text
        assert boot_of(answer.text) == {"max_file_bytes": built.deps.max_file_bytes}
        assert ancestors(answer) == "'none'"
        assert answer.headers["cache-control"] == "no-cache"
    assert (await built.browser().get("/app/worker.js")).text == "//"
    assert (await built.browser().get("/app/other.js")).status_code == 404


async def test_the_panel_knows_what_it_needs_in_one_language(built):
    begun = await built.begin()
    change = SiteChange(
        texts={"nl": Texts("Dag </script><script>alert(1)</script> & \u2028"), "en": Texts("Hi")}
    )
    await built.organisations.change_site(built.system(begun), begun.site.id, change)
    answer = await built.browser().get(f"/widget/{begun.site.key}?language=nl-BE")
    assert '<html lang="nl">' in answer.text
    assert "<script>alert" not in answer.text
    boot = boot_of(answer.text)
    assert boot["language"] == "nl"
    assert boot["words"] == {"title": "nl"}
    assert boot["hosted"] is False
    assert boot["origins"] == [SHOP]
    assert boot["state"]["key"] == begun.site.key
    assert boot["state"]["desk"] == {"state": "away", "agents": []}
    assert boot["state"]["texts"] == {
        "nl": {"greeting": "Dag </script><script>alert(1)</script> &"}
    }
    assert ancestors(answer) == f"'self' {SHOP}"


async def test_a_chat_by_link_is_framed_by_nobody_else(built):
    begun = await built.begin()
    answer = await built.browser().get(
        f"/chat/{begun.site.key}", headers={"Accept-Language": "fr, en;q=0.8, nl;q=0.5"}
    )
    assert '<html lang="en">' in answer.text
    assert boot_of(answer.text)["hosted"] is True
    assert ancestors(answer) == "'self'"


async def test_a_name_is_text_in_every_page(built):
    begun = await built.begin()
    named = SiteChange(name="<b>Winkel</b> \"&'")
    await built.organisations.change_site(built.system(begun), begun.site.id, named)
    answer = await built.browser().get(f"/chat/{begun.site.key}")
    assert "<b>" not in answer.text
    assert "&lt;b&gt;Winkel" in answer.text


async def test_a_made_up_key_gets_a_page_that_says_so(built):
    for path in ("/widget/nothing", "/chat/nothing"):
        answer = await built.browser().get(path, headers={"Accept-Language": "nl"})
        assert answer.status_code == 404
        assert "Deze pagina is er niet" in answer.text


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        ("gzip, deflate, br", "br"),
        ("gzip", "gzip"),
        ("br;q=0, gzip;q=0.5", "gzip"),
        ("identity", None),
        ("", None),
    ],
)
async def test_assets_come_compressed_and_stay(built, accepted, coding):
    browser = built.browser()
    path = "/assets/widget/main-aBcD_123.js"
    async with browser.stream("GET", path, headers={"Accept-Encoding": accepted}) as answer:
        raw = b"".join([chunk async for chunk in answer.aiter_raw()])
    assert answer.headers.get("content-encoding") == coding
    assert answer.headers["vary"] == "Accept-Encoding"
    assert "immutable" in answer.headers["cache-control"]
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
    plain = {"br": lambda _: SCRIPT.encode(), "gzip": gzip.decompress, None: bytes}[coding](raw)
    assert plain == SCRIPT.encode()
    again = await browser.get(
        path, headers={"Accept-Encoding": accepted, "If-None-Match": answer.headers["etag"]}
    )
    assert again.status_code == 304


async def test_the_launcher_is_for_every_page_and_never_old(built):
    answer = await built.browser(Origin=SHOP).get("/balie.js")
    assert "max-age=300" in answer.headers["cache-control"]
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["etag"]
    panel = await built.browser(Origin=SHOP).get("/balie-panel.js?v=abc")
    assert "immutable" in panel.headers["cache-control"]
    bare = await built.browser().get("/balie-panel.js")
    assert "immutable" not in bare.headers["cache-control"]


@pytest.mark.parametrize(
    "path",
    [
        "/assets/../outside.js",
        "/assets/%2e%2e/outside.js",
        "/assets/widget/../../../outside.js",
        "/assets//etc/passwd",
        "/assets/secret.txt",
        "/assets/widget/.vite/manifest.json.br",
        "/assets/widget",
        "/app/../outside.js",
        "/app/..%2f..%2foutside.js",
    ],
)
async def test_nothing_else_is_served(built, path):
    answer = await built.browser().get(path)
    assert answer.status_code == 404
    assert "CANARY" not in answer.text


async def test_what_is_not_built_is_said(tmp_path):
    async with open_office(tmp_path, static=tmp_path / "none") as office:
        begun = await office.begin()
        for path in ("/app", f"/chat/{begun.site.key}"):
            answer = await office.browser().get(path)
            assert answer.status_code == 503
            assert "make development" in answer.text
        assert (await office.browser().get("/balie.js")).status_code == 404


async def test_the_front_page_leads_on(built):
    assert "/app" in (await built.browser().get("/")).text
    answer = await built.browser().get("/", headers={"Accept-Language": "nl"})
    assert '<html lang="nl">' in answer.text
    assert "Werkplek" in answer.text


@pytest.mark.parametrize(
    ("wished", "language"),
    [
        ("nl-NL,nl;q=0.9,en;q=0.8", "nl"),
        ("en;q=0.5, nl", "nl"),
        ("fr", "en"),
        ("", "en"),
        ("NL", "nl"),
        ("en;q=0.1;x, nl;q=abc", "en"),
        (",,,;;;", "en"),
    ],
)
def test_the_first_language_that_is_spoken(wished, language):
    assert choose_language(wished, ("en", "nl")) == language


async def test_the_api_describes_itself(built):
    answer = await built.browser().get("/api/openapi.json")
    schema = answer.json()
    assert schema["openapi"].startswith("3.")
    operations = [
        (verb, path, operation)
        for path, item in schema["paths"].items()
        for verb, operation in item.items()
    ]
    assert len(operations) >= 23
    named = re.findall(r'"#/components/schemas/([^"]+)"', answer.text)
    assert set(named) <= schema["components"]["schemas"].keys()
    for verb, path, operation in operations:
        assert operation["responses"]["default"]["content"].keys() == {"application/problem+json"}
        assert operation["x-policy"], (verb, path)
        assert operation.get("description"), (verb, path)
        if verb in ("post", "patch") and "ticket" not in path and "/invitation" not in path:
            assert operation["requestBody"]["content"]["application/json"]["schema"], path
    assert "Problem" in schema["components"]["schemas"]
    assert schema["components"]["securitySchemes"]["agent"]["name"] == "balie"
    assert ORIGIN not in answer.text
