"""Alembic's environment: runs migrations on the connection that `migrate` opened and locked."""

from alembic import context

context.configure(connection=context.config.attributes["connection"], transactional_ddl=True)
context.run_migrations()
