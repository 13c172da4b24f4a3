"""`bursar api`: a command for every operation of every client, made from its contract when it is asked for."""

from __future__ import annotations

import inspect
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from bursar.cli.api_call import Own, perform
from bursar.cli.api_catalog import APIS, Api, Group, Operation, first_line
from bursar.cli.api_connection import variables
from bursar.cli.api_options import Slot, body_of, model_of, pages, slots
from bursar.cli.api_types import words
from bursar.contract.params import Param

BODY_HELP = "The body as JSON ({kind}): the text itself, @file, or - for standard input."


class ApiGroup(TyperGroup):
    """The groups of one API."""

    api: Api

    def list_commands(self, ctx: Any) -> list[str]:
        """Name the groups."""
        return list(self.api.groups)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Make the command of a group."""
        group = self.api.group(cmd_name)
        return None if group is None else _operations(group)


class OperationGroup(TyperGroup):
    """The operations of one group."""

    of: Group

    def list_commands(self, ctx: Any) -> list[str]:
        """Name the operations."""
        return list(self.of.operations)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Make the command of an operation."""
        operation = self.of.operations.get(cmd_name)
        return None if operation is None else command(self.of, operation)


class OperationCommand(TyperCommand):
    """One operation. What its parameters mean is looked up when somebody asks for help."""

    slots: list[Slot]

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the help."""
        docs = {slot.name: slot for slot in self.slots}
        for parameter in self.params:
            slot = docs.get(parameter.name or "")
            if slot is not None:
                vars(parameter)["help"] = _help(slot)
        super().format_help(ctx, formatter)


def api_command(name: str) -> Any:
    """Return the command of an API; None when there is none of that name."""
    api = APIS.get(name)
    if api is None:
        return None
    made = _group(ApiGroup, api.name, f"Call {api.title}.")
    made.api = api
    return made


def _operations(group: Group) -> Any:
    made = _group(
        OperationGroup, group.name, f"{group.summary} Reads from the environment: {variables(group)}."
    )
    made.short_help = group.summary
    made.of = group
    return made


def _group(kind: type[TyperGroup], name: str, text: str) -> Any:
    return kind(name=name, help=text, no_args_is_help=True, rich_markup_mode=None)


def command(group: Group, operation: Operation) -> Any:
    """Return the command of an operation."""
    endpoint = operation.endpoint
    found = slots(endpoint)

    def act(**given: Any) -> None:
        own = Own(**{name: given.pop(name) for name in Own._fields if name in given})
        perform(group, operation, found, given, own)

    parameters = [*(slot.parameter() for slot in found), *_own(operation)]
    vars(act)["__signature__"] = inspect.Signature(parameters)
    act.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
    description = endpoint.description
    app.command(
        operation.command,
        cls=OperationCommand,
        help=f"{inspect.cleandoc(endpoint.__doc__ or '')}\n\n{description.verb} {description.path}",
        short_help=first_line(endpoint.__doc__),
        deprecated=bool(description.deprecated),
    )(act)
    made: Any = typer.main.get_command(app)
    made.slots = found
    return made


def _own(operation: Operation) -> list[inspect.Parameter]:
    """Return the options that are not the contract's."""
    endpoint = operation.endpoint
    body = body_of(endpoint)
    found: list[inspect.Parameter] = []
    if body is not None:
        note = typer.Option("--data", metavar="JSON|@FILE|-", help=_body_help(body))
        found.append(_keyword("data", None, Annotated[str | None, note]))
    if pages(endpoint):
        if not any(param.name == "limit" for param in endpoint.params):
            note = typer.Option("--limit", min=1, help="Go through pages until there are so many items.")
            found.append(_keyword("limit", None, Annotated[int | None, note]))
        note = typer.Option("--all", help="Go through all pages; without it the first one is shown.")
        found.append(_keyword("everything", False, Annotated[bool, note]))
    if operation.public:
        note = typer.Option(
            "--as-owner", help="Send the credentials, which this call is otherwise made without."
        )
        found.append(_keyword("as_owner", False, Annotated[bool, note]))
    note = typer.Option("--url", help="Base URL; by default the environment's.", show_default=False)
    found.append(_keyword("url", "", Annotated[str, note]))
    note = typer.Option("--json", help="Print exact JSON, for a listing one item in each line.")
    found.append(_keyword("as_json", False, Annotated[bool, note]))
    return found


def _keyword(name: str, default: object, annotation: Any) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


def _body_help(body: Param) -> str:
    if body.stream is not None:
        return f"The body ({body.stream.media}): the text itself, @file, or - for standard input."
    model = model_of(body)
    kind = model.__name__ if model is not None else words(body.kind, lambda named: named.__name__)
    text = BODY_HELP.format(kind=kind)
    if model is not None and model.hidden:
        text += f" Only here: {', '.join(sorted(model.hidden & set(model.__struct_fields__)))}."
    return text


def _help(slot: Slot) -> str:
    doc = slot.doc().replace("``", "").replace("`", "")
    limits = words(slot.kind, lambda named: named.__name__).partition(", ")[2]
    parts = [doc, f"({limits})" if limits and slot.enum is None else ""]
    if slot.role == "member":
        parts.append("(in the body)")
    return " ".join(part for part in parts if part)
