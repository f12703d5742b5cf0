"""Answers to the items of `grad_cam`."""

from tests.course.bank import Entry, Wrong
from tests.course.bank.common import body, indented, quiz, wrong_body

CLASS = "class MyHookBwd:"
FORWARD = "class MyHook:"
MAP = "def grad_cam_map(activation, gradient):"
ANY = "def grad_cam(model, layer, inputs, target_class, relu=False):"
AS_CAM = "def as_cam(grad_cam_map):"


def hook(register: str, keep: str, *, enter: str = "return self", leave: str = "self.handle.remove()") -> str:
    """The body of a hook class."""
    return f"""
def __init__(self, module):
{indented(register)}

{keep.strip()}

def __enter__(self):
{indented(enter)}

def __exit__(self, *error):
{indented(leave)}
"""


FULL = "self.handle = module.register_full_backward_hook(self.keep)"
KEEP = """
def keep(self, module, grad_input, grad_output):
    self.stored = grad_output[0].detach().clone()
"""
LISTEN = "self.handle = module.register_forward_hook(self.keep)"
STORE = """
def keep(self, module, given, output):
    self.stored = output.detach().clone()
"""
ON_TENSOR = """
def keep(self, module, given, output):
    output.register_hook(self.store)

def store(self, gradient):
    self.stored = gradient.clone()
"""


def ways(by_index: str, by_weights: str, by_autograd: str) -> str:
    """The three functions with these bodies."""
    return "\n\n".join(
        f"def {signature}:\n{indented(code)}"
        for signature, code in (
            ("by_index(output, target_class)", by_index),
            ("by_weights(output, target_class)", by_weights),
            ("by_autograd(output, target_class, activation)", by_autograd),
        )
    )


INDEX = "output[0, target_class].backward()"
WEIGHTS = "output.backward(gradient=torch.eye(output.shape[1])[[target_class]])"
AUTOGRAD = "return torch.autograd.grad(output[0, target_class], activation)[0]"

BANK: dict[str, Entry] = {
    "grad_cam.q11": quiz(
        "inside_choice",
        "b",
        {'"a"': "a hook can store it", '"c"': "no obstacle", '"d"': "by chance", '"bd"': "read what is said"},
    ),
    "grad_cam.q12a": quiz(
        "backward_choice",
        "a",
        {'"b"': "just not kept", '"c"': "does not exist yet", '"d"': "which logit", '"ab"': "read what is said"},
    ),
    "grad_cam.q12b": Entry(
        right={
            **body(
                CLASS,
                full=hook(FULL, KEEP),
                without_a_copy=hook(FULL, KEEP.replace(".detach().clone()", "")),
                on_the_tensor=hook(LISTEN, ON_TENSOR),
                unpacked=hook(
                    FULL,
                    "def keep(self, module, grad_input, grad_output):\n    (gradient,) = grad_output\n    self.stored = gradient.cpu()",
                    enter="return self",
                ),
            ),
            "ours": "class MyHookBwd(cw.HookBwd):\n    pass",
        },
        wrong=wrong_body(
            CLASS,
            retain_grad=(
                hook(
                    LISTEN,
                    """
def keep(self, module, given, output):
    self.output = output
    output.retain_grad()

@property
def stored(self):
    return self.output.grad
""",
                ),
                "newest",
                "added up",
            ),
            the_tuple=(hook(FULL, KEEP.replace("[0].detach().clone()", "")), "shape", "tuple of gradients"),
            grad_input=(hook(FULL, KEEP.replace("grad_output[0]", "grad_input[0]")), "shape", ""),
            activation=(hook(LISTEN, STORE), "values", "activation, not its gradient"),
            not_removed=(hook(FULL, KEEP, leave="pass"), "removed", "remove the handle"),
            stores_nothing=(hook(FULL, KEEP.replace("self.stored", "stored")), "shape", "nothing is stored"),
            no_context_manager=(
                f"def __init__(self, module):\n{indented(FULL)}\n\n{KEEP.strip()}",
                "shape",
                "__enter__",
            ),
            enters_none=(hook(FULL, KEEP, enter="pass"), "", "returned None"),
            never_registered=(hook("self.module = module", KEEP), "shape", "nothing is stored"),
            two_arguments=(hook(FULL, KEEP.replace("grad_input, ", "")), "", "gives the function three things"),
            absolute=(hook(FULL, KEEP.replace("grad_output[0]", "grad_output[0].abs()")), "values", "absolute value"),
            relu=(hook(FULL, KEEP.replace("grad_output[0]", "grad_output[0].relu()")), "values", "ReLU"),
            averaged=(hook(FULL, KEEP.replace("grad_output[0]", "grad_output[0].mean(0)")), "shape", ""),
            a_list=(
                hook(
                    FULL + "\nself.stored = []",
                    KEEP.replace("self.stored = ", "self.stored += [").replace("clone()", "clone()]"),
                ),
                "shape",
                "this is a list",
            ),
            not_remembered=(hook(FULL.replace("self.handle = ", ""), KEEP), "", "has no attribute 'handle'"),
        ),
        equivalent={
            "self.stored = grad_output[0].detach().clone() → self.stored = grad_output[0].detach()": "nothing changes this gradient later: PyTorch hands each hook its own",
            "self.stored = grad_output[0].detach().clone() → self.stored = grad_output[0].clone()": "it carries no graph unless one asks for second derivatives",
            "self.stored = grad_output[0].detach().clone() → self.stored = grad_output[-1].detach().clone()": "a layer with one output has one gradient",
        },
    ),
    "grad_cam.q13a": quiz(
        "scalar_choice",
        "a",
        {'"b"': "recorded as before", '"c"': "single number", '"d"': "how many numbers", '"ac"': "read what is said"},
    ),
    "grad_cam.q13b": Entry(
        right={
            "as in the hints": ways(
                INDEX,
                "weights = torch.zeros_like(output)\nweights[0, target_class] = 1\noutput.backward(weights)",
                AUTOGRAD,
            ),
            "one-hot": ways(
                "output[:, target_class].sum().backward()",
                "output.backward(gradient=nn.functional.one_hot(torch.tensor([target_class]), output.shape[1]).float())",
                "(gradient,) = torch.autograd.grad(output[0, target_class], activation)\nreturn gradient",
            ),
            "by multiplication": ways(
                "(output * torch.eye(output.shape[1])[target_class]).sum().backward()",
                "torch.autograd.backward(output, torch.eye(output.shape[1])[None, target_class])",
                "return torch.autograd.grad(output, [activation], grad_outputs=torch.eye(output.shape[1])[[target_class]])[0]",
            ),
            "by select": ways(
                "output.squeeze(0)[target_class].backward()",
                WEIGHTS,
                "return torch.autograd.grad([output.select(1, target_class).squeeze()], activation, retain_graph=True)[0]",
            ),
        },
        wrong={
            "no index": Wrong(ways("output.backward()", WEIGHTS, AUTOGRAD), "", "pick one class's logit"),
            "sum of all": Wrong(ways("output.sum().backward()", WEIGHTS, AUTOGRAD), "index", "only one class count"),
            "the largest": Wrong(ways("output.max().backward()", WEIGHTS, AUTOGRAD), "index", ""),
            "the first class": Wrong(ways("output[0, 0].backward()", WEIGHTS, AUTOGRAD), "index", ""),
            "softmax": Wrong(ways("output.softmax(1)[0, target_class].backward()", WEIGHTS, AUTOGRAD), "index", ""),
            "weights of one": Wrong(
                ways(INDEX, "output.backward(torch.ones_like(output))", AUTOGRAD), "weights", "only one class count"
            ),
            "weights of a wrong shape": Wrong(
                ways(INDEX, "output.backward(torch.eye(output.shape[1]))", AUTOGRAD), "", "RuntimeError"
            ),
            "weights are the class": Wrong(
                ways(INDEX, "output.backward(torch.full_like(output, target_class + 2.0))", AUTOGRAD), "weights", ""
            ),
            "the tuple": Wrong(
                ways(INDEX, WEIGHTS, AUTOGRAD.removesuffix("[0]")), "autograd", "take its first element"
            ),
            "backward in place of autograd": Wrong(
                ways(INDEX, WEIGHTS, "output[0, target_class].backward()\nreturn activation.grad"),
                "clean",
                "fills the .grad",
            ),
            "nothing returned": Wrong(ways(INDEX, WEIGHTS, AUTOGRAD.removeprefix("return ")), "", "return at the end"),
            "nothing run": Wrong(ways("output[0, target_class]", WEIGHTS, AUTOGRAD), "index", "no gradient arrived"),
            "of the wrong thing": Wrong(
                ways(INDEX, WEIGHTS, "return torch.autograd.grad(output[0, target_class], output)[0]"),
                "autograd",
                "this is the gradient of the output",
            ),
        },
        equivalent={
            "return torch.autograd.grad(output[0, target_class], activation)[0] → return torch.autograd.grad(output[0, target_class], activation)[-1]": "one tensor was asked for, one came",
            "weights[0, target_class] = 1 → weights[-1, target_class] = 1": "one picture: its first place is its last",
            "output[0, target_class].backward() → output[-1, target_class].backward()": "one picture: its first place is its last",
            "return torch.autograd.grad(output[0, target_class], activation)[0] → return torch.autograd.grad(output[-1, target_class], activation)[0]": "one picture: its first place is its last",
        },
    ),
    "grad_cam.map": Entry(
        right=body(
            MAP,
            keepdim="return (gradient.mean(dim=(1, 2), keepdim=True) * activation).sum(0)",
            new_axes="return (gradient.mean((1, 2))[:, None, None] * activation).sum(dim=0)",
            einsum='return torch.einsum("k,kij->ij", gradient.mean((1, 2)), activation)',
            einsum_twice='return torch.einsum("kab,kij->ij", gradient, activation) / gradient[0].numel()',
            tensordot="return torch.tensordot(gradient.flatten(1).mean(1), activation, dims=1)",
            loop="return sum(g.mean() * a for g, a in zip(gradient, activation))",
        ),
        wrong=wrong_body(
            MAP,
            hires=("return (gradient * activation).sum(0)", "values", "HiResCAM"),
            summed=(
                "return (gradient.sum((1, 2), keepdim=True) * activation).sum(0)",
                "values",
                "added up, not averaged",
            ),
            averaged_channels=(
                "return (gradient.mean((1, 2), keepdim=True) * activation).mean(0)",
                "values",
                "mean over channels",
            ),
            relu=("return (gradient.mean((1, 2), keepdim=True) * activation).sum(0).relu()", "values", "ReLU"),
            relu_on_weights=(
                "return (gradient.mean((1, 2), keepdim=True).relu() * activation).sum(0)",
                "values",
                "channels' weights",
            ),
            swapped=(
                "return (activation.mean((1, 2), keepdim=True) * gradient).sum(0)",
                "values",
                "activation was averaged",
            ),
            not_summed=("return gradient.mean((1, 2), keepdim=True) * activation", "shape", "add the channels up"),
            only_weights=("return gradient.mean((1, 2))", "shape", "channels' weights"),
            gradient_only=("return gradient.mean(0)", "values", "where is the activation"),
            activation_only=("return activation.sum(0)", "values", "where is the gradient"),
            no_keepdim=("return (gradient.mean((1, 2)) * activation).sum(0)", "", "do not broadcast"),
            transposed=(
                "return (gradient.mean((1, 2), keepdim=True) * activation).sum(0).T",
                "shape",
                "changed places",
            ),
            in_place=(
                "activation *= gradient.mean((1, 2), keepdim=True)\nreturn activation.sum(0)",
                "kept",
                "in place",
            ),
            scaled=(
                "cam = (gradient.mean((1, 2), keepdim=True) * activation).sum(0)\nreturn (cam - cam.min()) / (cam.max() - cam.min())",
                "values",
                "0 ... 1",
            ),
        ),
    ),
    "grad_cam.panel": Entry(
        right={
            **body(
                FORWARD,
                forward_hook=hook(LISTEN, STORE),
                function_inside=hook(
                    "def note(module, given, output):\n    self.stored = output.clone().detach()\nself.handle = module.register_forward_hook(note)",
                    "calls = 0",
                ),
                with_remove=hook(
                    LISTEN, STORE + "\ndef remove(self):\n    self.handle.remove()", leave="self.remove()"
                ),
                in_a_list=hook(
                    "self.kept = []\nself.handle = module.register_forward_hook(self.keep)",
                    "def keep(self, module, given, output):\n    self.kept[:] = [output.detach().clone()]\n\n@property\ndef stored(self):\n    return self.kept[0]",
                ),
            ),
            "ours": "class MyHook(cw.Hook):\n    pass",
        },
        wrong=wrong_body(
            FORWARD,
            not_removed=(hook(LISTEN, STORE, leave="pass"), "activation", "never removed"),
            stores_nothing=(hook(LISTEN, STORE.replace("self.stored", "stored")), "activation", "HookError"),
            stores_the_input=(hook(LISTEN, STORE.replace("= output", "= given[0]")), "activation", "input"),
            enters_none=(hook(LISTEN, STORE, enter="pass"), "activation", "__enter__"),
            changes_the_output=(hook(LISTEN, STORE + "    return output * 0"), "activation", "HookError"),
            cuts_the_graph=(hook(LISTEN, STORE + "    return output.detach()"), "activation", "HookError"),
            averaged=(hook(LISTEN, STORE.replace("= output", "= output.mean((2, 3))")), "activation", "HookError"),
            not_registered=(hook("self.module = module", STORE), "activation", "HookError"),
            raises=(
                hook(LISTEN, "def keep(self, module, given, output):\n    self.stored = output.numpy().clone()"),
                "activation",
                "HookError",
            ),
            no_module=(hook(LISTEN, STORE).replace("(self, module):", "(self):"), "activation", "HookError"),
            no_context_manager=(
                f"def __init__(self, module):\n{indented(LISTEN)}\n\n{STORE.strip()}",
                "activation",
                "HookError",
            ),
        ),
        equivalent={
            "self.stored = output.detach().clone() → self.stored = output.detach()": "nothing in this network works in place; the assignment on hooks asks for the copy",
        },
    ),
    "grad_cam.any_layer": Entry(
        right=body(
            ANY,
            two_hooks="""
with cw.Hook(layer) as hook, cw.HookBwd(layer) as hook_bwd:
    model(inputs)[0, target_class].backward()
    cam = grad_cam_map(hook.stored[0], hook_bwd.stored[0])
return cam.relu() if relu else cam
""",
            autograd="""
kept = []
handle = layer.register_forward_hook(lambda m, i, o: kept.append(o))
try:
    output = model(inputs)
finally:
    handle.remove()
gradient, = torch.autograd.grad(output[0, target_class], kept[0])
cam = torch.einsum("k,kij->ij", gradient[0].mean((1, 2)), kept[0][0])
return cam.clamp(min=0) if relu else cam
""",
            retain_grad="""
with cw.Hook(layer):
    kept = {}
    handle = layer.register_forward_hook(lambda m, i, o: kept.update(activation=o))
    output = model(inputs)
    kept["activation"].retain_grad()
    output[:, target_class].sum().backward()
    handle.remove()
activation = kept["activation"]
cam = (activation.grad[0].mean((1, 2))[:, None, None] * activation[0]).sum(0).detach()
return nn.functional.relu(cam) if relu else cam
""",
            full_backward_hook="""
stored = {}
one = layer.register_forward_hook(lambda m, i, o: stored.__setitem__("a", o.detach()))
two = layer.register_full_backward_hook(lambda m, gi, go: stored.__setitem__("g", go[0].detach()))
output = model(inputs)
output.backward(torch.eye(output.shape[1])[[target_class]])
one.remove()
two.remove()
cam = (stored["g"].mean((2, 3), keepdim=True) * stored["a"]).sum(1)[0]
return torch.maximum(cam, torch.zeros(())) if relu else cam
""",
            the_whole_kit="""
name = next(name for name, module in model.named_modules() if module is layer)
cam = cw.explain(model, inputs, layers=[name], target_classes=[target_class]).cam(name, target_class)
return cam * (cam > 0) if relu else cam
""",
        ),
        wrong=wrong_body(
            ANY,
            always_relu=(
                "with cw.Hook(layer) as hook, MyHookBwd(layer) as hook_bwd:\n    model(inputs)[0, target_class].backward()\n"
                "    return grad_cam_map(hook.stored[0], hook_bwd.stored[0]).relu()",
                "last",
                "ReLU is applied",
            ),
            never_relu=(
                "with cw.Hook(layer) as hook, MyHookBwd(layer) as hook_bwd:\n    model(inputs)[0, target_class].backward()\n"
                "    return grad_cam_map(hook.stored[0], hook_bwd.stored[0])",
                "relu",
                "ignored",
            ),
            other_class=(
                "with cw.Hook(layer) as hook, MyHookBwd(layer) as hook_bwd:\n    model(inputs)[0, (target_class + 1) % 3].backward()\n"
                "    cam = grad_cam_map(hook.stored[0], hook_bwd.stored[0])\nreturn cam.relu() if relu else cam",
                "last",
                "this is the gradient of",
            ),
            hires=(
                "with cw.Hook(layer) as hook, MyHookBwd(layer) as hook_bwd:\n    model(inputs)[0, target_class].backward()\n"
                "    cam = (hook.stored[0] * hook_bwd.stored[0]).sum(0)\nreturn cam.relu() if relu else cam",
                "inner",
                "not averaged",
            ),
            batch_axis=(
                "with cw.Hook(layer) as hook, MyHookBwd(layer) as hook_bwd:\n    model(inputs)[0, target_class].backward()\n"
                "    cam = (hook_bwd.stored.mean((2, 3), keepdim=True) * hook.stored).sum(1)\nreturn cam.relu() if relu else cam",
                "shape",
                "drop the batch axis",
            ),
            output_backward=(
                "with cw.Hook(layer) as hook, MyHookBwd(layer) as hook_bwd:\n    model(inputs).backward()\n"
                "    return grad_cam_map(hook.stored[0], hook_bwd.stored[0])",
                "",
                "pick one class's logit",
            ),
            no_grad=(
                "with torch.no_grad(), cw.Hook(layer) as hook, MyHookBwd(layer) as hook_bwd:\n"
                "    model(inputs)[0, target_class].backward()\n    return grad_cam_map(hook.stored[0], hook_bwd.stored[0])",
                "",
                "no gradient was recorded",
            ),
            hooks_left=(
                "hook, hook_bwd = cw.Hook(layer), MyHookBwd(layer)\nmodel(inputs)[0, target_class].backward()\n"
                "cam = grad_cam_map(hook.stored[0], hook_bwd.stored[0])\nhook.remove()\nreturn cam.relu() if relu else cam",
                "removed",
                "take every hook off",
            ),
            read_too_late=(
                "with cw.Hook(layer) as hook, MyHookBwd(layer) as hook_bwd:\n    model(inputs)[0, target_class].backward()\n"
                "return grad_cam_map(hook.stored[0], hook_bwd.stored[0])",
                "",
                "inside the with block",
            ),
            last_layer_always=(
                "with cw.Hook(model[1]) as hook, MyHookBwd(model[1]) as hook_bwd:\n    model(inputs)[0, target_class].backward()\n"
                "    cam = grad_cam_map(hook.stored[0], hook_bwd.stored[0])\nreturn cam.relu() if relu else cam",
                "shape",
                "",
            ),
            probability=(
                "with cw.Hook(layer) as hook, MyHookBwd(layer) as hook_bwd:\n    model(inputs).softmax(1)[0, target_class].backward()\n"
                "    cam = grad_cam_map(hook.stored[0], hook_bwd.stored[0])\nreturn cam.relu() if relu else cam",
                "last",
                "probability was differentiated",
            ),
        ),
        equivalent={
            "cam = grad_cam_map(hook.stored[0], hook_bwd.stored[0]) → cam = grad_cam_map(hook.stored[-1], hook_bwd.stored[0])": "one picture: its first place is its last",
            "cam = grad_cam_map(hook.stored[0], hook_bwd.stored[0]) → cam = grad_cam_map(hook.stored[0], hook_bwd.stored[-1])": "one picture: its first place is its last",
            "model(inputs)[0, target_class].backward() → model(inputs)[-1, target_class].backward()": "one picture: its first place is its last",
        },
    ),
    "grad_cam.equals_cam": Entry(
        right=body(
            AS_CAM,
            numel="return grad_cam_map * grad_cam_map.numel()",
            sides="height, width = grad_cam_map.shape\nreturn grad_cam_map * (height * width)",
            by_division="return grad_cam_map / (1 / grad_cam_map.numel())",
            sum_and_mean="return grad_cam_map * torch.ones_like(grad_cam_map).sum()",
            stepwise="return grad_cam_map * len(grad_cam_map) * grad_cam_map.shape[1]",
        ),
        wrong=wrong_body(
            AS_CAM,
            divided=("return grad_cam_map / grad_cam_map.numel()", "values", "divided"),
            height=("return grad_cam_map * grad_cam_map.shape[0]", "values", "height only"),
            width=("return grad_cam_map * grad_cam_map.shape[1]", "values", "width only"),
            forty_nine=("return grad_cam_map * 49", "values", "49"),
            itself=("return grad_cam_map", "values", "still Grad-CAM"),
            relu=("return grad_cam_map.relu() * grad_cam_map.numel()", "values", "ReLU"),
            summed=("return grad_cam_map.sum()", "shape", "one number"),
            scaled=("return grad_cam_map / grad_cam_map.abs().max()", "values", "largest value"),
            channels=("return grad_cam_map * 1280", "values", "1280"),
            softmax=("return grad_cam_map.flatten().softmax(0).view_as(grad_cam_map)", "values", ""),
            negative=("return -grad_cam_map * grad_cam_map.numel()", "values", "sign"),
        ),
    ),
}
