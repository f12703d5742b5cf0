"""Whose is a file? Read from its path, in the ways in which nbgrader, Moodle, Canvas and teachers name things."""

import re
from collections.abc import Collection
from dataclasses import dataclass, replace
from itertools import pairwise

# "Ada Lovelace_1234567_assignsubmission_file_/keepdim.ipynb", or the same with "_" for the stroke.
_MOODLE = re.compile(r"(?P<name>.+?)_(?P<number>\d+)_assignsubmission_(?P<kind>[a-z]+)_?(?P<rest>.*)", re.DOTALL)
# "lovelaceada_LATE_12345_678901_keepdim-2.ipynb"
_CANVAS = re.compile(r"(?P<name>[^_]+)_(?P<late>LATE_)?(?P<number>\d+)_(?P<file>\d+)_(?P<rest>.+)", re.DOTALL)
# The same for an assignment in which nobody is named, "anon_LATE_x7Kp2_678901_keepdim.ipynb"; and a text typed there.
_CANVAS_ANONYMOUS = re.compile(
    r"(?P<name>anon)_(?P<late>LATE_)?(?P<number>[A-Za-z0-9]{5})_(?P<file>\d+)_(?P<rest>.+)", re.DOTALL
)
_CANVAS_TEXT = re.compile(r"(?P<name>[^_]+)_(?P<late>LATE_)?(?P<number>\d+)_(?P<rest>text\.html)")


@dataclass(frozen=True)
class Owner:
    """Who handed a file in."""

    learner: str
    """The name in the path."""
    number: str = ""
    """The learner's number in Moodle or Canvas."""
    late: bool = False
    """Whether Canvas marked it as late."""
    assignment: str = ""
    """The assignment that the path names, if it names one."""
    file: str = ""
    """What the learner called the file."""


def owner_of(parts: tuple[str, ...], assignments: Collection[str]) -> Owner:
    """Return who handed a file in.

    Args:
        parts: the path of the file.
        assignments: the names of all assignments.
    """
    folders, name = parts[:-1], parts[-1]
    if folders and folders[0] in assignments:  # one folder for each assignment: ASSIGNMENT/LEARNER/...
        return replace(owner_of(parts[1:], assignments), assignment=folders[0])
    for part in parts:
        if found := _MOODLE.fullmatch(part):
            own = parts[-1] if part is not parts[-1] else found["rest"]
            return Owner(found["name"], found["number"], file=own)
    # nbgrader's layout, also below other folders: LEARNER/ASSIGNMENT/...
    for before, folder in pairwise(folders):
        if folder in assignments:
            return Owner(before, assignment=folder, file=name)
    if found := next(filter(None, (way.fullmatch(name) for way in (_CANVAS, _CANVAS_ANONYMOUS, _CANVAS_TEXT))), None):
        return Owner(found["name"], found["number"], late=bool(found["late"]), file=found["rest"])
    return Owner(folders[0], file=name) if folders else _by_file(name, assignments)


def around_all(paths: Collection[tuple[str, ...]], assignments: Collection[str]) -> int:
    """Return how many folders lie around a whole class and are nobody's, as where a folder was packed into a zip.

    What they hold has to be several learners': a folder for each, or notebooks with several names on them.

    Args:
        paths: of all notebooks.
        assignments: the names of all assignments.
    """
    common = 0
    while paths and all(len(parts) > common + 1 for parts in paths) and len({parts[common] for parts in paths}) == 1:
        common += 1
    if not common or any(part in assignments or _MOODLE.fullmatch(part) for part in next(iter(paths))[:common]):
        return 0
    inside = {parts[common] for parts in paths}
    if all(len(parts) > common + 1 for parts in paths):
        return 0 if inside.intersection(assignments) else common
    named = [_by_file(name, assignments) for name in inside]
    several = len({owner.learner for owner in named}) == len(named) > 1
    return common if several and all(owner.assignment for owner in named) else 0


def _by_file(name: str, assignments: Collection[str]) -> Owner:
    """A flat folder: "ada.ipynb", "ada_keepdim.ipynb" or "keepdim-ada.ipynb"."""
    stem = re.sub(r"\.ipynb(\.[a-z]+)?$|\.[^.]*$", "", name, flags=re.IGNORECASE) or name
    for assignment in sorted(assignments, key=len, reverse=True):  # grad_cam before cam
        for pattern in (rf"(?P<learner>.+?)[ _.-]+{assignment}", rf"{assignment}[ _.-]+(?P<learner>.+)"):
            if found := re.fullmatch(pattern, stem, re.IGNORECASE | re.DOTALL):
                return Owner(found["learner"], assignment=assignment, file=name)
    return Owner(stem, file=name)
