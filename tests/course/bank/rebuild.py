"""Answers to the item of `rebuild`."""

from tests.course.bank import Entry, Wrong
from tests.course.bank.common import indented

HEAD = "def both_maps(learn, picture, layer, target_class):"
INPUTS = "learn.dls.test_dl([picture]).one_batch()[0].as_subclass(torch.Tensor)"
CAM = 'torch.einsum("k,kij->ij", head[-1].weight[target_class], kept[body][0])'
GRADIENT = "torch.autograd.grad(logits[0, target_class], kept[layer])"
WEIGHT = "gradient[0].mean(dim=(1, 2), keepdim=True)"
GRAD_CAM = "(weight * kept[layer][0]).sum(dim=0)"

MODES = "modes = {each: each.training for each in learn.model.modules()}"
GIVE_BACK = "for each, mode in modes.items():\n    each.training = mode"


def maps(
    *,
    inputs: str = INPUTS,
    keep: str = "kept[module] = output\nreturn output.clone()",
    before: str = "learn.model.eval()",
    run: str = "logits = learn.model(inputs)",
    after: str = f"for handle in handles:\n    handle.remove()\n{GIVE_BACK}",
    cam: str = CAM,
    gradient: str = GRADIENT,
    weight: str = WEIGHT,
    grad_cam: str = GRAD_CAM,
    back: str = "return cam.detach(), grad_cam.detach()",
) -> str:
    """The solution with one part written in another way."""
    lines = f"""
body, head = learn.model
inputs = {inputs}
kept = {{}}
def keep(module, given, output):
{indented(keep)}
{MODES}
{before}
handles = [module.register_forward_hook(keep) for module in (body, layer)]
{run}
{after}
cam = {cam}
(gradient,) = {gradient}
weight = {weight}
grad_cam = {grad_cam}
{back}
"""
    return f"{HEAD}\n{indented(lines)}"


BY_HOOKS = f"""
{HEAD}
    model = learn.model
    body, head = model
    inputs = {INPUTS}
    {MODES}
    grads = [each.grad for each in model.parameters()]
    for each in model.parameters():
        each.grad = None
    model.eval()
    try:
        with cw.Hook(body) as last, cw.Hook(layer) as inner, cw.HookBwd(layer) as slope:
            model(inputs)[0, target_class].backward()
            end, activation, gradient = last.stored[0], inner.stored[0], slope.stored[0]
    finally:
{indented(indented(GIVE_BACK))}
        for each, grad in zip(model.parameters(), grads):
            each.grad = grad
    cam = (head[-1].weight[target_class].detach()[:, None, None] * end).sum(0)
    return cam, (gradient.mean((1, 2))[:, None, None] * activation).sum(0)
"""
BY_CUTTING = f"""
{HEAD}
    body, head = learn.model
    inputs = {INPUTS}
    {MODES}
    learn.model.eval()
    grid = inputs
    for module in body:
        grid = module(grid.clone())
        if module is layer:
            activation = grid
    logits = head(grid)
{indented(GIVE_BACK)}
    gradient = torch.autograd.grad(logits[0, target_class], activation)[0]
    cam = torch.tensordot(head[-1].weight[target_class], grid[0], dims=1).detach()
    return [cam, torch.einsum("nkij,nk->ij", activation, gradient.mean((2, 3))).detach()]
"""
BY_COPY = f"""
import copy
{HEAD}
    model = copy.deepcopy(learn.model).eval()
    names = {{module: name for name, module in learn.model.named_modules()}}
    layer = dict(model.named_modules())[names[layer]]
    with cw.Hook(model[0]) as last, cw.Hook(layer) as inner, cw.HookBwd(layer) as slope:
        model({INPUTS})[0, target_class].backward()
        end, activation, gradient = last.stored[0], inner.stored[0], slope.stored[0]
    weight = gradient.mean((1, 2), keepdim=True)
    return torch.einsum("k,kij->ij", model[1][-1].weight[target_class].detach(), end), (weight * activation).sum(0)
"""
BACKWARD = f"""
{HEAD}
    body, head = learn.model
    {MODES}
    learn.model.eval()
    with cw.Hook(body) as last, cw.Hook(layer) as inner, cw.HookBwd(layer) as slope:
        learn.model({INPUTS})[0, target_class].backward()
        end, activation, gradient = last.stored[0], inner.stored[0], slope.stored[0]
    CLEAN
{indented(GIVE_BACK)}
    weight = gradient.mean((1, 2), keepdim=True)
    return torch.einsum("k,kij->ij", head[-1].weight[target_class].detach(), end), (weight * activation).sum(0)
"""
FULL = """
def both_maps(learn, picture, layer, target_class):
    kept = {}
    handle = layer.register_full_backward_hook(lambda module, given, gradient: kept.update(gradient=gradient[0]))
    learn.model.eval()
    learn.model(learn.dls.test_dl([picture]).one_batch()[0])[0, target_class].backward()
    handle.remove()
    return kept["gradient"], kept["gradient"]
"""

BANK: dict[str, Entry] = {
    "rebuild.both_maps": Entry(
        right={
            "one run, two hooks": maps(),
            "the course's hooks, and the gradients put back": BY_HOOKS,
            "no hook at all, layer by layer": BY_CUTTING,
            "on a copy of the model": BY_COPY,
            "numbers as lists of rows are tensors too": maps(
                back="return torch.tensor(cam.tolist()), torch.tensor(grad_cam.tolist())"
            ),
            "one line for the gradient": maps(
                gradient="torch.autograd.grad(logits.squeeze(0)[target_class], [kept[layer]])"
            ),
        },
        wrong={
            "None": Wrong(f"{HEAD}\n    pass", "", "returned None"),
            "one map only": Wrong(maps(back="return cam.detach()"), "form", "return a pair"),
            "the other way round": Wrong(maps(back="return grad_cam.detach(), cam.detach()"), "cam", "changed places"),
            "a batch of one": Wrong(
                maps(back="return cam.detach()[None], grad_cam.detach()[None]"), "form", "no batch"
            ),
            "the maps of all classes": Wrong(
                maps(cam='torch.einsum("ck,kij->cij", head[-1].weight, kept[body][0])'), "form", "no batch, no channels"
            ),
            "another class": Wrong(
                maps(
                    cam=CAM.replace("target_class", "target_class - 1"),
                    gradient=GRADIENT.replace("target_class", "target_class - 1"),
                ),
                "cam",
                "this is class",
            ),
            "CAM divided by the cells": Wrong(
                maps(cam=f"{CAM} / kept[body][0, 0].numel()"), "cam", "divided by the number of cells"
            ),
            "the bias in every cell": Wrong(maps(cam=f"{CAM} + head[-1].bias[target_class]"), "cam", "bias was added"),
            "ReLU on the Grad-CAM": Wrong(maps(grad_cam=f"{GRAD_CAM}.relu()"), "grad_cam", "ReLU"),
            "no mean over the cells": Wrong(maps(weight="gradient[0]"), "grad_cam", "average the gradient first"),
            "a sum in place of the mean": Wrong(
                maps(weight=WEIGHT.replace("mean", "sum")), "grad_cam", "added up, not averaged"
            ),
            "all logits at once": Wrong(
                maps(gradient="torch.autograd.grad(logits.sum(), kept[layer])"), "grad_cam", "all classes together"
            ),
            "no evaluation mode": Wrong(maps(before="pass"), "cam", "training mode"),
            "a picture as it is": Wrong(
                maps(inputs="torch.tensor(__import__('numpy').array(picture)).permute(2, 0, 1)[None].float() / 255"),
                "cam",
                "not prepared by the dls",
            ),
            "a hook that hands on no copy": Wrong(
                maps(keep="kept[module] = output"), "grad_cam", "wrote over what you kept"
            ),
            "hooks left behind": Wrong(maps(after=GIVE_BACK), "removed", "not removed"),
            "hooks of others cleared": Wrong(
                maps(after=f"for module in learn.model.modules():\n    module._forward_hooks.clear()\n{GIVE_BACK}"),
                "removed",
                "others",
            ),
            "the mode is not given back": Wrong(
                maps(after="for handle in handles:\n    handle.remove()"), "left", "give it back"
            ),
            "one mode for all modules": Wrong(
                maps(
                    before="training = learn.model.training\nlearn.model.eval()",
                    after="for handle in handles:\n    handle.remove()\nlearn.model.train(training)",
                ),
                "left",
                "keep the mode of each",
            ),
            "maps in the graph": Wrong(maps(back="return cam, grad_cam"), "detached", "lets go of the graph"),
            "backward and its traces": Wrong(
                BACKWARD.replace("CLEAN", "pass"), "left", "torch.autograd.grad does neither"
            ),
            "zero_grad takes what others had": Wrong(
                BACKWARD.replace("CLEAN", "learn.model.zero_grad()"), "left", "throws away"
            ),
            "the naive backward hook": Wrong(FULL, "", "is a view and is being modified"),
        },
        equivalent={
            f"{line} → {line.replace(f'[{0}]', '[-1]')}": "a batch of one, whose first is its last"
            for line in (
                'cam = torch.einsum("k,kij->ij", head[-1].weight[target_class], kept[body][0])'.replace('"', "'"),
                "weight = gradient[0].mean(dim=(1, 2), keepdim=True)",
                "return (cam.detach(), (weight * kept[layer][0]).sum(dim=0).detach())",
            )
        }
        | {
            "gradient, = torch.autograd.grad(logits[0, target_class], kept[layer])"
            " → gradient, = torch.autograd.grad(logits[-1, target_class], kept[layer])": "a batch of one",
            "inputs = learn.dls.test_dl([picture]).one_batch()[0].as_subclass(torch.Tensor)"
            " → inputs = learn.dls.test_dl([picture]).one_batch()[-1].as_subclass(torch.Tensor)": "pictures alone, no classes",
        },
    ),
}
