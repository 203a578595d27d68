-- Makes a role for a Grafana data source that reads the spans, usage and costs of one tenant, and nothing else.
--
--     psql -v role=grafana_acme -v tenant=acme -v schema=weir -f grafana.sql DATABASE
--     psql -c '\password grafana_acme' DATABASE
--
-- Run it as a superuser, or as the owner of the schema who may also create roles; again for each further tenant, and
-- again after a `weir store migrate` that changed the tables. Whatever it finds in place it makes anew.
--
-- How it holds:
--   * The role has rights on the views of the schema `weir_read` and on nothing else. The views read the tables as their
--     owner. Were it given the tables with a policy instead, a right on one partition would be enough to read all
--     tenants in it: a parent's policy does not count for who reads a partition directly. And Weir's COPY would need
--     BYPASSRLS.
--   * Which tenant a role sees stands in a table that it cannot read or change. A setting (`ALTER ROLE … SET`) would be
--     no protection: every role may SET it to something else.
--   * The views are security barriers: no condition of a query sees a row of another tenant, not even one that tells by
--     an error message. Conditions on times, ids, services and names still use the indexes. For others, such as those on
--     attributes, name a time as well.
--
-- What no script can take from a role that may connect: it sees the names and rough sizes of all tables in the catalog,
-- it can use up its connections, and it can take advisory locks, which Weir uses. Give the credentials to colleagues, or
-- a connection to a read-only stand-by to everyone else.

\set ON_ERROR_STOP on
\if :{?schema} \else \set schema weir \endif
BEGIN;

SELECT format('CREATE ROLE %I', :'role') WHERE to_regrole(quote_ident(:'role')) IS NULL \gexec
ALTER ROLE :"role" LOGIN NOINHERIT NOCREATEDB NOCREATEROLE CONNECTION LIMIT 10;
ALTER ROLE :"role" SET search_path = weir_read;
ALTER ROLE :"role" SET timezone = 'UTC';
ALTER ROLE :"role" SET jit = off;
-- Against accidents: a role may change these.
ALTER ROLE :"role" SET default_transaction_read_only = on;
ALTER ROLE :"role" SET statement_timeout = '30s';
ALTER ROLE :"role" SET idle_in_transaction_session_timeout = '10s';

-- Everybody may make temporary tables, and so fill the disk, until told otherwise. Weir goes on.
SELECT format('REVOKE TEMPORARY ON DATABASE %I FROM PUBLIC', current_database()) \gexec
SELECT format('GRANT TEMPORARY ON DATABASE %I TO %s', current_database(), nspowner::regrole)
    FROM pg_namespace WHERE nspname = :'schema' \gexec
SELECT format('GRANT CONNECT ON DATABASE %I TO %I', current_database(), :'role') \gexec

CREATE SCHEMA IF NOT EXISTS weir_read;
CREATE TABLE IF NOT EXISTS weir_read.readers (role name PRIMARY KEY, tenant text NOT NULL);
COMMENT ON TABLE weir_read.readers IS 'One row for each role that may read, with the name of its only tenant.';
REVOKE ALL ON weir_read.readers FROM PUBLIC;
INSERT INTO weir_read.readers VALUES (:'role', :'tenant') ON CONFLICT (role) DO UPDATE SET tenant = excluded.tenant;

-- Who was erased, what was rejected and which records are there is for those who operate Weir: `erasure_requests`,
-- `rejects` and `ledger` have no view.
-- Tables and views that say whose a row is by the tenant's id, and those that say it by name.
SELECT format('DROP VIEW IF EXISTS weir_read.%1$I', name),
    format($$CREATE VIEW weir_read.%2$I WITH (security_barrier) AS SELECT * FROM %1$I.%2$I WHERE tenant_id =
        (SELECT t.id FROM %1$I.tenants t JOIN weir_read.readers r ON r.tenant = t.name WHERE r.role = current_user)$$,
        :'schema', name)
    FROM unnest('{spans,llm_usage,cost_ledger,cost_rollups,call_costs,span_rollups,resources,scopes,trace_summary}'::text[]
        || '{evaluations,routing_decisions,storage_manifests}'::text[]) AS name \gexec
SELECT format('DROP VIEW IF EXISTS weir_read.%1$I', name),
    format($$CREATE VIEW weir_read.%2$I WITH (security_barrier) AS SELECT * FROM %1$I.%2$I WHERE %3$I =
        (SELECT r.tenant FROM weir_read.readers r WHERE r.role = current_user)$$,
        :'schema', name, tenant)
    FROM (VALUES ('workflow_traces', 'tenant'), ('agent_executions', 'tenant'), ('cost_details', 'tenant'),
        ('llm_usage_events', 'tenant_id'), ('telemetry_events', 'tenant'), ('api_calls_log', 'tenant'),
        ('performance_metrics', 'tenant'), ('alert_history', 'tenant')) AS views (name, tenant) \gexec

-- Roles of other tenants as well, whose views these are too.
SELECT format('GRANT USAGE ON SCHEMA weir_read TO %I', role),
    format('GRANT SELECT ON weir_read.%I TO %I', viewname, role)
    FROM weir_read.readers JOIN pg_roles ON rolname = role CROSS JOIN pg_views WHERE schemaname = 'weir_read' \gexec

COMMIT;
