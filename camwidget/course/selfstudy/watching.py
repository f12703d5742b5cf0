"""Check notebooks again whenever they are saved, each in a kernel that is kept warm."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from camwidget.course.selfstudy.finding import Wanted
from camwidget.course.selfstudy.kernel import Kernel
from camwidget.course.selfstudy.notebook import check_notebook
from camwidget.course.selfstudy.progress import NotebookProgress

MOST_KERNELS = 2
"""How many are kept: each holds PyTorch and the learner's networks in memory, about a gigabyte."""


class Kernels:
    """The kernels of the notebooks that were saved last.

    Args:
        limit_s: seconds that one cell may take.
    """

    def __init__(self, *, limit_s: float) -> None:
        self._limit_s = limit_s
        self._of: dict[Path, Kernel] = {}  # the one used last comes last

    def check(self, wanted: Wanted, *, keep: Callable[[NotebookProgress], bool]) -> NotebookProgress:
        """Check a notebook.

        Args:
            wanted: the notebook.
            keep: whether its kernel will be needed again, as far as its progress tells.

        Raises:
            CourseError: see `check_notebook`.
        """
        place = wanted.path.resolve()
        kernel = self._of.pop(place, None) or Kernel(place.parent, limit_s=self._limit_s)
        try:
            progress = check_notebook(wanted.path, kernel=kernel, item=wanted.item)
        except BaseException:
            kernel.close()
            raise
        if keep(progress):
            self._of[place] = kernel
            while len(self._of) > MOST_KERNELS:
                self._of.pop(next(iter(self._of))).close()
        else:
            kernel.close()
        return progress

    def check_again(self, wanted: Wanted) -> NotebookProgress:
        """Check a notebook that was saved: what changed, in the kernel that it has; if all is right, all of it afresh.

        Args:
            wanted: the notebook.

        Raises:
            CourseError: see `check_notebook`.
        """
        warm = wanted.path.resolve() in self._of

        def finished(progress: NotebookProgress) -> bool:
            return warm and progress.right and progress.cells_run > 0

        progress = self.check(wanted, keep=lambda progress: not finished(progress))
        return self.check(wanted, keep=lambda _: True) if finished(progress) else progress

    def close(self) -> None:
        """End all kernels."""
        while self._of:
            self._of.popitem()[1].close()


def saved(wanted: Iterable[Wanted], changes: Iterator[set[tuple[Any, str]]]) -> Iterator[Wanted]:
    """Yield each notebook that was saved, until there are no more changes.

    Args:
        wanted: the notebooks.
        changes: sets of changes, as `watchfiles.watch` yields them.
    """
    known = {each.path.resolve(): each for each in wanted}
    for changed in changes:
        for path in sorted({Path(name).resolve() for _, name in changed} & known.keys()):
            if path.is_file():
                yield known[path]
