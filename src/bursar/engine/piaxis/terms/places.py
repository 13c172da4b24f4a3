"""Terms about where somebody is: a place to be at (PS70), and a delivery where both sides meet (PS68)."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any, ClassVar, Final

from bursar.engine.piaxis.errors import Loc, bad_request
from bursar.engine.piaxis.terms import fields
from bursar.engine.piaxis.terms.base import ROLES, Data, Evidence, Opened, Progress, TermKind

EARTH_M: Final = 6_371_008.8
"""Mean radius of the earth in metres (IUGG)."""
BUYER: Final = "buyer_"
"""Beginning of the members that say where the buyer is, as the vendor's examples have them."""
_RADIUS_MAX_M: Final = 1_000_000

Place = tuple[Decimal, Decimal]
"""Latitude and longitude in degrees."""


def distance_m(one: Place, other: Place) -> float:
    """Return the great-circle distance in metres (haversine)."""
    (lat1, lon1), (lat2, lon2) = ([math.radians(degrees) for degrees in place] for place in (one, other))
    half = math.sin((lat2 - lat1) / 2) ** 2
    half += math.cos(lat1) * math.cos(lat2) * math.sin((lon2 - lon1) / 2) ** 2
    return 2 * EARTH_M * math.asin(min(1.0, math.sqrt(half)))


class GeoVerification(TermKind):
    """`latitude`, `longitude`, `radius_meters`: somebody must be there."""

    action: ClassVar[str] = "Confirm the location"
    done: ClassVar[str] = "Location verified"

    def opened(self, data: Data, at: Loc) -> Opened:
        """Check the circle."""
        _circle(data, at)
        return Opened(dict(data))

    def fulfilled(self, data: Data, given: Data, evidence: Evidence) -> Progress:
        """Met inside the circle. Raises `Refusal` outside of it."""
        place = _where(evidence.data)
        _check_inside(data, place)
        return Progress({"at": _kept(place)}, met=True)


class MeetingDelivery(TermKind):
    """Both sides confirm that they met; with `latitude`, `longitude`, `radius_meters`, each of them there."""

    action: ClassVar[str] = "Buyer and seller confirm the meeting"
    done: ClassVar[str] = "Meeting confirmed"

    def opened(self, data: Data, at: Loc) -> Opened:
        """Check the circle, if there is one."""
        if _has_circle(data):
            _circle(data, at)
        return Opened(dict(data))

    def fulfilled(self, data: Data, given: Data, evidence: Evidence) -> Progress:
        """Take one side's confirmation; the second side's meets the term (PS68)."""
        place = _where(evidence.data)
        if _has_circle(data):
            _check_inside(data, place)
        confirmed = {evidence.role: _kept(place)} | dict(given)
        met = all(role in confirmed for role in ROLES)
        return Progress(confirmed, met, requires_other_party=not met)


def _has_circle(data: Data) -> bool:
    return any(name in data for name in ("latitude", "longitude", "radius_meters"))


def _circle(data: Data, at: Loc) -> tuple[Place, Decimal]:
    return _place(data, at), fields.number(data, "radius_meters", at, 1, _RADIUS_MAX_M)


def _check_inside(data: Data, place: Place) -> None:
    centre, radius = _circle(data, ())
    away = distance_m(centre, place)
    if away > radius:
        message = f"the location is {away:.0f} m from the agreed place, more than {radius} m"
        raise bad_request("OUTSIDE_RADIUS", message)


def _where(data: Data) -> Place:
    prefix = BUYER if f"{BUYER}latitude" in data else ""
    return _place(data, fields.GIVEN, prefix)


def _place(data: Data, at: Loc, prefix: str = "") -> Place:
    return (
        fields.number(data, f"{prefix}latitude", at, -90, 90),
        fields.number(data, f"{prefix}longitude", at, -180, 180),
    )


def _kept(place: Place) -> dict[str, Any]:
    return {"latitude": place[0], "longitude": place[1]}
