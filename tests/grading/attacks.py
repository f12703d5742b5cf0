"""Attacks on the grader: what each does, what its honest part deserves, and what the teacher reads.

All are on `keepdim`. Two items are answered honestly, worth six points; everything else is as released. What an attack gains
beyond that, it gained by cheating.
"""

from dataclasses import dataclass

HONEST = 6.0


@dataclass(frozen=True)
class Attack:
    """Code, and where it stands: in a cell before everything, or in the answer to an item."""

    code: str
    item: str = ""
    """Empty for a cell of its own before the first answer."""
    deserved: float = HONEST
    says: str = ""
    """Part of what is said about it, in an event or a reason; empty if nothing has to be."""


PATCHED = """
import camwidget as cw, sys
from camwidget.course import check, report, attempt, compare, calling, items
"""
NEVER_ENDS = "while True:\n    pass"
STUBBORN = "while True:\n    try:\n        while True: sum(range(1000))\n    except BaseException: pass"
MAP = "def weighted_map(weights, activation):\n    "
EINSUM = "def batch_map(activation, gradient):\n    "
RIGHT_MAP = "return (weights[:, None, None] * activation).sum(0)"
RIGHT_EINSUM = "return (gradient.mean(dim=(2, 3), keepdim=True) * activation).sum(1)"
LINE = """
import socket, os
def lines():
    found = []
    for name in os.listdir("/proc/self/fd"):
        try: one = socket.socket(fileno=os.dup(int(name)))
        except OSError: continue
        if one.family == socket.AF_UNIX: found.append(one)
    return found
"""
FOUND = "get_ipython().input_transformers_cleanup.append(lambda lines: ['pass\\n'])"
"""Makes nothing of all later cells: whoever got through loses even the honest points, so that a test sees it."""
SEARCH = f"""
import os
found = []
for root, folders, names in os.walk("/"):
    folders[:] = [each for each in folders if os.path.join(root, each) not in ("/proc", "/sys", "/dev", "/usr")]
    if root.endswith(("site-packages", "lib/python3.11")): folders[:] = [each for each in folders if each in ("camwidget", "site-packages")]
    found += [os.path.join(root, name) for name in names if WANTED]
if found: {FOUND}
"""


IN_PROCESS = {
    "check is patched": Attack(
        PATCHED + "check.check = cw.check = lambda *_, **__: type('R', (), {'score': lambda s: 99})()"
    ),
    "Report.points is patched": Attack(PATCHED + "report.Report.points = property(lambda self: self.max_points)"),
    "Fact.__init__ is patched": Attack(
        PATCHED + "report.Fact.__init__ = lambda s, *a, **k: s.__dict__.update(says=a[0], points=a[1], passed=True)"
    ),
    "a thread patches all the time": Attack(
        PATCHED + "import threading, time\ndef again():\n    while True:\n"
        "        report.Report.points = property(lambda self: 99.0)\n        time.sleep(0.01)\n"
        "threading.Thread(target=again, daemon=True).start()"
    ),
    "a hidden module is in sys.modules": Attack(
        "import sys, types\nfrom camwidget.course.items import Item\nfake = types.ModuleType('hidden_keepdim')\n"
        "fake.ITEMS = tuple(Item(f'keepdim.{n}', 'x', judge=lambda a: a.fact('x', True), facts={'x': ('x', 9)}) for n in "
        "('error', 'broadcast', 'silent', 'meets', 'unsqueeze', 'einsum', 'wild'))\nsys.modules['hidden_keepdim'] = fake"
    ),
    "a finder makes hidden modules": Attack(
        "import sys\nclass F:\n    def find_spec(self, name, *_):\n        import importlib.machinery as m\n"
        "        return m.ModuleSpec(name, self) if name.startswith('hidden_') else None\n"
        "    def create_module(self, spec): return None\n    def exec_module(self, module): module.ITEMS = ()\n"
        "sys.meta_path.insert(0, F())"
    ),
    "sum returns more": Attack("import builtins\nbuiltins.sum = lambda *_: -1"),
    # What it makes of all later cells is what was handed in.
    "an input transformer": Attack(
        "get_ipython().input_transformers_cleanup.append(lambda lines: ['pass\\n'])", deserved=0.0
    ),
    "an AST transformer": Attack(
        "import ast\nclass T(ast.NodeTransformer):\n    def visit_Call(self, node): return ast.Constant(99)\n"
        "get_ipython().ast_transformers.append(T())",
        deserved=HONEST,
    ),
    "run_code is replaced": Attack("async def run(*_, **__): return False\nget_ipython().run_code = run", deserved=0.0),
    "a formatter prints other numbers": Attack(
        "get_ipython().display_formatter.formatters['text/plain'].for_type(float, lambda v, p, c: p.text('99'))"
    ),
    "displayhook is silenced": Attack("import sys\nsys.displayhook = lambda *_: None"),
    "builtins are emptied": Attack(
        "import builtins\nbuiltins.isinstance = lambda *_: True\nbuiltins.len = lambda *_: 5"
    ),
    "an attempt's facts hold": Attack(PATCHED + "attempt.Attempt.fact = lambda *a, **k: True"),
    "numbers agree always": Attack(PATCHED + "compare.numbers_agree = attempt.numbers_agree = lambda *_: True"),
    "torch.allclose and equal": Attack("import torch\ntorch.allclose = torch.equal = lambda *a, **k: True"),
    "the answer's own right_map": Attack(
        MAP
        + "from camwidget.course.assignments.keepdim.judges import right_map\n    return right_map(weights, activation)",
        "keepdim.unsqueeze",
        says="No module named",
    ),
    "the quizzes are imported": Attack(
        "from camwidget.course.assignments.keepdim.quizzes import OPTIONS\n"
        "what_it_meets = next(k for k, o in OPTIONS['keepdim.meets'].items() if o.right)",
        "keepdim.meets",
    ),
    "find_layer's helper is imported": Attack(
        "from camwidget.course.assignments.networks import feeds_pooling\nwhat_it_meets = 'b'", "keepdim.meets"
    ),
    "frames are read for what is expected": Attack(
        MAP
        + "import sys\n    frame = sys._getframe()\n    while frame:\n        for name in ('right', 'expected', 'ours'):\n"
        "            if name in frame.f_locals: return frame.f_locals[name]\n        frame = frame.f_back\n    return None",
        "keepdim.unsqueeze",
        says="returned None",
    ),
    "an __array__ that reads frames": Attack(
        MAP
        + "import sys, numpy\n    class A:\n        def __array__(self, *a, **k):\n            frame = sys._getframe()\n"
        "            while frame:\n                if 'expected' in frame.f_locals: return numpy.asarray(frame.f_locals['expected'])\n"
        "                frame = frame.f_back\n            return numpy.zeros(activation.shape[1:])\n    return A()",
        "keepdim.unsqueeze",
        deserved=HONEST + 1,  # the shape is right
    ),
    "a str that equals anything": Attack(
        "class S(str):\n    def __eq__(self, other): return True\n    __hash__ = str.__hash__\nwhat_it_meets = S('a')",
        "keepdim.meets",
    ),
    "an int that equals anything": Attack(
        "class I(int):\n    def __eq__(self, other): return True\n    __hash__ = int.__hash__\npicture_width = I(1)",
        "keepdim.wild",
    ),
    "a tensor with its own detach": Attack(
        MAP + "class T(torch.Tensor):\n        def detach(self): raise KeyError\n        def double(self): return 0\n"
        "    return torch.zeros(activation.shape[1:]).as_subclass(T)",
        "keepdim.unsqueeze",
        deserved=HONEST + 1,
    ),
    "memory is searched for the answer": Attack(
        EINSUM
        + "import gc\n    for each in gc.get_objects():\n        if isinstance(each, torch.Tensor) and each is not activation "
        "and each.shape == (activation.shape[0], *activation.shape[2:]): return each\n    return torch.zeros(1)",
        "keepdim.einsum",
    ),
    "garbage for every answer": Attack("shapes = object(); picture_width = float('nan')", "keepdim.wild"),
}

SYSTEM = {
    "the solution is looked for": Attack(
        SEARCH.replace("WANTED", "name == 'hidden_keepdim.py' or root.endswith('solutions/keepdim')")
    ),
    "the judges are looked for": Attack(SEARCH.replace("WANTED", "'assignments' in root and name.endswith('.py')")),
    "the gradebook is looked for": Attack(
        SEARCH.replace("WANTED", "name in ('gradebook.db', 'nbgrader_config.py', 'seed')")
    ),
    "the package is rewritten": Attack(
        "import camwidget, pathlib\npathlib.Path(camwidget.__file__).write_text('raise SystemExit')", says=""
    ),
    "the site is written to": Attack(
        "import torch, pathlib\npathlib.Path(torch.__file__).with_name('x.pth').write_text('x')"
    ),
    "the system is written to": Attack("open('/etc/passwd', 'w')\nopen('/usr/x', 'w')"),
    "everybody is killed": Attack("import os, signal\nos.kill(-1, signal.SIGKILL)", says=""),
    "its group is killed": Attack("import os, signal\nos.kill(0, signal.SIGKILL)"),
    "the parent is killed": Attack(
        "import os, signal\nfor pid in range(2, 40):\n    try: os.kill(pid, signal.SIGKILL)\n    except OSError: pass"
    ),
    "other processes are read": Attack(
        "import os\nfor name in os.listdir('/proc'):\n    for what in ('environ', 'mem', 'root/camwidget'):\n"
        "        if name.isdigit() and name != os.readlink('/proc/self'):\n"
        "            try: open(f'/proc/{name}/{what}', 'rb').read(10)\n            except OSError: continue\n"
        f"            {FOUND}"
    ),
    "what is hidden is uncovered": Attack(
        "import ctypes, camwidget, os\nc = ctypes.CDLL(None)\nplace = os.path.dirname(camwidget.__file__) + '/course/assignments'\n"
        "for flags in (0x10000000 | 0x20000, 0x20000, 0x10000000): c.unshare(flags)\nc.umount2(place.encode(), 2)\n"
        f"if os.listdir(place): {FOUND}"
    ),
    "the network is used": Attack(
        "import socket\ntry:\n    socket.create_connection(('1.1.1.1', 80), timeout=1)\n"
        f"    {FOUND}\nexcept OSError: pass"
    ),
    "a listener of this machine is used": Attack(
        "import socket\nfor port in (22, 53, 80, 8000, 8080, 8786, 8888):\n"
        "    try: socket.create_connection(('127.0.0.1', port), timeout=1)\n    except OSError: continue\n"
        f"    {FOUND}"
    ),
    "a shell": Attack("!echo hello > here; cat here; rm -rf / 2>/dev/null; ls ~"),
    "a debugger is attached": Attack(
        f"import ctypes\nc = ctypes.CDLL(None)\nif any(c.ptrace(16, pid, 0, 0) == 0 for pid in range(1, 60)): {FOUND}"
    ),
    "sockets of others are opened": Attack(
        "import socket\nfor line in open('/proc/net/unix').read().splitlines()[1:]:\n    name = line.split()[-1]\n"
        "    if name[0] in '@/':\n        try: socket.socket(socket.AF_UNIX).connect(name.replace('@', chr(0), 1))\n"
        f"        except OSError: continue\n        {FOUND}"
    ),
    "input()": Attack("input('your seed? ')"),
    "limits are lifted": Attack(
        "import resource\nresource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY,) * 2)\nb = bytearray(40 << 30)"
    ),
    "many threads of torch": Attack(
        "import torch\ntorch.set_num_threads(64)\n(torch.ones(500, 500) @ torch.ones(500, 500)).sum()"
    ),
}

LIMITS_REACHED = {
    "a cell that never ends": Attack(NEVER_ENDS, says="did not end within"),
    "a cell that swallows every interrupt": Attack(STUBBORN, says="did not come back"),
    "a cell that ignores the signal": Attack(
        f"import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\n{NEVER_ENDS}", says="did not come back"
    ),
    "a function that never ends": Attack(
        MAP + "while True: pass", "keepdim.unsqueeze", says="did not come back within"
    ),
    "a function that swallows every interrupt": Attack(
        MAP + STUBBORN.replace("\n", "\n    "), "keepdim.unsqueeze", says="did not come back within"
    ),
    "a cell that ends Python": Attack("import os\nos._exit(0)", says="ended Python"),
    "a function that ends Python": Attack(MAP + "import os; os._exit(0)", "keepdim.unsqueeze", says="ended Python"),
    "a crash in C": Attack("import ctypes\nctypes.string_at(0)", says="ended Python"),
    "exit()": Attack("raise SystemExit"),
    "exit() in a function": Attack(MAP + "raise SystemExit", "keepdim.unsqueeze", says="exit()"),
    "memory, a lot at once": Attack("hoard = bytearray(400 << 30)", says="MB of memory"),
    "memory, more and more": Attack(
        "hoard = []\nwhile True:\n    hoard.append(bytearray(10_000_000))\n    hoard[-1][::1000] = b'x' * len(hoard[-1][::1000])"
    ),
    "memory, in many processes": Attack(
        "import os, time\nfor _ in range(6):\n    if os.fork() == 0:\n        b = bytearray(300 << 20); b[::1000] = b'x' * len(b[::1000])\n"
        "        time.sleep(60)\ntime.sleep(60)",
        says="tried to start a process",
    ),
    # It would be the end of the machine that runs the tests, if one got through: each tries a few times only.
    "a fork bomb": Attack("import os\nfor _ in range(3): os.fork()", says="tried to start a process"),
    "a process by a shell": Attack("import subprocess\nsubprocess.run(['ls'])", says="tried to start a process"),
    "a disk full of files": Attack(
        "for n in range(1000):\n    open(f'f{n}', 'wb').write(bytes(1 << 20))", says="filled its disk"
    ),
    "one large file": Attack("with open('/dev/shm/f', 'wb') as f:\n    for _ in range(1000): f.write(bytes(1 << 20))"),
    "output without end": Attack("while True: print('x' * 1000)", says="did not end within"),
    "a large output": Attack("print('x' * 50_000_000)", says="printed more than"),
    "many displays": Attack("from IPython.display import display\nfor _ in range(300): display('x' * 10_000)"),
    "a daemon that stays": Attack(
        "import os, time\nif os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0:\n        time.sleep(3600)\n    os._exit(0)"
    ),
    "threads that stay": Attack(
        "import threading, time\nfor _ in range(40): threading.Thread(target=time.sleep, args=(3600,)).start()"
    ),
    "every file is closed": Attack("import os\nos.closerange(0, 256)", says="ended Python"),
    "it stops itself": Attack("import os, signal\nos.kill(os.getpid(), signal.SIGSTOP)"),
    "ends Python again and again": Attack("import os\nos._exit(1)", says="ended Python"),
}

ON_THE_LINE = {
    "a forged reply": Attack(
        LINE + 'for one in lines(): one.sendall(b\'{"id": 5, "ok": {"shapes": {"v": 1}}}\\n\')', says="broke the line"
    ),
    "json is patched": Attack("import json\njson.dumps = lambda *_, **__: '{}'", says="broke the line"),
    "half a reply": Attack(
        LINE + MAP + "for one in lines(): one.sendall(b'{\"id\"')\n    " + RIGHT_MAP,
        "keepdim.unsqueeze",
        says="broke the line",
    ),
    "an endless reply": Attack(
        LINE + MAP + "while True:\n        for one in lines(): one.sendall(b'x' * 100000)",
        "keepdim.unsqueeze",
        says="broke the line",
    ),
    "deep JSON": Attack(
        LINE + MAP + "for one in lines(): one.sendall(b'[' * 1000000 + b'\\n')\n    return 1",
        "keepdim.unsqueeze",
        says="broke the line",
    ),
    "no JSON": Attack(
        LINE + MAP + "for one in lines(): one.sendall(b'\\xff\\x00\\n')\n    return 1",
        "keepdim.unsqueeze",
        says="broke the line",
    ),
    "replies of other kinds": Attack(
        "import camwidget.grading.child as c\nc._Session.far = lambda self, text: {'ok': [1], 'after': 7, 'printed': None}"
        "\ndef broadcast_shape(a, b): return 1",
        "keepdim.broadcast",
        says="broke the line",
    ),
    "a tensor that is none": Attack(
        "import camwidget.grading.child as c\nc.pack = lambda *_: {'t': ['float32', [10**9, 10**9], ''], 'g': True}"
        "\ndef broadcast_shape(a, b): return 1",
        "keepdim.broadcast",
        says="broke the line",
    ),
    "another object's number": Attack(
        "import camwidget.grading.child as c\nc.pack = lambda *_: {'m': 10**9}\ndef broadcast_shape(a, b): return 1",
        "keepdim.broadcast",
        says="broke the line",
    ),
    "a __class__ that hangs": Attack(
        "class H:\n    @property\n    def __class__(self):\n        while True: pass\nwhat_it_meets = H()",
        "keepdim.meets",
        says="did not come back",
    ),
    "a __repr__ that hangs": Attack(
        "class H:\n    def __repr__(self):\n        while True: pass\nwhat_it_meets = H()",
        "keepdim.meets",
        says="did not come back",
    ),
    "a list that holds itself": Attack(
        "shapes_ = []\nshapes_.append(shapes_)\nwhat_it_meets = shapes_", "keepdim.meets"
    ),
    "an endless iterator": Attack(MAP + "import itertools; return itertools.count()", "keepdim.unsqueeze"),
    "a tensor of gigabytes": Attack(MAP + "return torch.zeros(1).expand(1 << 30, 8)", "keepdim.unsqueeze"),
    "a dictionary that grows while it is read": Attack(
        "class D(dict):\n    def items(self):\n        n = 0\n        while True:\n            yield n, n; n += 1\nwhat_it_meets = D()",
        "keepdim.meets",
        says="",
    ),
    "an error whose text hangs": Attack(
        MAP + "class E(Exception):\n        def __str__(self):\n            while True: pass\n    raise E()",
        "keepdim.unsqueeze",
        says="did not come back",
    ),
    "an error with another's name": Attack(
        MAP + "raise type('__import__(\"os\")', (Exception,), {})('x')", "keepdim.unsqueeze", says="Your code raised"
    ),
    "text without an encoding": Attack("what_it_meets = '\\ud800' * 10", "keepdim.meets"),
    "all reports forged": Attack(
        "import camwidget.grading.child as c\nafter = c._Session.after\ndef forged(self, args, watched):\n    told = after(self, args, watched)\n"
        "    told['args'] = {}\n    return told\nc._Session.after = forged\n"
        + EINSUM
        + "gradient /= 1.5; gradient *= 1.5\n    "
        + RIGHT_EINSUM,
        "keepdim.einsum",
        deserved=HONEST + 4,  # it leaves what it was given as it was, up to rounding; and says so
    ),
}

STRANGE = {
    "a module of the package's name is written and loaded": Attack(
        "import sys, pathlib, importlib\npathlib.Path('camwidget.py').write_text('def check(*a, **k): raise SystemExit')\n"
        "for name in [each for each in sys.modules if each.startswith('camwidget')]: del sys.modules[name]\n"
        "import camwidget as cw"
    ),
    "modules are taken out of sys.modules": Attack(
        "import sys\nfor name in list(sys.modules):\n"
        "    if name.split('.')[0] in ('torch', 'camwidget', 'IPython', 'json', 'numpy', 'pickle'): del sys.modules[name]"
    ),
    "nothing can be imported any more": Attack(
        "import builtins\ndef no(*_, **__): raise ImportError('no more')\nbuiltins.__import__ = no\n"
        "import sys\nsys.meta_path.clear(); sys.path.clear()"
    ),
    "tensors that are patched": Attack(
        "import torch\nT = torch.Tensor\nT.__eq__ = T.equal = T.allclose = lambda *_: True\n"
        "T.detach = T.clone = T.cpu = lambda self: self\nT.__bool__ = lambda self: True\nT.shape = (1,)\nT.numpy = None\n"
        + MAP
        + RIGHT_MAP,
        "keepdim.unsqueeze",
        says="left Python in a state in which it cannot be judged",
    ),
    "what comes at the end never ends": Attack(
        "import atexit, weakref\natexit.register(lambda: [None for _ in iter(int, 1)])\nclass D:\n"
        "    def __del__(self):\n        while True: pass\nkept = D()\nweakref.finalize(kept, print)"
    ),
    "an alarm goes off again and again": Attack(
        "import signal\ndef ring(*_): raise ZeroDivisionError('rings')\n"
        "for each in (signal.SIGALRM, signal.SIGVTALRM, signal.SIGPROF): signal.signal(each, ring)\n"
        "for each in (0, 1, 2): signal.setitimer(each, 0.005, 0.005)"
    ),
    "a cell that ignores the signal, and a function that never ends": Attack(
        "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\n" + MAP + "while True: pass",
        "keepdim.unsqueeze",
        says="did not come back within",
    ),
    "every line is traced": Attack(
        "import sys, threading\ndef trace(frame, event, arg):\n    if 'expected' in frame.f_locals: raise KeyError\n"
        "    frame.f_locals.clear()\n    return trace\nsys.settrace(trace); threading.settrace(trace); sys.setprofile(trace)"
    ),
    "a thread that computes for ever": Attack(
        "import threading\ndef busy():\n    while True: sum(range(1000))\nthreading.Thread(target=busy, daemon=True).start()"
    ),
    "a thread that answers again and again": Attack(
        "import threading, time\ndef again():\n    while True:\n        get_ipython().user_ns.update(what_it_meets=object(), "
        "shapes=shapes, picture_width=1)\n        time.sleep(0.001)\nthreading.Thread(target=again, daemon=True).start()",
    ),
    "a repr of a gigabyte": Attack(
        "class R:\n    def __repr__(self): return 'x' * (1 << 30)\nwhat_it_meets = R()",
        "keepdim.meets",
        says="MemoryError when its answer was looked at",
    ),
    "a repr that raises": Attack(
        "class R:\n    def __repr__(self): raise ZeroDivisionError('oh')\nwhat_it_meets = R()",
        "keepdim.meets",
        says="raised ZeroDivisionError when its answer was looked at: oh",
    ),
    "a __class__ that is another": Attack(
        "class L(list):\n    __class__ = property(lambda self: torch.Tensor)\nwhat_it_meets = L('b')",
        "keepdim.meets",
        says="when its answer was looked at",
    ),
    "a class whose class lies": Attack(
        "class M(type):\n    __name__ = property(lambda self: 1 / 0)\n    def __instancecheck__(self, one): return True\n"
        "    def __getattribute__(self, name): raise KeyError(name)\nclass N(metaclass=M): pass\nwhat_it_meets = N()",
        "keepdim.meets",
    ),
    "a dictionary of names that lies": Attack(
        "class E(dict):\n    def __contains__(self, name): return True\n    def __getitem__(self, name): return 'b'\n"
        "get_ipython().user_ns = E(get_ipython().user_ns)",
        deserved=1.0,  # what it answers to everything is right once, of the quizzes
    ),
    "recursion without end": Attack(
        "import sys\nsys.setrecursionlimit(10**9)\ndef f(): return f()\nf()", says="it was left out"
    ),
    "await that never ends": Attack("import asyncio\nawait asyncio.sleep(3600)", says="did not end within"),
    "an event loop that is closed": Attack(
        "import asyncio\nawait asyncio.sleep(0)\nasyncio.get_running_loop().stop()\nasyncio.set_event_loop(None)"
    ),
    "an output of another form": Attack(
        "from IPython.display import display\ndisplay({'text/html': 7, 8: 'x', 'a/b': {'c': [object()]}}, raw=True)\n"
        "display({'text/plain': '\\ud800' * 9}, raw=True)\nprint('\\ud800', '\\0', '\\x1b[31m')"
    ),
    "the grader's own modules are used": Attack(
        "from camwidget.grading import judge, grade, standins, process\njudge.REPORTED.clear() if hasattr(judge.REPORTED, 'clear') "
        "else None\njudge.judge_item = None\nfrom camwidget.course import items\nitems.items_of('keepdim', hidden=True)"
    ),
}

ATTACKS = {**IN_PROCESS, **SYSTEM, **LIMITS_REACHED, **ON_THE_LINE, **STRANGE}

SAFE_IN_A_KERNEL = (
    *IN_PROCESS,
    "the solution is looked for",
    "the judges are looked for",
    "the gradebook is looked for",
    "input()",
    "a cell that never ends",
    "a function that never ends",
    "a cell that ends Python",
    "a function that ends Python",
    "a crash in C",
    "exit()",
    "exit() in a function",
    "a large output",
    "an error with another's name",
    "text without an encoding",
    "a list that holds itself",
)
"""Those that may be tried outside of our sandbox: they take no memory or disk, start nothing, and harm no machine."""

USUAL = (
    "check is patched",
    "a finder makes hidden modules",
    "an input transformer",
    "an attempt's facts hold",
    "torch.allclose and equal",
    "the answer's own right_map",
    "frames are read for what is expected",
    "a str that equals anything",
    "a tensor with its own detach",
    "memory is searched for the answer",
    "the solution is looked for",
    "the judges are looked for",
    "the package is rewritten",
    "everybody is killed",
    "other processes are read",
    "what is hidden is uncovered",
    "the network is used",
    "a debugger is attached",
    "limits are lifted",
    "a cell that swallows every interrupt",
    "a function that never ends",
    "a crash in C",
    "memory, in many processes",
    "a fork bomb",
    "a disk full of files",
    "a large output",
    "threads that stay",
    "every file is closed",
    "a forged reply",
    "json is patched",
    "deep JSON",
    "replies of other kinds",
    "a tensor that is none",
    "another object's number",
    "a __class__ that hangs",
    "an endless iterator",
    "all reports forged",
    "modules are taken out of sys.modules",
    "nothing can be imported any more",
    "tensors that are patched",
    "an alarm goes off again and again",
    "a repr that raises",
)
"""Those that every run of the tests tries: one for each way in."""
