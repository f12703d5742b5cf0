"""Families of answers, made from every solution: the same mistake, or the same liberty, in each item where it can occur.

A family is code that stands behind the solution and puts something around it. So an item that is added tomorrow gets all
of them too.
"""

from collections.abc import Mapping
from dataclasses import dataclass

MAPS = {
    "cam.q7a": "class_scores",
    "cam.q7b": "batch_scores",
    "cam.mean_plus_bias": "logits_from_maps",
    "grad_cam.map": "grad_cam_map",
    "grad_cam.equals_cam": "as_cam",
    "keepdim.unsqueeze": "weighted_map",
    "keepdim.einsum": "batch_map",
    "nlp_cam.word_scores": "word_scores",
    "nlp_cam.logits": "logits_from_words",
    "nlp_cam.gradient_times_input": "gradient_times_input",
    "mistakes.difference": "difference_maps",
}
"""Items whose answer is a function from tensors to one tensor, and the function's name."""

RUNS = {
    "hooks.q4b": ("activation_stats", "model, layers, inputs"),
    "hooks.q5": ("store_activation", "model, layer, inputs"),
    "hooks.q6b": ("try_modes", "model, inputs"),
    "hooks.q6c": ("quiet_run", "model, inputs"),
    "hooks.change_output": ("without_channel", "model, layer, channel, inputs"),
    "cam.q2b": ("cam_layer", "model, inputs"),
    "grad_cam.any_layer": ("grad_cam", "model, layer, inputs, target_class, relu=False"),
    "mistakes.occlusion": ("hiding_effect", "model, inputs, target_class, place, elsewhere"),
}
"""Items whose answer is a function that runs a network: its name, and its parameters."""

HOOKS = {"hooks.q10": "MyHook", "hooks.panel": "MyPanelHook", "grad_cam.q12b": "MyHookBwd", "grad_cam.panel": "MyHook"}
"""Items whose answer is a hook class, and its name."""


@dataclass(frozen=True)
class Family:
    """What is put around a solution."""

    code: str
    """Behind the solution; `NAME` is the answer's name."""
    says: str = ""
    """Part of the message, for a family of mistakes."""


_AROUND = "right = NAME\n\ndef NAME(*given):\n    {before}result = right(*given)\n    {after}return {result}\n"


def _around(*, before: str = "", after: str = "", result: str = "result", says: str = "") -> Family:
    lines = [f"{each}\n    " if each else "" for each in (before, after)]
    return Family(_AROUND.format(before=lines[0], after=lines[1], result=result), says)


RIGHT_MAPS: Mapping[str, Family] = {
    "float64": _around(result="result.double()"),
    "an array": _around(result="result.detach().numpy()"),
    "nested lists": _around(result="result.tolist()"),
    "with a graph": _around(result="result.requires_grad_()"),
    "a view": _around(result="result[None][0]"),
    "inside no_grad": Family(
        "right = NAME\n\ndef NAME(*given):\n    with torch.no_grad():\n        return right(*given)\n"
    ),
    "a partial function": Family("import functools\nNAME = functools.partial(NAME)\n"),
    "an object that is called": Family(
        "right = NAME\n\nclass Called:\n    def __call__(self, *given):\n        return right(*given)\n\nNAME = Called()\n"
    ),
    "a method": Family(
        "right = NAME\n\nclass Kept:\n    def ask(self, *given):\n        return right(*given)\n\nNAME = Kept().ask\n"
    ),
    "decorated": Family(
        "import functools\nright = NAME\n\n@functools.wraps(right)\ndef NAME(*given):\n    return right(*given)\n"
    ),
    "a closure": Family("def make(right):\n    return lambda *given: right(*given)\n\nNAME = make(NAME)\n"),
    "computed in float64": Family(
        "right = NAME\n\ndef NAME(*given):\n    return right(*[each.double() if each.is_floating_point() else each for each in given])\n"
    ),
    "of stacked rows": _around(result="torch.stack(list(result))"),
}
"""Liberties that functions of tensors may take."""

WRONG_MAPS: Mapping[str, Family] = {
    "a tuple": _around(result="(result,)", says="not several"),
    "a dict": _around(result="{'it': result}", says="return the tensor itself"),
    "an axis in front": _around(result="result[None]", says="axis"),
    "nothing": _around(result="None", says="return"),
    "changes the first": _around(after="given[0].mul_(2)", says="was changed by an operation in place"),
    "changes the last": _around(after="given[-1].zero_()", says="was changed by an operation in place"),
    "asks for gradients": _around(after="given[0].requires_grad_()", says="use a detached copy"),
    "switches gradients off": _around(after="torch.set_grad_enabled(False)", says="set_grad_enabled() was left"),
    "the sign": _around(result="-result", says="sign"),
    "ReLU": _around(result="result.relu()", says="ReLU"),
    "magnitude": _around(result="result.abs()", says="absolute"),
    "scaled": _around(result="result / result.abs().max()", says="largest"),
    "min to max": _around(result="(result - result.min()) / (result.max() - result.min())", says="0 ... 1"),
    "ReLU and scaled": _around(result="result.relu() / result.max()", says="ReLU"),
    "halved": _around(result="result / 2", says="0.5 times the expected"),
    "one more": _around(result="result + 1", says="too large"),
    "squared": _around(result="result ** 2", says="squared"),
    "sigmoid": _around(result="result.sigmoid()", says="sigmoid"),
    "rounded": _around(result="result.round()", says="rounded"),
    "zeros": _around(result="result * 0", says="zeros"),
    "backwards": _around(result="result.flip(0)", says="reverse order"),
    "moved": _around(result="result.roll(1, 0)", says="by one place"),
    "not a number": _around(result="result / 0", says="NaN or infinite"),
    "as integers": _around(result="result.int()", says="whole numbers"),
    "raises": _around(before="raise KeyError('oh')", says="in your line"),
}
"""Mistakes around functions of tensors, each with part of its message."""


def _model(name: str, parameters: str, *, before: str = "pass", after: str = "pass") -> str:
    names = ", ".join(each.partition("=")[0] for each in parameters.split(", "))
    return f"right = {name}\n\ndef {name}({parameters}):\n    {before}\n    result = right({names})\n    {after}\n    return result\n"


_LEFT_ON: Mapping[str, tuple[str, str]] = {
    "a hook left": ("list(model.modules())[1].register_forward_hook(lambda *_: None)", "hook"),
    "a pre-hook left": ("model.register_forward_pre_hook(lambda *_: None)", "hook"),
    "a backward hook left": ("list(model.modules())[1].register_full_backward_hook(lambda *_: None)", "hook"),
    "a hook for all modules left": ("torch.nn.modules.module.register_module_forward_hook(lambda *_: None)", "hook"),
    "hooks of others gone": ("list(model.modules())[1]._forward_hooks.clear()", "hooks of others"),
    "all hooks gone": ("[each._forward_hooks.clear() for each in model.modules()]", "hooks of others"),
    "weights changed": ("next(model.parameters()).data.mul_(2)", "weights were changed"),
    "frozen": ("next(model.parameters()).requires_grad_(not next(model.parameters()).requires_grad)", "requires_grad"),
    "inputs changed": ("inputs.detach().mul_(2)", "inputs was changed"),
    "inputs ask for gradients": ("inputs.requires_grad_(not inputs.requires_grad)", "use a detached copy"),
    "gradients switched off": ("torch.set_grad_enabled(False)", "set_grad_enabled() was left"),
    "another forward": ("model.forward = model.forward", "has got an attribute"),
    "one module's mode": ("list(model.modules())[-1].training ^= True", "mode"),
    "all modes": ("model.train(not model.training)", "mode"),
}


def wrong_runs(item: str) -> Mapping[str, Family]:
    """Side effects of a function that runs a network.

    Args:
        item: one of `RUNS`.
    """
    name, parameters = RUNS[item]
    return {family: Family(_model(name, parameters, after=code), says) for family, (code, says) in _LEFT_ON.items()} | {
        "raises": Family(_model(name, parameters, before="raise ValueError('oh')"), "in your line")
    }


def right_runs(item: str) -> Mapping[str, Family]:
    """Liberties of a function that runs a network.

    Args:
        item: one of `RUNS`.
    """
    name, parameters = RUNS[item]
    return {
        "a hook put on and taken off": Family(
            _model(
                name,
                parameters,
                before="extra = list(model.modules())[-1].register_forward_hook(lambda *_: None)",
                after="extra.remove()",
            )
        ),
        "changed and given back": Family(
            _model(
                name,
                parameters,
                before="flags = [each.requires_grad for each in model.parameters()]",
                after="[each.requires_grad_(flag) for each, flag in zip(model.parameters(), flags)]",
            )
        ),
        "an object that is called": Family(
            f"right = {name}\n\nclass Called:\n    def __call__(self, *given, **named):\n        return right(*given, **named)\n\n{name} = Called()\n"
        ),
        "prints and warns": Family(
            _model(name, parameters, before="import warnings; warnings.warn('careful')", after="print('looking')")
        ),
    }


WRONG_HOOKS: Mapping[str, Family] = {
    "stays after the block": Family("class NAME(NAME):\n    def __exit__(self, *error):\n        pass\n", "remove"),
    "enters nothing": Family("class NAME(NAME):\n    def __enter__(self):\n        pass\n", "__enter__"),
    "shared": Family(
        "class NAME(NAME):\n    store = {}\n\n    @property\n    def stored(self):\n        return self.store['it']\n\n    @stored.setter\n    def stored(self, value):\n        self.store['it'] = value\n",
        "",
    ),
    "a tuple": Family(
        "class NAME(NAME):\n    def __setattr__(self, name, value):\n        super().__setattr__(name, (value,) if name == 'stored' else value)\n",
        "tuple",
    ),
    "doubled": Family(
        "class NAME(NAME):\n    def __setattr__(self, name, value):\n        super().__setattr__(name, 2 * value if name == 'stored' else value)\n",
        "",
    ),
}
"""Mistakes around hook classes."""

RIGHT_HOOKS: Mapping[str, Family] = {
    "a subclass": Family("class NAME(NAME):\n    pass\n"),
    "with slots for more": Family(
        "class NAME(NAME):\n    calls = 0\n\n    def count(self):\n        return self.calls\n"
    ),
    "a function that makes it": Family("made = NAME\n\ndef NAME(module):\n    return made(module)\n"),
}
"""Liberties that hook classes may take."""


def families(item: str) -> tuple[dict[str, Family], dict[str, Family]]:
    """Right and wrong families of an item, by name; none for quizzes and predictions.

    Args:
        item: its name.
    """
    right: dict[str, Family] = {}
    wrong: dict[str, Family] = {}
    if item in MAPS:
        right, wrong = dict(RIGHT_MAPS), dict(WRONG_MAPS)
    elif item in RUNS:
        right, wrong = dict(right_runs(item)), dict(wrong_runs(item))
    elif item in HOOKS:
        right, wrong = dict(RIGHT_HOOKS), dict(WRONG_HOOKS)
    return right, wrong


def family_code(item: str, solution: str, family: Family) -> str:
    """The whole answer cell.

    Args:
        item: its name.
        solution: the source notebook's answer cell.
        family: what to put behind it.
    """
    name = MAPS.get(item) or HOOKS.get(item) or RUNS[item][0]
    return f"{solution}\n\n{family.code.replace('NAME', name)}"
