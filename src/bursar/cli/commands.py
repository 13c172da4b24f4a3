"""The commands and their options. What they do is in modules of their own, imported when they run."""

from __future__ import annotations

import gc
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from bursar import __version__
from bursar.cli.log_options import Format, Level

DATABASE = "sqlite:///bursar.db"
DEFAULT_URL = "http://127.0.0.1:8787"
SANDBOX_KEY = "piaxis-sandbox-key"

Database = Annotated[
    str,
    typer.Option(
        "--database", help="sqlite:///file.db, postgresql://user@host/name, or sqlite:// for memory."
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
SandboxUrl = Annotated[str, typer.Option("--url", help="Where the sandbox is.")]
ApiKey = Annotated[str, typer.Option("--api-key", help="A Piaxis merchant's key.")]
ClientId = Annotated[str, typer.Argument(help="OAuth client id.")]


class ClientGroup(TyperGroup):
    """`bursar api`; its commands are made when they are asked for."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Name the APIs."""
        from bursar.cli.api_catalog import APIS

        return list(APIS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return the command of an API."""
        from bursar.cli.api import api_command

        return api_command(cmd_name)


app = typer.Typer(
    name="bursar",
    help="Move money: a double-entry payments engine and sandbox on your own machine.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
api = typer.Typer(
    help="Call any operation of any client; credentials come from the environment.",
    cls=ClientGroup,
    no_args_is_help=True,
)
operators = typer.Typer(help="Credentials of operators, who run the hub's back office.", no_args_is_help=True)
clients = typer.Typer(
    help="Credentials of institutions. The server must not be running.", no_args_is_help=True
)
stack = typer.Typer(
    help="Credentials of the Formance stack. The server must not be running.", no_args_is_help=True
)
piaxis = typer.Typer(
    help="Merchants of the Piaxis rail. The server must not be running.", no_args_is_help=True
)
app.add_typer(api, name="api")
app.add_typer(operators, name="operator")
app.add_typer(clients, name="client")
app.add_typer(stack, name="formance")
app.add_typer(piaxis, name="piaxis")


def run() -> None:
    """Read the command line and do what it says; refusals go to standard error with exit status 1 or 2."""
    app()


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"bursar {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Hold the options of `bursar` itself."""


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(help="Port to listen on; 0 takes a free one.", min=0, max=65535)
    ] = 8787,
    database: Database = DATABASE,
    sandbox: Annotated[
        bool,
        typer.Option(
            "--sandbox", help="Well-known credentials, time travel and faults. Never for real money."
        ),
    ] = False,
    workers: Annotated[int, typer.Option(help="Server processes.", min=1)] = 1,
    ledger_flags: Annotated[str, typer.Option(help="Flags that change the ledger's behaviour.")] = "",
    events_nats_url: Annotated[
        str, typer.Option(help="Tell what happens in ledgers to NATS JetStream: nats://host:4222.")
    ] = "",
    events_http_url: Annotated[
        str, typer.Option(help="Tell it to an HTTP endpoint: each event is a POST.")
    ] = "",
    public_url: Annotated[
        str, typer.Option(help="URL under which callers reach the server; by default where it listens.")
    ] = "",
    access_log: Annotated[
        bool,
        typer.Option("--access-log", help="Log each request, one line to standard error."),
    ] = False,
    log_format: Annotated[Format, typer.Option(help="How lines of the log look.")] = Format.TEXT,
    log_level: Annotated[Level, typer.Option(help="The least serious that is logged.")] = Level.WARNING,
    metrics_host: Annotated[str, typer.Option(help="Address of --metrics-port.")] = "127.0.0.1",
    metrics_port: Annotated[
        int | None,
        typer.Option(
            help="Serve /metrics there instead; worker N answers at this port plus N, from 0.",
            min=0,
            max=65535,
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Serve the APIs until SIGTERM or Ctrl+C, then finish what is under way and exit 0."""
    gc.disable()  # what is loaded now stays: to look for garbage in it is a tenth of the start
    from bursar.cli.serve import Options, serve
    from bursar.server.events import EventsTo

    events = EventsTo(events_http_url, events_nats_url)
    serve(
        Options(
            host,
            port,
            database,
            sandbox,
            workers,
            ledger_flags,
            events,
            public_url,
            access_log,
            log_format,
            log_level,
            metrics_host,
            metrics_port,
            as_json,
        )
    )


@app.command()
def demo(as_json: AsJson = False) -> None:
    """Start a server and move money between two banks over HTTP, then show and verify the books."""
    from bursar.cli.demo import demo

    demo(as_json=as_json)


@app.command()
def verify(database: Database = DATABASE, as_json: AsJson = False) -> None:
    """Check a database, also under a running server: exit 1 and a list of differences when it is damaged."""
    from bursar.cli.verify import verify

    verify(database, as_json=as_json)


@app.command()
def migrate(
    database: Database = DATABASE,
    check: Annotated[
        bool, typer.Option("--check", help="Change nothing: exit 1 unless it is newest.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Bring a database to the schema of this release."""
    from bursar.cli.maintain import migrate

    migrate(database, only_check=check, as_json=as_json)


@app.command()
def backup(
    to: Annotated[str, typer.Option(help="New file to write.")],
    database: Database = DATABASE,
    as_json: AsJson = False,
) -> None:
    """Copy a SQLite database, also under a running server, and verify the copy."""
    from bursar.cli.maintain import backup

    backup(database, to, as_json=as_json)


@app.command()
def export(
    ledger: Annotated[str, typer.Argument(help="Which ledger.")],
    database: Database = DATABASE,
    to: Annotated[str, typer.Option(help="File to write; - is standard output.")] = "-",
) -> None:
    """Write a ledger's logs, one JSON object a line, as of one moment; also under a running server."""
    from bursar.cli.transfer import export

    export(database, ledger, to)


@app.command("import")
def take(
    ledger: Annotated[str, typer.Argument(help="The ledger to make; it must have no writes of its own.")],
    database: Database = DATABASE,
    source: Annotated[str, typer.Option("--from", help="File to read; - is standard input.")] = "-",
    as_json: AsJson = False,
) -> None:
    """Make a ledger of exported logs, their hashes checked. On SQLite the server must not be running."""
    from bursar.cli.transfer import take

    take(database, ledger, source, as_json=as_json)


@app.command()
def listen(
    forward_to: Annotated[
        str, typer.Option(help="Pass each webhook on to this URL, with its bytes and header fields.")
    ] = "",
    events: Annotated[
        list[str] | None,
        typer.Option("--event", help="Which events, such as payment.succeeded; repeatable. By default all."),
    ] = None,
    secret: Annotated[
        str, typer.Option(help="What the webhooks are signed with; by default the sandbox's.")
    ] = "",
    url: SandboxUrl = DEFAULT_URL,
    api_key: ApiKey = SANDBOX_KEY,
    as_json: AsJson = False,
) -> None:
    """Show a running sandbox's webhooks, their signatures checked, and pass them on to a program; Ctrl+C ends it."""
    from bursar.cli.listen import Options, run

    run(Options(forward_to, url, api_key, events or (), secret, as_json))


@app.command()
def trigger(
    event: Annotated[str, typer.Argument(help="Which event; without one, those that are known.")] = "",
    url: SandboxUrl = DEFAULT_URL,
    api_key: ApiKey = SANDBOX_KEY,
    as_json: AsJson = False,
) -> None:
    """Make an event happen for real on a running sandbox, such as a payment that succeeds."""
    from bursar.cli.trigger import run

    run(event, url, api_key, as_json=as_json)


@operators.command("create")
def operator_create(client_id: ClientId, database: Database = DATABASE, as_json: AsJson = False) -> None:
    """Add an operator and print its secret, once. The way to a fresh database's first credential."""
    from bursar.cli.clients import create

    create(database, client_id, operator=True, as_json=as_json)


@clients.command("create")
def client_create(client_id: ClientId, database: Database = DATABASE, as_json: AsJson = False) -> None:
    """Add an institution's client and print its secret, once."""
    from bursar.cli.clients import create

    create(database, client_id, operator=False, as_json=as_json)


@clients.command("rotate")
def client_rotate(client_id: ClientId, database: Database = DATABASE, as_json: AsJson = False) -> None:
    """Print a new secret; the one before works until the next rotation or `retire`."""
    from bursar.cli.clients import rotate

    rotate(database, client_id, as_json=as_json)


@clients.command("retire")
def client_retire(client_id: ClientId, database: Database = DATABASE) -> None:
    """End the secret before the last rotation."""
    from bursar.cli.clients import retire

    retire(database, client_id)


@clients.command("revoke")
def client_revoke(client_id: ClientId, database: Database = DATABASE) -> None:
    """End a client; the tokens it has are refused from then on."""
    from bursar.cli.clients import revoke

    revoke(database, client_id)


@stack.command("create")
def formance_create(
    client_id: ClientId,
    scope: Annotated[
        list[str] | None,
        typer.Option(help="What its tokens may do, such as ledger:read; repeatable. By default everything."),
    ] = None,
    database: Database = DATABASE,
    as_json: AsJson = False,
) -> None:
    """Add a client and print its secret, once. With auth:write it can make further ones over the API."""
    from bursar.cli.clients import create_formance

    create_formance(database, client_id, scope or (), as_json=as_json)


@piaxis.command("create")
def piaxis_create(
    name: Annotated[str, typer.Argument(help="The merchant's business name.")],
    email: Annotated[str | None, typer.Option(help="The merchant's email address.")] = None,
    redirect: Annotated[
        list[str] | None, typer.Option(help="A redirect URI of its OAuth client; repeatable.")
    ] = None,
    database: Database = DATABASE,
    as_json: AsJson = False,
) -> None:
    """Add a merchant and print its API key and OAuth client, once."""
    from bursar.cli.piaxis import create

    create(database, name, email, redirect or (), as_json=as_json)


@piaxis.command("key")
def piaxis_key(
    merchant: Annotated[str, typer.Argument(help="The merchant's account id.")],
    label: Annotated[str, typer.Option(help="What the key is for.")] = "",
    database: Database = DATABASE,
    as_json: AsJson = False,
) -> None:
    """Give a merchant one more API key and print it, once. The back office revokes keys."""
    from bursar.cli.piaxis import add_key

    add_key(database, merchant, label, as_json=as_json)
