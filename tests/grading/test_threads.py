"""Threads that compute are ended, and those that wait are not.

In an interpreter of their own: threads that serve the tests are none to be ended.
"""

from camwidget.grading.threads import end_busy
from tests.house.repository import run_code

OURS = f"from {end_busy.__module__} import end_busy"

COMPUTING = """
import threading

woken, waiting = threading.Event(), []

def wait():
    woken.wait()
    waiting.append("woken")

def compute():
    while not woken.is_set():
        sum(range(1000))

def tick():
    while not woken.wait(0.02):
        pass

patient = threading.Thread(target=wait, daemon=True)
ticking = threading.Thread(target=tick, daemon=True)
busy = [threading.Thread(target=compute, daemon=True) for _ in range(3)]
for each in (patient, ticking, *busy):
    each.start()
ended = 0
for _ in range(100):  # a machine that is busy itself may not let them compute while one looks
    ended += end_busy()
    if not any(each.is_alive() for each in busy):
        break
print([each.is_alive() for each in busy], patient.is_alive(), ticking.is_alive(), ended >= 3, end=" ")
woken.set()
patient.join()
print(waiting)
"""

SLEEPING = """
import threading, time

sleeping = threading.Thread(target=time.sleep, args=(0.2,), daemon=True)
sleeping.start()
print(end_busy(), sleeping.is_alive())
"""


def test_only_threads_that_compute_are_ended_and_not_one_beside_them_that_wakes_up_now_and_then() -> None:
    assert run_code(f"{OURS}\n{COMPUTING}") == "[False, False, False] True True True ['woken']"


def test_where_nobody_computes_nobody_is_ended_and_nobody_waits_long() -> None:
    assert run_code(f"{OURS}\n{SLEEPING}") == "0 True"
