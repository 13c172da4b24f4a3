"""Exporters and pipelines of version 2, when their flag is set (section 15)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bursar.engine.ledger import wire
from bursar.engine.ledger.service import LedgerService
from bursar.engine.pipelines import commands
from bursar.engine.pipelines.service import Pipelines
from bursar.server.ledger.answers import NO_CONTENT, Answer, data, encode
from bursar.server.ledger.call import Call
from bursar.server.ledger.routes import Handler, Routes

ACCEPTED = Answer(202)


class PipelineRoutes:
    """The handlers."""

    def __init__(self, service: LedgerService, pipelines: Pipelines) -> None:
        self._service = service
        self._pipelines = pipelines

    def add_to(self, table: Routes) -> None:
        """Serve the paths of exporters and pipelines."""
        table.add("/v2/_/exporters", {"GET": self.list_exporters, "POST": self.create_exporter})
        table.add(
            "/v2/_/exporters/{id}",
            {"GET": self.get_exporter, "PUT": self.update_exporter, "DELETE": self.delete_exporter},
        )
        for path, handlers in (
            ("", {"GET": self.list_pipelines, "POST": self.create_pipeline}),
            ("/{id}", {"GET": self.get_pipeline, "DELETE": self.delete_pipeline}),
            ("/{id}/start", {"POST": self.start}),
            ("/{id}/stop", {"POST": self.stop}),
            ("/{id}/reset", {"POST": self.reset}),
        ):
            of_live = {method: self._of_live(handler) for method, handler in handlers.items()}
            table.add("/v2/{ledger}/pipelines" + path, of_live, scoped=True)

    def _of_live(self, handler: Handler) -> Handler:
        """The handler, for live ledgers only: a pipeline is shown under any of them."""

        async def checked(call: Call) -> Answer:
            await self._service.ledger(call.ledger)
            return await handler(call)

        return checked

    async def list_exporters(self, call: Call) -> Answer:
        """List all exporters."""
        return _all(await self._pipelines.exporters())

    async def create_exporter(self, call: Call) -> Answer:
        """Make an exporter."""
        members = wire.Members(wire.first_value(await call.body()))
        driver, given = members.text("driver"), members.raw("config")
        made = await self._pipelines.create_exporter(
            driver, wire.encoded(given), given, present=members.given("config")
        )
        return data(made, status=201)

    async def get_exporter(self, call: Call) -> Answer:
        """Show an exporter."""
        return data(await self._pipelines.exporter(call.path["id"]))

    async def update_exporter(self, call: Call) -> Answer:
        """Change an exporter."""
        members = wire.Members(wire.first_value(await call.body()))
        driver, given = members.text("driver"), members.raw("config")
        await self._pipelines.update_exporter(
            call.path["id"], driver, wire.encoded(given), given, present=members.given("config")
        )
        return NO_CONTENT

    async def delete_exporter(self, call: Call) -> Answer:
        """Remove an exporter and its pipelines."""
        await self._pipelines.delete_exporter(call.path["id"])
        return NO_CONTENT

    async def list_pipelines(self, call: Call) -> Answer:
        """List the pipelines of all ledgers."""
        return _all(await self._pipelines.pipelines())

    async def create_pipeline(self, call: Call) -> Answer:
        """Send the ledger's logs to an exporter."""
        members = wire.Members(wire.first_value(await call.body()))
        made = await self._pipelines.create_pipeline(call.ledger, members.text("exporterID"))
        return data(made, status=201)

    async def get_pipeline(self, call: Call) -> Answer:
        """Show a pipeline."""
        return data(await self._pipelines.pipeline(call.path["id"]))

    async def delete_pipeline(self, call: Call) -> Answer:
        """Remove a pipeline."""
        await self._pipelines.change(commands.delete_pipeline, call.path["id"])
        return NO_CONTENT

    async def start(self, call: Call) -> Answer:
        """Let a stopped pipeline go on."""
        await self._pipelines.change(commands.start, call.path["id"])
        return ACCEPTED

    async def stop(self, call: Call) -> Answer:
        """Hold a pipeline."""
        await self._pipelines.change(commands.stop, call.path["id"])
        return ACCEPTED

    async def reset(self, call: Call) -> Answer:
        """Send everything again."""
        await self._pipelines.change(commands.reset, call.path["id"])
        return ACCEPTED


def _all(items: Sequence[Mapping[str, Any]]) -> Answer:
    """One page that holds everything and has no size."""
    return Answer(200, encode({"cursor": {"hasMore": False, "data": items}}))
