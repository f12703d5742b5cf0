"""Judges for the answers of `cam`. The hidden checks use them too, with other sizes."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from camwidget.course.assignments.awkward import awkward_sizes
from camwidget.course.assignments.networks import feeds_pooling, small_network
from camwidget.course.assignments.traces import Before, judge_given, judge_left
from camwidget.course.attempt import Attempt


def judge_find_layer(attempt: Attempt, *, kinds: tuple[str, ...]) -> None:
    """Judge a function (model, inputs) -> name of the last layer with a map.

    Args:
        attempt: of this round.
        kinds: of networks, as `small_network` has them; each is tried in training mode, and with both modes in it.
    """
    first = bool(attempt.size(0, 1))
    for kind in kinds:
        for mixed in (False, True):
            model, inputs = small_network(attempt, kind=kind, upright=mixed == first)
            wanted, others = feeds_pooling(model, inputs)
            model.train()
            model.runs.clear()
            if mixed:
                for module in list(model.modules())[1 :: 2 + attempt.size(0, 1)]:
                    module.training = False
            _judge_found(attempt, model, inputs, wanted, others, mixed=mixed)


def _judge_found(
    attempt: Attempt, model: Any, inputs: Tensor, wanted: set[str], others: set[str], *, mixed: bool
) -> None:
    """State what is said of one network, how it was run, and what is left on it."""
    before = Before(model, {"inputs": inputs})
    called = f"cam_layer(model, inputs), with a network of ours in {'both modes' if mixed else 'training mode'}"
    got = attempt.call(attempt.answer, model, inputs, called=called)
    names = [name for name, _ in model.named_modules() if name]
    likely = "return the dotted name as named_modules() gives it, not the module"
    if got == "":
        likely = "the empty text is the whole model, which puts out logits: return the name of a layer inside it"
    elif isinstance(got, str) and any(name.rpartition(".")[2] == got for name in names):
        likely = "this is only the last part of a name: return the whole dotted name, such as '0.8'"
    elif isinstance(got, str):
        likely = "no module of this network has this name: return a dotted name as its named_modules() gives it"
    known = isinstance(got, str) and got in names
    attempt.fact("name", known, expected=f"a str such as {names[0]!r}", got=got, likely=likely, stop=True)
    reason = "that layer's output has no positions left: it comes after pooling"
    if isinstance(flat := model.get_submodule(got), nn.Flatten) and flat.start_dim > 1:
        reason = "that layer's output has three axes, with all positions in one row: a map has four"
    if got == names[-1]:
        reason += "; or all hooks used the last name of the loop: give each its own, with name=name"
    if got in others:
        reason = (
            "that layer has a map, but later layers have one too: CAM uses the last that runs, which need not be the last "
            "in the list, and a map may be a single row or column"
        )
    attempt.fact("layer", got in wanted, expected=" or ".join(map(repr, wanted)), got=got, likely=reason)
    trained = any(any(run.training) for run in model.runs)
    likely = "call model.eval() before the run: in training mode batch norm learns from these inputs"
    attempt.fact("mode", not trained, expected="evaluation mode", got="training mode", likely=likely)
    likely = "a hook is still there: remove it"
    if any(module.training for module in model.modules()) and mixed and not trained:
        likely = "a hook is still there, or a module has not got its own mode back"
    judge_left(attempt, before, "kept", still_there=likely)


def judge_scores(attempt: Attempt, *, batch: bool, high: int = 9) -> None:
    """Judge a function (activation, weight) -> maps, for one picture or for a batch.

    Args:
        attempt: of this round.
        batch: whether a batch axis comes first.
        high: the greatest length of an axis.
    """
    axes = ("picture", "channel", "class", "height", "width")[0 if batch else 1 :]
    for sizes in awkward_sizes(attempt, axes, high=high, ones=("picture",) if batch else ()):
        _scores_of(attempt, batch, *(sizes.get(axis, 1) for axis in ("picture", "channel", "class", "height", "width")))


def _scores_of(
    attempt: Attempt, batch: bool, pictures: int, channel: int, classes: int, height: int, width: int
) -> None:
    """Judge the answer at one size."""
    front = (pictures,) if batch else ()
    activation, weight = attempt.tensor(*front, channel, height, width), attempt.tensor(classes, channel)
    before = activation.clone(), weight.clone()
    name = "batch_scores" if batch else "class_scores"
    called = f"{name}(activation, weight) with shapes {tuple(activation.shape)} and {tuple(weight.shape)}"
    got = attempt.call(attempt.answer, activation, weight, called=called)
    wanted = (*front, classes, height, width)
    shapes = {
        (*front, channel): "positions and classes are gone: keep one map for each class",
        (*front, classes): "the positions are gone: this is the pooled score, not a map",
        (*front, classes, channel, height, width): "the channels are still there: sum over them",
        (*front, channel, height, width): "there is one map per channel: sum over channels, keep classes",
        (*front, height, width): "the classes are gone: keep one map for each",
        (classes, *front, height, width): "the first two axes have changed places: pictures come first",
        (*front, height, width, classes): "the classes come last: they belong before height and width",
        (*front, classes, width, height): "height and width have changed places",
        (*front, classes, height * width): "the positions are in one row: give them back their two axes",
        (*front, 2, height, width): "there are two classes: are two written into the function? Each row of the weight "
        "is one",
    }
    if batch:
        shapes[pictures * classes, height, width] = (
            "cat joins pictures and classes in one axis: stack makes a new one"
            if pictures > 1
            else "the axis of the pictures is gone: a batch of one has it too, and nothing may be squeezed away"
        )
        shapes[1, classes, height, width] = "there is one picture only: keep them all"
    shapes.pop(wanted, None)
    attempt.shape("shape", got, wanted, mistakes=shapes)
    right = class_maps(*before)
    attempt.values(
        "values",
        got,
        right,
        mistakes=partial(_map_mistakes, *before, right),
        axes=(*(("picture",) if batch else ()), "class", "row"),
    )
    judge_given(
        attempt,
        "kept",
        {"activation": activation, "weight": weight},
        {"activation": before[0], "weight": before[1]},
    )


def _map_mistakes(activation: Tensor, weight: Tensor, right: Tensor) -> dict[str, Tensor]:
    """The wrong maps that learners make: what they should read, to the maps. The activation may have a batch in front."""
    channel, height, width = activation.shape[-3:]
    classes, batch = len(weight), activation.ndim == 4
    products = activation.double().unsqueeze(-4) * weight.double()[..., None, None]
    known = {
        "you used the absolute weight: evidence against turned into evidence for": class_maps(activation, weight.abs()),
        "you applied ReLU to the weight: evidence against is lost": class_maps(activation, weight.relu()),
        "you used the absolute activation": class_maps(activation.abs(), weight),
        "you applied ReLU to the activation: what is below zero counts as well": class_maps(activation.relu(), weight),
        "this is the mean over channels: CAM adds them up": right / channel,
        "this is the largest product, not the sum over channels": products.amax(-3),
        "one channel is missing": class_maps(activation[..., 1:, :, :], weight[:, 1:]),
        "one channel is missing at the end": class_maps(activation[..., :-1, :, :], weight[:, :-1]),
        "only the first channel is used: sum over all": products.select(-3, 0),
        "these are probabilities over the classes, not scores": right.softmax(dim=-3),
        "this is a softmax over the positions, not the scores": right.flatten(-2).softmax(-1).view_as(right),
        "the mean of the classes' weights was subtracted: use the weight as it is": class_maps(
            activation, weight - weight.mean(0)
        ),
        "each class's weights were divided by their length: use the weight as it is": class_maps(
            activation, weight / weight.norm(dim=1, keepdim=True)
        ),
        "every position has the same score: the activation was averaged first": right.mean(
            (-2, -1), keepdim=True
        ).expand_as(right),
        "all classes have the first one's map": right[..., :1, :, :].expand_as(right),
        "the weight is not used: multiply the channels with it": activation.double()
        .sum(-3, keepdim=True)
        .expand_as(right),
        "the classes are in reverse order": right.flip(-3),
    }
    if batch:
        known["all pictures have the first one's map"] = right[:1].expand_as(right)
        known["the mean of all pictures was subtracted: each picture stands for itself"] = right - right.mean(0)
        known["the activation was averaged over the pictures"] = right.mean(0, keepdim=True).expand_as(right)
    if classes != channel:
        known["the weight was reshaped, which does not swap its axes: classes are its rows already"] = class_maps(
            activation, weight.reshape(channel, classes).T
        )
    if not batch:
        known["the activation was reshaped, which does not swap its axes: flatten(1) or permute do"] = class_maps(
            activation.reshape(height, width, channel).permute(2, 0, 1), weight
        )
    if classes == channel:
        known["rows and columns of the weight have changed places: classes are its rows"] = class_maps(
            activation, weight.T
        )
    if height == width:
        known["height and width have changed places"] = right.transpose(-1, -2)
    if channel in (height, width) and not batch:
        known |= _other_axes(activation, weight)
    return known


def _other_axes(activation: Tensor, weight: Tensor) -> dict[str, Tensor]:
    """What comes out where the weight meets rows or columns, wherever that raises nothing."""
    one, two, known = activation.double(), weight.double(), {}
    if weight.shape[1] == activation.shape[2]:
        found = torch.einsum("cw,khw->ckh", two, one)
        known["the weight met the width, not the channels: put two axes behind it"] = (two[:, None, None] * one).sum(1)
        known["the sum went over the width, not over the channels"] = found
    if weight.shape[1] == activation.shape[1]:
        known["the weight met the height, not the channels"] = (two[:, None, :, None] * one).sum(1)
        known["the sum went over the height, not over the channels"] = torch.einsum("ch,khw->ckw", two, one)
    return known


def class_maps(activation: Tensor, weight: Tensor) -> Tensor:
    """Return the maps in float64, by definition: for each class the channels, weighted and added up.

    Args:
        activation: (..., channel, map_height, map_width).
        weight: (class, channel).
    """
    activation, weight = activation.double(), weight.double()
    return torch.stack([(row[:, None, None] * activation).sum(dim=-3) for row in weight], dim=-3)


def judge_logits(attempt: Attempt, *, high: int) -> None:
    """Judge a function (maps, bias) -> logits.

    Args:
        attempt: of this round.
        high: greatest size of a map.
    """
    for number, sizes in enumerate(awkward_sizes(attempt, ("class", "height", "width"), high=high)):
        channel, (classes, height, width) = attempt.size(2, 9), sizes.values()
        activation, weight = attempt.tensor(channel, height, width), attempt.tensor(classes, channel)
        maps, bias = class_maps(activation, weight).float(), attempt.tensor(classes)
        bias[0] -= 3  # one logit at least is negative
        right = weight.double() @ activation.double().mean((1, 2)) + bias  # as the network has it: pool, then weigh
        before = {"maps": maps.clone(), "bias": bias.clone()}
        called = f"logits_from_maps(maps, bias) with shapes {tuple(maps.shape)} and {tuple(bias.shape)}"
        got = attempt.call(attempt.answer, maps, bias, called=called)
        shapes = {
            (): "one number for all classes: average over the positions only",
            (1,): "one number for all classes: average over the positions only",
            (classes, 1, 1): "the axes of length 1 are left over: no keepdim here",
            (classes, height, width): "the positions are still there: average over them",
            (classes, classes): "every class met every bias: drop the axes of length 1 before you add",
            (height, width): "the classes are gone: average over the positions, not over the classes",
            (classes, height): "only the columns are averaged: average over both axes of the place",
            (classes, width): "only the rows are averaged: average over both axes of the place",
        }
        attempt.shape("shape", got, (classes,), mistakes=shapes)
        attempt.values("values" if not number else "sizes", got, right, mistakes=_logit_mistakes(before, right))
        judge_given(attempt, "kept", {"maps": maps, "bias": bias}, before)


def _logit_mistakes(given: Mapping[str, Tensor], right: Tensor) -> Callable[[], dict[str, Tensor]]:
    maps, bias = given["maps"].double(), given["bias"].double()
    count = maps[0].numel()

    def known() -> dict[str, Tensor]:
        pooled = right - bias
        wrong = {
            "the bias is missing": pooled,
            "this is the sum over positions: the network takes their mean": pooled * count + bias,
            "the bias was subtracted": pooled - bias,
            "the bias was added twice": pooled + 2 * bias,
            "the bias was multiplied, not added": pooled * bias,
            "only the first class's bias is used": pooled + bias[0],
            "the mean of all biases is used: each class has its own": pooled + bias.mean(),
            "the biases are in reverse order": pooled + bias.flip(0),
            "the largest value was taken: the network averages": maps.amax((1, 2)) + bias,
            "the mean of all maps was taken: each class has its own": maps.mean() + bias,
            "the largest of the columns' means was taken: average over both axes": maps.mean(1).amax(1) + bias,
            "the largest of the rows' means was taken: average over both axes": maps.mean(2).amax(1) + bias,
            "the smallest value was taken: the network averages": maps.amin((1, 2)) + bias,
            "the median was taken: the network averages": maps.flatten(1).median(1).values + bias,
            "the middle of the map was taken: the network averages": maps[:, maps.shape[1] // 2, maps.shape[2] // 2]
            + bias,
            "the first position was taken: the network averages": maps[:, 0, 0] + bias,
            "ReLU was applied to the map first: what is below zero counts as well": maps.relu().mean((1, 2)) + bias,
            "the absolute map was averaged: the sign counts": maps.abs().mean((1, 2)) + bias,
            "only the positive places were averaged: the network averages over all": torch.stack(
                [each[each > 0].mean() for each in maps]
            )
            + bias,
            "the bias was added at each position and summed": (maps + bias[:, None, None]).sum((1, 2)),
            "the bias was divided by the number of positions as well": pooled + bias / count,
            "ReLU was applied at the end: logits may be negative": right.relu(),
            "these are probabilities: the network's output is the logits": right.softmax(0),
            "the number of positions is written into the function (49)": maps.sum((1, 2)) / 49 + bias,
            "divided by the height twice: a map need not be square": maps.sum((1, 2)) / maps.shape[1] ** 2 + bias,
            "divided by the width twice: a map need not be square": maps.sum((1, 2)) / maps.shape[2] ** 2 + bias,
            "divided by the height only": maps.sum((1, 2)) / maps.shape[1] + bias,
            "divided by the width only": maps.sum((1, 2)) / maps.shape[2] + bias,
            "divided by the number of classes, not of positions": maps.sum((1, 2)) / len(maps) + bias,
        }
        if len(maps) in (maps.shape[1], maps.shape[2]):
            rest = {0, 1, 2} - {0, 1 if len(maps) == maps.shape[1] else 2}
            wrong["averaged over the classes, not over the positions"] = maps.mean((0, min(rest))) + bias
        if len(maps) == maps.shape[2]:
            wrong["averaged over the classes and the height, not over the positions"] = maps.mean((0, 1)) + bias
            wrong["the bias met the width, not the classes"] = (maps.mean(1) + bias).mean(1)
        return wrong

    return known
