"""The items of `grad_cam`: gradients take the place of the weights that an inner layer does not have."""

from functools import partial

from camwidget.course.assignments.grad_cam.hooks import judge_backward_hook, judge_grad_cam, judge_own_hooks
from camwidget.course.assignments.grad_cam.judges import judge_as_cam, judge_map, judge_three_ways
from camwidget.course.assignments.grad_cam.quizzes import OPTIONS
from camwidget.course.items import Item, quiz

ITEMS = (
    quiz("grad_cam.q11", "Why does plain CAM not work for a layer inside the network?", OPTIONS["grad_cam.q11"]),
    quiz(
        "grad_cam.q12a",
        "Why do we need a hook in the backward pass to get the gradient of an inner activation?",
        OPTIONS["grad_cam.q12a"],
    ),
    Item(
        "grad_cam.q12b",
        "A hook that stores the gradient",
        judge=partial(judge_backward_hook, inner_first=False),
        rounds=1,
        facts={
            "shape": ("`stored` is one tensor, of the shape of the layer's output", 1),
            "values": ("it is the gradient of the chosen logit with respect to that output", 1),
            "newest": ("it is the newest one, also where two backward passes go through one forward pass", 1),
            "listens": ("the hook only listens, and two of them do not mix", 1),
            "removed": ("after the with block no hook is left, even after an error, and the error is not lost", 1),
        },
    ),
    quiz("grad_cam.q13a", "The output has shape (1, 2). Why does `output.backward()` fail?", OPTIONS["grad_cam.q13a"]),
    Item(
        "grad_cam.q13b",
        "Three ways to the gradient of one class",
        judge=partial(judge_three_ways, classes=(3, 6)),
        rounds=1,
        facts={
            "index": ("by_index: backward from one logit, and nothing returned", 1),
            "weights": ("by_weights: backward from all logits, of which only one counts, and nothing returned", 1),
            "autograd": ("by_autograd: the gradient comes back as a result", 1),
            "clean": ("by_autograd leaves the parameters' .grad alone", 1),
        },
    ),
    Item(
        "grad_cam.map",
        "From activation and gradient to a map",
        judge=partial(judge_map, high=9),
        rounds=1,
        facts={
            "shape": ("there is one map, of the activation's height and width", 1),
            "values": ("channels are weighted by their mean gradient and added up", 2),
            "kept": ("activation and gradient are left as they were", 1),
        },
    ),
    Item(
        "grad_cam.panel",
        "Your own hooks drive the panel",
        judge=partial(judge_own_hooks, layers=("0", "1", "1.0")),
        rounds=2,
        facts={
            "activation": ("MyHook gives the network's own activations", 1),
            "gradient": ("MyHookBwd gives the gradients, class after class, and both leave nothing behind", 2),
        },
    ),
    Item(
        "grad_cam.any_layer",
        "Grad-CAM at any layer, with and without ReLU",
        judge=partial(judge_grad_cam, last_first=True),
        rounds=1,
        facts={
            "shape": ("there is one map, of the layer's own size", 1),
            "last": ("it is right at the last layer", 1),
            "inner": ("it is right at an inner layer", 1),
            "relu": ("with relu=True negative values become zero, and only then", 1),
            "removed": ("no hook is left on the network, and nothing else has changed", 1),
        },
    ),
    Item(
        "grad_cam.equals_cam",
        "At the last layer Grad-CAM is CAM, up to one number",
        judge=partial(judge_as_cam, high=9),
        rounds=1,
        facts={
            "shape": ("the map keeps its shape", 1),
            "values": ("it has become the CAM, for maps of every size", 2),
        },
    ),
)
