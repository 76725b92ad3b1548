"""Traces by OpenTelemetry, where its own variables name a collector; elsewhere nothing of it is imported.

A span says which route or which kind of write, how long and how it ended. No address, no page, no text and no
person stands in one, which is why requests are not followed by the usual instrumentation: that tells them.
"""

import os
from collections.abc import Awaitable, Callable, Mapping
from importlib.metadata import version
from typing import Any, TypeVar

from sqlalchemy import Connection

from balie.app.settings import SettingError
from balie.http.tally import OTHER
from balie.kernel.errors import BalieError
from balie.store.driver import Driver
from balie.store.engine import LogStore
from balie.store.log import Append, Appended, Projection, State

S = TypeVar("S", bound=State)
T = TypeVar("T")

WHERE = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")


class Tracing:
    """A tracer, and the way to end it."""

    def __init__(self) -> None:
        """Read OpenTelemetry's own variables. Raises SettingError where its packages are missing."""
        try:
            from opentelemetry import propagate, trace  # noqa: PLC0415 - only who wants traces has them
            from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # noqa: PLC0415
                OTLPSpanExporter,
            )
            from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
            from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
            from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415
        except ImportError:
            raise SettingError(
                f"{WHERE[1]} is set, but traces need more packages: pip install 'balie[traces]'"
            ) from None
        name = os.environ.get("OTEL_SERVICE_NAME") or "balie"
        about = Resource.create({"service.name": name, "service.version": version("balie")})
        self._provider = TracerProvider(resource=about)
        self._provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        self.tracer = self._provider.get_tracer("balie")
        self.extract = propagate.extract
        self.kinds = trace.SpanKind
        self._failed = trace.StatusCode.ERROR

    def close(self) -> None:
        """Send what waits."""
        self._provider.shutdown()

    def fail(self, span: Any, error: BaseException) -> None:
        """Say how it failed: by the code of the error, never by its words."""
        span.set_attribute("error.type", getattr(error, "code", type(error).__name__))
        if not isinstance(error, BalieError) or error.status >= 500:
            span.set_status(self._failed)


def configured(environment: Mapping[str, str] | None = None) -> Tracing | None:
    """Tracing, where OpenTelemetry's variables say whereto. Raises SettingError."""
    source = os.environ if environment is None else environment
    wanted = any(source.get(name) for name in WHERE)
    off = source.get("OTEL_SDK_DISABLED", "").lower() == "true"
    return Tracing() if wanted and not off else None


class TracedStore(LogStore[S]):
    """A store whose reads and writes are spans."""

    def __init__(self, driver: Driver, projection: Projection[S], tracing: Tracing) -> None:
        super().__init__(driver, projection)
        self._tracing = tracing

    async def read(self, query: Callable[[Connection], T], *, of: str) -> T:
        return await self._spanned("store read", super().read(query, of=of))

    async def write(self, command: Callable[[Connection], T], *, of: str) -> T:
        return await self._spanned("store write", super().write(command, of=of))

    async def rewrite(self, command: Callable[[Connection], tuple[list[str], T]], *, of: str) -> T:
        return await self._spanned("store rewrite", super().rewrite(command, of=of))

    async def append(self, append: Append[S]) -> Appended[S]:
        return await self._spanned("append", super().append(append))

    def submit(
        self,
        append: Append[S],
        done: Callable[[Appended[S] | None, BaseException | None], None],
    ) -> None:
        span = self._tracing.tracer.start_span("append")

        def ended(appended: Appended[S] | None, error: BaseException | None) -> None:
            if error is not None:
                self._tracing.fail(span, error)
            elif appended is not None:
                span.set_attribute("balie.repeated", appended.repeated)
            span.end()
            done(appended, error)

        super().submit(append, ended)

    async def _spanned(self, name: str, work: Awaitable[T]) -> T:
        with self._tracing.tracer.start_as_current_span(
            name, record_exception=False, set_status_on_exception=False
        ) as span:
            try:
                return await work
            except BaseException as error:
                self._tracing.fail(span, error)
                raise


class TracedApplication:
    """An ASGI application around another, whose requests are spans of the caller's trace."""

    def __init__(self, application: Any, tracing: Tracing) -> None:
        self._application = application
        self._tracing = tracing

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return
        caller = next((value for name, value in scope["headers"] if name == b"traceparent"), b"")
        with self._tracing.tracer.start_as_current_span(
            scope["method"],
            context=self._tracing.extract({"traceparent": caller.decode("latin-1")}),
            kind=self._tracing.kinds.SERVER,
            attributes={"http.request.method": scope["method"]},
            record_exception=False,
            set_status_on_exception=False,
        ) as span:

            async def sending(message: Any) -> None:
                if message["type"] == "http.response.start":
                    span.set_attribute("http.response.status_code", message["status"])
                await send(message)

            try:
                await self._application(scope, receive, sending)
            except BaseException as error:
                self._tracing.fail(span, error)
                raise
            finally:
                route = scope.get("path_template") or OTHER
                span.update_name(f"{scope['method']} {route}")
                span.set_attribute("http.route", route)
