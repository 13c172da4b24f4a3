"""How the parameters of an endpoint, and the members of its body, are given on a command line."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum, IntEnum
from functools import partial
from typing import Annotated, Any, Final, Literal

import msgspec
import typer

from bursar.cli import api_docs
from bursar.cli.api_catalog import dashed
from bursar.cli.api_types import bare, is_class, is_many, is_mapping, known_values, options, words
from bursar.contract import BaseEndpoint, Listing, Model, UnreadableAnswer
from bursar.contract.json import loads, number
from bursar.contract.params import Param, Place

OWN: Final = frozenset({"--url", "--json", "--data", "--limit", "--all", "--help", "--as-owner"})
"""Options that every command may have; a member of a body that is called like one is ``--body-NAME``."""
BODIES: Final = (Place.BODY, Place.FORM)
Style = Literal["one", "flag", "many", "pairs"]


@dataclass(frozen=True, slots=True)
class Slot:
    """One argument or option."""

    name: str
    """The parameter of the command's function."""
    flag: str
    """``--page-size``; an argument's name in capitals."""
    kind: Any
    target: str
    """The endpoint's parameter, or the body's member."""
    role: Literal["argument", "option", "member"]
    required: bool
    doc: Callable[[], str] = field(repr=False)

    @property
    def style(self) -> Style:
        """How often it may be given, and with what."""
        choices = [bare(option) for option in options(self.kind)]
        if choices == [bool]:
            return "flag"
        if self.role == "member":
            return "one"
        if any(is_many(option) for option in choices):
            return "many"
        return "pairs" if is_mapping(choices[0]) else "one"

    @property
    def enum(self) -> type[Enum] | None:
        """The enum whose values it takes."""
        kind = bare(options(self.kind)[0])
        return kind if is_class(kind, Enum) else None

    @property
    def metavar(self) -> str:
        """What to write there."""
        if self.role == "argument":
            return self.flag
        if self.style == "pairs":
            return "KEY=VALUE"
        if self.enum is not None:
            return "|".join(value.rpartition(" ")[2].lower() for value in known_values(self.enum))
        kind = bare(options(self.kind)[0])
        known = {"str": "TEXT", "int": "INTEGER", "Decimal": "DECIMAL", "datetime": "TIME", "bool": ""}
        return known.get(getattr(kind, "__name__", ""), "TEXT" if self.style == "many" else "JSON")

    def parse(self, text: str) -> Any:
        """Return the value that a text stands for. Raises `typer.BadParameter`."""
        try:
            return _member(text, self.kind) if self.role == "member" else _parameter(text, self.kind)
        except (ValueError, UnreadableAnswer):  # msgspec's and the contract's errors among them
            wanted = words(self.kind, lambda named: named.__name__)
            raise typer.BadParameter(f"expected {wanted}, not {text[:80]!r}") from None

    def parameter(self) -> inspect.Parameter:
        """Return it as a parameter of a command's function."""
        keyword = inspect.Parameter.KEYWORD_ONLY
        if self.role == "argument":
            argument = typer.Argument(metavar=self.metavar, parser=self.parse)
            return inspect.Parameter(self.name, keyword, annotation=Annotated[str, argument])
        if self.style == "flag":
            option = typer.Option(f"{self.flag}/--no-{self.flag[2:]}", show_default=False)
            return inspect.Parameter(
                self.name, keyword, default=None, annotation=Annotated[bool | None, option]
            )
        kind: Any = list[str] if self.style in ("many", "pairs") else str
        option = typer.Option(
            self.flag,
            metavar=self.metavar,
            parser=None if kind is not str else self.parse,
            autocompletion=self.complete if self.enum is not None else None,
        )
        if self.required:
            return inspect.Parameter(self.name, keyword, annotation=Annotated[kind, option])
        return inspect.Parameter(self.name, keyword, default=None, annotation=Annotated[kind | None, option])

    def complete(self, incomplete: str) -> list[str]:
        """Return the values of the enum that begin like this."""
        return [value for value in self.metavar.split("|") if value.startswith(incomplete.lower())]

    def value(self, given: Any) -> Any:
        """Return what the function was given as the endpoint takes it."""
        if self.style != "pairs":
            return given
        entries: list[str] = given
        for entry in entries:
            if "=" not in entry:
                raise typer.BadParameter(f"{entry!r} is not KEY=VALUE", param_hint=self.flag)
        return {name: text for name, _, text in (entry.partition("=") for entry in entries)}


def slots(endpoint: BaseEndpoint) -> list[Slot]:
    """Return the arguments and options of an endpoint; the whole body is not among them."""
    found = [_slot(endpoint, param) for param in endpoint.params if param.place not in BODIES]
    taken = OWN | {slot.flag for slot in found}
    body = body_of(endpoint)
    if body is not None:
        found += _members(body, taken)
    return found


def body_of(endpoint: BaseEndpoint) -> Param | None:
    """Return the parameter that is the whole body."""
    return next((param for param in endpoint.params if param.place in BODIES), None)


def model_of(body: Param) -> type[Model] | None:
    """Return the model of a body, if it is one and no other."""
    kinds = [bare(kind) for kind in options(body.kind)]
    return kinds[0] if len(kinds) == 1 and is_class(kinds[0], Model) else None


def pages(endpoint: BaseEndpoint) -> bool:
    """True for a listing whose pages are gone through."""
    return isinstance(endpoint, Listing)


def _slot(endpoint: BaseEndpoint, param: Param) -> Slot:
    argument = param.place is Place.PATH
    flag = param.name.upper() if argument else f"--{dashed(param.name)}"
    return Slot(
        f"given_{param.name}",
        flag,
        param.kind,
        param.name,
        "argument" if argument else "option",
        param.required,
        partial(api_docs.parameter, endpoint.function, param.name),
    )


def _members(body: Param, taken: frozenset[str]) -> Iterator[Slot]:
    """Go through the members of a model, but for those that it hides: others can read a command line."""
    model = model_of(body)
    if model is None:
        return
    for known in msgspec.structs.fields(model):
        flag = f"--{dashed(known.name)}"
        if known.name in model.hidden:
            continue
        yield Slot(
            f"member_{known.name}",
            f"--body-{flag[2:]}" if flag in taken else flag,
            known.type,
            known.encode_name,
            "member",
            required=False,
            doc=partial(api_docs.attribute, model, known.name),
        )


def _parameter(text: str, kind: Any) -> Any:
    """Read a value for a path, query or header."""
    choices = options(kind)
    if any(bare(choice) is str for choice in choices):
        return msgspec.convert(text, next(choice for choice in choices if bare(choice) is str))
    if is_mapping(choices[0]):
        return loads(text)
    if is_class(bare(choices[0]), IntEnum):
        return _numbered(text, bare(choices[0]))
    return msgspec.convert(text, choices[0], strict=False)


def _member(text: str, kind: Any) -> Any:
    """Read a member of a body: as JSON has it, text without its quotes."""
    choices = [bare(choice) for choice in options(kind)]
    names = {getattr(choice, "__name__", "") for choice in choices}
    if is_class(choices[0], IntEnum):
        return _numbered(text, choices[0])
    if names & {"str", "datetime", "date", "UUID"} or is_class(choices[0], Enum):
        return text
    value = loads(text)
    if names & {"Decimal", "int"}:
        number(value)
    return value


def _numbered(text: str, kind: type[IntEnum]) -> IntEnum:
    """Read a member of an enum by its name or number."""
    named: Mapping[str, IntEnum] = {member.name.lower(): member for member in kind}
    return named[text.lower()] if text.lower() in named else kind(int(text))
