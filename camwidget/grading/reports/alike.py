"""Answers that are nearly the same, more so than answers to this item usually are: two that a teacher may look at."""

import ast
import builtins
import difflib
import io
import itertools
import keyword
import re
import statistics
import tokenize
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from rapidfuzz import fuzz, process

from camwidget.errors import clipped
from camwidget.grading.records import Graded

ALIKE = 0.9
"""Likeness that a pair has to have, 0 to 1."""
NEARER = 4
"""And it has to be so many times nearer to the same than two answers to this item usually are."""
LONGEST = 2000
"""Tokens of an answer that are compared, and a quarter of the characters shown: an endless one holds nobody up."""
SHORTEST = 40
"""Tokens that an answer needs: short ones are alike by themselves."""
RARE = 0.02
"""Share of an item's pairs that may be that alike; where more are, likeness is what the task asks for."""

_TOKEN = re.compile(r"\w+|[^\w\s]")


@dataclass(frozen=True)
class Alike:
    """Two answers to one item that are nearly the same."""

    item: str
    """Such as "hooks.q5"."""
    learners: tuple[str, str]
    """Whose they are."""
    likeness: float
    """Share of tokens in common, names and comments set aside, 0 to 1."""
    usual: float
    """Median likeness of two answers to this item."""
    elsewhere: float
    """The largest likeness of a pair that is not named."""
    sources: tuple[str, str]
    """The answers, without what was given."""


def alike(graded: Sequence[Graded], stubs: Mapping[str, str]) -> tuple[Alike, ...]:
    """Return pairs of answers of one assignment that are unusually alike, most alike first.

    Args:
        graded: the submissions of one assignment.
        stubs: item to the source of its answer cell as released; lines in it are set aside.
    """
    items = list(dict.fromkeys(item for each in graded for item in each.answers))
    pairs = [pair for item in items for pair in _of_item(item, graded, stubs.get(item, ""))]
    return tuple(sorted(pairs, key=lambda pair: (-pair.likeness, pair.item, pair.learners)))


def _of_item(item: str, graded: Sequence[Graded], stub: str) -> Iterator[Alike]:
    answers = {each.learner: without(each.answers[item], stub) for each in graded if item in each.answers}
    tokens = {learner: canonical(source) for learner, source in answers.items()}
    long = [learner for learner in sorted(answers) if len(tokens[learner]) >= SHORTEST]
    if len(long) < 2:
        return
    letters: dict[str, str] = {}
    texts = ["".join(letters.setdefault(token, chr(0x4E00 + len(letters))) for token in tokens[each]) for each in long]
    table = process.cdist(texts, texts, scorer=fuzz.ratio) / 100
    places = list(itertools.combinations(range(len(long)), 2))
    found = [float(table[one, other]) for one, other in places]
    usual = statistics.median(found) if len(found) > 1 else 0.0  # of two learners nobody knows what is usual
    least = max(ALIKE, 1 - (1 - usual) / NEARER)
    near, rest = [each for each in found if each >= least], [each for each in found if each < least]
    if len(near) > max(1, RARE * len(found)):
        return
    for (one, other), likeness in zip(places, found, strict=True):
        if likeness >= least:
            learners = (long[one], long[other])
            sources = (answers[learners[0]], answers[learners[1]])
            yield Alike(item, learners, likeness, usual, max(rest, default=0.0), sources)


def without(source: str, stub: str) -> str:
    """The lines of an answer that are not in the released cell.

    Args:
        source: the answer cell.
        stub: as it was released.
    """
    given = {line.strip() for line in stub.splitlines() if line.strip()}
    lines = (line.rstrip() for line in source.splitlines() if line.strip() and line.strip() not in given)
    return clipped("\n".join(lines), longest=4 * LONGEST)


def canonical(source: str) -> tuple[str, ...]:
    """The tokens of an answer with comments left out and names of its own replaced by numbers, in order of appearance.

    Args:
        source: any text; where it is not Python, its words are taken as they are.
    """
    tokens = _tokens(source[: 50 * LONGEST])[:LONGEST]
    own = _own_names(source[: 50 * LONGEST])
    numbers: dict[str, str] = {}
    return tuple(numbers.setdefault(token, f"·{len(numbers)}") if token in own else token for token in tokens)


def _tokens(source: str) -> list[str]:
    skipped = (tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER)
    try:
        found = tokenize.generate_tokens(io.StringIO(source).readline)
        return [token.string for token in found if token.type not in skipped]
    except (tokenize.TokenError, SyntaxError, ValueError):  # half of a letter
        return _TOKEN.findall(source)


def _own_names(source: str) -> set[str]:
    """Names that the answer itself makes: what it assigns, its functions, their arguments."""
    for text in (source, f"def _():\n{source}", f"if 1:\n{source}"):
        try:
            tree = ast.parse(text)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue
        made = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
        made |= {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
        made |= {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef)}
        return {name for name in made if not keyword.iskeyword(name) and not hasattr(builtins, name)}
    return set()


def marked(one: str, other: str) -> tuple[tuple[str, bool], ...]:
    """The first text in pieces, each with whether it differs from the second.

    Args:
        one: an answer.
        other: another.
    """
    ours, theirs = re.findall(r"\w+|\s+|[^\w\s]", one), re.findall(r"\w+|\s+|[^\w\s]", other)
    same = difflib.SequenceMatcher(None, ours, theirs, autojunk=False)
    pieces: list[tuple[str, bool]] = []
    for kind, start, stop, _, _ in same.get_opcodes():
        text = "".join(ours[start:stop])
        core = text.strip()
        before, _, after = text.partition(core) if core else (text, "", "")
        pieces += [(before, False), (core, kind != "equal"), (after, False)]
    return tuple(piece for piece in pieces if piece[0])
