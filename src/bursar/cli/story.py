"""What a demonstration does, told step by step: each step says what it expects."""

from __future__ import annotations

from dataclasses import dataclass, field

from bursar.cli.output import console


class DemoFailed(Exception):
    """Something did not come out as the demo expects."""


@dataclass
class Story:
    """What happened, step by step."""

    quiet: bool
    steps: list[dict[str, str]] = field(default_factory=list[dict[str, str]])

    def begin(self, title: str) -> None:
        """Begin a chapter."""
        if not self.quiet:
            console().print(f"\n[bold]{title}[/bold]")

    def tell(self, title: str, outcome: str) -> None:
        """Add a step."""
        self.steps.append({"step": title, "outcome": outcome})
        if not self.quiet:
            console().print(f"[green]✓[/green] {title:<46} {outcome}", soft_wrap=True)

    def expect(self, title: str, actual: object, expected: object) -> None:
        """Add a step whose outcome is known beforehand. Raises `DemoFailed` for another."""
        if actual != expected:
            raise DemoFailed(f"{title}: expected {expected}, got {actual}")
        self.tell(title, str(actual))
