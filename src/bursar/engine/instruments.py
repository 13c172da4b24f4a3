"""Counters, gauges and histograms: numbers that the event loop changes and anybody may look at.

One `Registry` holds all of an engine; how they are shown (Prometheus text, OpenTelemetry) is the server's business. An
instrument costs a look-up in a dictionary and an addition, and no lock: only the loop's thread changes it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import accumulate
from typing import Final, Literal, TypeVar

from msgspec import Struct

Labels = tuple[str, ...]
"""The values of an instrument's labels, in the order of its `labels`."""
Number = int | float
Kind = Literal["counter", "gauge", "histogram"]


class Instrument:
    """What all have in common. Names follow Prometheus: unit last, `_total` for counters."""

    kind: Kind

    def __init__(self, name: str, help: str, labels: Sequence[str] = ()) -> None:
        self.name: Final = name
        self.help: Final = help
        self.labels: Final = tuple(labels)


class _Numbers(Instrument):
    """One number for each set of labels. With `read`, the number is asked for whenever somebody looks."""

    def __init__(self, name: str, help: str, labels: Sequence[str] = ()) -> None:
        super().__init__(name, help, labels)
        self.read: Callable[[], Number] | None = None
        self._values: dict[Labels, Number] = {}

    def value(self, *labels: str) -> Number:
        """The present number; 0 when there is none."""
        return self.values().get(labels, 0)

    def values(self) -> Mapping[Labels, Number]:
        """All numbers, as of now; also from another thread."""
        return self._values.copy() if self.read is None else {(): self.read()}


class Counter(_Numbers):
    """Only grows, from 0 at the start of the process."""

    kind: Kind = "counter"

    def __init__(self, name: str, help: str, labels: Sequence[str] = ()) -> None:
        super().__init__(name, help, labels)
        if not labels:
            self._values[()] = 0

    def add(self, amount: Number = 1, labels: Labels = ()) -> None:
        """Count."""
        self._values[labels] = self._values.get(labels, 0) + amount


class Gauge(_Numbers):
    """Goes up and down."""

    kind: Kind = "gauge"

    def set(self, value: Number, labels: Labels = ()) -> None:
        """Show this number."""
        self._values[labels] = value

    def replace(self, values: Mapping[Labels, Number]) -> None:
        """Show these numbers and no others."""
        self._values = dict(values)


class Distribution(Struct, frozen=True):
    """What a histogram saw: how many values up to each bound (of all for the last, without bound), and their sum."""

    counts: Sequence[int]
    sum: Number

    @property
    def count(self) -> int:
        """How many values."""
        return self.counts[-1]


class _Bins:
    __slots__ = ("counts", "sum")

    def __init__(self, size: int) -> None:
        self.counts = [0] * size
        self.sum: Number = 0


class Histogram(Instrument):
    """Sorts values by `bounds`, each the greatest value of its bucket. `listeners` are told each value as well."""

    kind: Kind = "histogram"

    def __init__(self, name: str, help: str, labels: Sequence[str] = (), *, bounds: Sequence[Number]) -> None:
        super().__init__(name, help, labels)
        self.bounds: Final = tuple(bounds)
        self.listeners: list[Callable[[Number, Labels], None]] = []
        self._bins: dict[Labels, _Bins] = {}

    def observe(self, value: Number, labels: Labels = ()) -> None:
        """Take a value."""
        bins = self._bins.get(labels)
        if bins is None:
            bins = self._bins[labels] = _Bins(len(self.bounds) + 1)
        bins.counts[bisect_left(self.bounds, value)] += 1
        bins.sum += value
        for listener in self.listeners:
            listener(value, labels)

    def distributions(self) -> Mapping[Labels, Distribution]:
        """What was seen for each set of labels."""
        return {
            labels: Distribution([*accumulate(bins.counts)], bins.sum)
            for labels, bins in self._bins.copy().items()
        }


AnyInstrument = Counter | Gauge | Histogram
Added = TypeVar("Added", Counter, Gauge, Histogram)


class Registry:
    """The instruments of an engine, in the order in which they are shown."""

    def __init__(self) -> None:
        self._instruments: dict[str, AnyInstrument] = {}

    def __iter__(self) -> Iterator[AnyInstrument]:
        return iter(self._instruments.values())

    def add(self, instrument: Added) -> Added:
        """Take an instrument in. Raises ValueError when there is one of its name."""
        if instrument.name in self._instruments:
            raise ValueError(f"there is an instrument {instrument.name} already")
        self._instruments[instrument.name] = instrument
        return instrument
