"""A day and a time as a learning platform writes them into the name of a file, in the languages that babel knows."""

import re
from datetime import datetime
from functools import cache

_LANGUAGES = ("cy", "da", "de", "en", "es", "fi", "fr", "id", "it", "nb", "nl", "pl", "pt", "sv", "tr", "vi")
"""Those with names of months in Latin letters in which Brightspace can be set."""
_TIME = r"(?:,? (?P<hour>\d{1,2})(?:[:.]| ?h ?)?(?P<minute>\d\d)(?: ?(?P<half>[ap])\.? ?m\.?)?)?"
_MONTH, _YEAR = r"(?P<month>[^\W\d_]+)\.?", r"(?P<year>20\d\d)"
_FORMS = tuple(
    re.compile(form + _TIME, re.IGNORECASE)
    for form in (
        rf"(?P<day>\d{{1,2}})\.? (?:de )?{_MONTH} (?:de )?{_YEAR}",
        rf"{_MONTH} (?P<day>\d{{1,2}}),? {_YEAR}",
    )
)


def read_when(text: str) -> str | None:
    """Return a day and a time in ISO 8601; empty if the month is in no language that is known or no time is there.

    Args:
        text: such as "Oct 10, 2026 234 PM" or "10 okt. 2026 14:34".

    Returns:
        None if it is no day at all.
    """
    found = next(filter(None, (form.fullmatch(text.strip()) for form in _FORMS)), None)
    if found is None:
        return None
    months = _months().get(found["month"].casefold(), set())
    if len(months) != 1 or not found["hour"]:
        return ""
    (month,) = months
    hour = int(found["hour"])
    if found["half"]:
        if not 1 <= hour <= 12:
            return ""
        hour = hour % 12 + (12 if found["half"].lower() == "p" else 0)
    try:
        day = datetime(int(found["year"]), month, int(found["day"]), hour, int(found["minute"]))
    except ValueError:
        return ""
    return day.isoformat()


@cache
def _months() -> dict[str, set[int]]:
    """Every name of a month, long and short, to the months that are called so; in two languages it may be two."""
    from babel import Locale  # noqa: PLC0415 (a tenth of a second that only such names need)

    found: dict[str, set[int]] = {}
    for language in _LANGUAGES:
        for width in ("wide", "abbreviated"):
            for context in ("format", "stand-alone"):
                for number, name in Locale(language).months[context][width].items():
                    found.setdefault(name.casefold().rstrip("."), set()).add(number)
    return found
