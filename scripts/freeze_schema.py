"""Write the schema that the declared tables render to as migration 0001.

Run it after changing a table, as long as no release with 0001 exists; from then on write a new migration instead.
"""

from pathlib import Path

from bursar.engine.store import migrate, schema
from bursar.engine.tables import all_tables

if __name__ == "__main__":
    target = Path(migrate.MIGRATIONS, "versions", "r0001.sql")
    target.write_text(schema.frozen(all_tables()))
