"""The page at ``/``: what is served here, for a human with a browser."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from bursar import __version__

_LINKS = {
    "/milkyway": ("MilkyWay Payments", ["/milkyway/openapi.json"]),
    "/piaxis/api": ("Piaxis partner API", ["/piaxis/api/openapi.json"]),
    "/piaxis": ("Piaxis webhooks and back office", ["/piaxis/openapi.json"]),
    "/_bursar": ("Sandbox control", ["/_bursar/clock", "/_bursar/faults"]),
}


def page(mounts: Iterable[str]) -> str:
    """Return the page, in HTML."""
    items = "".join(_item(mount) for mount in mounts)
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Bursar</title>'
        "<style>body{font:16px/1.5 system-ui;margin:3rem auto;max-width:40rem;padding:0 1rem}</style>"
        f"<h1>Bursar {escape(__version__)}</h1><ul>{items}<li>Health: {_link('/healthz')}</li></ul></html>\n"
    )


def _item(mount: str) -> str:
    title, links = _LINKS.get(mount, (mount, []))
    return f"<li>{escape(title)}: <code>{escape(mount)}</code> {' '.join(_link(link) for link in links)}</li>"


def _link(path: str) -> str:
    return f'<a href="{escape(path)}">{escape(path)}</a>'
