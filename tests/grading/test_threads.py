"""Threads that compute are ended, and those that wait are not."""

import threading
import time

import pytest

from camwidget.grading.threads import end_busy


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")  # they end by SystemExit
def test_only_threads_that_compute_are_ended() -> None:
    woken, waiting = threading.Event(), []

    def wait() -> None:
        woken.wait()
        waiting.append("woken")

    def compute() -> None:
        while not woken.is_set():
            sum(range(1000))

    patient = threading.Thread(target=wait, daemon=True)
    busy = [threading.Thread(target=compute, daemon=True) for _ in range(3)]
    for each in (patient, *busy):
        each.start()
    ended = 0
    for _ in range(100):  # a machine that is busy itself may not let them compute while one looks
        ended += end_busy()
        if not any(each.is_alive() for each in busy):
            break
    alive = [each.is_alive() for each in busy], patient.is_alive()
    woken.set()
    patient.join()

    assert (alive, waiting) == (([False] * 3, True), ["woken"])
    assert ended >= 3


def test_where_nobody_computes_nobody_is_ended_and_nobody_waits_long() -> None:
    threading.Thread(target=time.sleep, args=(0.2,), daemon=True).start()

    assert end_busy() == 0
