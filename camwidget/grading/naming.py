"""Whose is a file? Read from its path, in the ways in which nbgrader, Moodle, Canvas and teachers name things."""

import itertools
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from camwidget.grading.dates import read_when

# "Ada Lovelace_1234567_assignsubmission_file_/keepdim.ipynb", or the same with "_" for the stroke.
_MOODLE = re.compile(r"(?P<name>.+?)_(?P<number>\d+)_assignsubmission_(?P<kind>[a-z]+)_?(?P<rest>.*)", re.DOTALL)
# "lovelaceada_LATE_12345_678901_keepdim-2.ipynb"
_CANVAS = re.compile(r"(?P<name>[^_]+)_(?P<late>LATE_)?(?P<number>\d+)_(?P<file>\d+)_(?P<rest>.+)", re.DOTALL)
# The same for an assignment in which nobody is named, "anon_LATE_x7Kp2_678901_keepdim.ipynb"; and a text typed there.
_CANVAS_ANONYMOUS = re.compile(
    r"(?P<name>anon)_(?P<late>LATE_)?(?P<number>[A-Za-z0-9]{5})_(?P<file>\d+)_(?P<rest>.+)", re.DOTALL
)
_CANVAS_TEXT = re.compile(r"(?P<name>[^_]+)_(?P<late>LATE_)?(?P<number>\d+)_(?P<rest>text\.html)")
# "1234-56789 - Ada Lovelace - Jan 31, 2027 1159 PM/keepdim.ipynb", or the file in the same name; 1234 is the learner's.
_BRIGHTSPACE = re.compile(r"(?P<number>\d+)-\d+ ?- ?(?P<rest>.+)", re.DOTALL)
_STROKE = re.compile(r" ?- ?")
_MOST_STROKES = 30
"""That are looked at: a name in a zip may be long, and each two of them may stand around the day."""
# "gradebook_COURSE_ASSIGNMENT_ada_attempt_2027-01-31-23-59-00_keepdim.ipynb"; without a file's name it is Blackboard's
# own note. What stands before the learner is the same for all of them.
_BLACKBOARD = re.compile(
    r"(?P<name>.+)_attempt_(?P<day>\d{4}-\d\d-\d\d)-(?P<hour>\d\d)-(?P<minute>\d\d)-(?P<second>\d\d)"
    r"(?:_(?P<rest>.+)|\.txt)",
    re.DOTALL,
)


@dataclass(frozen=True)
class Owner:
    """Who handed a file in."""

    learner: str
    """The name in the path."""
    number: str = ""
    """The learner's number in Moodle, Canvas or Brightspace."""
    late: bool = False
    """Whether Canvas marked it as late."""
    assignment: str = ""
    """The assignment that the path names, if it names one."""
    file: str = ""
    """What the learner called the file; empty if it is the platform's own."""
    handed_in: str = ""
    """When, in ISO 8601, if the path tells it; it does not say in which time zone."""
    of_blackboard: bool = False
    """Whether the name still has Blackboard's words for course and assignment before it, see `shortened`."""


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
        if owner := _of_brightspace(part):
            return replace(owner, file=parts[-1] if part is not parts[-1] else owner.file or part)
    # nbgrader's layout, also below other folders: LEARNER/ASSIGNMENT/...
    for before, folder in itertools.pairwise(folders):
        if folder in assignments:
            return Owner(before, assignment=folder, file=name)
    if found := _BLACKBOARD.fullmatch(name):
        when = f"{found['day']}T{found['hour']}:{found['minute']}:{found['second']}"
        return Owner(found["name"], file=found["rest"] or "", handed_in=when, of_blackboard=True)
    if found := next(filter(None, (way.fullmatch(name) for way in (_CANVAS, _CANVAS_ANONYMOUS, _CANVAS_TEXT))), None):
        return Owner(found["name"], found["number"], late=bool(found["late"]), file=found["rest"])
    return Owner(folders[0], file=name) if folders else _by_file(name, assignments)


def _of_brightspace(part: str) -> Owner | None:
    """Number, name, day and the rest, with strokes between, which may also be in a name and in the rest."""
    found = _BRIGHTSPACE.fullmatch(part)
    if found is None:
        return None
    rest = found["rest"]
    strokes = [(stroke.start(), stroke.end()) for stroke in itertools.islice(_STROKE.finditer(rest), _MOST_STROKES)]
    for number, (end, start) in enumerate(strokes):
        for until, after in (*strokes[number + 1 :], (len(rest), len(rest))):
            if end and (when := read_when(rest[start:until])) is not None:
                return Owner(rest[:end], found["number"], file=rest[after:], handed_in=when)
    return None


def shortened(owners: Sequence[Owner], assignments: Collection[str]) -> list[Owner]:
    """Take from Blackboard's names what stands before every learner's own, and is the same for all.

    A learner's own name may have "_" in it, as course and assignment may. So no more is taken than all have, and two
    learners never get one name. An assignment that then stands before it is one of the course.

    Args:
        owners: of all files.
        assignments: the names of all assignments.
    """
    given = {owner.learner for owner in owners if owner.of_blackboard}
    words = [name.split("_")[:-1] for name in given]
    alike = itertools.takewhile(lambda each: len(set(each)) == 1, zip(*words, strict=False))
    same = sum(len(each[0]) + 1 for each in alike)
    return [_own(owner, same, assignments) if owner.of_blackboard else owner for owner in owners]


def _own(owner: Owner, same: int, assignments: Collection[str]) -> Owner:
    name = owner.learner[same:]
    for assignment in sorted(assignments, key=len, reverse=True):  # grad_cam before cam
        if name.startswith(f"{assignment}_"):
            return replace(
                owner, learner=name.removeprefix(f"{assignment}_"), assignment=owner.assignment or assignment
            )
    return replace(owner, learner=name)


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
    around = next(iter(paths), ())[:common]
    if not common or any(part in assignments or _MOODLE.fullmatch(part) or _of_brightspace(part) for part in around):
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
