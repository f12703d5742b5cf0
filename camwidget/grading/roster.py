"""A class list: who should have handed in, and what each is called elsewhere."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from camwidget.errors import CourseError, three_parts

_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "learner": ("learner", "student_id", "username", "login", "sis login id", "id number", "id"),
    "name": ("name", "full name", "student", "fullname"),
    "first": ("first name", "first_name", "firstname"),
    "last": ("last name", "last_name", "surname", "lastname"),
    "email": ("email", "email address", "e-mail"),
    "number": ("number", "identifier", "participant", "canvas id", "user id", "id"),
}
"""What is read, to the headings that it may have; the first one there counts."""


@dataclass(frozen=True)
class Member:
    """One learner of the class."""

    learner: str
    """The name that marks are kept under."""
    name: str = ""
    """Their name in full."""
    email: str = ""
    """Their address."""
    number: str = ""
    """Their number in Moodle or Canvas."""

    def is_called(self, learner: str, number: str) -> bool:
        """Whether a submission under this name or number is theirs."""
        if number and self.number:
            return number == self.number
        # Canvas writes "lovelaceada" for "Lovelace, Ada".
        calls = (self.learner, self.name, self.email, " ".join(reversed(self.name.split())))
        return _plain(learner) in {_plain(call) for call in calls if call}


def _plain(text: str) -> str:
    return "".join(letter for letter in text.casefold() if letter.isalnum())


def read_roster(path: Path) -> tuple[Member, ...]:
    """Read a class list: a CSV with headings, such as the ones that Moodle and Canvas export.

    Raises:
        CourseError: it cannot be read, names nobody, or names somebody twice.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            sample = file.read(4096)
            file.seek(0)
            comma = max(",;\t", key=sample.partition("\n")[0].count)
            rows = list(csv.DictReader(file, delimiter=comma))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        given = f"The roster {str(path)!r} cannot be read: {error}"
        raise CourseError(three_parts(given, "It is a CSV in UTF-8", "Export it again")) from error
    members = tuple(member for row in rows if (member := _member(row)).learner)
    if not members:
        given = f"The roster {str(path)!r} names nobody"
        headings = ", ".join(_COLUMNS["learner"])
        raise CourseError(three_parts(given, f"One column is called {headings}, or name", "Add a line of headings"))
    names = [member.learner for member in members]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        given = f"The roster {str(path)!r} has {twice[0]!r} twice"
        raise CourseError(three_parts(given, "Each learner is there once", "Take one line away, or use other ids"))
    return members


def _member(row: Mapping[str | None, str | list[str] | None]) -> Member:
    values = {str(key).strip().casefold(): value.strip() for key, value in row.items() if isinstance(value, str)}
    found = {
        what: next((values[heading] for heading in headings if values.get(heading)), "")
        for what, headings in _COLUMNS.items()
    }
    name = found["name"] or f"{found['first']} {found['last']}".strip()
    if "," in name:  # "Lovelace, Ada"
        last, _, first = name.partition(",")
        name = f"{first.strip()} {last.strip()}"
    number = found["number"].removeprefix("Participant ")
    return Member(found["learner"] or name, name, found["email"], number)
