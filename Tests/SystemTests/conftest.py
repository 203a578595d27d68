import pytest

from weir import BINARY, Weir


def pytest_sessionstart():
    if not BINARY.exists():
        pytest.exit(f"there is no {BINARY}; `make test` builds it", returncode=2)


@pytest.fixture
def start(tmp_path):
    """Starts programs, each with keys as in `weir.configuration`; stops them after the test and checks how they end."""
    running = []

    def begin(**keys):
        folder = tmp_path / f"weir-{len(running)}"
        program = Weir(folder, **keys)
        running.append(program)
        return program.started()

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
