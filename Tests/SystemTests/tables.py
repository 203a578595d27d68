"""What the hot tables hold, read with SQL the way a user would."""

import contextlib
import json
import pathlib
import sqlite3
from collections import Counter

import psycopg

JSON = ("attributes", "events", "links", "resource", "scope_attributes")
# The same row from either database: ids as numbers, times as microseconds since 1970, JSON as Python has it.
COLUMNS = """
    t.name AS tenant, s.start_ns, s.duration_ns, s.span_id, s.parent_span_id, s.journal, s.sequence, s.flags,
    s.dropped_attributes, s.dropped_events, s.dropped_links, s.kind, s.status, s.operation, s.clock_suspect, s.service,
    s.name, s.status_message, s.trace_state, s.session_id, s.conversation_id, s.user_id, s.call_id, s.attributes,
    s.events, s.links, r.attributes AS resource, r.schema_url AS resource_schema, c.name AS scope,
    c.version AS scope_version, c.attributes AS scope_attributes, c.schema_url AS scope_schema
    FROM spans s JOIN tenants t ON t.id = s.tenant_id
    JOIN resources r ON r.id = s.resource_id JOIN scopes c ON c.id = s.scope_id
"""
FROM_POSTGRES = f"""
    SELECT replace(s.trace_id::text, '-', '') AS trace_id,
    (extract(epoch FROM s.start_time) * 1e6)::bigint AS start_time, {COLUMNS}"""
FROM_SQLITE = f"SELECT lower(hex(s.trace_id)) AS trace_id, s.start_time, {COLUMNS}"


def postgres_spans(database):
    with database.session() as connection:
        cursor = connection.execute(FROM_POSTGRES)
        names = [column.name for column in cursor.description]
        return [_row(zip(names, values, strict=True)) for values in cursor]


def sqlite_spans(directory):
    return [row for path in day_files(directory) for row in _of_day(path)]


def day_files(directory):
    """One for each day, in order."""
    return sorted(pathlib.Path(directory).glob("spans-*.db"))


def reader(path):
    """A connection that changes nothing."""
    return sqlite3.connect(f"file:{path}?mode=ro", uri=True)


def _of_day(path):
    with contextlib.closing(reader(path)) as connection:
        connection.row_factory = sqlite3.Row
        return [_row(zip(row.keys(), row, strict=True)) for row in connection.execute(FROM_SQLITE)]


def day_rows(path, query):
    with contextlib.closing(reader(path)) as connection:
        return connection.execute(query).fetchall()


def sqlite_rows(directory, query):
    """What a query finds in all days together."""
    return [row for path in day_files(directory) for row in day_rows(path, query)]


def _row(pairs):
    row = dict(pairs)
    for column in JSON:
        if isinstance(row[column], str):
            row[column] = json.loads(row[column])
    return {**row, "clock_suspect": bool(row["clock_suspect"]), "span_id": _unsigned(row["span_id"])}


def _unsigned(number):
    """Ids are kept as the 64 bits that they are."""
    return number & (1 << 64) - 1


def postgres_ids(database):
    """How often each span is there, by its id as OTLP has it."""
    with contextlib.suppress(psycopg.errors.UndefinedTable):
        return Counter(_as_sent(row[0]) for row in database.sql("SELECT span_id FROM spans"))
    return Counter()


def sqlite_ids(directory):
    found = Counter()
    for path in day_files(directory):
        # A file is there before its tables are.
        with contextlib.suppress(sqlite3.OperationalError):
            found.update(_as_sent(number) for (number,) in day_rows(path, "SELECT span_id FROM spans"))
    return found


def _as_sent(number):
    return _unsigned(number).to_bytes(8, "big")
