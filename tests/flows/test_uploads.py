"""Files that lie, explode or drip, brought to a running server."""

import asyncio
import hashlib
import random
import re
import socket
import time
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
from tests.hostile_files import BOMBS, LIES, RUNNABLES, eicar, png
from tests.people import visitor

# A name as it comes, and as it is kept; None: only that it is harmless.
NAMES = [
    ("bon.pdf", "bon.pdf"),
    ("фото 🚲 ٠.png", "фото 🚲 ٠.png"),
    ("../x", "x"),
    ("..\\x", "x"),
    ("../../../../etc/passwd", "passwd"),
    ("a/b", "b"),
    ("C:\\Users\\ana\\foto.jpg", "foto.jpg"),
    ("CON", "CON"),
    ("x.png\0.html", "x.png.html"),
    ("Rekening\u202egpj.pdf", "Rekeninggpj.pdf"),
    ("\u2066\u2069\u200f.txt", "txt"),
    ("a\r\nSet-Cookie: x=y", "aSet-Cookie: x=y"),
    ("x\"; filename*=UTF-8''y.html", "x\"; filename*=UTF-8''y.html"),
    ("<script>alert(1)</script>.png", "script>.png"),
    ("<img src=x onerror=alert(1)>", "<img src=x onerror=alert(1)>"),
    ("e" * 300 + ".docx", None),
    ("e" * 3_000, None),
    ("é" * 300 + "." + "x" * 50, None),
    ("", "file"),
    (".", "file"),
    ("...", "file"),
    ("///", "file"),
    (" ", "file"),
    ("\x7f\x1b[31m", "[31m"),
    (".htaccess", "htaccess"),
    ("a\u2028b\u0085c", "abc"),
    ("\udc80".encode("utf-8", "surrogatepass"), None),
    (b"\xff\xfe%\xc3", None),
    ("%2e%2e%2fx", "%2e%2e%2fx"),
]


SETTINGS = {"BALIE_CONNECTION_BURST": "10000", "BALIE_CONNECTIONS_PER_MINUTE": "100000"}


@pytest.fixture
async def eva(demo):
    """Somebody new, who may bring thirty files."""
    talker = await visitor(demo).open()
    await talker.close()
    token = talker.welcome["visitor"]["token"]
    async with browser(demo, Authorization=f"Bearer {token}") as http:
        yield http


def browser(demo, **headers):
    own = {"Origin": demo.url, **headers}
    return httpx.AsyncClient(base_url=f"http://127.0.0.1:{demo.port}", headers=own, timeout=20)


async def newcomer(demo):
    talker = await visitor(demo).open()
    await talker.close()
    return browser(demo, Authorization=f"Bearer {talker.welcome['visitor']['token']}")


async def bring(http, content, name="a.bin", media_type="application/octet-stream", **more):
    raw = name if isinstance(name, bytes) else name.encode("utf-8", "surrogatepass")
    told = quote(raw, safe="")
    headers = {"X-File-Name": told, "Content-Type": media_type, **more}
    return await http.post("/api/v1/files", content=content, headers=headers)


def resident(demo):
    """Bytes of memory of the server."""
    status = Path(f"/proc/{demo.process.pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+) kB", status)[1]) * 1024


def guarded(answer, media_type=None):
    """Whether an answer with a file lets nothing run, load, be framed or be kept."""
    headers = answer.headers
    assert headers["content-disposition"].startswith("attachment; filename=")
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert headers["cache-control"] == "private, no-store"
    kind = headers["content-type"].partition(";")[0]
    assert kind not in ("text/html", "image/svg+xml", "text/xml", "text/javascript")
    assert media_type in (None, kind)


@pytest.mark.parametrize("bomb", BOMBS)
async def test_a_bomb_is_refused_by_its_header(demo, eva, bomb):
    make, media_type = BOMBS[bomb]
    content, before = make(), resident(demo)
    answer = await bring(eva, content, "photo", media_type)
    assert answer.status_code in (413, 422)
    assert answer.json()["code"] in ("too_long", "malformed")
    assert resident(demo) - before < 32 * 2**20


async def test_many_bombs_leave_nothing_behind(demo):
    async with await newcomer(demo) as http:
        bomb = png(50_000, 50_000, b"x" * 300_000)
        await bring(http, bomb)
        before = resident(demo)
        for _ in range(25):
            assert (await bring(http, bomb)).status_code == 413
        assert resident(demo) - before < 32 * 2**20


async def test_what_a_file_says_of_itself_counts_for_nothing(demo, eva):
    for content, told, name, found in LIES:
        answer = await bring(eva, content, name, told)
        assert answer.status_code == 201, (name, answer.text)
        file = answer.json()
        assert found in (None, file["media_type"]), name
        back = await eva.get(f"/api/v1/files/{file['id']}")
        guarded(back, file["media_type"])
        if file["media_type"] != "image/png":
            assert back.content == content
        assert len(back.content) == file["size"]


async def test_what_would_run_is_refused_whatever_it_calls_itself(demo):
    async with await newcomer(demo) as http:
        for content, name in RUNNABLES:
            answer = await bring(http, content, name, "image/png")
            assert (answer.status_code, answer.json()["code"]) == (415, "runnable"), name


async def test_a_name_is_shown_as_what_it_is(demo):
    async with await newcomer(demo) as http:
        for told, kept in NAMES:
            answer = await bring(http, b"x", told)
            assert answer.status_code == 201, (told, answer.text)
            name = answer.json()["name"]
            assert kept in (None, name), told
            assert name.isprintable()
            assert 0 < len(name) <= 120
            assert not set(name) & set("/\\\u202e\u2066")
            back = await http.get(f"/api/v1/files/{answer.json()['id']}")
            guarded(back)
            said = back.headers["content-disposition"]
            plain, wide = re.fullmatch(
                r'attachment; filename="([\w .-]+)"; filename\*=UTF-8\'\'([\w.%~-]+)',
                said,
                re.ASCII,
            ).groups()
            assert wide == quote(name, safe="")
            assert len(plain) == len(name)
    async with await newcomer(demo) as http:
        for value in (b"\xff\xfe", b"a" * 20_000, b"%", b"%zz", b"%00%0d%0aX: y"):
            headers = [(b"X-File-Name", value), (b"Content-Type", b"text/plain")]
            answer = await http.post("/api/v1/files", content=b"x", headers=headers)
            assert answer.status_code == 201
            assert answer.json()["name"].isprintable()


async def test_sizes_at_the_edge(demo, eva):
    limit = 10 * 2**20
    nothing = await bring(eva, b"")
    assert (nothing.status_code, nothing.json()["code"]) == (422, "empty")
    assert (await bring(eva, b"x")).status_code == 201
    whole = b"\1" * limit
    fits = await bring(eva, whole)
    assert fits.status_code == 201
    back = await eva.get(f"/api/v1/files/{fits.json()['id']}")
    assert hashlib.sha256(back.content).digest() == hashlib.sha256(whole).digest()

    async def drips(size):
        for _ in range(size // 65_536 + 1):
            yield b"\1" * 65_536

    for content in (whole + b"\1", drips(limit)):
        before = resident(demo)
        answer = await bring(eva, content)
        assert (answer.status_code, answer.json()["code"]) == (413, "too_long")
        assert resident(demo) - before < 32 * 2**20
    for lie in ("-1", "1e9", "x", "99999999999999999999"):
        status = await raw(demo, eva, f"Content-Length: {lie}\r\n", b"x")
        assert status in (400, 413), lie


async def raw(demo, http, headers, body):
    """The status of a file sent by hand."""
    reader, writer = await asyncio.open_connection("127.0.0.1", demo.port)
    token = http.headers["authorization"]
    head = (
        f"POST /api/v1/files HTTP/1.1\r\nHost: x\r\nAuthorization: {token}\r\nConnection: close\r\n"
    )
    writer.write((head + headers + "\r\n").encode() + body)
    async with asyncio.timeout(10):
        status = await reader.readline()
    writer.close()
    return int(status.split()[1])


async def test_a_form_is_kept_as_the_bytes_that_it_is(demo, eva):
    """No form is ever parsed here, so there is nothing in it that could hurt."""
    part = b'--x\r\nContent-Disposition: form-data; name="a"; filename="b.html"\r\n\r\n'
    forms = {
        "ten thousand parts": (part * 10_000 + b"--x--", "multipart/form-data; boundary=x"),
        "no boundary": (part, "multipart/form-data"),
        "a long boundary": (part, "multipart/form-data; boundary=" + "y" * 10_000),
        "no end": (part + b"x" * 1_000, "multipart/form-data; boundary=x"),
        "a long header": (b"--x\r\nA: " + b"b" * 1_000_000, "multipart/form-data; boundary=x"),
    }
    for name, (body, kind) in forms.items():
        begun = time.process_time()
        answer = await bring(eva, body, "form", kind)
        assert answer.status_code == 201, name
        assert answer.json()["media_type"] == "application/octet-stream"
        assert answer.json()["size"] == len(body)
        assert time.process_time() - begun < 5
    for path in ("/api/v1/visitor/messages", "/api/v1/session", "/api/v1/visitor/identity"):
        answer = await eva.request(
            "PUT" if path.endswith("identity") else "POST",
            path,
            content=part,
            headers={"Content-Type": "multipart/form-data; boundary=x"},
        )
        assert answer.status_code == 415, path


async def test_ranges_cost_nothing(demo, eva):
    file = (await bring(eva, b"\1" * 2**20)).json()
    ranges = "bytes=" + ",".join(f"{n}-{n + 1}" for n in range(3_000))
    before = cpu(demo)
    for wish in (
        ranges,
        "bytes=0-0",
        "bytes=-1",
        "bytes=5-1",
        "lines=1-2",
        "bytes=" + "0-," * 9_000,
    ):
        answer = await eva.get(f"/api/v1/files/{file['id']}", headers={"Range": wish})
        assert answer.status_code == 200
        assert len(answer.content) == 2**20
    assert cpu(demo) - before < 1.0
    answer = await eva.get(
        f"/api/v1/files/{file['id']}", headers={"Range": "bytes=" + "0-1," * 10_000}
    )
    assert answer.status_code == 431


async def test_a_file_that_is_gone_is_not_found(demo, eva):
    file = (await bring(eva, b"\1" * 10)).json()
    (lying,) = (path for path in demo.folder.rglob("*") if path.name == file["id"])
    lying.unlink()
    answer = await eva.get(f"/api/v1/files/{file['id']}")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


async def test_what_nobody_reads_lies_in_no_memory(demo, eva):
    content = random.Random(1).randbytes(9_000_000)
    file = (await bring(eva, content)).json()
    whole = await eva.get(f"/api/v1/files/{file['id']}")
    assert whole.content == content
    assert whole.headers["content-length"] == str(len(content))
    before = resident(demo)
    lines = [ask_and_not_read(demo, eva, file["id"]) for _ in range(30)]
    await asyncio.sleep(2)
    grown = resident(demo) - before
    for line in lines:
        line.close()
    assert grown < 60 * 2**20


def ask_and_not_read(demo, http, file_id):
    """A line on which a file was asked for."""
    line = socket.socket()
    line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    line.connect(("127.0.0.1", demo.port))
    token = http.headers["authorization"]
    head = f"GET /api/v1/files/{file_id} HTTP/1.1\r\nHost: x\r\nAuthorization: {token}\r\n\r\n"
    line.sendall(head.encode())
    return line


def cpu(demo):
    """Seconds of processor that the server used."""
    fields = Path(f"/proc/{demo.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


async def test_a_scanners_test_string_is_only_ever_an_attachment(demo, eva):
    answer = await bring(eva, eicar(), "eicar.com.txt", "text/plain")
    assert answer.status_code == 201
    guarded(await eva.get(f"/api/v1/files/{answer.json()['id']}"), "text/plain")


class Slow:
    """Somebody who has sent one byte of two."""

    async def begin(self, demo, http):
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", demo.port)
        token = http.headers["authorization"]
        head = f"POST /api/v1/files HTTP/1.1\r\nHost: x\r\nAuthorization: {token}\r\n"
        self._writer.write(head.encode() + b"Content-Length: 2\r\n\r\nx")
        self.status = asyncio.create_task(self._status())
        return self

    async def _status(self):
        return int((await self._reader.readline()).split()[1])

    async def end(self):
        self._writer.write(b"y")
        return await self.status

    async def leave(self):
        self._writer.close()
        await self._writer.wait_closed()


@pytest.mark.one_process("each worker bounds the memory that it gives itself")
async def test_from_one_address_a_few_come_at_once(demo):
    people = [await newcomer(demo) for _ in range(12)]
    slow = [await Slow().begin(demo, http) for http in people]
    await asyncio.wait([each.status for each in slow], timeout=2)
    told = [each.status.result() for each in slow if each.status.done()]
    assert told == [429] * 4
    waiting = [each for each in slow if not each.status.done()]
    assert [await each.end() for each in waiting] == [201] * 8
    for each in slow:
        await each.leave()
    # Who was let go made room.
    for http in people:
        assert (await bring(http, b"x")).status_code == 201
        await http.aclose()


async def test_who_leaves_in_the_middle_leaves_nothing(demo, eva):
    for _ in range(20):
        _, writer = await asyncio.open_connection("127.0.0.1", demo.port)
        token = eva.headers["authorization"]
        head = f"POST /api/v1/files HTTP/1.1\r\nHost: x\r\nAuthorization: {token}\r\n"
        writer.write(head.encode() + b"Content-Length: 1000000\r\n\r\n" + b"x" * 1_000)
        await writer.drain()
        writer.transport.abort()
    answers = [await bring(eva, b"x") for _ in range(5)]
    assert answers[-1].status_code == 201


async def test_strangers_bring_and_fetch_nothing(demo, eva):
    file = (await bring(eva, b"x")).json()
    async with browser(demo) as nobody, await newcomer(demo) as other:
        assert (await bring(nobody, b"x")).status_code == 401
        assert (await nobody.get(f"/api/v1/files/{file['id']}")).status_code == 401
        assert (await other.get(f"/api/v1/files/{file['id']}")).status_code == 404
        for path in ("../../secret.key", "..%2f..%2fsecret.key", file["id"] + "/..", "x" * 9_000):
            answer = await other.get(f"/api/v1/files/{path}")
            assert answer.status_code in (404, 405), path
        foreign = await bring(eva, b"x", Origin="https://evil.example")
        assert foreign.status_code == 403
