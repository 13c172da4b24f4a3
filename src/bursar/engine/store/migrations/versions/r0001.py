"""The first schema, frozen as text by scripts/freeze_schema.py; later changes are later migrations."""

from pathlib import Path

from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make all tables."""
    for statement in Path(__file__).with_suffix(".sql").read_text().split(";\n\n"):
        if statement.strip():
            op.get_bind().exec_driver_sql(statement)
