"""How fast a class is graded, beside stock nbgrader's autograde, and how much memory that takes.

    python -m tests.benchmarks.grading [--submissions 40] [--stock 40] [--assignments keepdim cam] [--workers 2]
    python -m tests.benchmarks.grading --submissions 16 --stock 2 --turns 1 --seconds 900

Solved submissions of each assignment, all different, by both in one run and in turns, on the same processors. The
sandbox's start, paid once by a class of ten and by one of two hundred, is timed with them and also told apart. Stock
nbgrader grades one after the other, in a kernel each, and takes the same time for every one: `--stock 8` is enough to
know it. All assignments are measured, or as many as are begun within `--seconds`. Memory is the proportional share of
all processes (Linux), measured seldom, because measuring takes time.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from camwidget.course.items import ASSIGNMENTS
from camwidget.grading.records import load_class
from camwidget.grading.runner import RESULTS
from tests.course.source import SOLUTIONS
from tests.grading.submissions import insert, solved
from tests.house.repository import ROOT


def hand_in(folder: Path, assignment: str, learners: list[str]) -> None:
    for number, learner in enumerate(learners):
        place = folder / learner / assignment
        place.mkdir(parents=True)
        (place / f"{assignment}.ipynb").write_text(json.dumps(insert(solved(assignment), f"# {number}", 1)))


class Memory:
    """The most that a process and all its descendants held at once."""

    def __init__(self, pid: int) -> None:
        self.pid, self.most_mb, self.stop = pid, 0.0, threading.Event()
        self.thread = threading.Thread(target=self._watch)

    def _watch(self) -> None:
        while not self.stop.wait(3):
            self.most_mb = max(self.most_mb, sum(map(share_mb, family(self.pid))))

    def __enter__(self) -> "Memory":
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop.set()
        self.thread.join()


def family(pid: int) -> list[int]:
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        children = [int(child) for task in tasks for child in (task / "children").read_text().split()]
    except OSError:
        return []
    return [pid, *(each for child in children for each in family(child))]


def share_mb(pid: int) -> float:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("Pss:")), 0.0)


def timed(command: list[str], folder: Path) -> tuple[float, float]:
    """Seconds on the clock, and megabytes."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"}
    began = time.perf_counter()
    started = subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    with Memory(started.pid) as memory:
        _, errors = started.communicate()
    if started.returncode:
        raise RuntimeError(errors.decode()[-2000:])
    return time.perf_counter() - began, memory.most_mb


def stock_course(folder: Path, assignment: str) -> Path:
    """A course in which everything is as the repository has it, and the assignment is released."""
    course = folder / f"stock-{assignment}"
    (course / "solutions").mkdir(parents=True)
    shutil.copy(ROOT / "nbgrader_config.py", course)
    shutil.copytree(SOLUTIONS / assignment, course / "solutions" / assignment)
    shutil.copy(SOLUTIONS / f"hidden_{assignment}.py", course / "solutions")
    timed([sys.executable, "-m", "nbgrader", "generate_assignment", assignment, "--force"], course)
    return course


def compare(folder: Path, assignment: str, parts: list[list[str]], *, stock_each: int, workers: int) -> str:
    """One line of the table."""
    course = stock_course(folder, assignment)
    spent = {"stock": [0.0, 0.0], "ours": [0.0, 0.0]}
    graded_s = 0.0
    for number, part in enumerate(parts):
        ours = folder / f"ours-{assignment}-{number}"
        hand_in(ours, assignment, part)
        hand_in(course / "grading" / "submitted", assignment, part[:stock_each])
        stock = [sys.executable, "-m", "nbgrader", "autograde", assignment, "--create"]
        stock += ["--Judged.judge_outside=False"]  # as nbgrader has it: in a kernel for each submission
        own = [
            sys.executable,
            "-m",
            "camwidget.command",
            "grade",
            str(ours),
            "--out",
            str(folder / f"out-{ours.name}"),
        ]
        own += ["--checks", str(SOLUTIONS), "--workers", str(workers)]
        turns = [("stock", stock, course), ("ours", own, folder)]
        for which, command, place in turns[:: 1 if number % 2 else -1]:
            seconds, most = timed(command, place)
            spent[which] = [spent[which][0] + seconds, max(spent[which][1], most)]
        record = load_class(folder / f"out-{ours.name}" / RESULTS)
        assert all(each.points == each.max_points for each in record.graded), "a right answer lost a point"
        graded_s += sum(each.seconds for each in record.graded) / workers
    count = sum(map(len, parts))
    by_stock = sum(len(part[:stock_each]) for part in parts)
    (stock_s, stock_mb), (ours_s, ours_mb) = spent["stock"], spent["ours"]
    return (
        f"{assignment:10} | {stock_s / by_stock:12.2f} | {ours_s / count:11.2f} | "
        f"{stock_s / by_stock / (ours_s / count):5.1f} | {graded_s / count:22.2f} | {stock_mb:8.0f} | {ours_mb:7.0f}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--submissions", type=int, default=40, help="of each assignment")
    parser.add_argument("--stock", type=int, default=40, help="how many of them stock nbgrader grades")
    parser.add_argument("--assignments", nargs="*", default=list(ASSIGNMENTS))
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--turns", type=int, default=2, help="the submissions are graded in so many parts, in turns")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="after these no assignment is begun")
    asked = parser.parse_args()
    began = time.monotonic()
    learners = [f"learner-{number:03}" for number in range(asked.submissions)]
    parts = [learners[start :: asked.turns] for start in range(min(asked.turns, len(learners)))]
    print("assignment | stock s each | ours s each | ratio | ours without its start | stock MB | ours MB")
    with tempfile.TemporaryDirectory() as name:
        for assignment in asked.assignments:
            if time.monotonic() - began > asked.seconds:
                print(f"{assignment:10} | not begun: {asked.seconds:g} seconds are over", flush=True)
                continue
            each = -(-asked.stock // asked.turns)
            print(compare(Path(name), assignment, parts, stock_each=each, workers=asked.workers), flush=True)


if __name__ == "__main__":
    main()
