"""The house in figures, as Prometheus reads them. Rooms keep plain numbers; here they get names.

Every name stands in `docs/operate/metrics.md`. None tells of an organisation, a person or an address.
"""

import asyncio
import contextlib
import platform
import sys
from collections.abc import Iterable, Iterator
from importlib.metadata import version
from time import monotonic

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.gc_collector import GCCollector
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from balie.app.house import House
from balie.http.tally import HttpTally
from balie.jobs.model import Standing
from balie.kernel.errors import BalieError
from balie.kernel.tally import Spread
from balie.realtime.tally import LiveTally

LOOK_EVERY = 0.25
"""Seconds between two looks at how late the event loop is."""
COUNT_EVERY = 15.0
"""Seconds between two countings of the jobs."""


class Metrics(Collector):
    """What one process tells. `registry` may be given more."""

    def __init__(self, house: House, live: LiveTally, http: HttpTally) -> None:
        self._house = house
        self._live = live
        self._http = http
        self._lag = Spread()
        self._jobs = Standing()
        self.registry = CollectorRegistry()
        self.registry.register(self)
        ProcessCollector(registry=self.registry)
        GCCollector(registry=self.registry)

    def text(self) -> bytes:
        """Everything, in Prometheus' text format 0.0.4."""
        return generate_latest(self.registry)

    async def watch(self) -> None:
        """Measure how late the event loop is, and count what there is to do, until cancelled."""
        counted_at = -COUNT_EVERY
        while True:
            if monotonic() - counted_at >= COUNT_EVERY:
                counted_at = monotonic()
                with contextlib.suppress(BalieError):
                    self._jobs = await self._house.background.standing()
            due = monotonic() + LOOK_EVERY
            await asyncio.sleep(LOOK_EVERY)
            self._lag.add(max(0.0, monotonic() - due))

    def collect(self) -> Iterator[Metric]:
        """Called at each reading."""
        yield self._build()
        yield from self._store()
        yield from self._connections()
        yield from self._requests()
        yield from self._together()
        yield _histogram("balie_loop_lag_seconds", "How late the event loop was", self._lag)

    def _build(self) -> Metric:
        about = InfoMetricFamily("balie_build", "What runs here")
        about.add_metric(
            [],
            {
                "version": version("balie"),
                "python": platform.python_version(),
                "database": self._house.store.driver.name,
                "platform": sys.platform,
            },
        )
        return about

    def _store(self) -> Iterator[Metric]:
        store, house = self._house.store, self._house
        writes, reads = store.waiting()
        yield _counter("balie_events", "Events that this process stored", house.stored_events)
        yield _histogram(
            "balie_commit_seconds",
            "From the beginning of a commit to the disk",
            store.tally.commits,
        )
        yield _histogram("balie_commit_jobs", "Jobs that share a commit", store.tally.batches)
        yield _counter(
            "balie_store_failures", "Jobs that the database refused", store.tally.failures
        )
        waiting = GaugeMetricFamily("balie_store_waiting", "Jobs that wait", labels=["for"])
        waiting.add_metric(["write"], writes)
        waiting.add_metric(["read"], reads)
        yield waiting

    def _connections(self) -> Iterator[Metric]:
        live = self._live
        now = GaugeMetricFamily(
            "balie_connections", "Live connections", labels=["kind", "transport"]
        )
        since = CounterMetricFamily(
            "balie_connections_opened", "Connections that came", labels=["kind", "transport"]
        )
        for key, count in sorted(live.opened.items()):
            now.add_metric(key, live.open[key])
            since.add_metric(key, count)
        yield now
        yield since
        yield _by("balie_connections_closed", "Connections that ended", "code", live.closed.items())
        yield _histogram(
            "balie_ack_seconds", "From a message being read to its ack", live.acknowledged
        )
        yield _counter("balie_messages_repeated", "Messages that were stored before", live.repeated)
        yield _by("balie_messages_refused", "Messages refused", "code", live.refused.items())
        yield _counter("balie_gap_pages", "Pages of missed events that were read", live.refilled)
        followed = len(self._house.hub.followed())
        yield _gauge("balie_conversations_followed", "Conversations that somebody hears", followed)

    def _together(self) -> Iterator[Metric]:
        neighbours, jobs = self._house.neighbours, self._jobs
        hinted = float(neighbours.is_hinted)
        yield _gauge("balie_hints_connected", "Whether NATS is connected", hinted)
        yield _gauge(
            "balie_follower_lag_seconds", "Since all of the log was known", neighbours.lag()
        )
        standing = GaugeMetricFamily("balie_jobs", "Jobs of the installation", labels=["state"])
        standing.add_metric(["waiting"], jobs.waiting)
        standing.add_metric(["dead"], jobs.dead)
        yield standing
        oldest = jobs.oldest_ms / 1_000
        yield _gauge("balie_jobs_oldest_seconds", "For how long the oldest is overdue", oldest)

    def _requests(self) -> Iterator[Metric]:
        counted = CounterMetricFamily(
            "balie_http_requests", "Requests answered", labels=["method", "route", "status"]
        )
        for (method, route, status), count in sorted(self._http.requests.items()):
            counted.add_metric([method, route, str(status)], count)
        yield counted
        took = HistogramMetricFamily(
            "balie_http_request_seconds", "Until the answer had left", labels=["route"]
        )
        for route, spread in sorted(self._http.seconds.items()):
            took.add_metric([route], spread.cumulated(), spread.total)
        yield took


def _counter(name: str, help_text: str, value: int) -> Metric:
    return CounterMetricFamily(name, help_text, value=value)


def _gauge(name: str, help_text: str, value: float) -> Metric:
    return GaugeMetricFamily(name, help_text, value=value)


def _histogram(name: str, help_text: str, spread: Spread) -> Metric:
    return HistogramMetricFamily(
        name, help_text, buckets=spread.cumulated(), sum_value=spread.total
    )


def _by(name: str, help_text: str, label: str, items: Iterable[tuple[str, int]]) -> Metric:
    family = CounterMetricFamily(name, help_text, labels=[label])
    for key, count in sorted(items):
        family.add_metric([key], count)
    return family
