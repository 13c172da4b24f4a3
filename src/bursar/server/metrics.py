"""The metrics of a server over HTTP: what is measured of requests, and the page that Prometheus reads.

The formats are `text/plain; version=0.0.4` and, for who asks, OpenMetrics 1.0. A request is counted under the template
of its route, never under its path: a caller cannot make new series. Why no library: docs/decisions/0014-metrics.md.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from typing import Any, Final

from bursar.contract.http import Response
from bursar.engine.core import Core
from bursar.engine.errors import EngineError
from bursar.engine.instruments import AnyInstrument, Gauge, Histogram, Labels, Number, Registry
from bursar.engine.metrics import SECONDS
from bursar.server import limits
from bursar.server.exchange import Exchange
from bursar.server.replies import text_reply

PATH: Final = "/metrics"
TEXT: Final = "text/plain; version=0.0.4; charset=utf-8"
OPEN_METRICS: Final = "application/openmetrics-text; version=1.0.0; charset=utf-8"
UNKNOWN: Final = "unknown"
"""The route of all requests that no route takes."""
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_CLASSES: Final = ("aborted", "1xx", "2xx", "3xx", "4xx", "5xx")
_ESCAPES: Final = str.maketrans({"\\": r"\\", "\n": r"\n", '"': r"\""})
_HELP_ESCAPES: Final = str.maketrans({"\\": r"\\", "\n": r"\n"})


class HttpMetrics:
    """What `Edge` notes about each request."""

    def __init__(self, registry: Registry) -> None:
        self._open = 0
        self._seconds = registry.add(
            Histogram(
                "bursar_http_request_duration_seconds",
                "Requests by what served them, and how long they took until the answer had left.",
                ["api", "method", "route", "status"],
                bounds=SECONDS,
            )
        )
        in_flight = registry.add(Gauge("bursar_http_in_flight_requests", "Requests that are being answered."))
        in_flight.read = lambda: self._open

    def began(self) -> None:
        """A request came."""
        self._open += 1

    def ended(self, state: dict[str, Any], method: str, status: int, seconds: float) -> None:
        """It was answered, or given up with status 0. `state` says by which route of which API."""
        self._open -= 1
        labels = (
            state["api"],
            method if method in _METHODS else "other",
            state["route"] or UNKNOWN,
            _CLASSES[status // 100],
        )
        self._seconds.observe(seconds, labels)


class MetricsPage:
    """Answers Prometheus. The database is asked each time; when it does not answer, the page has the rest."""

    def __init__(self, core: Core) -> None:
        self._core = core

    async def __call__(self, exchange: Exchange) -> Response:
        """Answer one request."""
        await measure(self._core)
        wants_open = "application/openmetrics-text" in exchange.headers.get("accept", "")
        return text_reply(
            exposition(self._core.metrics, open_metrics=wants_open),
            media=OPEN_METRICS if wants_open else TEXT,
        )


async def measure(core: Core) -> None:
    """Bring up to date what only the database knows, or note that it does not answer."""
    reachable = 1
    try:
        async with asyncio.timeout(limits.HEALTH_SECONDS):
            await core.measure()
    except (TimeoutError, OSError, EngineError):
        reachable = 0
    core.metrics.reachable.set(reachable)


async def measure_always(core: Core) -> None:
    """Do so again and again, for those who look without asking."""
    while True:
        await measure(core)
        await asyncio.sleep(limits.MEASURE_SECONDS)


def exposition(instruments: Iterable[AnyInstrument], *, open_metrics: bool = False) -> str:
    """Return all numbers in the text format."""
    lines: list[str] = []
    for instrument in instruments:
        name = instrument.name
        if open_metrics and instrument.kind == "counter":
            name = name.removesuffix("_total")
        lines.append(f"# HELP {name} {instrument.help.translate(_HELP_ESCAPES)}")
        lines.append(f"# TYPE {name} {instrument.kind}")
        lines += _histogram(instrument) if isinstance(instrument, Histogram) else _numbers(instrument)
    if open_metrics:
        lines.append("# EOF")
    return "\n".join(lines) + "\n"


def _numbers(instrument: AnyInstrument) -> Iterator[str]:
    assert not isinstance(instrument, Histogram)
    for labels, value in instrument.values().items():
        yield f"{instrument.name}{_braces(instrument.labels, labels)} {_number(value)}"


def _histogram(histogram: Histogram) -> Iterator[str]:
    names = (*histogram.labels, "le")
    bounds = [*map(_number, histogram.bounds), "+Inf"]
    for labels, seen in histogram.distributions().items():
        for bound, count in zip(bounds, seen.counts, strict=True):
            yield f"{histogram.name}_bucket{_braces(names, (*labels, bound))} {count}"
        own = _braces(histogram.labels, labels)
        yield f"{histogram.name}_sum{own} {_number(seen.sum)}"
        yield f"{histogram.name}_count{own} {seen.count}"


def _braces(names: tuple[str, ...], values: Labels) -> str:
    if not names:
        return ""
    pairs = (f'{name}="{value.translate(_ESCAPES)}"' for name, value in zip(names, values, strict=True))
    return "{" + ",".join(pairs) + "}"


def _number(value: Number) -> str:
    return repr(value)
