"""Kernels that are kept: how many, for whom, and that "all is right" is said only after a run from the top."""

from pathlib import Path

import pytest

from camwidget.course.selfstudy import watching
from camwidget.course.selfstudy.finding import Wanted
from camwidget.course.selfstudy.progress import DONE, WRONG, ItemProgress, NotebookProgress


class FakeKernel:
    """Counts what is asked of it."""

    alive = 0

    def __init__(self, folder: Path, *, limit_s: float) -> None:
        type(self).alive += 1
        self.runs = 0

    def close(self) -> None:
        type(self).alive -= 1


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many runs each kernel had had, check after check; a notebook named `right` is right."""
    runs: list[int] = []

    def check(path: Path, *, kernel: FakeKernel, item: str = "") -> NotebookProgress:
        runs.append(kernel.runs)
        kernel.runs += 1
        state = DONE if "right" in path.name else WRONG
        return NotebookProgress(path, (ItemProgress("toy.q1", state, 0.0, 2.0),), (), 0.1, 2)

    monkeypatch.setattr(watching, "Kernel", FakeKernel)
    monkeypatch.setattr(watching, "check_notebook", check)
    FakeKernel.alive = 0
    return runs


def test_a_notebook_that_is_not_right_yet_keeps_its_kernel(seen: list[int]) -> None:
    kernels = watching.Kernels(limit_s=1.0)
    for _ in range(3):
        kernels.check_again(Wanted(Path("one.ipynb")))

    assert seen == [0, 1, 2]
    kernels.close()
    assert FakeKernel.alive == 0


def test_what_became_right_is_run_once_more_in_a_new_kernel(seen: list[int]) -> None:
    kernels = watching.Kernels(limit_s=1.0)
    kernels.check(Wanted(Path("right.ipynb")), keep=lambda _: True)
    kernels.check_again(Wanted(Path("right.ipynb")))

    assert seen == [0, 1, 0]
    assert FakeKernel.alive == 1


def test_only_a_few_kernels_are_kept(seen: list[int]) -> None:
    kernels = watching.Kernels(limit_s=1.0)
    for number in range(5):
        kernels.check_again(Wanted(Path(f"{number}.ipynb")))

    assert FakeKernel.alive == watching.MOST_KERNELS


def test_an_error_closes_the_kernel(seen: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(path: Path, **_: object) -> NotebookProgress:
        raise KeyboardInterrupt

    monkeypatch.setattr(watching, "check_notebook", fails)
    with pytest.raises(KeyboardInterrupt):
        watching.Kernels(limit_s=1.0).check_again(Wanted(Path("one.ipynb")))

    assert FakeKernel.alive == 0
