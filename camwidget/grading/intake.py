"""From whatever was downloaded to submissions: one for each learner and assignment, or the reason why there is none."""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from camwidget.course.order import ASSIGNMENTS
from camwidget.course.selfstudy.materials import item_in
from camwidget.errors import CourseError, clipped, three_parts
from camwidget.grading.archive import LARGEST_INNER_ZIP, Entry, FullError, Shelf
from camwidget.grading.limits import Limits
from camwidget.grading.naming import Owner, around_all, owner_of, shortened
from camwidget.grading.notebook import Cell, UnreadableError, cells_of
from camwidget.grading.roster import Member
from camwidget.grading.submission import Place, Submission, read

LONGEST_NAME = 200
"""Characters of a learner's name that are kept."""
MOST_ZIPS_IN_A_ZIP = 4
"""Zips that are unpacked out of one that a learner handed in."""
_BESIDE = re.compile(r"(?!.*\.ipynb$)(?!timestamp\.txt$)\w[\w .-]{0,99}", re.ASCII)
"""Names of files that go along with a notebook: plain ones, as a name that was handed in is to become no path."""
NOTHING = "nothing was handed in"
"""The problem of someone who is on the roster only."""


@dataclass(frozen=True)
class Handed:
    """What one learner handed in for one assignment."""

    learner: str
    """The name that marks are kept under. It may hold anything, HTML as well, but no line end."""
    assignment: str
    """Such as "hooks"; empty if nobody can tell and the problem says so."""
    folder: Path | None
    """Where copies lie: `<assignment>.ipynb` as handed in, and what was beside it. None if there is a problem."""
    problem: str = ""
    """Why it cannot be graded, as a sentence without its full stop; empty if it can."""
    notes: tuple[str, ...] = ()
    """What a teacher may want to know, a sentence each."""
    digest: str = ""
    """Of everything handed in for this assignment."""
    handed_in: str = ""
    """When, in ISO 8601; empty if that is not known."""
    number: str = ""
    """The learner's number in Moodle, Canvas or Brightspace."""
    late: bool = False
    """Whether Canvas marked it as late."""


def take_in(source: Path, into: Path, *, assignment: str = "", roster: Sequence[Member] = ()) -> tuple[Handed, ...]:
    """Copy the notebooks of a class into a folder, and say whose each is.

    The source may be nbgrader's layout (LEARNER/ASSIGNMENT/), a flat folder ("ada_keepdim.ipynb"), a folder for each
    learner, or a zip of Moodle, Canvas, Blackboard or Brightspace. Nothing from it is run, no link is followed, no
    name from it becomes a path.

    Args:
        source: the folder or zip.
        into: an empty folder for the copies.
        assignment: the one they were handed in for; without it, the path or the notebook tells.
        roster: the class; those who handed in nothing get a submission with that problem, for the assignment given or
            else for each one that somebody handed in.

    Returns:
        One for each learner and assignment, sorted by assignment and learner.

    Raises:
        CourseError: the source cannot be opened, or there is nothing in it.
    """
    by_owner: dict[tuple[str, str], list[tuple[Owner, Entry]]] = {}
    entries = list(_unpacked(Shelf(into / "files"), source))
    around = around_all([each.parts for each in entries if _is_notebook(each.name)], ASSIGNMENTS)
    owners = shortened([owner_of(each.parts[around:] or each.parts, ASSIGNMENTS) for each in entries], ASSIGNMENTS)
    its_index = any(owner.number and owner.handed_in for owner in owners)  # Brightspace puts a page of its own beside
    for each, owner in zip(entries, owners, strict=True):
        if its_index and each.parts[around:] == ("index.html",):
            continue
        own = (*each.parts[:-1], owner.file or each.name)  # as the learner called it
        entry = replace(each, parts=own, changed=owner.handed_in or each.changed)
        by_owner.setdefault((owner.learner, owner.number), []).append((owner, entry))
    found: list[Handed] = []
    for files in by_owner.values():
        found += _of_learner(files, into / f"{len(found):05d}", assignment)
    found = _named_apart([_on_roster(each, roster) for each in found])
    found += _absent(found, roster, assignment)
    if not found:
        given = f"There is nothing in {str(source)!r}"
        raise CourseError(three_parts(given, "Submissions are notebooks", "Name the folder or zip they are in"))
    order = {name: place for place, name in enumerate(ASSIGNMENTS)}
    return tuple(sorted(found, key=lambda each: (order.get(each.assignment, len(order)), each.learner)))


def _unpacked(shelf: Shelf, source: Path) -> Iterator[Entry]:
    """The files of a source, with those of a zip that a learner handed in instead of that zip."""
    for entry in shelf.entries_of(source):
        where = entry.parts if len(entry.parts) > 1 or "_" in entry.name else (_stem(entry.name),)
        left = MOST_ZIPS_IN_A_ZIP
        for each in _instead_of_zip(shelf, entry, where):
            nested = each is not entry and left > 0 and _is_zip(each)
            left -= nested
            yield from _instead_of_zip(shelf, each, each.parts) if nested else (each,)


def _instead_of_zip(shelf: Shelf, entry: Entry, where: tuple[str, ...]) -> Iterator[Entry]:
    """The files of a zip instead of that zip; any other file as it is."""
    if not _is_zip(entry) or entry.copy is None:
        yield entry
        return
    try:
        for each in shelf.in_zip(entry.copy, entry.name, most=LARGEST_INNER_ZIP):
            yield replace(each, parts=(*where, *each.parts))
    except FullError:
        raise
    except CourseError as error:
        yield replace(entry, copy=None, problem=str(error).rstrip("."))


def _is_zip(entry: Entry) -> bool:
    return entry.name.lower().endswith(".zip")


def _stem(name: str) -> str:
    return name.rpartition(".")[0] or name


def _is_notebook(name: str) -> bool:
    """Whether a file is a notebook by its name; some browsers put an ending of their own behind it."""
    return name.lower().endswith((".ipynb", ".ipynb.txt", ".ipynb.json"))


def _of_learner(files: Sequence[tuple[Owner, Entry]], into: Path, assignment: str) -> list[Handed]:
    """All submissions among what one learner handed in."""
    owner = files[0][0]
    late = any(each.late for each, _ in files)
    blank = Handed(_one_line(owner.learner), "", None, number=owner.number, late=late)
    stamps = [entry for _, entry in files if entry.name == "timestamp.txt"]
    handed: dict[str, list[tuple[Entry, tuple[Cell, ...], str]]] = {}
    for each, entry in files:
        if _is_notebook(entry.name) or entry.problem:
            cells, problem = _read(entry)
            meant = assignment or each.assignment or _assignment_of(cells) or _in_name(entry)
            handed.setdefault(meant, []).append((entry, cells, problem))
    made = []
    attempts = {id(entry): each.handed_in for each, entry in files}
    for meant, notebooks in handed.items():
        last = max(attempts[id(entry)] for entry, _, _ in notebooks)
        notebooks = [each for each in notebooks if attempts[id(each[0])] == last]
        beside = {
            each.file: entry
            for each, entry in sorted(files, key=lambda pair: pair[0].handed_in)
            if entry.copy
            and each.assignment in ("", meant)
            and _BESIDE.fullmatch(each.file)
            and not _is_notebook(each.file)
        }
        submission = _submission(notebooks, meant, beside, stamps, into / (meant or "unknown"), blank)
        earlier = len(handed[meant]) - len(notebooks)
        note = (f"Of several attempts the latest was taken, of {last}.",) if earlier else ()
        made.append(replace(submission, notes=(*note, *submission.notes)))
    if not made and len(stamps) < len(files):
        names = ", ".join(sorted(entry.name for _, entry in files))
        problem = f"there is no notebook, only {clipped(_one_line(names), longest=LONGEST_NAME)}"
        made = [replace(blank, assignment=assignment or owner.assignment, problem=problem)]
    return made


def _submission(
    handed: Sequence[tuple[Entry, tuple[Cell, ...], str]],
    assignment: str,
    beside: Mapping[str, Entry],
    stamps: Sequence[Entry],
    into: Path,
    blank: Handed,
) -> Handed:
    """One submission from the notebooks that belong to it: the one that is meant, or the problem with it."""
    sound = [(entry, cells) for entry, cells, problem in handed if not problem]
    broken = [f"{_one_line(entry.name)!r}: {problem}" for entry, _, problem in handed if problem]
    content = hashlib.sha256()
    for each in sorted([*beside.values(), *(entry for entry, _, _ in handed)], key=lambda each: each.parts):
        content.update(json.dumps([each.name, each.digest, each.problem]).encode())
    made = replace(blank, assignment=assignment, digest=content.hexdigest())
    named = [pair for pair in sound if pair[0].name == f"{assignment}.ipynb"]
    mine = [pair for pair in sound if _assignment_of(pair[1]) == assignment]
    candidates = named if len(named) == 1 else mine or sound
    if not candidates:
        return replace(made, problem="; ".join(broken))
    entry = max((each for each, _ in candidates), key=lambda each: each.changed)
    others = [_one_line(each.name) for each, _ in candidates if each is not entry]
    tied = [each for each, _ in candidates if each.changed == entry.changed and each.digest != entry.digest]
    if tied:
        names = ", ".join(sorted(repr(_one_line(each.name)) for each in (*tied, entry)))
        return replace(made, problem=f"several notebooks were handed in, and none is the latest: {names}")
    if not assignment:
        return replace(made, problem=f"{_one_line(entry.name)!r} checks no item of the course")
    checked = _checked(next(cells for each, cells in candidates if each is entry))
    if checked and assignment not in checked:
        other = max(ASSIGNMENTS, key=checked.count)
        problem = f"{_one_line(entry.name)!r} is a notebook of {other!r}: it checks no item of {assignment!r}"
        return replace(made, problem=problem)
    into.mkdir(parents=True, exist_ok=True)
    for name, each in {**beside, f"{assignment}.ipynb": entry}.items():
        (into / name).write_bytes(each.read())
    notes = [f"The notebook was handed in as {_one_line(entry.name)!r}."] * (entry.name != f"{assignment}.ipynb")
    notes += [f"Of several notebooks the latest was taken, not {', '.join(map(repr, others))}."] * bool(others)
    beside_it = sorted(_one_line(each.name) for each, _ in mine if each is not entry and each not in dict(candidates))
    notes += [f"Not taken, because of its name: {', '.join(map(repr, beside_it))}."] * bool(beside_it)
    notes += [f"Not read: {each}." for each in broken]
    handed_in = next(filter(None, map(_time_in, stamps)), entry.changed)
    return replace(made, folder=into, notes=tuple(notes), handed_in=handed_in)


def members_of(handed: Sequence[Handed], roster: Sequence[Member]) -> dict[str, Member]:
    """Return who the learners are on a learning platform: as on the roster, else with the number from the path.

    Args:
        handed: what was handed in.
        roster: the class.
    """
    found = {each.learner: Member(each.learner, each.learner, number=each.number) for each in handed}
    return found | {member.learner: member for member in roster}


def submission_of(handed: Handed, limits: Limits) -> Submission:
    """Return what the grader takes.

    Args:
        handed: what was handed in.
        limits: of the notebook and of the files beside it.
    """
    if handed.folder is None:
        problem = f"It could not be graded: {handed.problem}"
        return Submission(handed.learner, handed.assignment, digest=handed.digest, problem=problem, notes=handed.notes)
    found = read(Place(handed.learner, handed.assignment, handed.folder), limits)
    return replace(found, notes=(*handed.notes, *found.notes), handed_in=handed.handed_in)


def _read(entry: Entry) -> tuple[tuple[Cell, ...], str]:
    """The cells of a notebook and no problem, or none and the problem."""
    if entry.problem:
        return (), entry.problem
    try:
        return cells_of(entry.read(), frozenset()), ""
    except UnreadableError as error:
        return (), str(error)


def _assignment_of(cells: Sequence[Cell]) -> str:
    """The assignment that most checks in a notebook are of; empty if there are none."""
    checked = _checked(cells)
    return max(ASSIGNMENTS, key=checked.count) if checked else ""


def _checked(cells: Sequence[Cell]) -> list[str]:
    """The assignment of each check in a notebook."""
    found = [item_in(cell.source).partition(".")[0] for cell in cells if cell.is_code]
    return [name for name in found if name in ASSIGNMENTS]


def _in_name(entry: Entry) -> str:
    """The assignment in the name of a file that cannot be read; the longest, as "grad_cam" has "cam" in it."""
    names = sorted(ASSIGNMENTS, key=len, reverse=True)
    return next((name for name in names if re.search(rf"(?<![a-z]){name}(?![a-z])", entry.name.lower())), "")


def _time_in(stamp: Entry) -> str:
    """The time in nbgrader's timestamp.txt, in ISO 8601."""
    text = stamp.read()[:100].decode("utf-8", "replace").strip()
    found = re.fullmatch(r"(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)(?:\.\d+)? ?(UTC|Z|\+00:00)?", text)
    return f"{found[1]}T{found[2]}{'+00:00' if found[3] else ''}" if found else ""


def _one_line(text: str) -> str:
    """A name as it can be shown in a line: without control characters, and not endless."""
    printable = "".join(letter if letter.isprintable() else "?" for letter in text)
    return clipped(printable.strip() or "?", longest=LONGEST_NAME)


def _on_roster(submission: Handed, roster: Sequence[Member]) -> Handed:
    if not roster:
        return submission
    theirs = [member for member in roster if member.is_called(submission.learner, submission.number)]
    if len(theirs) == 1:
        return replace(submission, learner=theirs[0].learner, number=submission.number or theirs[0].number)
    note = "Nobody on the roster has this name." if not theirs else "Several on the roster have this name."
    return replace(submission, notes=(*submission.notes, note))


def _named_apart(found: Sequence[Handed]) -> list[Handed]:
    """Two learners of one name keep their numbers; without numbers neither is graded: nobody knows whose it is."""
    named: dict[tuple[str, str], list[Handed]] = {}
    for each in found:
        named.setdefault((each.learner, each.assignment), []).append(each)
    apart: list[Handed] = []
    for same in named.values():
        if len(same) == 1:
            apart += same
        elif len({each.number for each in same}) == len(same):
            apart += [replace(each, learner=f"{each.learner} ({each.number or 'no number'})") for each in same]
        else:
            digest = hashlib.sha256("".join(sorted(each.digest for each in same)).encode()).hexdigest()
            problem = f"{len(same)} submissions are under this name; keep the one that counts"
            apart.append(replace(same[0], folder=None, problem=problem, digest=digest))
    return apart


def _absent(found: Sequence[Handed], roster: Sequence[Member], assignment: str) -> list[Handed]:
    there = {(each.learner, each.assignment) for each in found}
    assignments = [assignment] if assignment else sorted({name for _, name in there if name})
    return [
        Handed(member.learner, name, None, problem=NOTHING, number=member.number)
        for name in assignments
        for member in roster
        if (member.learner, name) not in there
    ]
