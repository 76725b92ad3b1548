"""Row-level security on PostgreSQL: a transaction sees the rows of whom it named, and one that named nobody
fails.

The rooms ask for their own organisation's rows anyway; this is the second lock, for the query that forgets.
Whom a transaction is for stands in the setting `balie.scope` (`balie.store.scope`), ids with commas between.
"""

from collections.abc import Iterable

from sqlalchemy import Connection, text
from sqlalchemy.exc import ProgrammingError

from balie.store.driver import UnusableError

ROLE = "balie_rooms"
"""What the rooms are, where whoever signs in would pass by row-level security."""

# Raised, not answered with no rows: a forgotten scope is found by the first test that runs it.
_SCOPE = """
CREATE OR REPLACE FUNCTION balie_scope() RETURNS text[] LANGUAGE plpgsql STABLE AS $$
DECLARE
    scope text := current_setting('balie.scope', true);
BEGIN
    IF coalesce(scope, '') = '' THEN
        RAISE EXCEPTION 'whose rows? balie.scope is not set' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN string_to_array(scope, ',');
END
$$
"""
# Subqueries that depend on no row are run once a statement, not once a row; where there is no row, never.
_POLICY = """
CREATE POLICY balie_scope ON {table} USING (
    organisation_id = ANY((SELECT balie_scope())::text[]) OR (SELECT '*' = ANY(balie_scope()))
)
"""
_OWNED = """
SELECT c.relname AS name, c.relrowsecurity AND c.relforcerowsecurity AS guarded
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'organisation_id'
WHERE c.relkind IN ('r', 'p') AND c.relnamespace = current_schema()::regnamespace
ORDER BY c.relname
"""
_MAKE_ROLE = f"""DO $$ BEGIN CREATE ROLE {ROLE} NOLOGIN;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$"""
_PASSES_BY = "SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user"


class UnguardedError(UnusableError):
    """The database would show the rows of one organisation to another."""


def close(connection: Connection) -> None:
    """Guard every table that has an organisation, also those that a later version made."""
    unguarded = open_tables(connection)
    if unguarded:
        connection.execute(text(_SCOPE))
    for name in unguarded:
        table = connection.dialect.identifier_preparer.quote(name)
        for statement in (
            f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
            f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY",
            _POLICY.format(table=table),
        ):
            connection.exec_driver_sql(statement)


def refuse_open(connection: Connection) -> None:
    """Raises UnguardedError for a table that would be open to all."""
    if unguarded := open_tables(connection):
        raise UnguardedError(
            f"row-level security is off on {', '.join(unguarded)}; run `balie migrate` as the owner"
        )


def open_tables(connection: Connection) -> list[str]:
    """Tables with an organisation that anybody may look into."""
    return [row.name for row in connection.execute(text(_OWNED)) if not row.guarded]


def make_role(connection: Connection) -> None:
    """Make the role that the rooms take on, where whoever signs in passes by row-level security. Raises
    UnguardedError where he may not."""
    if not passes_by(connection):
        return
    try:
        with connection.begin_nested():
            for statement in role_statements(_schema(connection), _user(connection)):
                connection.exec_driver_sql(statement)
    except ProgrammingError as error:
        raise UnguardedError(how_to_make_role(connection, str(error.orig))) from None


def passes_by(connection: Connection) -> bool:
    """Whether row-level security does not hold for whoever is signed in."""
    return bool(connection.execute(text(_PASSES_BY)).scalar_one())


def role_statements(schema: str, user: str) -> Iterable[str]:
    """What makes the role, and gives it what the rooms need; again is fine."""
    return (
        _MAKE_ROLE,
        f"GRANT USAGE ON SCHEMA {schema} TO {ROLE}",
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {ROLE}",
        f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA {schema} TO {ROLE}",
        f"GRANT {ROLE} TO {user}",
    )


def how_to_make_role(connection: Connection, said: str) -> str:
    """What an operator has to run himself."""
    statements = ";\n  ".join(role_statements(_schema(connection), _user(connection)))
    return (
        f"whoever signs in to the database passes by row-level security, and may not make the role {ROLE}"
        f" ({said.splitlines()[0]}). Sign in as an ordinary role that owns the tables, or run as an"
        f" administrator:\n  {statements};"
    )


def _schema(connection: Connection) -> str:
    return str(connection.execute(text("SELECT quote_ident(current_schema())")).scalar_one())


def _user(connection: Connection) -> str:
    return str(connection.execute(text("SELECT quote_ident(current_user)")).scalar_one())
