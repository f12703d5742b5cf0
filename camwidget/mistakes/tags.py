"""Names for single pictures, such as "wrong label", and counts of them."""

from collections.abc import Container, Iterable, Mapping
from typing import Any, SupportsIndex

from camwidget.errors import DataError, a_kind, nearest, three_parts
from camwidget.given import several, told, whole

USUAL = ("wrong label", "something else in the picture", "a shortcut", "a kind never trained on")
"""Tags that are offered at first; any other word will do as well."""

_LONGEST = 60
ROWS_ADVICE = "Take some of found.table.index, such as found.wrong.index[:3]"
"""What to try where rows were wanted."""


class Tags:
    """Which rows have which tag. A picture may have several.

    Args:
        known: the rows that there are; None where any will do.
    """

    def __init__(self, known: Container[int] | None = None) -> None:
        self._rows: dict[str, set[int]] = {}
        self._known = known

    def __repr__(self) -> str:
        return f"<Tags: {', '.join(f'{name} {count}' for name, count in self.counts().items()) or 'none'}>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Tags) and self.as_lists() == other.as_lists()

    __hash__ = None  # type: ignore[assignment]  # it changes

    def add(self, tag: str, rows: Iterable[SupportsIndex]) -> None:
        """Give rows a tag.

        Args:
            tag: any words, up to 60 characters, without ";" since that joins tags in a table.
            rows: the rows.

        Raises:
            DataError: the tag is empty or too long, or has a semicolon in it; or there is no such row.
        """
        name, found = _name(tag), set(self._checked(rows))
        if found:
            self._rows.setdefault(name, set()).update(found)

    def remove(self, tag: str, rows: Iterable[SupportsIndex]) -> None:
        """Take a tag from rows; those without it stay as they are.

        Args:
            tag: the tag.
            rows: the rows.

        Raises:
            DataError: nothing has that tag, or there is no such row.
        """
        name, gone = _name(tag), self._checked(rows)
        if name not in self._rows:
            close = nearest(name, self._rows)
            advice = f"Did you mean {close[0]!r}?" if close else "print(found.tags) shows those that there are"
            raise DataError(three_parts(f"No picture has the tag {name!r}", "Only a tag that is there goes", advice))
        self._rows[name].difference_update(gone)
        if not self._rows[name]:
            del self._rows[name]

    def replace(self, other: "Tags") -> None:
        """Take over what others say.

        Args:
            other: other tags.

        Raises:
            DataError: they are no tags, or of a row that there is not. Then nothing changes.
        """
        if not isinstance(other, Tags):
            given = f"other is {a_kind(other)}"
            raise DataError(three_parts(given, "Tags are replaced by Tags", "Use found.tags.add(tag, rows)"))
        self._rows = {tag: set(self._checked(rows)) for tag, rows in other.as_lists().items()}

    def of(self, row: SupportsIndex) -> list[str]:
        """Return the tags of a row, in alphabetical order.

        Raises:
            DataError: it is no row.
        """
        number = whole(row, "row", try_=ROWS_ADVICE, error=DataError)
        return sorted(tag for tag, rows in self._rows.items() if number in rows)

    def rows(self, tag: str) -> list[int]:
        """Return the rows that have a tag, in their order; none if nothing has it.

        Raises:
            DataError: it can be no tag.
        """
        return sorted(self._rows.get(_name(tag), ()))

    def counts(self) -> dict[str, int]:
        """Return each tag with how many rows have it, the most frequent first."""
        return dict(
            sorted(((tag, len(rows)) for tag, rows in self._rows.items()), key=lambda each: (-each[1], each[0]))
        )

    def as_lists(self) -> dict[str, list[int]]:
        """Return each tag with its rows, as JSON can hold them."""
        return {tag: sorted(self._rows[tag]) for tag in sorted(self._rows)}

    @classmethod
    def from_lists(cls, lists: Mapping[str, Any]) -> "Tags":
        """Return tags from what `as_lists` returned.

        Raises:
            DataError: a tag is none, or has no rows but something else.
        """
        if not isinstance(lists, Mapping):
            given = f"lists is {a_kind(lists)}"
            raise DataError(three_parts(given, "It holds a list of rows for each tag", 'Try {"a shortcut": [1, 5]}'))
        tags = cls()
        for tag, rows in lists.items():
            tags.add(tag, rows)
        return tags

    def among(self, known: Container[int]) -> "Tags":
        """Return the same tags, which from now on take no other rows than these.

        Raises:
            DataError: one of them is not among them.
        """
        tags = Tags(known)
        tags.replace(self)
        return tags

    def _checked(self, rows: Any) -> list[int]:
        numbers = several(rows, "rows", try_=ROWS_ADVICE, error=DataError)
        for number in numbers:
            if self._known is not None and number not in self._known:
                given = f"There is no row {number}"
                raise DataError(three_parts(given, "Tags are given to rows of found.table", ROWS_ADVICE))
        return numbers


def _name(tag: Any) -> str:
    name = tag.strip() if isinstance(tag, str) else ""
    if name and len(name) <= _LONGEST and ";" not in name and name.isprintable():
        return name
    allowed = f"A tag is one line of up to {_LONGEST} characters, without a semicolon"
    raise DataError(three_parts(f"The tag is {told(tag)}", allowed, f"Try {USUAL[0]!r}"))
