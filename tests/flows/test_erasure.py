"""Everything of one person can be handed over, and then it is nowhere: not in a byte of the data directory."""

import hashlib
import io
import json
import sqlite3
import subprocess
import sys
import time
import zipfile
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import httpx
import jwt
import pytest
from tests.people import Agent, Demo, Talker, fresh_id

pytestmark = pytest.mark.skipif(
    "config.getoption('--database') != 'sqlite'",
    reason="it looks into the files of SQLite",
)

CANARIES = {
    "name": "Kanarienaam",
    "email": "kanariepost",
    "signed_name": "Kanarieondertekend",
    "signed_email": "kanariebewezen",
    "external_id": "kanarieklantnummer",
    "text": "kanarietekst",
    "file_name": "kanariebestand",
    "file_content": "kanarieinhoud",
    "loose_file_name": "kanarielosbestand",
    "loose_file_content": "kanarielosinhoud",
    "page_url": "kanariepad",
    "page_title": "Kanarietitel",
    "referrer": "kanarieverwijzer",
    "attribute": "kanariekenmerk",
    "tracked": "kanariegebeurtenis",
    "next_page": "kanarievolgende",
    "language": "nl-kanarietaal",
    "time_zone": "Europe/Kanariezone",
    "user_agent": "Kanariebladeraar",
    "comment": "kanariebeoordeling",
    "note": "kanarienotitie",
    "answer": "kanarieantwoord",
    "tag": "kanarielabel",
    "http_text": "kanarieviahttp",
}
UNKEPT = {"user_agent"}
"""What is not kept at all, so that no export can hold it."""


@pytest.fixture
def demo(own_demo):
    """Each test has a demo of its own."""
    return own_demo


@pytest.fixture
async def open_desk(demo):
    """Opens desks, and leaves them all in the end."""
    opened: list[Desk] = []

    async def open_it(site: str, login: dict[str, str]) -> Desk:
        opened.append(Desk(demo, site, login))
        return await opened[-1].open()

    yield open_it
    for desk in opened:
        await desk.owner.leave()


class Desk:
    """One organisation of the demo's installation: its site, its owner, and a key that proves identities."""

    def __init__(self, demo: Demo, site: str, login: dict[str, str]) -> None:
        self.demo, self.site, self.login = demo, site, login
        self.owner = Agent(demo, login)

    async def open(self) -> "Desk":
        await self.owner.sign_in()
        sites = (await self.owner.http.get("/api/v1/sites")).json()["data"]
        [self.site_id] = [each["id"] for each in sites if each["key"] == self.site]
        made = await self.owner.http.post(
            f"/api/v1/sites/{self.site_id}/keys", json={"algorithm": "HS256"}
        )
        self.kid, self.secret = made.json()["kid"], made.json()["secret"]
        return self

    def proof(self, **claims: str) -> str:
        claims |= {"aud": self.site, "exp": int(time.time()) + 600}
        return jwt.encode(claims, self.secret, "HS256", headers={"kid": self.kid})

    def visitor(self, token: str | None, said: dict[str, str]) -> Talker:
        hello = {
            "type": "hello",
            "site": self.site,
            "language": said["language"],
            "time_zone": said["time_zone"],
            "page": {
                "url": f"{self.demo.shop}/{said['page_url']}",
                "title": said["page_title"],
                "referrer": f"https://example.nl/{said['referrer']}",
            },
        }
        if token is not None:
            hello["token"] = token
        headers = {"Origin": self.demo.url, "User-Agent": f"{said['user_agent']} Firefox/140"}
        return Talker(f"ws://127.0.0.1:{self.demo.port}/ws/visitor", headers, hello)


def found_twin(demo: Demo) -> tuple[str, dict[str, str]]:
    """A second organisation on the same installation, made beside the running server: its site and owner."""
    made = balie(
        demo, "init", "--organisation=Tweeling", "--name=Eva", "--email=eva@tweeling.example"
    )
    login = {"email": "eva@tweeling.example", "password": made["password"]}
    return made["site_key"], login


def balie(demo: Demo, *words: str, code: int = 0):
    """Run the command line on the data directory that the server uses."""
    program = str(Path(sys.executable).with_name("balie"))
    told = subprocess.run(
        [program, *words, "--json", f"--data-dir={demo.folder}"],
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert told.returncode == code, told.stderr
    return json.loads(told.stdout) if told.stdout else told.stderr


async def live_a_life(desk: Desk, said: dict[str, str]) -> dict[str, str]:
    """A visitor who leaves something in every field that he, or an agent about him, can write."""
    ana = await desk.visitor(None, said).open()
    token = ana.welcome["visitor"]["token"]
    http = httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{desk.demo.port}/api/v1",
        headers={"User-Agent": said["user_agent"]},
    )

    async def ask(verb: str, path: str, **body):
        answer = await http.request(
            verb,
            path,
            headers={"Authorization": f"Bearer {token}", **body.pop("headers", {})},
            **body,
        )
        assert answer.status_code < 300, answer.text
        return answer.json() if answer.content else None

    async def bring(name: str, content: str):
        return await ask(
            "POST",
            "/files",
            content=content.encode(),
            headers={"X-File-Name": quote(f"{name}.txt"), "Content-Type": "text/plain"},
        )

    file = await bring(said["file_name"], said["file_content"])
    first = await ana.post(said["text"], files=[file["id"]])
    conversation = first["conversation"]
    await ana.send(
        {"type": "page", "url": f"{desk.demo.shop}/{said['next_page']}", "title": "Verder"}
    )
    await ask(
        "PUT",
        "/visitor/identity",
        json={"name": said["name"], "email": f"{said['email']}@example.nl"},
    )
    loose = await bring(said["loose_file_name"], said["loose_file_content"])

    console = await desk.owner.console()
    await console.send({"type": "resume", "conversation": conversation, "last_seq": 0})
    await console.send(
        {
            "type": "note",
            "client_message_id": fresh_id(),
            "conversation": conversation,
            "text": said["note"],
        }
    )
    await console.post(said["answer"], conversation)
    staff = desk.owner.http
    tagged = await staff.put(f"/api/v1/conversations/{conversation}/tags/{said['tag']}")
    assert tagged.status_code == 200, tagged.text
    await console.close()

    await ask("PUT", "/visitor/attributes", json={"attributes": {"pas": said["attribute"]}})
    await ask("POST", "/visitor/events", json={"name": "gekocht", "detail": [said["tracked"]]})

    proof = desk.proof(
        sub=said["external_id"],
        name=said["signed_name"],
        email=f"{said['signed_email']}@example.nl",
    )
    proved = await ask("PUT", "/visitor/identity", json={"token": proof})
    assert await ana.expect_close() == 4409
    token = proved["token"]
    await ask(
        "PUT",
        f"/visitor/conversations/{conversation}/rating",
        json={"score": 4, "comment": said["comment"]},
    )
    await ask(
        "POST",
        "/visitor/messages",
        json={"client_message_id": fresh_id(), "text": said["http_text"]},
    )
    await ask("PUT", f"/visitor/conversations/{conversation}/closure")
    await http.aclose()
    return {
        "visitor": proved["id"],
        "token": token,
        "conversation": conversation,
        "file": file["id"],
        "loose": loose["id"],
    }


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def found_in(folder: Path, words) -> set[tuple[str, str]]:
    """(file, word) wherever a word lies, in any case and in the usual encodings."""
    hits = set()
    for path, content in bytes_of(folder).items():
        low = content.lower()
        for word in words:
            forms = {word, quote(word), json.dumps(word)[1:-1], quote(word, safe="")}
            if any(
                form.lower().encode(code) in low
                for form in forms
                for code in ("utf-8", "utf-16-le")
            ):
                hits.add((path, word))
    return hits


def rows_of(folder: Path, organisation: str) -> dict[str, list[tuple]]:
    """Every row of an organisation, and the bytes of its files."""
    with closing(sqlite3.connect(f"file:{folder / 'balie.sqlite3'}?mode=ro", uri=True)) as db:
        tables = [
            name
            for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            if name != "alembic_version"
        ]
        rows = {
            table: db.execute(
                f"SELECT * FROM {table} WHERE organisation_id = ? ORDER BY rowid", (organisation,)
            ).fetchall()
            for table in tables
        }
        ids = [
            key
            for (key,) in db.execute(
                "SELECT id FROM files WHERE organisation_id = ?", (organisation,)
            )
        ]
    rows["bytes"] = [
        (key, hashlib.sha256((folder / "files" / key[-3:] / key).read_bytes()).hexdigest())
        for key in sorted(ids)
    ]
    return rows


async def answers_for(desk: Desk) -> str:
    """What the API tells an administrator, all of it."""
    http, told = desk.owner.http, []
    for view in ("open", "waiting", "mine", "team", "closed"):
        told.append((await http.get(f"/api/v1/conversations?view={view}")).text)
        for row in json.loads(told[-1])["data"]:
            about = f"/api/v1/conversations/{row['id']}"
            told.append((await http.get(about)).text)
            told.append((await http.get(f"{about}/events?after=0&limit=200")).text)
            told.append((await http.get(f"{about}/visitor")).text)
    told.append((await http.get("/api/v1/tags")).text)
    return "\n".join(told)


def words_in(archive: bytes) -> str:
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        assert opened.testzip() is None
        return "\n".join(opened.read(name).decode() for name in opened.namelist())


def twins(said: dict[str, str]) -> dict[str, str]:
    return {key: value.replace("anarie", "wartel") for key, value in said.items()}


async def test_a_person_is_handed_over_whole_and_then_is_nowhere(demo, open_desk, capfd):
    desk = await open_desk(demo.site, demo.logins[0])
    twin_desk = await open_desk(*found_twin(demo))
    life = await live_a_life(desk, CANARIES)
    twin = await live_a_life(twin_desk, twins(CANARIES))
    http = desk.owner.http

    kept = set(CANARIES.values()) - {CANARIES[each] for each in UNKEPT}
    assert {word for _, word in found_in(demo.folder, CANARIES.values())} == kept
    organisation = (await twin_desk.owner.http.get("/api/v1/organisation")).json()["id"]
    before = rows_of(demo.folder, organisation)
    assert len(before["events"]) > 8

    extent = (await http.get(f"/api/v1/visitors/{life['visitor']}/extent")).json()
    assert (extent["conversations"], extent["files"], extent["contacts"]) == (2, 2, 1), extent
    export = await http.get(f"/api/v1/visitors/{life['visitor']}/export")
    assert export.headers["content-type"] == "application/zip"
    handed = words_in(export.content)
    assert [word for word in kept if word not in handed] == []
    assert [word for word in twins(CANARIES).values() if word in handed] == []
    by_command = demo.folder.parent / "person.zip"
    balie(demo, "export", f"--visitor={life['visitor']}", f"--out={by_command}")
    assert [word for word in kept if word not in words_in(by_command.read_bytes())] == []
    assert by_command.stat().st_mode & 0o077 == 0

    console = await desk.owner.console()
    await console.send({"type": "resume", "conversation": life["conversation"], "last_seq": 0})
    ana = await desk.visitor(life["token"], CANARIES).open()
    erased = await http.put(f"/api/v1/visitors/{life['visitor']}/erasure")
    assert erased.status_code == 200, erased.text
    assert erased.json()["conversations"] == 2
    assert erased.json()["files"] == 2
    gone = await console.expect("gone")
    assert life["conversation"] in gone["conversations"]
    assert await ana.expect_close() == 4401

    assert found_in(demo.folder, CANARIES.values()) == set()
    assert [w for w in CANARIES.values() if w in await answers_for(desk)] == []
    assert (await http.get(f"/api/v1/visitors/{life['visitor']}/export")).status_code == 404
    assert (await http.get(f"/api/v1/visitors/{life['visitor']}/extent")).status_code == 404
    assert (await http.get(f"/api/v1/files/{life['file']}")).status_code == 404
    again = await http.put(f"/api/v1/visitors/{life['visitor']}/erasure")
    assert again.json() == dict.fromkeys(
        ("visitors", "contacts", "conversations", "events", "files"), 0
    )

    assert rows_of(demo.folder, organisation) == before
    assert (await http.put(f"/api/v1/visitors/{twin['visitor']}/erasure")).status_code == 404, (
        "another organisation's visitor is nobody here"
    )
    for each in (console, ana):
        await each.close()
    assert demo.stop() == 0
    assert found_in(demo.folder, CANARIES.values()) == set()
    logged = "".join(capfd.readouterr())
    assert [word for word in CANARIES.values() if word in logged] == []


async def test_only_administrators_hand_over_and_erase(demo, open_desk):
    desk = await open_desk(demo.site, demo.logins[0])
    life = await live_a_life(desk, CANARIES)
    sem = await Agent(demo, demo.logins[1]).sign_in()
    for verb, what in (("GET", "export"), ("PUT", "erasure")):
        path = f"/api/v1/visitors/{life['visitor']}/{what}"
        assert (await sem.http.request(verb, path)).status_code == 403
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{demo.port}") as nobody:
            himself = {"Authorization": f"Bearer {life['token']}"}
            assert (await nobody.request(verb, path)).status_code in (401, 403)
            assert (await nobody.request(verb, path, headers=himself)).status_code in (401, 403)
    assert (
        len(
            json.loads((await desk.owner.http.get("/api/v1/conversations?view=closed")).text)[
                "data"
            ]
        )
        == 1
    )
    await sem.leave()


async def test_the_command_line_erases_beside_a_running_server(demo, open_desk):
    desk = await open_desk(demo.site, demo.logins[0])
    life = await live_a_life(desk, CANARIES)
    console = await desk.owner.console()
    await console.send({"type": "resume", "conversation": life["conversation"], "last_seq": 0})
    ana = await desk.visitor(life["token"], CANARIES).open()
    await ana.send({"type": "resume", "conversation": life["conversation"], "last_seq": 0})
    await ana.expect("events")

    told = balie(demo, "erase", f"--visitor={life['visitor']}", code=1)
    assert "--yes" in told
    address = f"{CANARIES['signed_email']}@example.nl"
    done = balie(demo, "erase", f"--email={address}", "--yes")
    assert (done["conversations"], done["files"], done["scrubbed"]) == (2, 2, True)
    assert found_in(demo.folder, CANARIES.values()) == set()

    # The server had this conversation in memory; it must not write to what is no more.
    await console.send(
        {
            "type": "post",
            "client_message_id": fresh_id(),
            "conversation": life["conversation"],
            "text": "te laat",
        }
    )
    assert (await console.expect("error"))["code"] == "not_found"
    assert await ana.expect_close() == 4401
    assert life["conversation"] in (await console.expect("gone"))["conversations"]
    assert (await console.expect("gone"))["conversations"] == []
    assert "nobody here" in balie(demo, "erase", f"--email={address}", "--yes", code=1)
    for each in (console, ana):
        await each.close()


async def test_a_restored_backup_forgets_again(demo, open_desk):
    desk = await open_desk(demo.site, demo.logins[0])
    life = await live_a_life(desk, CANARIES)
    demo.stop()
    backup = bytes_of(demo.folder)
    demo.start()
    balie(demo, "erase", f"--visitor={life['visitor']}", "--yes")
    demo.stop()

    for path, content in backup.items():
        (demo.folder / path).parent.mkdir(parents=True, exist_ok=True)
        (demo.folder / path).write_bytes(content)
    assert found_in(demo.folder, CANARIES.values()) != set()
    demo.start()
    assert found_in(demo.folder, CANARIES.values()) == set()


async def test_what_was_proved_by_one_is_not_given_to_the_next_on_that_browser(demo, open_desk):
    desk = await open_desk(demo.site, demo.logins[0])
    life = await live_a_life(desk, CANARIES)
    async with httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{demo.port}/api/v1",
        headers={"Authorization": f"Bearer {life['token']}"},
    ) as http:
        other = await http.put("/visitor/identity", json={"token": desk.proof(sub="een-ander")})
        http.headers["Authorization"] = f"Bearer {other.json()['token']}"
        assert (await http.get("/visitor/conversations")).json()["data"] == []
