"""What an answer needs of a notebook, as its statements."""

import pytest

from camwidget.grading.alone import defined_in, definitions

CELLS = (
    "import torch\nimport sys, os",
    "def helper(x):\n    return scale * x\nscale = 2\nos.listdir()",
    "%matplotlib inline\nscale = 3",
    "print('here')\ndef answer(x):\n    y = helper(x)\n    return y\nother = answer(1)",
    "scale = 4",
)


def test_an_answer_takes_what_it_uses_and_what_that_uses_and_nothing_else() -> None:
    assert definitions(["answer"], CELLS).splitlines() == [
        "def helper(x):",
        "    return scale * x",
        "scale = 2",
        "def answer(x):",
        "    y = helper(x)",
        "    return y",
        "scale = 4",
    ]


@pytest.mark.parametrize("names", [[], ["nobody"], ["y"]])
def test_what_is_defined_nowhere_needs_nothing(names: list[str]) -> None:
    assert definitions(names, CELLS) == ""


@pytest.mark.parametrize(
    "cell",
    [
        "answer = " + "1 + " * 5000 + "1",
        "answer = " + "(" * 5000,
        "answer = '" + "x" * 60_000 + "'",
        "\n".join(f"x{n} = x{n + 1}" for n in range(200)) + "\nanswer = x0",
    ],
)
def test_what_is_too_long_or_too_deep_is_passed_over(cell: str) -> None:
    assert definitions(["answer"], [cell]) == ""


@pytest.mark.parametrize(
    ("cell", "names"),
    [
        ("a, (b, *c) = x\nfor d in e: f = 1", {"a", "b", "c", "d", "f"}),
        ("if x:\n    def g(y): z = 1\nclass K: k = 1", {"g", "y", "z", "K"}),
        ("import torch.nn as n, os.path\nwith o as p: pass\nwhile (q := 1): pass", {"n", "os", "p", "q"}),
        ("async def f(): h = 1", {"f"}),
        ("%%time\na = 1", set()),
        ("a =", set()),
    ],
)
def test_what_a_cell_defines_is_read_and_not_run(cell: str, names: set[str]) -> None:
    assert defined_in(cell) == names
