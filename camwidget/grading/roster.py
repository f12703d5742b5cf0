"""A class list: who should have handed in, and what each is called elsewhere."""

import codecs
import csv
import io
import re
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


_NOBODY = "Points Possible"
"""Stands where a name should be, in the first line of what Canvas exports."""


def read_roster(path: Path) -> tuple[Member, ...]:
    """Read a class list: a CSV with headings, such as the ones that Moodle and Canvas export.

    Raises:
        CourseError: it cannot be read, names nobody, or names somebody twice.
    """
    try:
        content = path.read_bytes()
        text = content.decode("utf-16" if content[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) else "utf-8-sig")
        told = re.match(r"sep=(.)\r?\n", text)  # a line for spreadsheets
        text = text[told.end() :] if told else text
        headings = text.lstrip().partition("\n")[0]
        comma = told[1] if told else max(",;\t|", key=headings.count)
        rows = list(csv.DictReader(io.StringIO(text, newline=""), delimiter=comma))
    except UnicodeDecodeError as error:
        given = f"The roster {str(path)!r} cannot be read: {error}"
        saved = "In a spreadsheet save it as 'CSV UTF-8'"
        raise CourseError(three_parts(given, "It is a CSV in UTF-8 or UTF-16", saved)) from error
    except (OSError, csv.Error) as error:
        given = f"The roster {str(path)!r} cannot be read: {error}"
        raise CourseError(three_parts(given, "It is a CSV", "Export it again")) from error
    members = tuple(member for row in rows if (member := _member(row)).learner)
    if not members:
        given = f"The roster {str(path)!r} names nobody"
        headings = ", ".join(_COLUMNS["learner"])
        allowed = f"Its first line has headings, and one is {headings}, or name, in English"
        raise CourseError(three_parts(given, allowed, "Write one of these over the column with the names"))
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
    if name == _NOBODY:
        return Member("")
    if "," in name:  # "Lovelace, Ada"
        last, _, first = name.partition(",")
        name = f"{first.strip()} {last.strip()}"
    number = found["number"].removeprefix("Participant ")
    return Member(found["learner"] or name, name, found["email"], number)
