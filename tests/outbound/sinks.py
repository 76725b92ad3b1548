"""Receivers of every kind, on loopback: those that answer, and those that are a trial."""

import asyncio
import ssl
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from balie.outbound import network
from balie.outbound.door import Door


class Request:
    """What a sink heard."""

    def __init__(self, path, headers, body) -> None:
        self.path, self.headers, self.body = path, headers, body


class Sink:
    """Counts who connects, keeps what they say, and answers with what `answer` writes."""

    def __init__(self, answer=None) -> None:
        self.connections = 0
        self.heard = []
        self.sent = 0
        self.tasks = set()
        self.answer = answer or say(200)
        self.news = asyncio.Event()

    async def handle(self, reader, writer):
        self.tasks.add(asyncio.current_task())
        self.connections += 1
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            lines = head.decode("latin-1").split("\r\n")
            headers = dict(line.lower().split(": ", 1) for line in lines[1:] if ": " in line)
            raw = dict(line.split(": ", 1) for line in lines[1:] if ": " in line)
            body = await reader.readexactly(int(headers.get("content-length", 0)))
            lowered = {key.lower(): value for key, value in raw.items()}
            self.heard.append(Request(lines[0].split()[1], lowered, body))
            self.news.set()
            await self.answer(self, writer)
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    async def until(self, number):
        """Wait for so many requests."""
        async with asyncio.timeout(20):
            while len(self.heard) < number:
                self.news.clear()
                await self.news.wait()
        return self.heard


class Canary(Sink):
    """Only notes that somebody came."""

    async def handle(self, _reader, writer):
        self.connections += 1
        writer.close()


@asynccontextmanager
async def listening(sink, host="127.0.0.1", port=0, tls=None):
    server = await asyncio.start_server(sink.handle, host, port, ssl=tls, limit=2**20)
    sink.port = server.sockets[0].getsockname()[1]
    try:
        yield sink
    finally:
        server.close()
        for task in sink.tasks:
            task.cancel()
        await asyncio.gather(*sink.tasks, return_exceptions=True)


def say(status, *headers, body=b"well"):
    """An answer."""

    async def answer(_sink, writer):
        lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body)}", *headers]
        writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
        await writer.drain()

    return answer


async def hang(_sink, writer):
    """Say nothing for half a minute."""
    await asyncio.sleep(30)


async def pour(sink, writer):
    """A gigabyte."""
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
    for _ in range(1_000_000_000 // 65_536):
        writer.write(b"x" * 65_536)
        await writer.drain()
        sink.sent += 65_536


async def endless_head(sink, writer):
    """A header that never ends."""
    writer.write(b"HTTP/1.1 200 OK\r\n")
    for number in range(100_000):
        writer.write(b"x-%d: %s\r\n" % (number, b"y" * 1_000))
        await writer.drain()
        sink.sent += 1_000


async def rubbish(_sink, writer):
    """Not HTTP."""
    writer.write(b"\x00\xff" * 1_000)
    await writer.drain()


def certificate(folder, name, *, authority=None):
    """A server context for `name`, and the file of its authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([_named(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    chain, secret = folder / f"{name}.pem", folder / f"{name}.key"
    chain.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain, secret)
    return context, chain


def _named(name):
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


class Names:
    """A resolver under our control: for each name a list of answers, the last of which stays."""

    def __init__(self, **answers) -> None:
        self.answers = answers
        self.asked = []

    async def __call__(self, host, _port):
        self.asked.append(host)
        known = self.answers.get(host.replace(".", "_").replace("-", "_"))
        if known is None:
            raise OSError("no such name")
        return known.pop(0) if len(known) > 1 else known[0]


def door_to(sink, names, **given):
    """A door whose connections all end at `sink`, whatever public address they were made for."""
    made = []

    async def connect(address, port):
        made.append((str(address), port))
        return await network.connect(ip_address("127.0.0.1"), sink.port)

    door = Door(names, connect, **given)
    door.made = made
    return door
