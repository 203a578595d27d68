"""A PostgreSQL on a bad day: Weir says what is wrong, loses nothing, and nobody else notices."""

import contextlib
import os
import subprocess
from collections import Counter

import pytest

import archives
import tables
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
    """A tablespace of 24 MiB, on a file system of its own."""
    path = cluster.directory / "small"
    path.mkdir()
    mount = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=24m", "weir-test", path], capture_output=True, text=True
    )
    if mount.returncode and os.geteuid():
        pytest.skip("only root mounts a file system")
    assert mount.returncode == 0, mount.stderr
    cluster.give(path)
    cluster.sql(f"CREATE TABLESPACE small LOCATION '{path}'")
    yield path
    cluster.stop()
    subprocess.run(["umount", "--lazy", path], check=True)


def test_a_database_whose_disk_is_full_gets_everything_when_there_is_room(start, cluster, small_disk, tmp_path):
    database = cluster.database()
    cluster.sql(f"ALTER DATABASE {database.name} SET default_tablespace = small")
    cluster.sql(f"GRANT CREATE ON TABLESPACE small TO {database.role}")
    stores = Stores(start, database, tmp_path)
    stores.send()
    stores.postgres_has_everything()
    ballast = small_disk / "ballast"
    with contextlib.suppress(OSError), open(ballast, "wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))
    # The last pages of the tables take some rows more.
    for _ in range(20):
        stores.send(50)
    stores.others_have_everything()
    stores.says("no space left on device")
    ballast.unlink()
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
