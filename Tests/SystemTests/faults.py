"""Faults of a disk and ends of the process at one call of the C library. `faults.c` is what does it, and says how."""

import pathlib
import shutil
import signal
import subprocess

import pytest

from waiting import eventually

SOURCE = pathlib.Path(__file__).with_name("faults.c")


class Faults:
    """The library, built once."""

    def __init__(self, directory):
        if not shutil.which("gcc"):
            pytest.fail("there is no gcc, which `make test` installs")
        self.library = directory / "faults.so"
        flags = ["-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror"]
        subprocess.run(["gcc", *flags, "-o", self.library, SOURCE, "-ldl"], check=True)

    def at(self, call, text, action, number=1, condition=None):
        """The environment of a program that meets the fault; `number` may be "3+", for all from the third on."""
        fault = f"{call}:{text}:{number}:{action}"
        once = {"WEIR_FAULT_WHILE": str(condition)} if condition else {}
        return {"LD_PRELOAD": str(self.library), "WEIR_FAULT": fault, **once}


def killed(weir, deadline=30):
    """Waits until the program was killed, and checks that it was that which ended it."""
    eventually(lambda: weir.process.poll() is not None, lambda: f"it runs on:\n{weir.log()}", deadline)
    code = weir.wait()
    assert code == -signal.SIGKILL, f"exit code {code} instead of a kill:\n{weir.log()}"
