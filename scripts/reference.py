"""Write the API reference, docs/reference/, from the contracts; with --check, say whether it is fresh.

Every operation of every client is in it, as `bursar.cli.api_catalog` finds them: nothing is listed a second time.
"""

from __future__ import annotations

import importlib
import inspect
import re
import sys
import typing
from collections import defaultdict
from collections.abc import AsyncIterable, Iterable, Iterator
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any

import msgspec

from bursar.cli import api_docs
from bursar.cli.api_catalog import APIS, Api, Group, Operation, first_line
from bursar.cli.api_types import bare, is_class, is_open, known_values, options, words
from bursar.client import ErrorFamily
from bursar.contract import ApiError, BaseEndpoint, Effect, Listing, Model
from bursar.contract.params import Param, Place

ROOT = Path(__file__).resolve().parent.parent
PLACE = ROOT / "docs" / "reference"
INDEX = "api.md"
NOTE = "<!-- Made from the contracts by scripts/reference.py: change those, and run it. -->"
RETRIES = "../milkyway.md#outcomes-and-retries"
EFFECTS = {
    Effect.SAFE: "reads only, so it is repeated after passing failures",
    Effect.IDEMPOTENT: "doing it twice is doing it once, so it is repeated after passing failures",
    Effect.KEYED: "with an idempotency key it is repeated and carried out once; without one it is sent once",
    Effect.ONCE: "it takes no idempotency key, so it is sent again only if it never left",
}
PLACES = {
    Place.PATH: "path",
    Place.QUERY: "query",
    Place.HEADER: "header",
    Place.BODY: "body",
    Place.MEMBER: "body",
    Place.FORM: "form",
}


@dataclass
class Page:
    """A page about one group."""

    group: Group
    models: list[type[Any]] = field(default_factory=list[type[Any]])
    """Models and enums that are described here."""

    @property
    def name(self) -> str:
        """The page's file."""
        return f"{self.group.api}-{self.group.name}.md"

    @property
    def title(self) -> str:
        """The page's heading."""
        return f"{APIS[self.group.api].title}: {self.group.name}"

    def anchors(self) -> dict[object, str]:
        """Return the anchor of each operation, by its endpoint's name, and of each model."""
        headings: list[tuple[object, str]] = [("", self.title), ("", "Operations")]
        headings += [(operation.name, operation.name) for operation in self.group.operations.values()]
        headings += [("", "Models"), *((model, model.__name__) for model in self.models)]
        seen: defaultdict[str, int] = defaultdict(int)
        found: dict[object, str] = {}
        for thing, heading in headings:
            slug = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
            found[thing] = f"{slug}-{seen[slug]}" if seen[slug] else slug
            seen[slug] += 1
        return found


class Reference:
    """All pages."""

    def __init__(self) -> None:
        self.pages = [Page(group) for api in APIS.values() for group in api.groups.values()]
        self._homes: dict[type[Any], str] = {}
        homes: dict[type[Any], Page] = {}
        for page in self.pages:
            for model in _models(page.group):
                homes.setdefault(model, page)
        for model in sorted(homes, key=lambda model: (model.__name__, model.__module__)):
            homes[model].models.append(model)
        for page in self.pages:
            anchors = page.anchors()
            self._homes |= {model: f"{page.name}#{anchors[model]}" for model in page.models}

    def texts(self) -> dict[str, str]:
        """Return the pages' texts by file name."""
        return {INDEX: _index(self.pages), **{page.name: self._page(page) for page in self.pages}}

    def _page(self, page: Page) -> str:
        group = page.group
        module, _, names = group.clients.partition(": ")
        lines = [
            NOTE,
            f"# {page.title}",
            "",
            *_about(group),
            f"Clients: {_code_list(names)} of `{module}`. Command line: `bursar api {group.api} {group.name}`.",
            f"[All operations]({INDEX}), [how to call one from a shell](../command-line.md).",
            "",
            "## Operations",
            "",
            *_operations_table(page, ""),
        ]
        for operation in group.operations.values():
            lines += self._operation(page, operation)
        if page.models:
            lines += ["## Models", "", *_model_notes(page)]
        for model in page.models:
            lines += self._model(page, model)
        return "\n".join(lines).rstrip() + "\n"

    def _operation(self, page: Page, operation: Operation) -> Iterator[str]:
        endpoint, description = operation.endpoint, operation.endpoint.description
        yield from (f"### {operation.name}", "", f"`{description.verb} {description.path}`", "")
        if description.deprecated:
            yield from (f"**Deprecated**: {description.deprecated}.", "")
        yield from _prose(endpoint.__doc__)
        yield from (f"Call: {', '.join(f'`{method}`' for method in operation.methods)}.", "")
        yield from (f"Effect: [{description.effect.value}]({RETRIES}), {_effect(endpoint)}.", "")
        if endpoint.params:
            yield from ("| parameter | in | type | |", "|---|---|---|---|")
            for param in endpoint.params:
                yield self._parameter(page, endpoint, param)
            yield ""
        yield from (f"Answer: {self._answer(page, endpoint)}.", "")
        errors = [
            f"{status} {meaning.rstrip('.')} (`{_family(page.group.api).of_status(status).__name__}`)"
            for status, meaning in sorted(description.errors.items())
        ]
        if errors:
            yield from (f"Errors: {'; '.join(errors)}.", "")

    def _parameter(self, page: Page, endpoint: BaseEndpoint, param: Param) -> str:
        kinds = [self._words(page, kind) for kind in options(param.kind) if not _is_for_async(kind)]
        wire = f"{PLACES[param.place]}"
        if param.place not in (Place.PATH, Place.BODY, Place.FORM) and param.wire_name != param.name:
            wire += f" `{param.wire_name}`"
        rest = "" if param.required else ", optional"
        if not param.required and param.default not in (None, ""):
            rest = f", `{param.default}` unless given"
        doc = api_docs.parameter(endpoint.function, param.name)
        return _row(f"`{param.name}`", wire, " or ".join(dict.fromkeys(kinds)) + rest, doc)

    def _answer(self, page: Page, endpoint: BaseEndpoint) -> str:
        description = endpoint.description
        if endpoint.returns in (None, type(None)):
            return f"{description.status}, nothing"
        kind = self._words(page, endpoint.returns)
        if isinstance(endpoint, Listing):
            return f"{description.status}, [pages](../formance.md#pages) of {kind}"
        if endpoint.streams:
            return f"{description.status}, a stream of {kind}"
        if description.counted_in is not None:
            return f"{description.status}, {kind}, out of the header `{description.counted_in}`"
        around = f", out of the member `{description.unwrap}`" if description.unwrap else ""
        return f"{description.status}, {kind}{around}"

    def _model(self, page: Page, model: type[Any]) -> Iterator[str]:
        yield from (f"### {model.__name__}", "", *_prose(model.__doc__))
        if is_class(model, Enum):
            yield from self._values(model)
            return
        if model.tag_name() is not None:
            told = f"`{model.tag_value()}`" if model.tag_value() else "any other"
            yield from (f"`{model.tag_name()}` is {told}.", "")
        fields = msgspec.structs.fields(model)
        if not fields:
            return
        yield from ("| field | in JSON | type | |", "|---|---|---|---|")
        for known in fields:
            rest = ", required" if known.required else ""
            if isinstance(known.default, (str, int, bool)) and not isinstance(known.default, Enum):
                rest = f", `{known.default}` unless given"
            yield _row(
                f"`{known.name}`",
                f"`{known.encode_name}`",
                self._words(page, known.type) + rest,
                api_docs.attribute(model, known.name),
            )
        yield ""

    def _values(self, kind: type[Enum]) -> Iterator[str]:
        others = "others are kept as they are" if is_open(kind) else "no others"
        docs = {member: api_docs.attribute(kind, member.name) for member in kind}
        if any(docs.values()):
            yield from ("| value | |", "|---|---|")
            for (_, doc), value in zip(docs.items(), known_values(kind), strict=True):
                yield _row(f"`{value}`", doc)
            yield from ("", f"Known values; {others}.", "")
        else:
            yield from (f"Values: {', '.join(f'`{value}`' for value in known_values(kind))}; {others}.", "")

    def _words(self, page: Page, kind: Any) -> str:
        return words(kind, lambda named: self._link(page, named))

    def _link(self, page: Page, named: type[Any]) -> str:
        home = self._homes[named]
        return f"[{named.__name__}]({home.removeprefix(page.name)})"


def _index(pages: list[Page]) -> str:
    lines = [
        NOTE,
        "# API reference",
        "",
        "Every operation of every client, made from the same contracts as the clients, the server, the command line.",
        f"What the effects mean: [outcomes and retries]({RETRIES}). How to call an operation from a shell:",
        "[command line](../command-line.md).",
        "",
    ]
    for api in APIS.values():
        own = [page for page in pages if page.group.api == api.name]
        count = sum(len(page.group.operations) for page in own)
        lines += [f"## {api.title}", "", f"{count} operations."]
        lines += [f"[Errors](#errors-of-{_slug(api)}) are in one table.", ""]
        for page in own:
            lines += [f"### {api.name} {page.group.name}", "", page.group.summary, ""]
            lines += _operations_table(page, page.name)
        lines += [f"### Errors of {api.title}", "", *_errors(api)]
    return "\n".join(lines).rstrip() + "\n"


def _slug(api: Api) -> str:
    return api.title.lower().replace(" ", "-")


def _errors(api: Api) -> Iterator[str]:
    """Go through the error classes of an API."""
    family = _family(api.name)
    yield from ("| class | statuses | |", "|---|---|---|")
    statuses: defaultdict[type[ApiError], list[str]] = defaultdict(list)
    for status, kind in sorted(family.by_status.items()):
        statuses[kind].append(str(status))
    statuses[family.unavailable].append("5xx, 0")
    statuses[family.unreadable].append("2xx")
    module = sys.modules[family.base.__module__]
    for kind in vars(module).values():
        if is_class(kind, ApiError) and kind.__module__ == module.__name__ and kind.__name__[0] != "_":
            yield _row(
                f"`{kind.__name__}`", ", ".join(statuses.get(kind, [])), " ".join(_prose(kind.__doc__)[:1])
            )
    yield ""


def _operations_table(page: Page, file: str) -> Iterator[str]:
    yield from ("| operation | HTTP | effect | |", "|---|---|---|---|")
    anchors = page.anchors()
    for operation in page.group.operations.values():
        description = operation.endpoint.description
        gone = "Deprecated. " if description.deprecated else ""
        yield _row(
            f"[{operation.name}]({file}#{anchors[operation.name]})",
            f"{description.verb} `{description.path}`",
            description.effect.value,
            gone + first_line(operation.endpoint.__doc__),
        )
    yield ""


def _contracts(group: Group) -> list[type[Any]]:
    """Return the classes that a group's operations are written in."""
    return [
        place
        for place in group.resource.__mro__
        if any(isinstance(member, BaseEndpoint) for member in vars(place).values())
    ]


def _about(group: Group) -> Iterator[str]:
    for contract in _contracts(group):
        yield from _prose(contract.__doc__)
        yield from _prose(sys.modules[contract.__module__].__doc__)


def _model_notes(page: Page) -> Iterator[str]:
    """Go through what the modules of the models say: units, above all."""
    told = {contract.__module__ for contract in _contracts(page.group)}
    for module in sorted({model.__module__ for model in page.models} - told):
        if not module.endswith(".errors"):
            yield from _prose(sys.modules[module].__doc__)


def _effect(endpoint: BaseEndpoint) -> str:
    if endpoint.description.keyed_by is not None:
        return "repeated where the body carries idempotency keys, and otherwise sent once"
    if any(param.key is not None and param.key.mint for param in endpoint.params):
        return "a call without an idempotency key gets a fresh one, so it is repeated and carried out once"
    return EFFECTS[endpoint.description.effect]


def _models(group: Group) -> Iterator[type[Any]]:
    """Go through the models and enums that the operations of a group are about."""
    seen: set[type[Any]] = set()
    ahead: list[Any] = []
    for operation in group.operations.values():
        ahead += [operation.endpoint.returns, *(param.kind for param in operation.endpoint.params)]
    while ahead:
        kind = bare(ahead.pop())
        ahead += [inner for inner in typing.get_args(kind) if not isinstance(inner, str)]
        if (is_class(kind, Model) or is_class(kind, Enum)) and kind not in seen:
            seen.add(kind)
            yield kind
            if is_class(kind, Model):
                ahead += [known.type for known in msgspec.structs.fields(kind)]


def _is_for_async(kind: Any) -> bool:
    return typing.get_origin(kind) is AsyncIterable


def _family(api: str) -> ErrorFamily:
    family: ErrorFamily = importlib.import_module(f"bursar.{api}.errors").FAMILY
    return family


def _prose(doc: str | None) -> list[str]:
    """Return a docstring as paragraphs of one line each, every one followed by a blank line."""
    paragraphs = re.split(r"\n\s*\n", inspect.cleandoc(doc or "").strip())
    return [line for paragraph in paragraphs if paragraph for line in (" ".join(paragraph.split()), "")]


def _code_list(names: str) -> str:
    return " and ".join(f"`{name}`" for name in names.split(", "))


def _row(*cells: str) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |".replace("  |", " |")


def stale(texts: dict[str, str]) -> list[str]:
    """Return the pages that are not what they should be, or should not be."""
    there = {path.name: path.read_text("utf-8") for path in PLACE.glob("*.md")}
    return sorted(name for name in {*there, *texts} if there.get(name) != texts.get(name))


def main(arguments: Iterable[str]) -> int:
    """Write what is not fresh, or with --check only name it."""
    texts = Reference().texts()
    names = stale(texts)
    if "--check" in arguments:
        for name in names:
            print(f"docs/reference/{name} is stale: run `python scripts/reference.py`", file=sys.stderr)
        return 1 if names else 0
    PLACE.mkdir(exist_ok=True)
    for name in names:
        if name in texts:
            (PLACE / name).write_text(texts[name], "utf-8")
        else:
            (PLACE / name).unlink()
    print(f"{len(names)} of {len(texts)} pages written" if names else "the reference is fresh")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
