"""What is hard? The commonest wrong answers that no check has a name for, so that a message can be written for them."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from camwidget.grading.records import PARTLY, WRONG, Graded, Row
from camwidget.grading.reports.alike import canonical, without
from camwidget.grading.reports.summary import mistake_of


@dataclass(frozen=True)
class Unnamed:
    """Wrong answers to one item that fail in the same way, without a name for it."""

    item: str
    """Such as "hooks.q5"."""
    title: str
    """What it is about."""
    failing: tuple[str, ...]
    """The facts that do not hold, as sentences."""
    reason: str
    """What the first of these learners was told."""
    learners: tuple[str, ...]
    """Who answered so."""
    examples: tuple[tuple[str, int], ...]
    """Different answers with how many wrote them, up to names and comments; commonest first, at most two."""


def unnamed(graded: Sequence[Graded], stubs: Mapping[str, str]) -> tuple[Unnamed, ...]:
    """Return the wrong answers without a cause, grouped by how they fail; the commonest first.

    Args:
        graded: the submissions of one assignment.
        stubs: item to the source of its answer cell as released.
    """
    groups: dict[tuple[str, tuple[str, ...]], list[tuple[Graded, Row]]] = {}
    for each in graded:
        for row in each.rows:
            if row.status in (WRONG, PARTLY) and not mistake_of(row):
                failing = tuple(fact.says for fact in row.facts if fact.tried and not fact.passed)
                groups.setdefault((row.item, failing), []).append((each, row))
    found = [
        Unnamed(
            item,
            rows[0][1].title,
            failing,
            rows[0][1].reason,
            tuple(sorted(each.learner for each, _ in rows)),
            _examples([each.answers.get(item, "") for each, _ in rows], stubs.get(item, "")),
        )
        for (item, failing), rows in groups.items()
    ]
    return tuple(sorted(found, key=lambda group: (-len(group.learners), group.item, group.failing)))


def _examples(answers: Sequence[str], stub: str) -> tuple[tuple[str, int], ...]:
    written = [without(answer, stub) for answer in answers]
    counts = Counter(canonical(answer) for answer in written if answer)
    shown = {canonical(answer): answer for answer in reversed(written)}
    return tuple((shown[form], count) for form, count in counts.most_common(2))
