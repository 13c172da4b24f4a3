"""What an engine measures about itself, declared in this one place; docs/operations.md has the same table.

Labels have few values, none taken from requests: kinds of work, names of destinations, outcomes. Of ledgers, accounts
and other objects there are too many to name.
"""

from __future__ import annotations

from typing import Final

from bursar.engine.instruments import Counter, Gauge, Histogram, Registry

SECONDS: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
"""Buckets of durations."""
_COMMANDS: Final = (1, 2, 4, 8, 16, 32, 64, 128, 256)


class Metrics(Registry):
    """The instruments of one engine, by name."""

    def __init__(self) -> None:
        super().__init__()
        self._writer()
        self._work()
        self._listeners()
        self._webhooks()

    def batch_ended(self, commands: int, wrote: bool, stored: bool, seconds: float) -> None:
        """Note what became of a batch whose commit did not fail."""
        self.batches.add(1, (("committed" if wrote else "confirmed") if stored else "lost",))
        if stored:
            self.commands.add(commands)
            self.batch_commands.observe(commands)
        if stored and wrote:
            self.commit_seconds.observe(seconds)

    def _writer(self) -> None:
        self.commands: Counter = self.add(
            Counter("bursar_writer_commands_total", "Commands answered: carried out or refused by a rule.")
        )
        self.refused: Counter = self.add(
            Counter("bursar_writer_refused_commands_total", "Commands not taken: too many were waiting.")
        )
        self.retried: Counter = self.add(
            Counter(
                "bursar_writer_retried_commands_total", "Commands run again after another writer was faster."
            )
        )
        self.batches: Counter = self.add(
            Counter(
                "bursar_writer_batches_total",
                "Ends of batches: committed, confirmed (nothing to write), lost (to another writer), failed.",
                ["outcome"],
            )
        )
        self.batch_commands: Histogram = self.add(
            Histogram(
                "bursar_writer_batch_commands", "Commands of a batch that was stored.", bounds=_COMMANDS
            )
        )
        self.commit_seconds: Histogram = self.add(
            Histogram("bursar_writer_commit_seconds", "How long a batch took to be durable.", bounds=SECONDS)
        )
        self.queue: Gauge = self.add(
            Gauge("bursar_writer_queue_commands", "Commands waiting for the writer.")
        )
        self.reachable: Gauge = self.add(
            Gauge(
                "bursar_store_reachable",
                "Whether the database answered when these numbers were asked for: 1 or 0.",
            )
        )
        self.commit_number: Gauge = self.add(
            Gauge("bursar_store_commit_number", "Number of the last commit that this process knows.")
        )
        self.logs: Counter = self.add(
            Counter("bursar_ledger_logs_total", "Log entries written by this process, of all ledgers.")
        )

    def _work(self) -> None:
        self.work_due: Gauge = self.add(
            Gauge(
                "bursar_work_due_items", "Items of durable work that are due and in nobody's hands.", ["kind"]
            )
        )
        self.work_overdue: Gauge = self.add(
            Gauge("bursar_work_overdue_items", "Those of them that have been due for a minute.", ["kind"])
        )
        self.work_oldest: Gauge = self.add(
            Gauge("bursar_work_oldest_due_seconds", "How long the first of them has been due.", ["kind"])
        )
        self.work_dead: Gauge = self.add(
            Gauge("bursar_work_dead_items", "Items given up after their last attempt.", ["kind"])
        )
        self.work_running: Gauge = self.add(
            Gauge("bursar_work_running_items", "Items in the hands of this process's handlers.", ["kind"])
        )

    def _listeners(self) -> None:
        self.events: Counter = self.add(
            Counter("bursar_events_published_total", "Events that a destination confirmed.", ["destination"])
        )
        self.events_failed: Counter = self.add(
            Counter("bursar_events_failed_total", "Times that a destination took nothing.", ["destination"])
        )
        self.events_lag: Gauge = self.add(
            Gauge(
                "bursar_events_lag_logs",
                "Log entries a destination has not been told of, of all ledgers.",
                ["destination"],
            )
        )
        self.events_lag_most: Gauge = self.add(
            Gauge("bursar_events_lag_max_logs", "The same, of the ledger that has most.", ["destination"])
        )
        self.pipelines: Gauge = self.add(
            Gauge(
                "bursar_pipelines",
                "Pipelines: running, failing (the last delivery failed), stopped.",
                ["state"],
            )
        )
        self.pipeline_logs: Counter = self.add(
            Counter("bursar_pipeline_logs_total", "Log entries delivered to exporters.")
        )
        self.pipelines_failed: Counter = self.add(
            Counter("bursar_pipeline_failed_total", "Deliveries to exporters that failed.")
        )
        self.pipelines_lag: Gauge = self.add(
            Gauge("bursar_pipeline_lag_logs", "Log entries that pipelines not stopped have yet to deliver.")
        )
        self.pipelines_lag_most: Gauge = self.add(
            Gauge("bursar_pipeline_lag_max_logs", "The same, of the pipeline that has most.")
        )

    def _webhooks(self) -> None:
        self.webhooks: Counter = self.add(
            Counter(
                "bursar_webhook_attempts_total",
                "Tries of webhook deliveries: succeeded, retryable_failure, permanent_failure.",
                ["outcome"],
            )
        )
        self.webhooks_arrived: Gauge = self.add(
            Gauge("bursar_webhook_inbox_deliveries", "Deliveries that are not in their lane yet.")
        )
        self.webhooks_lanes: Gauge = self.add(
            Gauge("bursar_webhook_pending_lanes", "Objects that have unfinished deliveries to an endpoint.")
        )
        self.webhooks_oldest: Gauge = self.add(
            Gauge("bursar_webhook_oldest_pending_seconds", "Age of the oldest unfinished delivery in a lane.")
        )
