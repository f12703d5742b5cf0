"""Which answers are nearly the same, and which only look like it."""

from camwidget.grading.records import Graded
from camwidget.grading.reports.alike import alike, canonical, marked, without
from tests.grading.reports.small_class import graded

STUB = 'class Hook:\n    """Takes itself off."""\n    raise NotImplementedError()\n'
OWN = """\
class Hook:
    def __init__(self, layer):
        self.stored = None
        self.handle = layer.register_forward_hook(self.keep)

    def keep(self, module, given, output):
        self.stored = output.detach().clone()

    def __exit__(self, *args):
        self.handle.remove()  # whatever happens
"""
RENAMED = (
    OWN.replace("layer", "module_to_watch").replace("output", "o").replace("  # whatever happens", "")
    + "\n# my own work\n"
)


def other(place: int) -> str:
    """Answers as different from one another as those of different people."""
    lines = ["print(a)", "b = sorted(a)", "yield a", "del a[0]", "return {1: a}", "assert a > 3", "a = [a, a]", "pass"]
    chosen = [lines[(place * step + step * step + place // 3) % len(lines)] for step in range(1, 13)]
    return f"def f{place}(a):\n" + "".join(f"    {line}\n" for line in chosen)


def handed_in(**answers: str) -> list[Graded]:
    return [graded(learner, answers={"hooks.q10": answer}) for learner, answer in answers.items()]


def others(count: int) -> dict[str, str]:
    return {f"l{place:02d}": other(place) for place in range(count)}


def test_a_copy_with_other_names_and_comments_is_found() -> None:
    (pair,) = alike(handed_in(ada=OWN, zoe=RENAMED, **others(10)), {"hooks.q10": STUB})

    assert (pair.item, pair.learners, pair.likeness) == ("hooks.q10", ("ada", "zoe"), 1.0)
    assert pair.usual < 0.7
    assert pair.elsewhere < 1.0
    assert '"""Takes itself off."""' not in "".join(pair.sources)


def test_where_the_whole_class_writes_the_same_nobody_is_named() -> None:
    assert alike(handed_in(**{f"l{place}": OWN for place in range(8)}), {}) == ()


def test_short_answers_are_alike_by_themselves() -> None:
    assert alike(handed_in(ada="x = 320", zoe="x = 320", **others(6)), {}) == ()


def test_what_was_given_does_not_count() -> None:
    given = "".join(f"value_{place} = compute({place}, first={place})\n" for place in range(20))

    assert alike(handed_in(ada=f"{given}a = 1", zoe=f"{given}b = 2"), {"hooks.q10": given}) == ()


def test_names_of_its_own_are_numbered_and_others_stay() -> None:
    assert canonical("def f(x):  # a comment\n    y = torch.relu(x)\n    return y") == canonical(
        "def g(a):\n    b = torch.relu(a)\n    return b"
    )
    assert canonical("y = torch.relu(x)") != canonical("y = torch.tanh(x)")


def test_what_is_no_python_is_compared_by_its_words() -> None:
    for text in ("def f(:", "'''", "\ud800", "  x\n y", "", "0" * 5000, "(" * 3000):
        assert isinstance(canonical(text), tuple)
    assert canonical("this is not Python") == ("this", "is", "not", "Python")


def test_lines_of_the_stub_are_taken_out_wherever_they_are() -> None:
    assert without("def f():\n    # YOUR CODE\n    return 1\n", "def f():\n    # YOUR CODE\n") == "    return 1"


def test_what_differs_is_marked_without_the_space_around_it() -> None:
    pieces = marked("a = first(b)", "a = second(b)")

    assert "".join(text for text, _ in pieces) == "a = first(b)"
    assert [text for text, differs in pieces if differs] == ["first"]
