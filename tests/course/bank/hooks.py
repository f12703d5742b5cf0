"""Answers to the items of `hooks`."""

from tests.course.bank import Entry, Wrong
from tests.course.bank.common import body, indented, quiz, wrong_body

MODES = "def try_modes(model, inputs):"
PAIR = "(torch.equal(one, two), one.requires_grad)"
STATS = "def activation_stats(model, layers, inputs):"
STORE = "def store_activation(model, layer, inputs):"
QUIET = "def quiet_run(model, inputs):"
CLASS = "class MyHook:"
WITHOUT = "def without_channel(model, layer, channel, inputs):"
ORDER = ["first", "block.inner", "block.last", "block", ""]

NUMBERS = "(output.mean(), output.std(), (output <= 0.05).float().mean())"


def stats(
    numbers: str = NUMBERS, *, remove: str = "for handle in handles:\n    handle.remove()", run: str = "model(inputs)"
) -> str:
    """Statistics with these numbers in the hook function."""
    return f"""
stats, handles = {{}}, []
for name, layer in layers.items():
    def keep(module, given, output, name=name):
        stats[name] = {numbers}
    handles.append(layer.register_forward_hook(keep))
with torch.no_grad():
    {run}
{remove}
return stats
"""


def stored(keep: str, *, remove: str = "handle.remove()", after: str = "kept[-1]") -> str:
    """A stored activation, with this in the hook function."""
    return f"""
kept = []
handle = layer.register_forward_hook(lambda module, given, output: {keep})
with torch.no_grad():
    model(inputs)
{remove}
return {after}
"""


def modes(pair: str, *, mode: str = "torch.set_grad_enabled(recording)") -> str:
    """The table of modes, with this pair of two runs."""
    return f"""
found, before = {{}}, model.training
for name, training, recording in [("train", True, True), ("eval", False, True), ("no_grad", True, False)]:
    model.train(training)
    with {mode}:
        one, two = model(inputs), model(inputs)
    found[name] = {pair}
model.train(before)
return found
"""


def hook(
    keep: str = "self.stored = output.detach().clone()",
    *,
    enter: str = "return self",
    leave: str = "self.handle.remove()",
) -> str:
    """The body of a hook class."""
    return f"""
def __init__(self, module):
    self.handle = module.register_forward_hook(self.keep)

def keep(self, module, given, output):
{indented(keep)}

def __enter__(self):
{indented(enter)}

def __exit__(self, *error):
{indented(leave)}
"""


def changed(silence: str, *, remove: str = "handle.remove()", run: str = "logits = model(inputs)") -> str:
    """Logits with this in the hook function."""
    return f"""
def silence(module, given, output):
{indented(silence)}
handle = layer.register_forward_hook(silence)
with torch.no_grad():
    {run}
{remove}
return logits
"""


def order(names: list[str]) -> Wrong:
    """A wrong order."""
    return Wrong(f"hook_order = {names}", "order", "")


BANK: dict[str, Entry] = {
    "hooks.q1a": quiz(
        "what_is_a_hook",
        "b",
        {
            '"a"': "Nothing is copied",
            '"c"': "a function beside them",
            '"d"': "as long as it needs them",
            '"bc"': "read what is said",
        },
    ),
    "hooks.q1b": Entry(
        right={
            "a list": f"hook_order = {ORDER}",
            "a tuple": f"hook_order = {tuple(ORDER)}",
            "piece by piece": "hook_order = ['first']\nhook_order += ['block.inner', 'block.last']\nhook_order += ['block', '']",
            "by splitting": "hook_order = 'first,block.inner,block.last,block,'.split(',')",
            "run after all": """
block = nn.Sequential()
block.add_module("inner", nn.ReLU())
block.add_module("last", nn.Linear(4, 2))
network = nn.Sequential()
network.add_module("first", nn.Linear(3, 4))
network.add_module("block", block)
hook_order = []
for name, module in network.named_modules():
    module.register_forward_hook(lambda m, i, o, name=name: hook_order.append(name))
network(torch.zeros(1, 3))
""",
        },
        wrong={
            "as they are listed": Wrong(
                "hook_order = ['', 'first', 'block', 'block.inner', 'block.last']", "order", "container is done after"
            ),
            "backwards": Wrong(f"hook_order = {ORDER[::-1]}", "order", "this is backwards"),
            "container first": Wrong(
                "hook_order = ['first', 'block', 'block.inner', 'block.last', '']", "order", "container is done after"
            ),
            "whole first": order(["", "first", "block.inner", "block.last", "block"]),
            "inside turned": order(["first", "block.last", "block.inner", "block", ""]),
            "last first": order(["block.inner", "block.last", "first", "block", ""]),
            "one missing": Wrong(f"hook_order = {ORDER[:-1]}", "names", "each of the five"),
            "one twice": Wrong(f"hook_order = {[*ORDER, 'first']}", "names", "fires once"),
            "a name of its own": Wrong(
                "hook_order = ['first', 'inner', 'last', 'block', '']", "names", "each of the five"
            ),
            "one text": Wrong("hook_order = 'first, block'", "names", "write a list"),
            "numbers": Wrong("hook_order = [1, 2, 3, 4, 5]", "names", "write a list"),
        },
    ),
    "hooks.q3": quiz(
        "why_a_hook",
        "a",
        {'"b"': "any batch", '"c"': "computed by us", '"d"': "at any time", '"ac"': "read what is said"},
    ),
    "hooks.q4a": quiz(
        "near_zero_choice",
        "b",
        {'"a"': "not its magnitude", '"c"': "a little room", '"d"': "nothing to do", '"ab"': "read what is said"},
    ),
    "hooks.q4b": Entry(
        right={
            **body(
                STATS,
                tensors=stats(),
                numbers=stats(
                    "[output.mean().item(), output.std().item(), (output <= 0.05).sum().item() / output.numel()]"
                ),
                fastais_own=stats(
                    "tuple(__import__('fastai.callback.hook').callback.hook.ActivationStats().hook(module, given, output).values())"
                ),
                by_hand=stats(
                    "(output.sum() / output.numel(), ((output - output.mean()) ** 2).sum().div(output.numel() - 1).sqrt(), 1 - (output > 0.05).double().mean())"
                ),
                with_our_hooks="""
with torch.no_grad(), cw.Hooks(list(layers.values())) as hooks:
    model(inputs)
    outputs = list(hooks.stored)
return {name: (each.mean(), each.std(), each.le(0.05).float().mean()) for name, each in zip(layers, outputs)}
""",
            ),
        },
        wrong=wrong_body(
            STATS,
            magnitude=(
                stats(NUMBERS.replace("output <= 0.05", "output.abs() <= 0.05")),
                "near_zero",
                "you took the magnitude",
            ),
            exactly_zero=(
                stats(NUMBERS.replace("output <= 0.05", "output == 0")),
                "near_zero",
                "exactly zero: ActivationStats counts",
            ),
            percent=(stats(NUMBERS.replace("float().mean()", "float().mean() * 100")), "near_zero", "in percent"),
            counted=(stats(NUMBERS.replace("float().mean()", "sum()")), "near_zero", "how many there are"),
            the_others=(stats(NUMBERS.replace("output <= 0.05", "output > 0.05")), "near_zero", "share of the others"),
            variance=(stats(NUMBERS.replace("std()", "var()")), "std", "this is the variance"),
            biased=(stats(NUMBERS.replace("std()", "std(unbiased=False)")), "std", "by one less"),
            mean_of_magnitudes=(
                stats(NUMBERS.replace("output.mean()", "output.abs().mean()")),
                "mean",
                "mean of the magnitudes",
            ),
            per_channel=(
                stats(NUMBERS.replace("output.mean()", "output.mean(0)")),
                "form",
                "one number for the whole layer",
            ),
            sum_not_mean=(stats(NUMBERS.replace("output.mean()", "output.sum()")), "mean", "sum, not the mean"),
            two_numbers=(stats("(output.mean(), output.std())"), "form", "three single numbers"),
            late_name=(stats().replace(", name=name", ""), "form", "all hooks used the last name"),
            only_values=(stats().replace("return stats", "return list(stats.values())"), "form", "return a dict"),
            hooks_left=(stats(remove="handles = None"), "removed", "remove every hook"),
            one_removed=(stats(remove="handles[-1].remove()"), "removed", "4 hooks too many"),
            others_removed=(
                stats(remove="for layer in layers.values():\n    layer._forward_hooks.clear()"),
                "removed",
                "hooks of others",
            ),
            of_the_input=(stats(NUMBERS.replace("output", "given[0]")), "mean", "what goes in"),
            computed_later=(
                stats("output.detach()").replace(
                    "return stats",
                    "return {name: (kept.mean(), kept.std(), (kept <= 0.05).float().mean()) for name, kept in stats.items()}",
                ),
                "mean",
                "compute inside the hook function",
            ),
            no_run=(stats(run="model"), "form", "was the model run while"),
        ),
        equivalent={
            "stats[name] = (output.mean().item(), output.std().item(), (output <= 0.05).float().mean().item()) → stats[name] = (output.mean(), output.std().item(), (output <= 0.05).float().mean().item())": "a tensor of one number is as good",
            "stats[name] = (output.mean().item(), output.std().item(), (output <= 0.05).float().mean().item()) → stats[name] = (output.mean().item(), output.std(), (output <= 0.05).float().mean().item())": "a tensor of one number is as good",
            "stats[name] = (output.mean().item(), output.std().item(), (output <= 0.05).float().mean().item()) → stats[name] = (output.mean().item(), output.std().item(), (output <= 0.05).float().mean())": "a tensor of one number is as good",
        },
    ),
    "hooks.q5": Entry(
        right=body(
            STORE,
            a_list=stored("kept.append(output.detach().clone())"),
            our_hook="with torch.no_grad(), cw.Hook(layer) as hook:\n    model(inputs)\n    return hook.stored",
            nonlocal_name="""
activation = None
def keep(module, given, output):
    nonlocal activation
    activation = output.clone()
handle = layer.register_forward_hook(keep)
model(inputs)
handle.remove()
return activation.detach()
""",
            with_a_dict=stored("kept.append({'it': output.cpu().clone()})", after="kept[0]['it']"),
            as_an_attribute="""
class Keeper:
    def __call__(self, module, given, output):
        self.stored = torch.empty_like(output).copy_(output)
keeper = Keeper()
handle = layer.register_forward_hook(keeper)
try:
    with torch.inference_mode():
        model(inputs)
finally:
    handle.remove()
return keeper.stored
""",
        ),
        wrong=wrong_body(
            STORE,
            not_copied=(stored("kept.append(output.detach())"), "copy", "store a copy"),
            not_removed=(
                stored("kept.append(output.detach().clone())", remove="pass"),
                "removed",
                "still on the layer",
            ),
            the_input=(stored("kept.append(given[0].clone())"), "shape", "went into the layer"),
            clears_all=(
                stored("kept.append(output.detach().clone())", remove="layer._forward_hooks.clear()"),
                "removed",
                "hooks of others",
            ),
            the_logits=("return model(inputs)", "shape", "whole model"),
            the_tuple=(stored("kept.append((output.clone(),))"), "shape", "in a list or tuple"),
            the_list=(stored("kept.append(output.clone())", after="kept"), "shape", "in a list or tuple"),
            first_picture=(stored("kept.append(output[0].clone())"), "shape", "batch axis is missing"),
            absolute=(stored("kept.append(output.abs())"), "values", "absolute value"),
            relu=(stored("kept.append(output.relu())"), "values", "ReLU"),
            pooled=(stored("kept.append(output.mean((2, 3)))"), "shape", "positions are missing"),
            forgot_return=(
                "handle = layer.register_forward_hook(print)\nmodel(inputs)\nhandle.remove()",
                "",
                "return at the end",
            ),
            never_run=(
                "kept = []\nhandle = layer.register_forward_hook(lambda m, i, o: kept.append(o))\nhandle.remove()\nreturn kept[0]",
                "",
                "the model has to run between",
            ),
            our_model=(
                "with cw.Hook(learn.model[0]) as hook:\n    learn.model(inputs)\n    return hook.stored",
                "shape",
                "",
            ),
        ),
        equivalent={
            "with torch.no_grad(): ⏎ model(inputs) → model(inputs)": "what is stored is detached",
            "with torch.no_grad(): → with torch.enable_grad():": "what is stored is detached",
            "stored.append(output.detach().clone()) → stored.append(output.clone())": "nothing is recorded inside no_grad",
            "return stored[0] → return stored[-1]": "the layer runs once",
        },
    ),
    "hooks.q6a": quiz(
        "modes_choice",
        "ac",
        {
            '"a"': "more than one option",
            '"b"': "still have",
            '"c"': "more than one option",
            '"d"': "The numbers are the same",
            '"abc"': "read what is said",
        },
    ),
    "hooks.q6b": Entry(
        right=body(
            MODES,
            one_by_one="""
def pair():
    one, two = model(inputs), model(inputs)
    return bool((one == two).all()), one.requires_grad
mode = model.training
model.train()
table = {"train": pair()}
with torch.no_grad():
    table["no_grad"] = pair()
model.eval()
table["eval"] = pair()
model.train(mode)
return table
""",
            by_grad_fn=modes("[torch.allclose(one, two), one.grad_fn is not None]"),
            as_numbers=modes("(int(torch.equal(one, two)), int(two.requires_grad))"),
            with_try="""
was = model.training
try:
    model.train()
    first = [model(inputs) for _ in range(2)]
    with torch.inference_mode():
        third = [model(inputs) for _ in range(2)]
    second = [model.eval()(inputs) for _ in range(2)]
finally:
    model.train(was)
return {
    name: ((runs[0] - runs[1]).abs().max().item() == 0, runs[0].requires_grad)
    for name, runs in {"train": first, "eval": second, "no_grad": third}.items()
}
""",
            on_a_copy="import copy\nmodel = copy.deepcopy(model)\n" + modes(PAIR),
        ),
        wrong=wrong_body(
            MODES,
            from_memory=(
                'return {"train": (False, True), "eval": (True, True), "no_grad": (False, False)}',
                "same",
                "let two runs tell you",
            ),
            swapped=(modes("(one.requires_grad, torch.equal(one, two))"), "same", "run the model twice in training"),
            eval_records_nothing=(
                modes(PAIR).replace('("eval", False, True)', '("eval", False, False)'),
                "recorded",
                "does not stop the recording",
            ),
            eval_in_no_grad=(
                modes(PAIR).replace('("no_grad", True, False)', '("no_grad", False, False)'),
                "same",
                "for 'no_grad' run the model twice in training mode",
            ),
            always_recording=(modes(PAIR, mode="torch.enable_grad()"), "recorded", "inside `with torch.no_grad()"),
            never_train=(
                modes(PAIR).replace("model.train(training)", "model.eval()"),
                "same",
                "twice in training mode",
            ),
            mode_lost=(modes(PAIR).replace("model.train(before)", "pass"), "mode", "note model.training"),
            always_training_after=(modes(PAIR).replace("model.train(before)", "model.train()"), "mode", "give it back"),
            always_eval_after=(modes(PAIR).replace("model.train(before)", "model.eval()"), "mode", "give it back"),
            differs=(modes("(not torch.equal(one, two), one.requires_grad)"), "same", "compare all logits"),
            one_run=(modes("(torch.equal(one, one), one.requires_grad)"), "same", "run the model twice in training"),
            of_the_parameters=(
                modes("(torch.equal(one, two), any(each.requires_grad for each in model.parameters()))"),
                "recorded",
                "inside `with torch.no_grad()",
            ),
            dropout_by_type=(
                modes("(not training or 'Dropout' not in str(model), recording)"),
                "recorded",
                "this model is frozen",
            ),
            other_names=(modes(PAIR).replace('"no_grad"', '"nograd"'), "form", "these three names"),
            no_pair=(modes("torch.equal(one, two)"), "form", "a pair"),
            the_logits=(modes("(one, two)"), "form", "a pair"),
            forgot_return=(modes(PAIR).replace("return found", ""), "", "return at the end"),
        ),
        equivalent={
            "found[name] = (torch.equal(first, second), first.requires_grad) → found[name] = (torch.equal(second, first), first.requires_grad)": "equal is equal in either order",
        },
    ),
    "hooks.q6c": Entry(
        right=body(
            QUIET,
            module_by_module="""
before = {module: module.training for module in model.modules()}
with torch.no_grad():
    logits = model.eval()(inputs)
for module, mode in before.items():
    module.training = mode
return logits
""",
            on_a_copy="import copy\ntwin = copy.deepcopy(model).eval()\nwith torch.no_grad():\n    return twin(inputs)",
            whatever_happens="""
modes = [module.training for module in model.modules()]
recording = torch.is_grad_enabled()
torch.set_grad_enabled(False)
try:
    model.eval()
    return model(inputs)
finally:
    torch.set_grad_enabled(recording)
    for module, mode in zip(model.modules(), modes):
        module.train(mode)
        for below in module.modules():
            below.training = dict(zip(model.modules(), modes))[below]
""",
            inference_mode="""
training = [module for module in model.modules() if module.training]
model.train(False)
with torch.inference_mode():
    logits = model(inputs)
for module in training:
    module.training = True
return logits.clone()
""",
        ),
        wrong=wrong_body(
            QUIET,
            detached=(
                """
modes = [m.training for m in model.modules()]
model.eval()
logits = model(inputs).detach()
[setattr(m, "training", mode) for m, mode in zip(model.modules(), modes)]
return logits
""",
                "quiet",
                "detach() afterwards is too late",
            ),
            only_no_grad=("with torch.no_grad():\n    return model(inputs)", "values", "training mode"),
            only_eval=("model.eval()\nlogits = model(inputs)\nmodel.train()\nreturn logits", "quiet", "no_grad"),
            not_given_back=(
                "model.eval()\nwith torch.no_grad():\n    return model(inputs)",
                "mode",
                "still in evaluation mode",
            ),
            nothing=("return model(inputs)", "values", "training mode"),
            eval_too_late=(
                "with torch.no_grad():\n    logits = model(inputs)\nmodel.eval()\nmodel.train()\nreturn logits",
                "values",
                "training mode",
            ),
            batch_norm_mixed=(
                "with torch.no_grad():\n    model(inputs)\n    modes = [m.training for m in model.modules()]\n    logits = model.eval()(inputs)\n"
                "for m, mode in zip(model.modules(), modes):\n    m.training = mode\nreturn logits",
                "mode",
                "mixed these inputs",
            ),
            train_first=("model.train()\nwith torch.no_grad():\n    return model(inputs)", "values", "training mode"),
            softmax=(
                "model.eval()\nwith torch.no_grad():\n    logits = model(inputs).softmax(1)\nmodel.train()\nreturn logits",
                "values",
                "probabilities",
            ),
            only_the_head=(
                "model.head.eval()\nwith torch.no_grad():\n    logits = model(inputs)\nmodel.head.train()\nreturn logits",
                "values",
                "training mode",
            ),
            requires_grad=(
                "model.eval()\nlogits = model(inputs).requires_grad_()\nmodel.train()\nreturn logits",
                "quiet",
                "no_grad",
            ),
            forgot_return=("model.eval()\nmodel(inputs)\nmodel.train()", "", "return at the end"),
        ),
        equivalent={},
    ),
    "hooks.q10": Entry(
        right={
            **body(
                CLASS,
                simple=hook(),
                with_remove=hook(leave="self.remove()") + "\ndef remove(self):\n    self.handle.remove()",
                registers_on_entry="""
def __init__(self, module):
    self.module = module

def __enter__(self):
    def keep(module, given, output):
        self.stored = output.clone().detach()
    self.handle = self.module.register_forward_hook(keep)
    return self

def __exit__(self, kind, error, trace):
    self.handle.remove()
    return False
""",
                with_an_exit_stack="""
def __init__(self, module):
    import contextlib
    self.stack = contextlib.ExitStack()
    self.stack.callback(module.register_forward_hook(self.keep).remove)

def keep(self, module, given, output):
    self.stored = output.detach().clone()

def __enter__(self):
    return self

def __exit__(self, *error):
    self.stack.close()
""",
            ),
        },
        wrong=wrong_body(
            CLASS,
            not_copied=(hook("self.stored = output.detach()"), "copy", "in place: store a copy"),
            not_detached=(hook("self.stored = output.clone()"), "copy", "still holds the graph"),
            gone_after_the_block=(
                hook(leave="self.handle.remove()\ndel self.stored"),
                "removed",
                "gone after the block",
            ),
            shared=(hook("MyHook.stored = output.detach().clone()"), "listens", "share what they store"),
            changes=(hook("self.stored = output.detach().clone()\nreturn output * 1.5"), "listens", "return nothing"),
            not_removed=(hook(leave="pass"), "removed", "remove the handle"),
            swallows=(hook(leave="self.handle.remove()\nreturn True"), "error", "swallows"),
            only_without_error=(
                hook(leave="if error[0] is None:\n    self.handle.remove()"),
                "after_error",
                "after an error too",
            ),
            enters_none=(hook(enter="pass"), "", "return self"),
            no_methods=(
                "def __init__(self, module):\n    self.handle = module.register_forward_hook(self.keep)\n\ndef keep(self, module, given, output):\n    self.stored = output",
                "stored",
                "__enter__ and __exit__",
            ),
            local_name=(hook("stored = output.detach().clone()"), "stored", "set self.stored"),
            the_input=(hook("self.stored = given[0].clone()"), "stored", "went into the layer"),
            removed_too_soon=(hook(enter="self.handle.remove()\nreturn self"), "stored", "no hook is on the layer"),
            first_run=(
                hook("if not hasattr(self, 'stored'):\n    self.stored = output.detach().clone()"),
                "stored",
                "of the first run",
            ),
            clears_all=(
                hook(leave="self.module._forward_hooks.clear()").replace(
                    "    self.handle =", "    self.module = module\n    self.handle ="
                ),
                "removed",
                "hooks of others",
            ),
            another_error=(
                hook(leave="self.handle.remove()\nif error[0]:\n    raise ValueError('oh')"),
                "error",
                "hides the first",
            ),
            relu=(hook("self.stored = output.relu()"), "stored", "ReLU"),
            two_arguments=(
                hook().replace("(self, module, given, output)", "(self, given, output)"),
                "",
                "gives the function three things",
            ),
            exit_without_arguments=(
                hook().replace("__exit__(self, *error)", "__exit__(self)"),
                "",
                "def __exit__(self, *error)",
            ),
            forgot_the_handle=(
                hook().replace("self.handle = module", "module"),
                "",
                "keep what register_forward_hook returns",
            ),
        ),
    ),
    "hooks.change_output": Entry(
        right=body(
            WITHOUT,
            cloned=changed("changed = output.clone()\nchanged[:, channel] = 0\nreturn changed"),
            multiplied=changed(
                "keep = torch.ones(output.shape[1])\nkeep[channel] = 0\nreturn output * keep[:, None, None]"
            ),
            index_fill=changed("return output.index_fill(1, torch.tensor([channel]), 0)"),
            pieces=changed(
                "return torch.cat([output[:, :channel], torch.zeros_like(output[:, :1]), output[:, channel + 1:]], dim=1)"
            ),
        ),
        wrong=wrong_body(
            WITHOUT,
            in_place=(changed("output[:, channel] = 0\nreturn output"), "removed", "inputs was changed"),
            nothing_returned=(
                changed("changed = output.clone()\nchanged[:, channel] = 0"),
                "values",
                "these are the logits with all channels",
            ),
            wrong_axis=(
                changed("changed = output.clone()\nchanged[channel % 2] = 0\nreturn changed"),
                "values",
                "first axis is the batch",
            ),
            all_others=(
                changed("changed = torch.zeros_like(output)\nchanged[:, channel] = output[:, channel]\nreturn changed"),
                "values",
                "all other channels",
            ),
            not_removed=(
                changed("return output * (torch.arange(output.shape[1]) != channel)[:, None, None]", remove="pass"),
                "removed",
                "still there",
            ),
            everything=(changed("return output * 0"), "values", "all channels were switched off"),
            next_channel=(
                changed("changed = output.clone()\nchanged[:, channel - 1] = 0\nreturn changed"),
                "values",
                "channel before it",
            ),
            clears_all=(
                changed(
                    "return output * (torch.arange(output.shape[1]) != channel)[:, None, None]",
                    remove="layer._forward_hooks.clear()",
                ),
                "removed",
                "hooks of others",
            ),
            probabilities=(
                changed(
                    "return output * (torch.arange(output.shape[1]) != channel)[:, None, None]",
                    run="logits = model(inputs).softmax(1)",
                ),
                "values",
                "probabilities",
            ),
            halved=(changed("changed = output.clone()\nchanged[:, channel] /= 2\nreturn changed"), "values", ""),
            the_activation=(
                "kept = []\nhandle = layer.register_forward_hook(lambda m, i, o: kept.append(o))\nwith torch.no_grad():\n    model(inputs)\n"
                "handle.remove()\nkept[0][:, channel] = 0\nreturn kept[0]",
                "shape",
                "return the logits",
            ),
            no_hook=(
                "with torch.no_grad():\n    return model(inputs)",
                "values",
                "these are the logits with all channels",
            ),
            weights=(
                "with torch.no_grad():\n    layer.weight[channel] = 0\n    layer.bias[channel] = 0\n    return model(inputs)",
                "removed",
                "weights were changed",
            ),
            forgot_return=(changed("return output * 0").replace("return logits", ""), "", "return at the end"),
        ),
        equivalent={
            "with torch.no_grad(): ⏎ return model(inputs) → return model(inputs)": "the logits are the same",
            "with torch.no_grad(): → with torch.enable_grad():": "the logits are the same",
            "changed = output.clone() → changed = output": "nobody else holds this output",
        },
    ),
    "hooks.panel": Entry(
        right={
            "the same": "MyPanelHook = MyHook",
            "ours": "MyPanelHook = cw.Hook",
            **body("class MyPanelHook:", new=hook()),
            "a subclass": "class MyPanelHook(MyHook):\n    pass",
        },
        wrong={
            name: Wrong(body("class MyPanelHook:", it=code)["it"], fact, says)
            for name, (code, fact, says) in {
                "not removed": (hook(leave="pass"), "removed", "never removed"),
                "no copy": (hook("self.stored = output.detach()"), "copy", "without a clone"),
                "not detached": (hook("self.stored = output.clone()"), "detached", "still holds the graph"),
                "stores nothing": (hook("stored = output"), "activation", "stores nothing"),
                "the input": (hook("self.stored = given[0].clone()"), "activation", "the input instead of the output"),
                "enters none": (hook(enter="pass"), "activation", "returns None from __enter__"),
                "changes the output": (
                    hook("self.stored = output.clone()\nreturn output * 2"),
                    "activation",
                    "changes the output",
                ),
                "a tuple": (hook("self.stored = (output.detach().clone(),)"), "activation", "a tuple, not its tensor"),
                "raises": (
                    hook("self.stored = output.item()"),
                    "activation",
                    "in your line 6 `self.stored = output.item()`",
                ),
                "pooled": (hook("self.stored = output.mean((2, 3))"), "activation", "stores a mean, not the map"),
                "first picture": (hook("self.stored = output[0].detach().clone()"), "activation", "batch axis"),
                "two arguments": (
                    hook().replace("module, given, output", "given, output"),
                    "activation",
                    "gives the function three things",
                ),
                "clears all": (
                    hook(leave="self.module._forward_hooks.clear()").replace(
                        "    self.handle =", "    self.module = module\n    self.handle ="
                    ),
                    "removed",
                    "removes hooks of others",
                ),
            }.items()
        },
    ),
}
