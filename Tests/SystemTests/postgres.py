"""A real PostgreSQL of the tests' own, that they may stop, kill, lock and fill."""

import contextlib
import os
import pathlib
import random
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile

import psycopg

from waiting import eventually

# Debian keeps the server's programs out of the way.
PLACES = [
    *sorted(map(str, pathlib.Path("/usr/lib/postgresql").glob("*/bin")), reverse=True),
    *os.environ["PATH"].split(os.pathsep),
]
# PostgreSQL refuses to be run by root.
USER = "postgres" if os.geteuid() == 0 else None
# Below the ports that the system gives to outgoing connections, so that a server gets its own again after a kill.
PORTS = range(20_000, 30_000)


class Cluster:
    """A server. On its socket the superuser needs no password; all others need one everywhere."""

    def __init__(self, *, fsync=True, **settings):
        # pytest's folders are closed to other users, this one is not; and the path of a socket has to be short.
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="weir-pg-"))
        self.directory.chmod(0o755)
        self.give(self.directory)
        self.data, self.log_file = self.directory / "data", self.directory / "server.log"
        # A kill loses nothing without fsync; only a power cut would tell the difference.
        self.settings = {"fsync": "on" if fsync else "off", "log_timezone": "UTC", **settings}
        self.process = None
        subprocess.run(
            [program("initdb"), "--pgdata", self.data, "--username", "postgres", "--encoding", "UTF8"]
            + ["--locale", "C", "--auth", "trust", "--no-sync"],
            check=True,
            capture_output=True,
            user=USER,
            cwd=self.directory,
        )
        (self.data / "pg_hba.conf").write_text(
            "local all postgres trust\nlocal all all scram-sha-256\nhost all all 127.0.0.1/32 scram-sha-256\n"
        )
        eventually(self._starts_on_some_port, self.log)

    def give(self, path):
        """Makes the server's user the owner of a path."""
        if USER:
            shutil.chown(path, USER, USER)

    def log(self):
        return self.log_file.read_text(errors="replace") if self.log_file.exists() else ""

    def _starts_on_some_port(self):
        self.port = random.choice(PORTS)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", self.port))
            probe.close()
            self.start()
            return True
        return False

    def start(self):
        """Starts the server, and waits until it takes connections, which after a kill it does when it has recovered."""
        settings = {
            **{"port": self.port, "listen_addresses": "127.0.0.1", "unix_socket_directories": self.directory},
            **self.settings,
        }
        with open(self.log_file, "ab") as log:
            self.process = subprocess.Popen(
                [program("postgres"), "-D", self.data, *[f"--{name}={value}" for name, value in settings.items()]],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                user=USER,
                cwd=self.directory,
            )
        eventually(self._answers, self.log, 60)

    def _answers(self):
        if self.process.poll() is not None:
            raise OSError(f"the server ended with {self.process.returncode}:\n{self.log()}")
        with contextlib.suppress(psycopg.OperationalError):
            self.sql("SELECT 1")
            return True
        return False

    def stop(self):
        """Ends the server at once and in order: its clients are disconnected."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(60)

    def kill(self):
        """SIGKILL for the server and all its processes, which make sessions of their own."""
        self.process.send_signal(signal.SIGSTOP)
        children = [pid for pid in processes() if parent(pid) == self.process.pid]
        for pid in [self.process.pid, *children]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait(60)
        eventually(lambda: not any(is_running(pid) for pid in children), self.log)

    def close(self):
        # Nothing of it is needed any more, so no time is spent on an orderly end.
        if self.process.poll() is None:
            self.kill()
        shutil.rmtree(self.directory)

    def connect(self, database="postgres", **further):
        """A connection of the superuser, each of whose statements is a transaction unless the test says otherwise."""
        keys = dict(host=str(self.directory), port=self.port, user="postgres", dbname=database, autocommit=True)
        return psycopg.connect(**{**keys, **further})

    def sql(self, text, parameters=None, database="postgres"):
        """What a statement of the superuser returns, if anything."""
        with self.connect(database) as connection:
            cursor = connection.execute(text, parameters)
            return cursor.fetchall() if cursor.description else None

    def database(self):
        return Database(self)


class Database:
    """A database whose owner is a role that may do nothing else: what Weir is given."""

    numbers = iter(range(1, 1_000_000))

    def __init__(self, cluster):
        self.cluster = cluster
        self.name = self.role = f"weir{next(self.numbers)}"
        # Never to be seen in a log.
        self.password = secrets.token_urlsafe(16)
        cluster.sql(f"CREATE ROLE {self.role} LOGIN PASSWORD '{self.password}'")
        cluster.sql(f"CREATE DATABASE {self.name} OWNER {self.role}")

    def connection(self, password=None, **further):
        """A connection string for Weir, with keywords."""
        keys = dict(host="127.0.0.1", port=self.cluster.port, dbname=self.name, user=self.role, connect_timeout=2)
        keys["password"] = password or self.password
        return " ".join(f"{key}={value}" for key, value in {**keys, **further}.items())

    def url(self, **parameters):
        """The same as a URL."""
        query = "&".join(f"{key}={value}" for key, value in {"connect_timeout": 2, **parameters}.items())
        return f"postgresql://{self.role}:{self.password}@127.0.0.1:{self.cluster.port}/{self.name}?{query}"

    def sql(self, text, parameters=None):
        """What a statement of the superuser returns, with Weir's schema in the path."""
        with self.session() as connection:
            cursor = connection.execute(text, parameters)
            return cursor.fetchall() if cursor.description else None

    def session(self, **further):
        options = "-c search_path=weir -c timezone=UTC"
        return self.cluster.connect(self.name, options=options, **further)


def program(name):
    """The path of one of the server's programs."""
    found = shutil.which(name, path=os.pathsep.join(PLACES))
    assert found, f"there is no {name}; `make test` installs PostgreSQL"
    return found


def processes():
    return [int(path.name) for path in pathlib.Path("/proc").iterdir() if path.name.isdigit()]


def status(pid):
    """State and parent of a process; None when it is gone."""
    with contextlib.suppress(OSError):
        state, parent = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[:2]
        return state, int(parent)


def parent(pid):
    found = status(pid)
    return found and found[1]


def is_running(pid):
    found = status(pid)
    return found is not None and found[0] != "Z"
