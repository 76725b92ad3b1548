"""A real Balie to measure: `balie serve` in a process of its own, on a core of its own, over a fresh store."""

import json
import os
import secrets
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

BALIE = str(Path(sys.executable).with_name("balie"))
OWNER = "owner@bench.example"

# Every limit stays on; one machine that plays ten thousand visitors just needs higher ones.
LIMITS = {
    "BALIE_MESSAGES_PER_SECOND": "100000",
    "BALIE_MESSAGE_BURST": "100000",
    "BALIE_CONNECTIONS_PER_MINUTE": "1000000",
    "BALIE_CONNECTION_BURST": "1000000",
    "BALIE_CONNECTIONS_PER_ADDRESS": "1000000",
}


class Server:
    """`balie serve` over the data in `folder`, or in the PostgreSQL at `database`, with the NATS at `nats`."""

    def __init__(self, folder, port, core=None, *, database=None, nats=None, workers=1):
        self.folder, self.port = Path(folder), port
        self.url = f"http://localhost:{port}"
        self.password = secrets.token_hex(16)
        self._pinned = [] if core is None else ["taskset", "--cpu-list", str(core)]
        self.process = None
        self._environment = {k: v for k, v in os.environ.items() if not k.startswith("BALIE_")}
        self._environment |= LIMITS
        if database:
            self._environment["BALIE_DATABASE_URL"] = database
        if nats:
            self._environment["BALIE_NATS_URL"] = nats
        self._workers = [f"--workers={workers}"] if workers > 1 else []

    def found(self):
        """Make the organisation, its site and its owner."""
        told = subprocess.run(
            [
                *(BALIE, "init", "--json", "--password-stdin", "--organisation", "Bench"),
                *("--origin", self.url, "--name", "Owner", "--email", OWNER),
                *("--language", "en", "--data-dir", str(self.folder)),
            ],
            input=self.password,
            text=True,
            capture_output=True,
            check=True,
            env=self._environment,
        )
        self.site = json.loads(told.stdout)["site_key"]
        return self

    def start(self):
        self.process = subprocess.Popen(
            [
                *(*self._pinned, BALIE, "serve"),
                *(f"--port={self.port}", f"--data-dir={self.folder}", *self._workers),
            ],
            stdout=subprocess.PIPE,
            text=True,
            env=self._environment,
        )
        assert self.process.stdout.readline().startswith("Balie serves"), "it did not start"
        return self

    @property
    def pid(self):
        return self.process.pid

    def stop(self):
        self.process.terminate()
        self.process.wait()
        self.process.stdout.close()

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def remove(self):
        """Take its data away."""
        shutil.rmtree(self.folder)

    def target(self, agents):
        """What the load driver must know: where to go, and the cookies of `agents` signed-in agents."""
        owner = Browser(self.url)
        owner.ask("POST", "/session", {"email": OWNER, "password": self.password})
        cookies = [owner.cookie, *(self._enrol(owner, number) for number in range(1, agents))]
        return {"port": self.port, "origin": self.url, "site": self.site, "cookies": cookies}

    def _enrol(self, owner, number):
        """Invite an agent, let him accept, and return the cookie of his session."""
        wish = {
            "name": f"Agent {number}",
            "email": f"agent{number}-{time.time_ns()}@bench.example",
            "role": "agent",
            "language": "en",
        }
        link = owner.ask("POST", "/agents", wish)["invitation"]["url"]
        agent = Browser(self.url)
        token = link.rpartition("#")[2]
        agent.ask("PUT", f"/invitations/{token}/acceptance", {"password": secrets.token_hex(16)})
        return agent.cookie


class Browser:
    """Just enough HTTP to sign in."""

    def __init__(self, url):
        self._url, self.cookie = url, ""

    def ask(self, verb, path, body=None):
        request = urllib.request.Request(
            f"{self._url}/api/v1{path}",
            method=verb,
            data=json.dumps(body or {}).encode(),
            headers={
                "Origin": self._url,
                "Content-Type": "application/json",
                "Cookie": self.cookie,
            },
        )
        try:
            with urllib.request.urlopen(request) as answer:
                if cookie := answer.headers.get("Set-Cookie"):
                    self.cookie = cookie.partition(";")[0]
                return json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as error:
            raise RuntimeError(f"{verb} {path}: {error.code} {error.read()!r}") from None
