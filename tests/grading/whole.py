"""Whole submissions in which everything is right, each by another way of writing: none may lose a point.

    python -m tests.grading.whole [--count 40] [--folder DIR]

grades them in the sandbox and prints a table; with a folder they are written there as a class hands them in, and not
graded. Each takes other right answers of `tests/course/bank`, and has one of `WAYS` around them. The tests try some.
"""

import argparse
import ast
import base64
import json
import random
import re
import sys
import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

import nbformat

from camwidget.grading.alone import defined_in
from camwidget.grading.course import Task
from camwidget.grading.grade import released as release
from camwidget.grading.records import Graded
from camwidget.grading.sandbox import Sandbox
from tests.course.bank import bank_of
from tests.course.bank.families import families, family_code
from tests.course.source import SOLUTIONS, WRITTEN, questions
from tests.grading.bank import PATIENT
from tests.grading.submissions import SEED, Notebook, answer, cell_of, graded, released, without_play

OTHER_KINDS = ("an array", "nested lists")
"""Liberties after which an answer no longer fits into a later one that calls it."""
_OWN_NAMES = re.compile(r"\b(right|made)\b")
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


# The answers


@cache
def right_answers(item: str) -> Mapping[str, str]:
    """Every right answer that there is to an item, by name, in an order of its own that is always the same."""
    assignment = item.partition(".")[0]
    found = dict(bank_of(assignment)[item].right)
    for name, family in families(item)[0].items():
        # Each family calls what it puts something around by the same name; in one notebook these would be one.
        own = replace(family, code=_OWN_NAMES.sub(rf"\1_{item.replace('.', '_')}", family.code))
        found[name] = family_code(item, questions(assignment)[item].solution, own)
    different = list({code: name for name, code in reversed(found.items())}.items())
    random.Random(item).shuffle(different)
    return {name: code for code, name in different}


def chosen(assignment: str, turn: int) -> dict[str, str]:
    """One right answer to each item: others each turn. No answer changes what a later one gets by calling it."""
    codes: dict[str, str] = {}
    later: set[str] = set()
    for task in reversed(release(assignment).tasks):
        answers = right_answers(task.item)
        called = any(re.search(rf"\b{name}\b", code) for name in task.names for code in codes.values())
        fitting = [code for name, code in answers.items() if not (called and name in OTHER_KINDS)]
        if later.intersection(task.names):  # handed in once more, for a panel, and its text asks for a copy
            fitting = [code for code in fitting if "clone" in code]
        later.update(task.names)
        codes[task.item] = fitting[turn % len(fitting)]
    return dict(reversed(codes.items()))


# The ways of writing


@dataclass
class Draft:
    """A notebook on its way to be handed in, and files beside it."""

    assignment: str
    notebook: Notebook
    files: dict[str, str] = field(default_factory=dict)
    """Name to content."""
    written: Callable[[Notebook], bytes] = lambda notebook: json.dumps(notebook).encode()
    """How it is saved."""

    @property
    def tasks(self) -> Sequence[Task]:
        return release(self.assignment).tasks

    @property
    def cells(self) -> list[dict[str, Any]]:
        return self.notebook["cells"]

    def rewrite(self, change: Callable[[str], str], part: str = "answer") -> None:
        """Change every answer's code."""
        for task in self.tasks:
            cell = cell_of(self.notebook, task.item, part)
            cell["source"] = change("".join(cell["source"]))

    def around(self, make: Callable[[Task, str], Sequence[str]], *, after: bool, kind: str = "code") -> None:
        """Put cells before or after each answer's."""
        for task in self.tasks:
            cell = cell_of(self.notebook, task.item)
            place = self.cells.index(cell) + after
            self.cells[place:place] = [self.cell(source, kind) for source in make(task, cell["source"])]

    def first(self, *sources: str) -> None:
        """Put cells behind the setup."""
        place = next(place for place, cell in enumerate(self.cells) if cell["id"] == "setup-1") + 1
        self.cells[place:place] = map(self.cell, sources)

    def cell(self, source: str, kind: str = "code") -> dict[str, Any]:
        """A cell of the learner's own."""
        own = {"outputs": [], "execution_count": None} if kind == "code" else {}
        self.count = getattr(self, "count", 0) + 1
        return {"cell_type": kind, "id": f"mine-{self.count}", "metadata": {}, "source": source, **own}


Way = Callable[[Draft], None]
WAYS: dict[str, Way] = {}


def way(name: str) -> Callable[[Way], Way]:
    def named(function: Way) -> Way:
        WAYS[name] = function
        return function

    return named


@way("nothing around the answers")
def _plain(draft: Draft) -> None:
    del draft


@way("every cell to play with is run")
def _played(draft: Draft) -> None:
    answers = {task.item: cell_of(draft.notebook, task.item)["source"] for task in draft.tasks}
    draft.notebook = released(draft.assignment)
    for item, code in answers.items():
        answer(draft.notebook, item, code)


@way("answers printed")
def _printed(draft: Draft) -> None:
    draft.around(lambda task, _: [f"print({', '.join(task.names)})", ", ".join(task.names)], after=True)


@way("plots between")
def _plots(draft: Draft) -> None:
    plot = "import matplotlib.pyplot as plt\nplt.figure(figsize=(2, 1))\nplt.plot([1, 3, 2])\nplt.show()"
    draft.around(lambda *_: [plot, "plt.imshow(torch.rand(4, 5))"], after=False)


@way("cells timed")
def _timed(draft: Draft) -> None:
    draft.rewrite(lambda code: f"%%time\n{code}")


@way("magics")
def _magics(draft: Draft) -> None:
    lines = '%matplotlib inline\n%config InlineBackend.figure_format = "retina"\n%load_ext autoreload\n%autoreload 2'
    more = "%xmode Minimal\n%precision 3\n%pdb on\n%env COLOUR=1\n%timeit -n1 -r1 1 + 1\n%whos\n%history -n"
    cells = ["%%html\n<b>text</b>", "%%javascript\nalert(1)", "%%capture kept\nprint(1)", "torch.einsum?", "!pip list"]
    draft.first(
        lines, more, *cells, "%pip --version", "%run nothing.py", "%no_such_magic", "%reset_selective -f nothing"
    )


@way("comments in other scripts")
def _comments(draft: Draft) -> None:
    draft.rewrite(lambda code: f"\n\n# Lösung 解 ☺ \t \n{code}\n\n# that was it 🎉\n\n")


@way("star imports")
def _stars(draft: Draft) -> None:
    modules = ("torch.nn", "torch.nn.functional", "math", "itertools", "functools", "typing", "camwidget")
    draft.first("\n".join(f"from {module} import *" for module in modules))


@way("a cell split in two, as JupyterLab does it")
def _split(draft: Draft) -> None:
    for task in draft.tasks:
        cell = cell_of(draft.notebook, task.item)
        first, last = halves(cell["source"])
        cell["source"] = first
        draft.cells.insert(draft.cells.index(cell) + 1, {**draft.cell(last), "metadata": cell["metadata"]})


@way("helpers in cells of their own")
def _helpers(draft: Draft) -> None:
    for task in draft.tasks:
        cell = cell_of(draft.notebook, task.item)
        first, cell["source"] = halves(cell["source"])
        draft.cells.insert(draft.cells.index(cell), draft.cell(first))


@way("text between")
def _text(draft: Draft) -> None:
    thoughts = ["# What I think\n$x^2$ <b>bold</b>", f"![a picture](data:image/png;base64,{PIXEL})", ""]
    draft.around(lambda *_: thoughts, after=False, kind="markdown")
    draft.around(lambda *_: ["raw *text*"], after=True, kind="raw")


@way("warnings and logs")
def _warnings(draft: Draft) -> None:
    draft.first("import warnings, logging, sys\nwarnings.simplefilter('always')\nlogging.basicConfig(level=10)")
    noise = "warnings.warn('not sure', UserWarning)\nlogging.debug('here')\nprint('careful', file=sys.stderr)"
    draft.rewrite(lambda code: f"{code}\n{noise}")


class _Annotated(ast.NodeTransformer):
    """Gives every parameter and every function a type."""

    def __init__(self, kind: str) -> None:
        self.kind = kind

    def visit_arg(self, node: ast.arg) -> ast.arg:
        node.annotation = node.annotation or ast.Name(self.kind)
        return node

    def visit_Lambda(self, node: ast.Lambda) -> ast.Lambda:  # its parameters cannot have one
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.returns = node.returns or ast.Name(self.kind)
        return self.generic_visit(node)


def annotated(code: str, kind: str) -> str:
    return ast.unparse(ast.fix_missing_locations(_Annotated(kind).visit(ast.parse(code))))


@way("type hints")
def _types(draft: Draft) -> None:
    draft.first("from typing import Any\nfrom dataclasses import dataclass")
    draft.rewrite(lambda code: annotated(code, "Any"))


@way("annotations that are never evaluated")
def _future(draft: Draft) -> None:
    draft.first("from __future__ import annotations")
    draft.rewrite(lambda code: annotated(code, "Float_Tensor"))


@way("outputs kept")
def _outputs(draft: Draft) -> None:
    error = {"output_type": "error", "ename": "ValueError", "evalue": "x", "traceback": ["\x1b[31mx\x1b[0m"] * 50}
    stream = {"output_type": "stream", "name": "stderr", "text": ["a line\n"] * 2000}
    shown = {"image/png": PIXEL, "text/html": "<script>alert(1)</script>", "application/json": {"a": [1]}}
    result = {"output_type": "execute_result", "execution_count": 7, "metadata": {}, "data": shown}
    for cell in draft.cells:
        if cell["cell_type"] == "code":
            cell.update(outputs=[stream, error, result], execution_count=7)


def _without_ids(minor: int) -> Way:
    def change(draft: Draft) -> None:
        draft.notebook["nbformat_minor"] = minor
        for cell in draft.cells:
            del cell["id"]

    return change


way("format 4.0, without ids")(_without_ids(0))
way("format 4.4, without ids")(_without_ids(4))


@way("format 3")
def _format_3(draft: Draft) -> None:
    _without_ids(4)(draft)
    old = nbformat.writes(
        nbformat.convert(nbformat.reads(json.dumps(draft.notebook), as_version=4), 3), version=3
    ).encode()
    draft.written = lambda _: old


@way("lines as lists, sorted, with a byte order mark")
def _lists(draft: Draft) -> None:
    for cell in draft.cells:
        cell["source"] = "".join(cell["source"]).splitlines(keepends=True)
    draft.written = lambda notebook: json.dumps(notebook, indent=4, sort_keys=True, ensure_ascii=False).encode(
        "utf-8-sig"
    )


@way("a module beside the notebook")
def _module(draft: Draft) -> None:
    imports = "import torch\nfrom torch import nn\nimport camwidget as cw\n"
    for number, task in enumerate(draft.tasks):
        cell = cell_of(draft.notebook, task.item)
        draft.files[f"part_{number}.py"] = f"{imports}{_everything_so_far(number)}\n{cell['source']}\n"
        cell["source"] = f"from part_{number} import *"


@way("%%writefile")
def _written(draft: Draft) -> None:
    imports = "import torch\nfrom torch import nn\nimport camwidget as cw\n"
    for number, task in enumerate(draft.tasks):
        cell = cell_of(draft.notebook, task.item)
        code = f"%%writefile part_{number}.py\n{imports}{_everything_so_far(number)}\n{cell['source']}\n"
        draft.cells.insert(draft.cells.index(cell), draft.cell(code))
        cell["source"] = f"from part_{number} import *"


def _everything_so_far(number: int) -> str:
    return "\n".join(f"from part_{earlier} import *" for earlier in range(number))


@way("checks of one's own")
def _checked(draft: Draft) -> None:
    for task in draft.tasks:
        cell = cell_of(draft.notebook, task.item)
        cell["source"] += (
            f"\nassert {task.names[0]} is not None\ncw.check('{task.item}', {', '.join(task.names)}).score()"
        )
    draft.around(lambda task, _: [f"assert cw.check('{task.item}', {', '.join(task.names)}).right"], after=True)


@way("every answer run twice")
def _twice(draft: Draft) -> None:
    draft.around(lambda _, code: [code], after=True)


@way("failed attempts before")
def _attempts(draft: Draft) -> None:
    bank = bank_of(draft.assignment)
    failing = ["1 / 0", "no_such_name", "def f(:", "raise KeyError('x')"]
    done: set[str] = set()  # what an attempt at a later item must leave as it is

    def attempts(task: Task, code: str) -> list[str]:
        wrong = [each.code for each in bank[task.item].wrong.values() if not done & defined_in(each.code)]
        done.update(defined_in(code))
        return [*wrong, *failing]

    draft.around(attempts, after=False)


@way("await at the top")
def _awaited(draft: Draft) -> None:
    draft.first(
        "import asyncio\nasync def a_moment():\n    await asyncio.sleep(0.01)\n    return 1", "await a_moment()"
    )
    draft.rewrite(lambda code: f"await a_moment()\n{code}\nasyncio.get_running_loop()")


@way("threads")
def _threads(draft: Draft) -> None:
    draft.first(
        "import threading, time\nfrom concurrent.futures import ThreadPoolExecutor\npool = ThreadPoolExecutor(4)",
        "def wait():\n    while True: time.sleep(0.05)\nthreading.Thread(target=wait, daemon=True).start()",
        "list(pool.map(torch.zeros, range(50)))",
    )


@way("PyTorch's settings")
def _settings(draft: Draft) -> None:
    draft.first(
        "torch.manual_seed(42)\ntorch.set_printoptions(precision=2, sci_mode=False)\ntorch.set_num_threads(4)",
        "torch.use_deterministic_algorithms(True)\ntorch.autograd.set_detect_anomaly(True)",
        "device = torch.device('cuda' if torch.cuda.is_available() else 'cpu')\ntorch.set_grad_enabled(True)",
    )


@way("Windows' line ends")
def _line_ends(draft: Draft) -> None:
    for cell in draft.cells:
        cell["source"] = "".join(cell["source"]).replace("\n", "\r\n")


@way("tabs")
def _tabs(draft: Draft) -> None:
    def tabbed(code: str) -> str:
        code = ast.unparse(ast.parse(code))  # four spaces, and no line that is continued
        return re.sub(r"^(?: {4})+", lambda match: "\t" * (len(match[0]) // 4), code, flags=re.MULTILINE)

    draft.rewrite(tabbed)


@way("all checks at the end")
def _checks_last(draft: Draft) -> None:
    checks = [cell_of(draft.notebook, task.item, "check") for task in draft.tasks]
    draft.notebook["cells"] = [cell for cell in draft.cells if cell not in checks] + checks


@way("all checks deleted")
def _no_checks(draft: Draft) -> None:
    checks = [cell_of(draft.notebook, task.item, "check") for task in draft.tasks]
    draft.notebook["cells"] = [cell for cell in draft.cells if cell not in checks]


@way("only if it is the main program")
def _main_only(draft: Draft) -> None:
    draft.rewrite(lambda code: f"if __name__ == '__main__':\n{textwrap.indent(code, '    ')}\n    pass")


@way("in a try")
def _tried(draft: Draft) -> None:
    draft.rewrite(
        lambda code: f"try:\n{textwrap.indent(code, '    ')}\n    pass\nexcept Exception as error:\n    print(error)"
    )


@way("code in a text")
def _exec(draft: Draft) -> None:
    draft.rewrite(lambda code: f"exec({code!r}, globals())")


@way("as Colab saves it")
def _colab(draft: Draft) -> None:
    draft.first("!pip install -q camwidget", "from google.colab import drive\ndrive.mount('/content/drive')")
    draft.notebook["metadata"] = {
        "colab": {"provenance": []},
        "accelerator": "GPU",
        "language_info": {"name": "python"},
    }
    for place, cell in enumerate(draft.cells):
        cell["metadata"] = {**cell["metadata"], "id": f"x{place}", "colab": {"base_uri": "https://localhost:8080/"}}


@way("tags, and cells folded away")
def _tags(draft: Draft) -> None:
    for cell in draft.cells:
        folded = {"source_hidden": True, "outputs_hidden": True}
        cell["metadata"] |= {"tags": ["hide-input"], "collapsed": True, "scrolled": True, "jupyter": folded}


@way("another kernel's name")
def _kernel(draft: Draft) -> None:
    draft.notebook["metadata"] = {"kernelspec": {"name": "conda-env-x", "display_name": "x", "language": "python"}}


@way("every call is noted")
def _noted(draft: Draft) -> None:
    draft.first(
        "import functools, inspect\ncalls = []\ndef noted(function):\n    @functools.wraps(function)\n"
        "    def inner(*given, **named):\n        calls.append((function.__name__, given))\n"
        "        print('called', function.__name__)\n        return function(*given, **named)\n"
        "    return inner if inspect.isfunction(function) else function"
    )
    for task in draft.tasks:
        cell = cell_of(draft.notebook, task.item)
        cell["source"] += "".join(f"\n{name} = noted({name})" for name in task.names)


@way("files and folders")
def _files(draft: Draft) -> None:
    draft.files["notes.txt"] = "what I noted"
    draft.first(
        "import os, pathlib\nassert open('notes.txt').read() == 'what I noted'\nos.makedirs('out/deep', exist_ok=True)",
        "pathlib.Path('out/x.txt').write_text('x')\ntorch.save(torch.ones(3), 'out/x.pt')\ntorch.load('out/x.pt')",
        "os.chdir('out')\nos.environ['X'] = '1'\nos.listdir('..')",
    )


@way("widgets")
def _widgets(draft: Draft) -> None:
    draft.first(
        "import ipywidgets as widgets\nwidgets.interact(lambda x: x, x=(0, 3))",
        "out = widgets.Output()\nwith out: print(1)\ndisplay(out, widgets.IntSlider())",
        "cw.CamPanel(cw.demo_learner(), cw.demo_image('cat'))",
    )


@way("progress, and output cleared")
def _progress(draft: Draft) -> None:
    draft.first(
        "from tqdm.auto import tqdm\nfrom IPython.display import clear_output, HTML, Markdown, display\nimport time",
        "for _ in tqdm(range(5)): time.sleep(0.01)\nclear_output(wait=True)\nprint('\\r50 %', end='')",
        "display(HTML('<b>x</b>'), Markdown('*x*'))",
    )


@way("a loop without end after the last check")
def _endless(draft: Draft) -> None:
    draft.cells += [draft.cell("while True: pass"), draft.cell("import os; os._exit(1)")]


@way("memory and recursion looked after")
def _looked_after(draft: Draft) -> None:
    draft.first("import gc, sys\ngc.disable()\nsys.setrecursionlimit(10_000)\nsys.setswitchinterval(0.001)")
    draft.around(lambda *_: ["gc.collect(); gc.freeze()", "_, __, ___, In[-1], Out"], after=True)


@way("everything twice, under other names first")
def _renamed(draft: Draft) -> None:
    def renamed(task: Task, code: str) -> list[str]:
        for name in task.names:
            code = re.sub(rf"\b{name}\b", f"{name}_first_try", code)
        return [code]

    draft.around(renamed, after=False)


def halves(code: str) -> tuple[str, str]:
    """Code up to its last statement, and that; with one statement only, a comment and that."""
    statements = ast.parse(code).body
    lines = code.splitlines(keepends=True)
    last = statements[-1]
    start = min([last.lineno, *(each.lineno for each in getattr(last, "decorator_list", []))]) - 1
    return "".join(lines[:start]) or "# my answer", "".join(lines[start:])


# Whole submissions


@dataclass(frozen=True)
class Whole:
    """A submission in which everything is right."""

    number: int
    assignment: str
    way: str
    notebook: bytes
    files: Mapping[str, str]

    def graded(self, sandbox: Sandbox) -> Graded:
        files = {name: base64.b64encode(text.encode()).decode() for name, text in self.files.items()}
        return graded(
            self.notebook, sandbox, assignment=self.assignment, files=files, seed=SEED + self.number, limits=PATIENT
        )

    def write(self, folder: Path) -> None:
        """Write it as a class hands it in: a folder for the learner, and one for the assignment in it."""
        place = folder / f"learner-{self.number:03}" / self.assignment
        place.mkdir(parents=True)
        (place / f"{self.assignment}.ipynb").write_bytes(self.notebook)
        for name, text in self.files.items():
            (place / name).write_text(text)


def whole(number: int) -> Whole:
    """The submission of this number; the first 40 are of as many ways of writing."""
    assignment = WRITTEN[number % len(WRITTEN)]
    name = list(WAYS)[number % len(WAYS)]
    draft = Draft(assignment, without_play(released(assignment)))
    for item, code in chosen(assignment, number // len(WRITTEN)).items():
        answer(draft.notebook, item, code)
    WAYS[name](draft)
    return Whole(number, assignment, name, draft.written(draft.notebook), draft.files)


def lost(result: Graded) -> str:
    """What a submission lost, and why; nothing if it has all its points."""
    return "; ".join(f"{row.item}: {row.reason or row.status}" for row in result.rows if row.points != row.max_points)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--count", type=int, default=40, help="how many; 40 by default")
    parser.add_argument("--only", type=int, nargs="*", help="these numbers instead")
    parser.add_argument("--folder", type=Path, help="write them there instead of grading them")
    asked = parser.parse_args()
    numbers = asked.only or range(asked.count)
    if asked.folder:
        for number in numbers:
            whole(number).write(asked.folder)
        return 0
    print(f"{'':3} | {'assignment':10} | {'way of writing':45} | points   | s    | lost, and events")
    failed = 0
    with Sandbox(hidden_from_view=(SOLUTIONS,)) as sandbox:
        for each in map(whole, numbers):
            result = each.graded(sandbox)
            failed += bool(lost(result))
            why = "; ".join([*filter(None, [lost(result)]), *result.events])
            earned = f"{result.points:g} of {result.max_points:g}"
            print(
                f"{each.number:3} | {each.assignment:10} | {each.way:45} | {earned:8} | {result.seconds:4.1f} | {why}",
                flush=True,
            )
    print(f"{len(numbers) - failed} of {len(numbers)} whole submissions lost nothing")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
