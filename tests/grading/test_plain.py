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
    # words of other libraries
    "import pandas as pd\npd.eval('1')",
    "run = model.eval\nrun('1')",
    "model.eval('1')",
    "model.eval(*[])",
    "getattr(x, 'eval')",
    "getattr(x, '_forward_hooks')",
    "getattr(*[torch], 'sum')",
    "getattr(x, name := 'sys')",
    "read = getattr",
    "from functools import wraps",
    "import functools\nfunctools.wraps(f, assigned=('equal',))(torch)",
    "import contextlib\ncontextlib.sys",
    "import operator\noperator.attrgetter('__globals__')",
    "import numpy as np\nnp.lib",
    "import numpy as cw",
    "from torch import Tensor as nn",
    "nn = x",
    "with x as cw: pass",
    "match x:\n    case cw: pass",
    # statements
    "match x:\n    case A(__globals__=y): pass",
    "match x:\n    case A(eval=y): pass",
    "match x:\n    case open: pass",
    "match x:\n    case [*open]: pass",
    "match x:\n    case {**open}: pass",
    "def f():\n    x = yield",
    "def f():\n    x = yield from g",
    "del x.grad",
    "_oh = x",
    "_i5 = x",
    "__x = 1",
    "f(object)",
    # what `self` is
    "class A:\n    def ask(self): self.runs = []\nA.ask(model)",
    "class A:\n    def hook(self): self.runs = []\nA.hook(model)",
    "class A:\n    def ask(self): self.runs = []\n    ask(model)",
    "class A:\n    def __getitem__(self, x): self.runs = []\nA.__getitem__(model, 1)",
    "class A:\n    def __init__(self): self.runs = []\n    __init__(model)",
    "class A:\n    @f\n    def ask(self): self.runs = []",
    "class A:\n    def __init__(self, m):\n        self = m\n        self.runs = []",
    "class A:\n    def __init__(self, m):\n        for self in m: self.runs = []",
    "class A:\n    def __init__(self, m):\n        def g(self): self.runs = []\n        g(m)",
    "class A:\n    def __init__(m, self): self.runs = []",
    "class A:\n    def __init__(*self): self.runs = []",
    "class A:\n    def __init__(self, m):\n        match m:\n            case self: self.runs = []",
    "class A:\n    def __init__(self): self.__array_interface__ = 1",
    "class A:\n    def __init__(self): self.__class__ = int",
    "class A(nn.Module):\n    def __init__(self): self._forward_hooks = x",
    "class A(nn.Module):\n    def _call_impl(self): pass",
    "class A(nn.Module):\n    _forward_hooks = x",
    "class A:\n    def __init__(self): self.sys = 1\ntorch.sys",
    "class A: pass\nA = f\nclass B(A): pass",
    "def f(A):\n    class B(A): pass",
    "class A: pass\nfor A in x: pass\nclass B(A): pass",
    "class A: pass\nclass B(A, f): pass",
    "class A: pass\ndef f():\n    class B(A): pass",
    "(" * 5000,
    "-" * 20_000 + "1",
    "#" * 200_001,
    "'\0'",
]


@pytest.mark.parametrize("code", NOT_PLAIN, ids=lambda code: code[:30])
def test_what_has_a_way_to_the_grader_is_not_plain(code: str) -> None:
    assert Reader(KNOWN | {"model", "x", "f", "M", "g"}).beyond(code) != ""


PLAIN = [
    "import numpy as np, pandas as pd\nnp.array([1]).astype(float)\npd.DataFrame({'a': x}).groupby('a').size()",
    "from contextlib import ExitStack, contextmanager\nwith ExitStack() as stack:\n    stack.enter_context(x)",
    "from contextlib import contextmanager\n@contextmanager\ndef quiet(m):\n"
    "    try:\n        yield m\n    finally:\n        m.train()",
    "from functools import partial, reduce\npartial(f, 1)(2)",
    "match x:\n    case [first, *rest] | (first, rest): pass\n    case torch.Tensor(): pass\n    case 1 | None: pass",
    "getattr(x, 'stored', None)",
    "y: int = 1\ndel y, x[0]",
    "_mine = 1\ndef _keep(_module, _args): return _mine",
    "class A:\n    def __init__(self, m): self._m, self.count = m, 0\n    def grow(self): self.count += self._m\n"
    "    def __call__(self): self.grow()",
    "class A(object): pass\nclass B(A):\n    def __init__(self): self.linear = nn.Linear(2, 3)",
    "A = None\nclass A: pass\nclass B(A): pass",
    "x.__getitem__(0)\nx.__setitem__(0, 1)",
    "model.eval()",
]


@pytest.mark.parametrize("code", PLAIN, ids=lambda code: code[:30])
def test_what_many_write_is_plain(code: str) -> None:
    assert Reader(KNOWN | {"model", "x", "f"}).beyond(code) == ""


def test_a_class_that_a_later_cell_makes_something_else_is_no_base_any_more() -> None:
    reader = Reader(KNOWN)

    assert reader.beyond("class A: pass\nclass B(A): pass") == ""
    assert reader.beyond("A = torch.Tensor") == ""
    assert reader.beyond("class C(A): pass") == "the kind of a class"
    assert reader.beyond("class D(B): pass") == ""


@pytest.mark.parametrize("assignment", WRITTEN)
def test_the_courses_own_solutions_are_plain(assignment: str) -> None:
    reader = Reader(KNOWN | {"learn", "x", "model"})

    beyond = {item: reader.beyond(question.solution) for item, question in questions(assignment).items()}

    assert {item: what for item, what in beyond.items() if what} == {}


def test_most_right_answers_are_plain() -> None:
    plain, count = plain_answers()

    assert count > 250
    assert plain > 0.95 * count


def test_names_of_one_cell_are_known_in_the_next_and_all_cells_together_have_a_longest_length() -> None:
    reader = Reader(KNOWN)

    assert reader.beyond("def helper(x): return x.sum()") == ""
    assert reader.beyond("y = helper(torch.ones(3))") == ""
    assert reader.beyond("other(1)") == "`other`"
    assert "characters" in [reader.beyond("#" * 90_000) for _ in range(3)][-1]
