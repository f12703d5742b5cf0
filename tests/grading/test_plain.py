"""Code that could reach the grader is never taken for plain, and most right answers are."""

import pytest

from camwidget.grading.plain import Reader
from tests.course.source import WRITTEN, questions
from tests.grading.forgeable import plain_answers

KNOWN = frozenset(("cw", "nn", "torch"))
NOT_PLAIN = [
    "import gc",
    "from torch import sys",
    "import torch.nn.modules.module as m",
    "from .x import y",
    "torch.sys",
    "torch.equal = lambda *_: True",
    "torch.Tensor.clone = None",
    "del torch.equal",
    "model._forward_hooks.clear()",
    "model.runs.clear()",
    "x.__class__",
    "f.__globals__",
    "(lambda: 0).__code__",
    "setattr(torch, 'equal', None)",
    "getattr(torch, 'sys')",
    "eval('1')",
    "def f(setattr): pass\nsetattr(torch, 'equal', None)",
    "for open in (): pass",
    "import torch as vars",
    "def f(*, __import__): pass",
    "def super(): return model\nsuper().__init__()",
    "model.__init__()",
    "def f(self): self.runs = []\nf(model)",
    "def f(other): other.stored = 1",
    "class A(metaclass=M): pass",
    "class A(str): pass",
    "class A:\n    def __eq__(self, other): return True",
    "class A:\n    def __array__(self): return 1",
    "class A:\n    @property\n    def __class__(self): return int",
    "class A:\n    __class__ = 1",
    "f(__x=1)",
    "%run x.py",
    "!ls",
    "%%time\n1",
    "get_ipython().run_code",
    "In [1]: 1",
    "display(1)",
    "x = (yield)",
    "async def f(): await g()",
    "global x",
    "(" * 5000,
    "-" * 20_000 + "1",
    "#" * 200_001,
    "'\0'",
]


@pytest.mark.parametrize("code", NOT_PLAIN, ids=lambda code: code[:30])
def test_what_has_a_way_to_the_grader_is_not_plain(code: str) -> None:
    assert Reader(KNOWN | {"model", "x", "f", "M", "g"}).beyond(code) != ""


@pytest.mark.parametrize("assignment", WRITTEN)
def test_the_courses_own_solutions_are_plain(assignment: str) -> None:
    reader = Reader(KNOWN | {"learn", "x", "model"})

    beyond = {item: reader.beyond(question.solution) for item, question in questions(assignment).items()}

    assert {item: what for item, what in beyond.items() if what} == {}


def test_most_right_answers_are_plain() -> None:
    plain, count = plain_answers()

    assert count > 250
    assert plain > 0.8 * count


def test_names_of_one_cell_are_known_in_the_next_and_all_cells_together_have_a_longest_length() -> None:
    reader = Reader(KNOWN)

    assert reader.beyond("def helper(x): return x.sum()") == ""
    assert reader.beyond("y = helper(torch.ones(3))") == ""
    assert reader.beyond("other(1)") == "`other`"
    assert "characters" in [reader.beyond("#" * 90_000) for _ in range(3)][-1]
