"""The words of plain code (see `plain`): kinds of statements, names, attributes and modules that reach nothing."""

import builtins


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


NODES = _words(
    "Module Expr Assign AnnAssign AugAssign Assert Delete Raise Return Pass Break Continue If For While With withitem "
    "Try ExceptHandler FunctionDef ClassDef Lambda arguments arg keyword Nonlocal Import ImportFrom alias Load "
    "Match match_case MatchAs MatchClass MatchOr MatchSequence MatchSingleton MatchStar MatchValue "
    "Store Del Name Attribute Subscript Slice Call Starred Constant JoinedStr FormattedValue Tuple List Set Dict "
    "ListComp SetComp DictComp GeneratorExp comprehension IfExp BoolOp BinOp UnaryOp Compare And Or Not Invert "
    "UAdd USub Add Sub Mult MatMult Div FloorDiv Mod Pow BitAnd BitOr BitXor Eq NotEq Lt LtE Gt GtE Is IsNot "
    "In NotIn NamedExpr"
)
BUILTINS = _words(
    "abs all any bool callable dict divmod enumerate filter float hasattr id int isinstance iter len list map max min "
    "next pow print range reversed round set slice sorted str sum super tuple zip AssertionError Exception "
    "IndexError KeyError NotImplementedError RuntimeError TypeError ValueError"
)
READ_ONLY = _words(
    "AdaptiveAvgPool2d BatchNorm1d Conv2d Counter DataFrame Dropout ExitStack Flatten Hook HookBwd Hooks Linear "
    "Module Parameter ReLU Sequential T Tensor abs accumulate adaptive_avg_pool2d add add_module addcmul addmm "
    "addmv after_batch all allclose amax amin any append appendleft arange argmax argmin argsort argwhere array "
    "array_equal as_subclass as_tensor asarray astype autograd backward bias bincount bmm bool broadcast_shapes "
    "callback cam cat chain children clamp clip clone close combinations compress concatenate contiguous conv1d "
    "conv2d copy_ count count_nonzero cpu cross_entropy cumcount cumsum data decode deepcopy defaultdict delete "
    "deque detach diagonal difference dim div divide dls dot double dtype einsum empty_like enable_grad "
    "enter_context eq equal exp expand expand_as expand_dims explain extend eye fill_ flatten flip float float32 "
    "float64 from_numpy fromkeys full full_like functional gather ge get grad grad_fn groupby gt handle heapify "
    "heappop heappush hook hstack index index_fill index_select indices inf inference_mode insert int64 "
    "intersection is_grad_enabled is_leaf isclose isin islice isnan item itemgetter items keep kept le linear "
    "log log_softmax logical_and logical_not logical_or logsumexp long lt mT manual_seed masked_fill "
    "masked_select matmul max maximum mean median meshgrid min minimum model module modules movedim mul mv "
    "named_children named_modules named_parameters nan nanargmax nanmean ndim ne new_zeros nlargest nll_loss nn "
    "no_grad nonzero norm normalize nsmallest nullcontext numel numpy one_batch one_hot ones ones_like outer pad "
    "pairwise parameters partial permutations permute pop popleft prod product rand randn ravel reduce "
    "register_forward_hook register_forward_pre_hook register_full_backward_hook register_full_backward_pre_hook "
    "register_hook register_module_forward_hook relu remove repeat repeat_interleave requires_grad "
    "requires_grad_ reset_index reshape retain_grad scatter scatter_ searchsorted select set_grad_enabled "
    "setdefault shape size softmax sort sort_values split sqrt square squeeze stack starmap std store stored sub "
    "sum sum_to_size suppress swapaxes swapdims symmetric_difference take take_along_dim tensor tensordot "
    "test_dl tile to to_numpy tolist topk trace train training transpose tril triu type_as unbind unflatten "
    "unfold union unique unravel_index unsqueeze update valid value_counts values var vdot view vmap vocab "
    "vstack weight where zero_ zero_grad zeros zeros_like zip_longest"
)
"""None of them gives a module's contents, or code that is run, whatever it is read of; those that change a network
are told as they are. `eval` may be called besides, with nothing in the brackets."""
BY_NAME = _words("__getitem__ __setitem__ __contains__")
"""Each does what Python has a sign for."""
SET = _words("training grad requires_grad")
"""What any code may set, of any object; the judge is told."""
KEPT = _words("handle stored kept module")
"""What a function with `self` may set, whatever that is."""
_WHOLE = _words(
    "torch torch.nn torch.nn.functional camwidget numpy pandas math copy itertools functools heapq operator "
    "collections contextlib"
)
_PARTS = {
    "itertools": "accumulate chain combinations compress count groupby islice pairwise permutations product repeat "
    "starmap zip_longest",
    "functools": "partial reduce",
    "heapq": "heapify heappop heappush nlargest nsmallest",
    "operator": "add eq ge gt index itemgetter le lt mul ne sub",
    "collections": "Counter OrderedDict defaultdict deque",
    "contextlib": "ExitStack contextmanager nullcontext suppress",
    "copy": "copy deepcopy",
    "fractions": "Fraction",
    "math": "ceil exp floor inf isclose isnan log nan pi prod sqrt",
    "torch": "Tensor",
    "torch.nn.modules.module": "register_module_forward_hook register_module_forward_pre_hook",
}
MODULES = _WHOLE.union(f"{module}.{name}" for module, names in _PARTS.items() for name in names.split())
"""What may be imported: these modules, and of some these parts by themselves. What else a module has (`contextlib.sys`)
is behind attributes that are on no list."""
SPECIAL = _words("__init__ __enter__ __exit__ __call__ __len__ __iter__ __getitem__")
BASES = frozenset(("object", "nn.Module", "cw.Hook", "cw.HookBwd", "cw.Hooks"))
ROOTS = {"nn": "torch.nn", "cw": "camwidget"}
"""What the names in bases are to stand for."""
TAKEN = _words("In Out get_ipython display exit quit").union(dir(builtins)) - (BUILTINS - {"super"})
"""Names that stand for something before anybody gives them a value, and may go on to do so elsewhere."""
