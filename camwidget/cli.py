"""The command `camwidget`: begin the course, check your progress, ask for a hint.

Each part is imported only when it is needed: a hint needs no PyTorch and no kernel.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from camwidget.errors import CamwidgetError

RIGHT, NOT_YET, BAD_INPUT, INTERRUPTED = 0, 1, 2, 130
"""Exit codes."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return the exit code.

    Args:
        arguments: without the program's name; those of the command line by default.
    """
    asked = _parser().parse_args(arguments)
    work: Callable[[argparse.Namespace], int] = asked.work
    try:
        return work(asked)
    except CamwidgetError as error:
        _complain(error)
        return BAD_INPUT
    except KeyboardInterrupt:
        return INTERRUPTED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("camwidget", description="A course on class activation maps, Grad-CAM and hooks.")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    start = commands.add_parser("start", help="copy the notebooks and exercises into a folder")
    start.add_argument("folder", type=Path, metavar="DIR", help="created if it does not exist; no file is overwritten")
    start.set_defaults(work=_start)

    check = commands.add_parser(
        "check",
        help="run exercises and report what is done",
        description="Run each notebook in a fresh kernel and report for every item whether it is done, not started or "
        "wrong. Your files are not changed. The exit code is 0 only if everything is right, 1 if it is not yet, "
        "and 2 if something cannot be read.",
    )
    check.add_argument("notebooks", nargs="*", type=Path, metavar="NOTEBOOK", help="all under this folder by default")
    check.add_argument("--watch", action="store_true", help="check a notebook again whenever it is saved")
    check.add_argument("--limit", type=float, default=60.0, metavar="SECONDS", help="for one cell; 60 by default")
    check.set_defaults(work=_check)

    hint = commands.add_parser("hint", help="show a hint for an item, such as hooks.q5")
    hint.add_argument("item", metavar="ITEM", help="as in the exercise, such as hooks.q5")
    hint.add_argument("--level", type=int, default=1, metavar="1..3", help="1 is a nudge, 3 almost the answer")
    hint.set_defaults(work=_hint)

    items = commands.add_parser("list", help="list all items of the course")
    items.set_defaults(work=_list)
    return parser


def _start(asked: argparse.Namespace) -> int:
    from camwidget.course.selfstudy.materials import start

    copied, left = start(asked.folder)
    for path in left:
        _say(f"left as it is  {asked.folder / path}")
    for path in copied:
        _say(f"copied         {asked.folder / path}")
    kept = f" {len(left)} already existed and were left as they are." if left else ""
    _say(f"{len(copied)} files copied.{kept} Begin with: jupyter lab {asked.folder}")
    return RIGHT


def _check(asked: argparse.Namespace) -> int:
    from camwidget.course.selfstudy.notebook import check_when_saved, exercises_under, limit_of

    limit_s = limit_of(asked.limit)
    paths = asked.notebooks or exercises_under(Path())
    code = max(_check_one(path, limit_s) for path in paths)
    if asked.watch:
        from watchfiles import watch

        _say("Waiting for the next save; stop with Ctrl+C.")
        folders = {path.resolve().parent for path in paths}
        changes = watch(*folders, recursive=False, raise_interrupt=False)
        with suppress(KeyboardInterrupt):  # between two checks, or in the middle of one
            check_when_saved(paths, lambda path: _check_one(path, limit_s), changes)
    return code


def _check_one(path: Path, limit_s: float) -> int:
    from camwidget.course.selfstudy.notebook import check_notebook

    try:
        progress = check_notebook(path, limit_s=limit_s)
    except CamwidgetError as error:  # the other notebooks are still checked
        _complain(error)
        return BAD_INPUT
    for line in progress.lines():
        _say(line)
    return RIGHT if progress.right else NOT_YET


def _hint(asked: argparse.Namespace) -> int:
    from camwidget.course.selfstudy.materials import hint

    _say(hint(asked.item, level=asked.level))
    return RIGHT


def _list(_: argparse.Namespace) -> int:
    from camwidget.course.selfstudy.materials import tasks

    for name, task in tasks().items():
        _say(f"{name:<24}  {task.title}\n{'':<24}  {task.about}")
    return RIGHT


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()  # so that a pipe shows each notebook when it is done, not all at the end


def _complain(error: CamwidgetError) -> None:
    sys.stderr.write(f"camwidget: {error}\n")


if __name__ == "__main__":
    sys.exit(main())
