"""The role that docs/operations/grafana.sql makes reads its own tenant through views, and can do nothing else."""

import subprocess
import time

import psycopg
import pytest
from psycopg.errors import InsufficientPrivilege

import postgres
import weir as product
from otlp import a_body, a_span, text
from wire import post

SCRIPT = product.ROOT / "docs/operations/grafana.sql"
BY_ID = ["spans", "llm_usage", "cost_ledger", "cost_rollups", "call_costs", "span_rollups", "resources", "scopes", "trace_summary"]
BY_ID += ["evaluations", "routing_decisions", "storage_manifests"]
BY_NAME = {"workflow_traces": "tenant", "agent_executions": "tenant", "cost_details": "tenant"}
BY_NAME |= {"llm_usage_events": "tenant_id", "telemetry_events": "tenant", "api_calls_log": "tenant"}
BY_NAME |= {"performance_metrics": "tenant", "alert_history": "tenant"}
CALL = [text("gen_ai.operation.name", "chat"), text("gen_ai.request.model", "gpt-4o")]
AGENT = [text("gen_ai.operation.name", "invoke_agent"), text("gen_ai.agent.name", "planner")]


class Reader:
    """A role that the script made for a tenant."""

    def __init__(self, database, tenant):
        self.database, self.role = database, f"{database.name}_{tenant}"
        variables = [f"role={self.role}", f"tenant={tenant}", "schema=weir"]
        for _ in "twice":
            ran = subprocess.run(
                [postgres.program("psql"), "-h", database.cluster.directory, "-p", str(database.cluster.port)]
                + ["-U", "postgres", *[word for each in variables for word in ("-v", each)], "-f", SCRIPT]
                + [database.name],
                capture_output=True,
                text=True,
            )
            assert ran.returncode == 0 and "ERROR" not in ran.stderr, ran.stderr
        database.sql(f"ALTER ROLE {self.role} PASSWORD 'secret'")

    def connect(self):
        connection = psycopg.connect(self.database.connection(user=self.role, password="secret"), autocommit=True)
        # What is only against accidents goes first.
        connection.execute("SET default_transaction_read_only = off")
        return connection

    def sql(self, *arguments):
        with self.connect() as connection:
            return connection.execute(*arguments).fetchall()


@pytest.fixture
def readers(start, database):
    """Roles of two tenants. Weir stored the first one's spans; of the second, whose service is `secret`, there are
    half as many."""
    weir = start(exporters={"postgres": product.postgres(database)})
    now = time.time_ns()
    spans = [
        a_span(start_time_unix_nano=now, end_time_unix_nano=now + 1, attributes=attributes)
        for attributes in ([], CALL, AGENT)
        for _ in range(30)
    ]
    assert post(weir.endpoint, a_body(*spans)).rejected() == 0
    weir.drain()
    weir.stop()
    database.sql("INSERT INTO tenants (id, name) VALUES (77, 'other')")
    for table in ("spans", "llm_usage", "cost_ledger", "span_rollups"):
        database.sql(f"UPDATE {table} SET tenant_id = 77, service = 'secret' WHERE ctid::text LIKE '%3)'")
    database.sql("UPDATE scopes SET name = 'weir.beacon'")
    database.sql("INSERT INTO span_rollups SELECT * FROM span_rollups")
    database.sql("UPDATE span_rollups SET tenant_id = 77, service = 'secret' WHERE ctid = '(0,1)'")
    database.sql(
        "INSERT INTO cost_rollups SELECT hour, 77, user_id, agent, model, calls, unpriced, total_cost FROM cost_rollups"
    )
    database.sql("INSERT INTO resources SELECT id + 1, 77, last_seen, attributes, schema_url FROM resources")
    database.sql("INSERT INTO scopes SELECT id + 1, 77, last_seen, name, version, attributes, schema_url FROM scopes")
    database.sql(
        "INSERT INTO evaluations (evaluated_at, tenant_id, trace_id, name)"
        " SELECT start_time, tenant_id, trace_id, 'relevance' FROM spans"
    )
    database.sql(
        "INSERT INTO routing_decisions (decided_at, tenant_id, trace_id, span_id, model)"
        " SELECT start_time, tenant_id, trace_id, span_id, 'small' FROM llm_usage"
    )
    database.sql(
        "INSERT INTO storage_manifests (id, tenant_id, tier, path, format, rows, bytes, sha256, state, created_at)"
        " SELECT gen_random_uuid(), id, 'warm', name, 'parquet', 1, 1, '', 'published', now() FROM tenants"
    )
    database.sql(
        "INSERT INTO budget_crossings (budget, tenant, scope, scope_id, period, window_start, level, threshold, spent,"
        " crossed_at) SELECT 'all', name, 'tenant', '', 'day', now(), 'soft', 1, 2, now() FROM tenants"
    )
    return {tenant: Reader(database, tenant) for tenant in ("default", "other")}


def test_each_role_sees_what_is_its_tenants_in_each_view_and_no_more(readers, database):
    for tenant, reader in readers.items():
        for view in BY_ID:
            where = "tenant_id = (SELECT id FROM tenants WHERE name = %s)"
            expected = database.sql(f"SELECT * FROM {view} v WHERE {where} ORDER BY v::text", [tenant])
            assert expected and reader.sql(f"SELECT * FROM {view} v ORDER BY v::text") == expected, (tenant, view)
        for view, column in BY_NAME.items():
            expected = database.sql(f"SELECT * FROM {view} v WHERE {column} = %s ORDER BY v::text", [tenant])
            assert expected and reader.sql(f"SELECT * FROM {view} v ORDER BY v::text") == expected, (tenant, view)


def test_a_role_reads_no_table_no_partition_and_no_view_but_its_own(readers, database):
    everything = database.sql(
        "SELECT oid::regclass::text FROM pg_class"
        " WHERE relnamespace = 'weir'::regnamespace AND relkind = ANY ('{r,p,v}')"
    )
    names = [name if "." in name else f"weir.{name}" for (name,) in everything] + ["weir_read.readers"]
    assert any("spans_2" in name for name in names)
    with readers["other"].connect() as connection:
        for name in names:
            with pytest.raises(InsufficientPrivilege):
                connection.execute(f"SELECT FROM {name}")


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO weir_read.scopes SELECT * FROM weir_read.scopes",
        "UPDATE weir_read.spans SET name = 'x'",
        "DELETE FROM weir_read.llm_usage",
        "INSERT INTO weir_read.readers VALUES (current_user, 'default')",
        "UPDATE weir_read.readers SET tenant = 'default'",
        "CREATE TABLE weir_read.mine ()",
        "CREATE TABLE public.mine ()",
        "CREATE TEMPORARY TABLE mine ()",
        "CREATE SCHEMA mine",
        "CREATE OR REPLACE VIEW weir_read.spans AS SELECT 1",
        "COPY (SELECT 1) TO PROGRAM 'cat'",
        "SET ROLE postgres",
        "SET SESSION AUTHORIZATION postgres",
        "SET row_security = off; SELECT * FROM weir.spans",
    ],
)
def test_a_role_cannot_write_or_become_another(readers, statement):
    with readers["other"].connect() as connection, pytest.raises(InsufficientPrivilege):
        connection.execute(statement)


def test_no_setting_makes_a_role_see_another_tenant(readers, database):
    own = database.sql("SELECT count(*) FROM spans WHERE tenant_id = 77")
    with readers["other"].connect() as connection:
        for name, value in [("weir.tenant", "default"), ("search_path", "weir, weir_read"), ("application_name", "x")]:
            connection.execute("SELECT set_config(%s, %s, false)", [name, value])
        assert connection.execute("SELECT count(*) FROM spans").fetchall() == own


@pytest.mark.parametrize(
    "condition",
    [
        "1 / (CASE service WHEN 'secret' THEN 0 ELSE 1 END) = 1",
        "CASE service WHEN 'secret' THEN name::int ELSE 1 END = 1",
    ],
)
def test_no_condition_of_a_query_meets_a_row_of_another_tenant(readers, database, condition):
    # It would end in an error, which says what the row has.
    with pytest.raises(psycopg.DataError):
        readers["other"].sql(f"SELECT count(*) FROM spans WHERE {condition}")
    assert readers["default"].sql(f"SELECT count(*) FROM spans WHERE {condition}")


def test_a_trace_of_a_day_is_found_through_the_index_of_its_partition(readers, database):
    ((trace, start),) = database.sql("SELECT trace_id, start_time FROM spans WHERE tenant_id = 77 LIMIT 1")
    database.sql("ANALYZE spans")
    with readers["other"].connect() as connection:
        connection.execute("SET enable_seqscan = off")
        query = "EXPLAIN SELECT * FROM spans WHERE trace_id = %s AND start_time BETWEEN %s AND %s"
        plan = "\n".join(row[0] for row in connection.execute(query, [trace, start, start]))
    assert f"spans_{start:%Y%m%d}_trace_id_span_id_idx" in plan and plan.count("trace_id_span_id_idx") == 1, plan
