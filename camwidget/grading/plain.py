"""Is code plain, so that nothing in it can reach the grader? It is read, and never run.

Some facts only the learner's own process can tell, and code that changes this process can make it tell anything. Code
of which every name, attribute and kind of statement is on the lists below can not: it has no way to a module's
contents, to a frame, to an attribute that begins with an underscore, nor to one of PyTorch's own to be replaced. The
lists are short, so much honest code is not plain. That costs nobody a point: it only leaves the mark where it was.
"""

import ast
import builtins
from collections.abc import Iterator

LONGEST = 200_000
"""Characters of a notebook that are read."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_NODES = _words(
    "Module Expr Assign AugAssign Assert Raise Return Pass Break Continue If For While With withitem Try "
    "ExceptHandler FunctionDef ClassDef Lambda arguments arg keyword Nonlocal Import ImportFrom alias Load "
    "Store Name Attribute Subscript Slice Call Starred Constant JoinedStr FormattedValue Tuple List Set Dict "
    "ListComp SetComp DictComp GeneratorExp comprehension IfExp BoolOp BinOp UnaryOp Compare And Or Not Invert "
    "UAdd USub Add Sub Mult MatMult Div FloorDiv Mod Pow BitAnd BitOr BitXor Eq NotEq Lt LtE Gt GtE Is IsNot "
    "In NotIn NamedExpr"
)
_BUILTINS = _words(
    "abs all any bool dict enumerate float int isinstance len list max min next print range reversed round set "
    "slice sorted str sum super tuple zip divmod AssertionError Exception IndexError KeyError "
    "NotImplementedError RuntimeError TypeError ValueError"
)
_ATTRIBUTES = _words(
    "AdaptiveAvgPool2d BatchNorm1d Conv2d Dropout Flatten Hook HookBwd Hooks Linear Module ReLU Sequential T Tensor "
    "abs adaptive_avg_pool2d add after_batch all allclose append arange argmax argsort as_subclass autograd "
    "backward bmm bool broadcast_shapes cam cat children clamp clone close conv1d conv2d copy_ count cpu "
    "cross_entropy decode deepcopy detach diagonal dim div divide dls double dtype einsum empty_like enable_grad "
    "equal eval exp expand explain eye flatten float float32 float64 functional gather get grad handle hook "
    "index_fill indices inference_mode insert is_grad_enabled item items keep kept le linear log log_softmax "
    "logsumexp manual_seed masked_fill max maximum mean min model module modules mul named_modules nanmean ndim "
    "nll_loss no_grad nonzero norm normalize numel numpy one_batch one_hot ones ones_like parameters permute pop "
    "rand randn register_forward_hook register_forward_pre_hook register_full_backward_hook register_hook relu "
    "remove requires_grad requires_grad_ reshape retain_grad select set_grad_enabled setdefault shape size softmax "
    "sort split sqrt squeeze stack std store stored sum tensor tensordot test_dl to tolist topk train training "
    "transpose unflatten unravel_index unsqueeze update valid values view vmap vocab weight where zero_grad zeros "
    "zeros_like"
)
"""None of them gives a module's contents, or code that is run; those that change a network are told as they are."""
_SET = _words("handle stored kept module")
"""What a class of the learner's may keep of itself."""
_ITERATING = ("itertools.zip_longest", "itertools.combinations", "itertools.product", "itertools.pairwise")
_MODULES = frozenset(
    ("torch", "torch.nn", "torch.nn.functional", "camwidget", "math", "copy", "collections.Counter", *_ITERATING)
)
_SPECIAL = _words("__init__ __enter__ __exit__ __call__ __len__ __iter__ __getitem__")
_BASES = frozenset(("object", "nn.Module", "cw.Hook", "cw.HookBwd", "cw.Hooks"))
_TAKEN = _words("In Out get_ipython display exit quit").union(dir(builtins)) - (_BUILTINS - {"super"})
"""Names that stand for something before anybody gives them a value, and may go on to do so elsewhere."""


class Reader:
    """Reads one cell after the other; names that one defines are known to the next.

    Args:
        known: names that released cells define.
    """

    def __init__(self, known: frozenset[str]) -> None:
        self.known = set(known)
        self.left = LONGEST

    def beyond(self, source: str) -> str:
        """Return the first thing in a cell that is not plain, empty if all of it is.

        Args:
            source: of the cell.
        """
        self.left -= len(source)
        if self.left < 0:
            return f"more than {LONGEST} characters"
        try:
            tree = ast.parse(source)
            nodes = list(ast.walk(tree))
        except (SyntaxError, ValueError, MemoryError, RecursionError):  # it may be a magic, and so no Python
            return "what is no plain Python"
        self.known |= {name for node in nodes for name in names_bound(node)}
        return next((what for node in nodes if (what := self._what(node))), "")

    def _what(self, node: ast.AST) -> str:
        """What is not plain about a node by itself, empty if nothing is."""
        if type(node).__name__ not in _NODES:
            return f"`{type(node).__name__}`"
        name = next(
            (name for name in names_bound(node) if name in _TAKEN or (name.startswith("_") and name != "_")), ""
        )
        if name and not (isinstance(node, ast.FunctionDef) and name in _SPECIAL):
            return f"`{name}`"
        match node:
            case ast.Name(id=name, ctx=ast.Load()):
                return "" if name in _BUILTINS or name in self.known else f"`{name}`"
            case ast.Attribute():
                return "" if _is_plain_attribute(node) else f"`.{node.attr}`"
            case ast.keyword(arg=str(name)) if name.startswith("_"):
                return f"`{name}`"
            case ast.Import(names=names):
                return next((f"`import {each.name}`" for each in names if each.name not in _MODULES), "")
            case ast.ImportFrom(module=module, names=names, level=level):
                whole = [f"{module}.{each.name}" for each in names]
                return next((f"`import {each}`" for each in whole if level or each not in _MODULES), "")
            case ast.FunctionDef(decorator_list=[_, *_]) | ast.ClassDef(decorator_list=[_, *_]):
                return "a decorator"
            case ast.ClassDef(bases=bases, keywords=keywords):
                return "" if not keywords and {ast.unparse(base) for base in bases} <= _BASES else "the kind of a class"
        return ""


def names_bound(node: ast.AST) -> Iterator[str]:
    """The names that a node of a program gives a value.

    Args:
        node: without what is in it.
    """
    match node:
        case ast.Name(id=name, ctx=ast.Store()) | ast.arg(arg=name):
            yield name
        case ast.FunctionDef(name=name) | ast.ClassDef(name=name) | ast.ExceptHandler(name=str(name)):
            yield name
        case ast.alias(name=name, asname=asname):
            yield asname or name.partition(".")[0]


def _is_plain_attribute(node: ast.Attribute) -> bool:
    if isinstance(node.ctx, ast.Store):
        of_itself = isinstance(node.value, ast.Name) and node.value.id == "self"
        return node.attr in ("training", "grad", "requires_grad") or (of_itself and node.attr in _SET)
    if node.attr in _SPECIAL:  # of `super()` only: called with something else it would make that anew
        return ast.unparse(node.value) == "super()"
    return node.attr in _ATTRIBUTES
