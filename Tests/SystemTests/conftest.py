import random

import pytest

from authority import Authority
from backend import Backend
from faults import Faults
from postgres import Cluster
from weir import BINARY, Weir


def pytest_sessionstart():
    if not BINARY.exists():
        pytest.exit(f"there is no {BINARY}; `make test` builds it", returncode=2)


@pytest.fixture
def start(tmp_path):
    """Starts programs, each in a folder of its own; stops them after the test and checks how they end.

    The keys are those of `Weir`. With `ready=False` it does not wait until the program is, for those that never are.
    """
    running = []

    def begin(ready=True, directory=None, **keys):
        program = Weir(directory or tmp_path / f"weir-{len(running)}", **keys)
        try:
            return program.started() if ready else program
        except BaseException:
            program.kill()
            raise
        finally:
            running.append(program)

    yield begin
    try:
        for program in running:
            program.stop()
    finally:
        for program in running:
            if not program.stopped:
                program.kill()


@pytest.fixture
def weir(start):
    """A program with the default limits and an archive."""
    return start()


@pytest.fixture
def dice():
    seed = random.SystemRandom().getrandbits(32)
    print(f"seed {seed}")
    return random.Random(seed)


@pytest.fixture(scope="session")
def faults(tmp_path_factory):
    return Faults(tmp_path_factory.mktemp("faults"))


@pytest.fixture
def backends():
    """Makes destinations that are up and sound until told otherwise."""
    made = []

    def make(*mood):
        made.append(Backend(*mood))
        return made[-1]

    yield make
    for backend in made:
        backend.close()


@pytest.fixture
def backend(backends):
    return backends()


@pytest.fixture
def journal(tmp_path):
    """Keys of a journal that outlives the programs of a test. It is as small as there are, with segments of 1 MiB."""
    return {"directory": str(tmp_path / "journal"), "max_bytes": "16MiB"}


@pytest.fixture(scope="session")
def shared_cluster():
    """A PostgreSQL that every test finds as it was."""
    cluster = Cluster(fsync=False)
    yield cluster
    cluster.close()


@pytest.fixture
def cluster():
    """A PostgreSQL of the test's own, which it may stop and kill."""
    cluster = Cluster(fsync=False)
    yield cluster
    cluster.close()


@pytest.fixture
def database(shared_cluster):
    return shared_cluster.database()


@pytest.fixture
def authority(tmp_path):
    return Authority(tmp_path / "authority")
