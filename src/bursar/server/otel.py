"""The same metrics by OpenTelemetry, for ``pip install 'bursar[otel]'``.

Counters and gauges are observed when a reader asks; histograms pass each value on, with the same buckets.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Final

from bursar.engine.instruments import AnyInstrument, Counter, Gauge, Histogram, Labels, Number

if TYPE_CHECKING:
    from opentelemetry.metrics import CallbackOptions, Meter, Observation

_VARIABLE: Final = "OTEL_PYTHON_METER_PROVIDER"
_UNITS: Final = {"seconds": "s", "bytes": "By"}


def configured() -> Meter | None:
    """The process's meter, when OpenTelemetry was set up: by `opentelemetry-instrument`, or by its variable."""
    if "opentelemetry.metrics" not in sys.modules and _VARIABLE not in os.environ:
        return None  # looking for the library would take longer than all else of the start
    from opentelemetry.metrics import get_meter

    return get_meter("bursar")


def publish(instruments: Iterable[AnyInstrument], meter: Meter, common: Mapping[str, str]) -> None:
    """Show instruments through a meter, with the attributes `common` beside their own. Once for each registry."""
    for instrument in instruments:
        if isinstance(instrument, Histogram):
            _publish_histogram(instrument, meter, common)
        elif isinstance(instrument, Counter):
            meter.create_observable_counter(
                instrument.name, [_observe(instrument, common)], _unit(instrument), instrument.help
            )
        else:
            meter.create_observable_gauge(
                instrument.name, [_observe(instrument, common)], _unit(instrument), instrument.help
            )


def _publish_histogram(histogram: Histogram, meter: Meter, common: Mapping[str, str]) -> None:
    other = meter.create_histogram(
        histogram.name,
        _unit(histogram),
        histogram.help,
        explicit_bucket_boundaries_advisory=[*histogram.bounds],
    )

    def listener(value: Number, labels: Labels) -> None:
        other.record(value, {**common, **dict(zip(histogram.labels, labels, strict=True))})

    histogram.listeners.append(listener)


def _observe(
    instrument: Counter | Gauge, common: Mapping[str, str]
) -> Callable[[CallbackOptions], Iterable[Observation]]:
    from opentelemetry.metrics import Observation

    def observe(options: CallbackOptions) -> Iterable[Observation]:
        for labels, value in instrument.values().items():
            yield Observation(value, {**common, **dict(zip(instrument.labels, labels, strict=True))})

    return observe


def _unit(instrument: AnyInstrument) -> str:
    words = instrument.name.removesuffix("_total").split("_")
    return _UNITS.get(words[-1], "1")
