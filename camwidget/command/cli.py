"""The command `camwidget`: begin the course, check your progress, ask for a hint; for teachers, grade a class.

Each part is imported only when it is needed: a hint needs no PyTorch and no kernel.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from camwidget.command.grammars import without_grammars
from camwidget.errors import CamwidgetError, CourseError, nearest, three_parts, typed
from camwidget.grading.command import add_grade

if TYPE_CHECKING:
    from camwidget.course.selfstudy.finding import Wanted
    from camwidget.course.selfstudy.progress import NotebookProgress
    from camwidget.course.selfstudy.screen import Screen
    from camwidget.course.selfstudy.watching import Kernels

RIGHT, NOT_YET, BAD_INPUT, INTERRUPTED = 0, 1, 2, 130
"""Exit codes."""

Work = Callable[[argparse.Namespace, "Screen"], int]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return the exit code.

    Args:
        arguments: without the program's name; those of the command line by default.
    """
    from camwidget.course.selfstudy.screen import Screen, forgiving

    forgiving()
    screen = Screen()
    try:
        asked = _parsed(sys.argv[1:] if arguments is None else arguments)
        work: Work = asked.work
        with without_grammars():
            return work(asked, screen)
    except CamwidgetError as error:
        screen.complain(str(error))
        return BAD_INPUT
    except KeyboardInterrupt:
        screen.say("\nGoodbye. Nothing of yours was changed.")
        return INTERRUPTED
    except BrokenPipeError:  # whoever read our output has read enough
        sys.stderr.close()
        return RIGHT


class _Parser(argparse.ArgumentParser):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{**kwargs, "allow_abbrev": False})

    def error(self, message: str) -> NoReturn:
        given = message[0].upper() + message[1:]
        raise CourseError(three_parts(given, self.format_usage().strip(), f"See `{self.prog} --help`"))


def _parsed(arguments: Sequence[str]) -> argparse.Namespace:
    parser, commands = _parser()
    given = next(iter(arguments), "")
    if given and not given.startswith("-") and given not in commands:
        close = nearest(given, commands, count=1)
        allowed = f"Commands are {', '.join(commands)}"
        advice = f"Did you mean `camwidget {close[0]}`?" if close else "See `camwidget --help`"
        raise CourseError(three_parts(f"There is no command {given!r}", allowed, advice))
    return parser.parse_args(arguments)


def _parser() -> tuple[argparse.ArgumentParser, Sequence[str]]:
    parser = _Parser("camwidget", description="A course on class activation maps, Grad-CAM and hooks.")
    parser.add_argument("--version", action=_Version, nargs=0, help="say which version this is")
    parser.set_defaults(work=lambda *_: _help(parser))
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", parser_class=_Parser)

    start = commands.add_parser("start", help="copy the notebooks and exercises into a folder")
    start.add_argument("folder", type=Path, metavar="DIR", help="created if it does not exist; no file is overwritten")
    start.set_defaults(work=_start)

    check = commands.add_parser(
        "check",
        help="run exercises and report what is done",
        description="Run each notebook in a fresh kernel and report for every item whether it is done, not started or "
        "wrong. Your files are not changed. An item that is done and checked alone is shown beside two ways to write "
        "it. The exit code is 0 only if everything is right, 1 if it is not yet, "
        "and 2 if something cannot be read.",
    )
    check.add_argument(
        "names",
        nargs="*",
        metavar="WHAT",
        help="an assignment (hooks), an item (hooks.q5), a notebook or a folder; everything here by default",
    )
    check.add_argument("--watch", action="store_true", help="check again what changed, whenever a notebook is saved")
    check.add_argument("--limit", type=float, default=60.0, metavar="SECONDS", help="for one cell; 60 by default")
    check.set_defaults(work=_check)

    hint = commands.add_parser("hint", help="show a hint: for your next item, or one that you name")
    hint.add_argument("item", nargs="?", metavar="ITEM", help="such as hooks.q5; your next one by default")
    hint.add_argument("--level", type=int, default=1, metavar="1..3", help="1 is a nudge, 3 almost the answer")
    hint.set_defaults(work=_hint)

    reset = commands.add_parser("reset", help="put an item of your notebook back as it came; a copy is kept")
    reset.add_argument("item", metavar="ITEM", help="such as hooks.q5")
    reset.add_argument("--yes", action="store_true", help="do not ask")
    reset.set_defaults(work=_reset)

    items = commands.add_parser("list", help="list the items of the course, or of an assignment")
    items.add_argument("assignments", nargs="*", metavar="ASSIGNMENT", help="such as hooks; all by default")
    items.set_defaults(work=_list)

    doctor = commands.add_parser(
        "doctor",
        help="say what this machine has, what is missing, and what to type",
        description="Look at versions, Jupyter's extensions, memory, disk and programs, and make a panel in a Python "
        "of its own. Nothing is changed and nothing is sent. The exit code is 0 if nothing is missing, else 1. Paste "
        "the output into a report about a fault; your home folder is written as ~ in it.",
    )
    doctor.set_defaults(work=_doctor)
    add_grade(commands)
    return parser, tuple(commands.choices)


class _Version(argparse.Action):
    def __call__(self, *_: object) -> NoReturn:
        from camwidget import __version__

        sys.stdout.write(f"camwidget {__version__}\n")
        sys.exit(RIGHT)


def _help(parser: argparse.ArgumentParser) -> int:
    parser.print_help()
    return RIGHT


def _start(asked: argparse.Namespace, screen: "Screen") -> int:
    from camwidget.course.selfstudy.materials import start

    copied, left = start(asked.folder)
    for path in left:
        screen.say(f"left as it is  {asked.folder / path}")
    for path in copied:
        screen.say(f"copied         {asked.folder / path}")
    kept = f" {len(left)} already existed and were left as they are." if left else ""
    screen.say(
        f"{len(copied)} files copied.{kept} The way through is in {asked.folder / 'COURSE.md'}. "
        f"Begin with: jupyter lab {typed(asked.folder / 'notebooks' / '01_cam_and_hooks.ipynb')}"
    )
    return RIGHT


def _check(asked: argparse.Namespace, screen: "Screen") -> int:
    from camwidget.course.selfstudy.finding import wanted
    from camwidget.course.selfstudy.notebook import limit_of
    from camwidget.course.selfstudy.watching import Kernels

    limit_s = limit_of(asked.limit)
    notebooks = wanted(asked.names, Path())
    kernels = Kernels(limit_s=limit_s)
    found: dict[Wanted, NotebookProgress | None] = {}
    try:
        for each in notebooks:
            waited_for = asked.watch and not any(progress and not progress.right for progress in found.values())
            found[each] = _check_one(each, screen, kernels, keep=waited_for)
        _say_next(found, screen)
        if asked.watch:
            _watch(found, screen, kernels)
    finally:
        kernels.close()
    return max(_code(progress) for progress in found.values())


def _check_one(each: "Wanted", screen: "Screen", kernels: "Kernels", *, keep: bool) -> "NotebookProgress | None":
    from camwidget.course.selfstudy.memory import remember

    if screen.watched:
        screen.notice(f"Running {each.path}. The first cell loads PyTorch, which takes some seconds.")
    try:
        progress = kernels.check(each, keep=lambda progress: keep and not progress.right)
    except CamwidgetError as error:  # the other notebooks are still checked
        screen.complain(str(error))
        return None
    screen.progress(progress)
    if not each.item:
        remember(progress)
    elif progress.right:
        _compare(each.item, screen)
    return progress


def _compare(item: str, screen: "Screen") -> None:
    """Show ways to write an answer, beside one that is right."""
    from camwidget.course.ways import ways_of

    for number, way in enumerate(ways_of(item), 1):
        screen.say(f"Compare with ours, way {number}:", indent=2)
        screen.say(way, indent=6)


def _code(progress: "NotebookProgress | None") -> int:
    if progress is None:
        return BAD_INPUT
    return RIGHT if progress.right else NOT_YET


def _say_next(found: "dict[Wanted, NotebookProgress | None]", screen: "Screen") -> None:
    from camwidget.course.selfstudy.materials import tasks
    from camwidget.course.selfstudy.memory import next_assignment

    checked = [progress for progress in found.values() if progress]
    for progress in checked:
        if item := progress.next:
            title = f" · {tasks()[item.item].title}" if item.item in tasks() else ""
            screen.say(f"next: {item.item}{title}, in {progress.path}. For a hint: camwidget hint", style="bold")
            return
    if checked and all(progress.right for progress in checked):
        last = checked[-1].items[-1].item.partition(".")[0]
        follows = next_assignment(last)
        screen.say(
            f"next: the exercise {follows}, `camwidget check {follows}`" if follows else "Everything here is done."
        )


def _watch(found: "dict[Wanted, NotebookProgress | None]", screen: "Screen", kernels: "Kernels") -> None:
    """Check each notebook again when it is saved, until Ctrl+C; `found` is brought up to date."""
    from watchfiles import watch

    from camwidget.course.selfstudy.memory import remember
    from camwidget.course.selfstudy.watching import saved

    screen.say("Waiting for the next save; stop with Ctrl+C.")
    folders = {each.path.resolve().parent for each in found}
    try:
        for each in saved(found, watch(*folders, recursive=False)):
            try:
                progress = kernels.check_again(each)
            except CamwidgetError as error:  # a file that is being written; the next save may be whole
                screen.complain(str(error))
                continue
            before = found[each]
            known = set(before.items) if before else set()
            changed = [item for item in progress.items if item not in known]
            found[each] = progress
            screen.progress(progress, items=changed or [item for item in (progress.next,) if item])
            if not each.item:
                remember(progress)
            _say_next(found, screen)
    except KeyboardInterrupt:  # between two checks, or in the middle of one
        pass
    done = sum(item.state == "done" for progress in found.values() if progress for item in progress.items)
    screen.say(f"\nGoodbye. {done} items are done. Go on with: camwidget check --watch")


def _hint(asked: argparse.Namespace, screen: "Screen") -> int:
    from camwidget.course.selfstudy.materials import hint

    item = asked.item
    if not item:
        from camwidget.course.selfstudy.memory import next_item

        item = next_item(Path())
        if not item:
            screen.say("Everything here is done: there is no next item. Name one for a hint, such as hooks.q5.")
            return RIGHT
    screen.markdown(hint(item, level=asked.level))
    return RIGHT


def _reset(asked: argparse.Namespace, screen: "Screen") -> int:
    from camwidget.course.selfstudy.finding import notebook_of
    from camwidget.course.selfstudy.materials import item_named
    from camwidget.course.selfstudy.reset import reset_of

    assignment = item_named(asked.item).partition(".")[0]
    reset = reset_of(asked.item, notebook_of(assignment, Path()))
    lines = f"{reset.lines} line{'' if reset.lines == 1 else 's'}"
    screen.say(f"{asked.item} in {reset.path} goes back to how it came: {lines} of yours go.")
    screen.say(
        f"The notebook as it is now will be kept as {reset.copy}. Close it in Jupyter first; unsaved work is lost."
    )
    if not asked.yes and not _agreed():
        screen.say("Nothing was changed.")
        return NOT_YET
    reset.apply()
    move = "move" if sys.platform == "win32" else "mv"
    screen.say(f"Done. To go back: {move} {typed(reset.copy)} {typed(reset.path)}")
    return RIGHT


def _agreed() -> bool:
    try:
        return input("Go on? [y/N] ").strip().lower() in {"y", "yes"}
    except EOFError:  # nobody is there to answer
        return False


def _list(asked: argparse.Namespace, screen: "Screen") -> int:
    from camwidget.course.order import ASSIGNMENTS
    from camwidget.course.selfstudy.materials import tasks

    for name in asked.assignments:
        if name not in ASSIGNMENTS:
            close = nearest(name, ASSIGNMENTS, count=1)
            advice = f"Did you mean {close[0]!r}?" if close else "Without a name all are listed"
            given, allowed = f"There is no assignment {name!r}", f"Assignments are {', '.join(ASSIGNMENTS)}"
            raise CourseError(three_parts(given, allowed, advice))
    for name, task in tasks().items():
        if not asked.assignments or name.partition(".")[0] in asked.assignments:
            screen.say(f"{name:<24}  {task.title}")
            screen.say(task.about, style="dim", indent=26)
    return RIGHT


def _doctor(_: argparse.Namespace, screen: "Screen") -> int:
    from camwidget.command.doctor.finding import MISSING, NOTE
    from camwidget.command.doctor.report import examine, lines_of, verdict

    colours = {MISSING: "red", NOTE: "yellow"}
    findings = []
    # Not part of the report, which may go into a file.
    for each in examine(lambda: screen.notice("Now a panel is made, to see whether that works. It may take a minute.")):
        findings.append(each)
        for line in lines_of(each):
            screen.say(line, style=colours.get(each.state, ""))
    screen.say(verdict(findings), style="bold")
    return NOT_YET if any(each.state == MISSING for each in findings) else RIGHT
