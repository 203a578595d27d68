"""Waiting for a condition instead of for a while."""

import threading
import time


def eventually(condition, what, deadline=10.0):
    """Returns the first true value of `condition()`; fails with `what` when there is none within `deadline` seconds."""
    pause = threading.Event()
    end = time.monotonic() + deadline
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"not within {deadline} s: {what() if callable(what) else what}")
        pause.wait(0.02)
