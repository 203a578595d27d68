"""A PostgreSQL on a bad day: Weir says what is wrong, loses nothing, and nobody else notices."""

import contextlib
import json
import os
import shutil
import subprocess
from collections import Counter

import psycopg
import pytest

import archives
import tables
from authority import Authority
from ledger import send
from waiting import eventually
from weir import archive, command, postgres, sqlite


class Stores:
    """A program with an exporter of each kind, and what it has acknowledged."""

    def __init__(self, start, database, directory, **keys):
        self.database, self.directory = database, directory
        self.exporters = {
            "postgres": postgres(database, **keys),
            "sqlite": sqlite(directory / "hot"),
            "archive": archive(directory / "archive"),
        }
        self.begin = lambda: start(exporters=self.exporters, journal={"directory": str(directory / "journal")})
        self.weir = self.begin()
        self.sent = set()
        self.secrets = {database.password}

    def send(self, count=20):
        self.sent |= send(self.weir, count)

    def others_have_everything(self):
        """Waits until what does not go to PostgreSQL has arrived, once."""
        once = Counter(self.sent)
        eventually(lambda: tables.sqlite_ids(self.directory / "hot") == once, self.weir.log, 30)
        eventually(lambda: archived(self.directory / "archive") == once, self.weir.log, 30)

    def postgres_has_everything(self):
        eventually(lambda: tables.postgres_ids(self.database) == Counter(self.sent), self.weir.log, 30)

    def status(self, exporter):
        """What `weir store status` says of the journal, in its own columns."""
        ran = command("store", "status", "--exporter", exporter, "--format", "json", "--config", str(self.weir.config))
        assert ran.returncode == 0, ran.stderr
        (journal,) = json.loads(ran.stdout)["journals"]
        return journal

    def says(self, *words):
        """Waits for a line of the exporter's that warns with all of these words."""

        def found():
            lines = [line for line in self.weir.records() if line.get("component") == "postgres"]
            bad = [line for line in lines if line.get("level") in ("warning", "warn", "error")]
            return any(all(word in str(line).lower() for word in words) for line in bad)

        eventually(found, lambda: f"no word of {words}:\n{self.weir.log()}", 30)

    def end(self):
        """Everything is everywhere, once, and no password was told."""
        self.weir.drain()
        self.weir.stop()
        once = Counter(self.sent)
        assert tables.postgres_ids(self.database) == once
        assert tables.sqlite_ids(self.directory / "hot") == once
        assert archived(self.directory / "archive") == once
        assert not any(secret in self.weir.log() for secret in self.secrets)


def archived(directory):
    return Counter(found.span.span_id for found in archives.spans(directory))


def test_a_database_that_is_down_at_the_start_gets_everything_when_it_is_up(start, cluster, tmp_path):
    database = cluster.database()
    cluster.stop()
    stores = Stores(start, database, tmp_path)
    stores.send()
    stores.others_have_everything()
    stores.says("connection", "refused")
    cluster.start()
    stores.end()


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_a_database_that_goes_down_gets_everything_when_it_is_up(start, cluster, tmp_path, end):
    stores = Stores(start, cluster.database(), tmp_path)
    stores.send()
    stores.postgres_has_everything()
    getattr(cluster, end)()
    stores.send()
    stores.others_have_everything()
    stores.says("connection")
    cluster.start()
    stores.end()


def test_a_database_that_is_read_only_gets_everything_when_it_is_not(start, database, tmp_path):
    stores = Stores(start, database, tmp_path)
    stores.send()
    stores.postgres_has_everything()
    database.cluster.sql(f"ALTER DATABASE {database.name} SET default_transaction_read_only = on")
    end_sessions(database)
    stores.send()
    stores.others_have_everything()
    stores.says("read-only")
    behind = stores.status("postgres")
    assert (behind["spans"], behind["behind_spans"], behind["floor"]) == (20, 20, behind["last_sequence"]), behind
    assert behind["behind_records"] > 0 and behind["behind_since"] > behind["updated_at"], behind
    eventually(lambda: stores.status("sqlite")["behind_spans"] == 0, stores.weir.log)
    up_to_date = stores.status("sqlite")
    assert (up_to_date["spans"], up_to_date["behind_since"]) == (40, None), up_to_date
    assert up_to_date["floor"] == up_to_date["last_sequence"] > behind["floor"], up_to_date
    # As after a fail-over, only a new connection can write.
    database.cluster.sql(f"ALTER DATABASE {database.name} RESET default_transaction_read_only")
    stores.end()


def end_sessions(database):
    database.sql(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND usename = %s",
        [database.name, database.role],
    )


def test_a_password_that_becomes_right_later_is_enough(start, database, tmp_path):
    secret = "not-yet-the-password"
    stores = Stores(start, database, tmp_path, connection=database.connection(password=secret))
    stores.secrets.add(secret)
    stores.send()
    stores.others_have_everything()
    stores.says("password authentication failed")
    database.cluster.sql(f"ALTER ROLE {database.role} PASSWORD '{secret}'")
    stores.end()


def test_a_password_that_becomes_wrong_holds_up_nothing_else(start, database, tmp_path):
    stores = Stores(start, database, tmp_path)
    stores.send()
    stores.postgres_has_everything()
    database.cluster.sql(f"ALTER ROLE {database.role} PASSWORD 'another'")
    end_sessions(database)
    stores.send()
    stores.others_have_everything()
    stores.says("password authentication failed")
    database.cluster.sql(f"ALTER ROLE {database.role} PASSWORD '{database.password}'")
    stores.end()


def secure(cluster, authority, names):
    """The server speaks TLS from now on, with a certificate of the authority's for these names."""
    for path, name in zip(authority.sign("server", names=names), ("server.crt", "server.key"), strict=True):
        shutil.copy(path, cluster.data / name)
        (cluster.data / name).chmod(0o600)
        cluster.give(cluster.data / name)
    cluster.sql("ALTER SYSTEM SET ssl = on")
    cluster.sql("SELECT pg_reload_conf()")


SECURE = "SELECT bool_and(ssl) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE usename = %s"


def test_a_server_without_tls_is_not_spoken_to_where_it_is_wanted(start, cluster, authority, tmp_path):
    database = cluster.database()
    stores = Stores(start, database, tmp_path, connection=database.url(sslmode="require"))
    stores.send()
    stores.others_have_everything()
    stores.says("server does not support ssl, but ssl was required")
    assert tables.postgres_ids(database) == Counter()
    secure(cluster, authority, "IP:127.0.0.1")
    stores.postgres_has_everything()
    assert database.sql(SECURE, [database.role]) == [(True,)]
    stores.end()


def test_a_server_that_is_not_the_one_that_was_meant_gets_nothing(start, cluster, authority, tmp_path):
    database = cluster.database()
    trusted = tmp_path / "trusted.pem"
    shutil.copy(Authority(tmp_path / "another").file, trusted)
    secure(cluster, authority, "DNS:db.example.com")
    stores = Stores(
        start, database, tmp_path, connection=database.url(sslmode="verify-full", sslrootcert=trusted)
    )
    stores.send()
    stores.others_have_everything()
    stores.says("certificate verify failed")
    shutil.copy(authority.file, trusted)
    stores.says("does not match host name")
    assert tables.postgres_ids(database) == Counter()
    secure(cluster, authority, "IP:127.0.0.1")
    stores.postgres_has_everything()
    assert database.sql(SECURE, [database.role]) == [(True,)]
    stores.end()


@pytest.mark.torture
def test_a_database_that_is_away_for_a_minute_gets_everything_with_the_usual_patience(start, cluster, tmp_path):
    stores = Stores(start, cluster.database(), tmp_path, retry_on_failure={})
    stores.send()
    stores.postgres_has_everything()
    cluster.stop()
    stores.send()
    stores.others_have_everything()
    retrying = lambda: stores.weir.metric("weir_exporter_retrying", exporter="postgres")  # noqa: E731
    eventually(lambda: retrying() >= 60, stores.weir.log, 120)
    stores.send()
    cluster.start()
    eventually(lambda: tables.postgres_ids(stores.database) == Counter(stores.sent), stores.weir.log, 120)
    assert retrying() == 0
    stores.end()


def test_a_locked_table_delays_and_loses_nothing(start, database, tmp_path):
    stores = Stores(start, database, tmp_path)
    stores.send()
    stores.postgres_has_everything()
    with database.session(autocommit=False) as session:
        session.execute("LOCK TABLE spans IN ACCESS EXCLUSIVE MODE")
        stores.send()
        stores.others_have_everything()
        stores.says("lock")
        session.rollback()
    stores.end()


def test_a_schema_of_another_role_is_named(start, database, tmp_path):
    database.cluster.sql(f"CREATE ROLE {database.name}_other")
    database.sql(f"CREATE SCHEMA weir AUTHORIZATION {database.name}_other")
    stores = Stores(start, database, tmp_path)
    stores.send()
    stores.others_have_everything()
    stores.says("permission denied for schema weir")
    database.sql(f"ALTER SCHEMA weir OWNER TO {database.role}")
    stores.end()


def test_a_newer_schema_is_refused_and_left_alone(start, database, tmp_path):
    stores = Stores(start, database, tmp_path)
    stores.send()
    stores.postgres_has_everything()
    stores.weir.stop()
    database.sql("INSERT INTO schema_migrations (version, name, sha256) VALUES (999, 'tomorrow', '\\x00')")
    stores.weir = stores.begin()
    stores.send()
    stores.others_have_everything()
    stores.says("999")
    refused = command("store", "migrate", "--exporter", "postgres", "--config", str(stores.weir.config))
    assert refused.returncode == 1 and "999" in refused.stderr, refused
    database.sql("DELETE FROM schema_migrations WHERE version = 999")
    stores.end()


@pytest.fixture
def small_disk(cluster):
    """A file system of 64 MiB."""
    path = cluster.directory / "small"
    path.mkdir()
    mount = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64m", "weir-test", path], capture_output=True, text=True
    )
    if mount.returncode and os.geteuid():
        pytest.skip("only root mounts a file system")
    assert mount.returncode == 0, mount.stderr
    cluster.give(path)
    yield path
    cluster.stop()
    subprocess.run(["umount", "--lazy", path], check=True)


def fill(directory):
    """Takes all room that there is, and returns the file that has it."""
    ballast = directory / "ballast"
    with contextlib.suppress(OSError), open(ballast, "wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))
    return ballast


def test_a_database_whose_disk_is_full_gets_everything_when_there_is_room(start, cluster, small_disk, tmp_path):
    database = cluster.database()
    cluster.sql(f"CREATE TABLESPACE small LOCATION '{small_disk}'")
    cluster.sql(f"ALTER DATABASE {database.name} SET default_tablespace = small")
    cluster.sql(f"GRANT CREATE ON TABLESPACE small TO {database.role}")
    stores = Stores(start, database, tmp_path)
    stores.send()
    stores.postgres_has_everything()
    ballast = fill(small_disk)
    # The last pages of the tables take some rows more.
    for _ in range(20):
        stores.send(50)
    stores.others_have_everything()
    stores.says("no space left on device")
    ballast.unlink()
    stores.end()


def test_a_server_that_ended_without_room_for_its_log_gets_everything_later(start, cluster, small_disk, tmp_path):
    database = cluster.database()
    cluster.stop()
    # One file of the log has room, and the next one has not.
    log = cluster.data / "pg_wal"
    shutil.copytree(log, small_disk / "pg_wal")
    shutil.rmtree(log)
    log.symlink_to(small_disk / "pg_wal")
    for path in [small_disk / "pg_wal", *(small_disk / "pg_wal").rglob("*"), log]:
        cluster.give(path)
    (small_disk / "pg_wal").chmod(0o700)
    cluster.start()
    stores = Stores(start, database, tmp_path)
    stores.send()
    stores.postgres_has_everything()
    ballast = fill(small_disk)
    with contextlib.suppress(psycopg.Error):
        while True:
            cluster.sql("SELECT pg_switch_wal()")
            cluster.sql("CREATE TABLE filled ()")
            cluster.sql("DROP TABLE filled")
    stores.send()
    stores.others_have_everything()
    stores.says("connection")
    assert "No space left on device" in cluster.log()
    ballast.unlink()
    cluster.stop()
    cluster.start()
    stores.end()


def test_a_commit_whose_answer_is_lost_is_not_made_again(start, cluster, tmp_path):
    database = cluster.database()
    stores = Stores(start, database, tmp_path)
    stores.send()
    stores.postgres_has_everything()
    # A commit waits for a stand-by that never comes: the rows are there for all to see, and Weir does not know.
    cluster.sql("ALTER SYSTEM SET synchronous_standby_names = 'nobody'")
    cluster.sql("SELECT pg_reload_conf()")
    waits = "SELECT count(*) FROM pg_stat_activity WHERE usename = %s AND wait_event = 'SyncRep'"
    stores.send()
    eventually(lambda: database.sql(waits, [database.role])[0][0], stores.weir.log)
    # Once the connection goes, once the program.
    end_sessions(database)
    eventually(lambda: len(tables.postgres_ids(database)) > 20, stores.weir.log)
    stores.send()
    eventually(lambda: database.sql(waits, [database.role])[0][0], stores.weir.log)
    stores.weir.kill()
    cluster.sql("ALTER SYSTEM RESET synchronous_standby_names")
    cluster.sql("SELECT pg_reload_conf()")
    stores.weir = stores.begin()
    stores.end()


def test_several_programs_on_one_database_agree(start, database, tmp_path):
    names = [f"weir-{number}" for number in range(3)]
    all_of_them = [Stores(start, database, tmp_path / name) for name in names]
    for stores in all_of_them:
        stores.send()
    for stores in all_of_them:
        stores.weir.drain()
        stores.weir.stop()
    assert tables.postgres_ids(database) == Counter(set.union(*(stores.sent for stores in all_of_them)))
    assert database.sql("SELECT count(DISTINCT journal), sum(spans) FROM ledger") == [(3, 60)]
