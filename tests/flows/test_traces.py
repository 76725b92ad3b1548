"""What an OpenTelemetry collector is told: requests and writes, in the caller's trace; nothing of people."""

import gzip
import http.server
import threading
from pathlib import Path

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from tests.people import Agent, running_demo, visitor

from balie.app.settings import SettingError
from balie.app.tracing import configured

CANARY = "kanarie-4712"
LOADED = "google/_upb"
"""Only OTLP needs it."""
TRACE = "0af7651916cd43dd8448eb211c80319c"


class Collector(http.server.BaseHTTPRequestHandler):
    """Takes OTLP over HTTP."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        self.server.bodies.append((self.path, body))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def collector():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Collector)
    server.bodies = []
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def loaded(demo):
    """The libraries in its memory."""
    return Path(f"/proc/{demo.process.pid}/maps").read_text()


def spans(collector):
    found = []
    for path, body in collector.bodies:
        assert path == "/v1/traces"
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            for scope in resource.scope_spans:
                found += scope.spans
    return found


@pytest.mark.one_process("looks into the memory of the process that was started")
async def test_requests_and_writes_are_spans_of_the_callers_trace(collector, tmp_path):
    endpoint = f"http://127.0.0.1:{collector.server_address[1]}"
    with running_demo(tmp_path, {"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint}) as demo:
        talker = await visitor(demo, page={"url": f"https://shop.example/{CANARY}"}).open()
        said = await talker.post(CANARY)
        await talker.close()
        agent = await Agent(demo, demo.logins[0]).sign_in()
        agent.http.headers["traceparent"] = f"00-{TRACE}-b7ad6b7169203331-01"
        path = f"/api/v1/conversations/{said['conversation']}/events"
        assert (await agent.http.get(f"{path}?after=0")).status_code == 200
        await agent.leave()
        assert LOADED in loaded(demo)
        # Its last batch leaves when it stops.
        assert demo.stop() == 0
    found = spans(collector)
    names = [span.name for span in found]
    assert "append" in names
    request = next(s for s in found if s.name.endswith("/{conversation_id}/events"))
    assert request.trace_id.hex() == TRACE
    reads = [s for s in found if s.parent_span_id == request.span_id]
    assert {s.name for s in reads} == {"store read"}
    assert reads[0].trace_id.hex() == TRACE
    told = b"".join(body for _, body in collector.bodies)
    for hidden in (CANARY, said["conversation"], demo.logins[0]["email"], "127.0.0.1", "python-"):
        assert hidden.encode() not in told, hidden


async def test_without_a_collector_nothing_is_loaded(demo):
    async with httpx.AsyncClient() as client:
        assert (await client.get(f"http://127.0.0.1:{demo.port}/readyz")).status_code == 200
    assert LOADED not in loaded(demo)


def test_traces_are_off_unless_asked_for():
    assert configured({}) is None
    assert configured({"OTEL_EXPORTER_OTLP_ENDPOINT": "x", "OTEL_SDK_DISABLED": "TRUE"}) is None


def test_missing_packages_are_said_plainly(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "opentelemetry.sdk.trace", None)
    with pytest.raises(SettingError, match="pip install 'balie"):
        configured({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"})
