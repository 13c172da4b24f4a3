"""Changes of the schema, in order. Loaded by Alembic, never imported by the engine."""
