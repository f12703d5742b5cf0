"""Items of `grad_cam`: gradients stand in for the weights that an inner layer does not have."""

from camwidget.course.assignments.grad_cam.hooks import judge_backward_hook, judge_grad_cam, judge_own_hooks
from camwidget.course.assignments.grad_cam.judges import judge_as_cam, judge_map, judge_three_ways
from camwidget.course.assignments.grad_cam.quizzes import add_backward_quiz, add_inside_quiz, add_scalar_quiz
from camwidget.course.attempt import Attempt
from camwidget.course.items import Items

ITEMS = Items("grad_cam")

add_inside_quiz(ITEMS)
add_backward_quiz(ITEMS)


@ITEMS.item(
    "q12b",
    "A hook that stores the gradient",
    question=12,
    difficulty=3,
    minutes=12,
    facts={
        "shape": ("`stored` is one tensor, of the shape of the layer's output", 1),
        "values": ("it is the gradient of the chosen logit with respect to that output", 2),
        "removed": ("after the with block no hook is left", 1),
    },
    hints=(
        "It looks like the hook that stores an activation. Only what is registered differs, and what the function gets.",
        "`module.register_full_backward_hook(function)` calls `function(module, grad_input, grad_output)`. Both are tuples. "
        "Which of the two is about the output?",
        "In the function: `self.stored = grad_output[0].detach().clone()`. `__enter__` returns `self`, `__exit__` calls "
        "`self.handle.remove()`.",
    ),
)
def backward_hook(attempt: Attempt) -> None:
    """Judge a class that stores the gradient of a module's output."""
    judge_backward_hook(attempt, twice=False)


add_scalar_quiz(ITEMS)


@ITEMS.item(
    "q13b",
    "Three ways to the gradient of one class",
    question=13,
    difficulty=2,
    minutes=10,
    facts={
        "index": ("by_index: backward from one logit", 1),
        "weights": ("by_weights: backward from all logits, of which only one counts", 1),
        "autograd": ("by_autograd: the gradient comes back as a result", 1),
        "clean": ("by_autograd leaves the parameters' .grad alone", 1),
    },
    hints=(
        "A gradient needs one number to start from, or one weight for each number.",
        "`output[0, target_class]` is one number. `output.backward(gradient=weights)` takes weights in the output's shape. "
        "`torch.autograd.grad(number, tensor)` returns a tuple.",
        "Weights: `torch.zeros_like(output)` with a 1 at `[0, target_class]`. "
        "Autograd: `torch.autograd.grad(output[0, target_class], activation)[0]`.",
    ),
)
def three_ways(attempt: Attempt) -> None:
    """Judge the three functions."""
    judge_three_ways(attempt, classes=attempt.size(3, 6))


@ITEMS.item(
    "map",
    "From activation and gradient to a map",
    difficulty=2,
    minutes=8,
    facts={
        "shape": ("there is one map, of the activation's height and width", 1),
        "values": ("channels are weighted by their mean gradient and added up", 2),
        "kept": ("activation and gradient are left as they were", 1),
    },
    hints=(
        "CAM has one weight per channel. What single number could a channel's gradient be turned into?",
        "Average each channel's gradient over its positions. Keep two axes of length 1, so that it multiplies the activation.",
        "`weight = gradient.mean(dim=(1, 2), keepdim=True)`, then `(weight * activation).sum(dim=0)`",
    ),
)
def grad_cam_map(attempt: Attempt) -> None:
    """Judge a function (activation, gradient) -> map."""
    judge_map(attempt, channels=(2, 9))


@ITEMS.item(
    "any_layer",
    "Grad-CAM at any layer, with and without ReLU",
    difficulty=3,
    minutes=12,
    facts={
        "shape": ("there is one map, of the layer's own size", 1),
        "last": ("it is right at the last layer", 1),
        "inner": ("it is right at an inner layer", 1),
        "relu": ("with relu=True negative values become zero, and only then", 1),
        "removed": ("no hook is left on the network", 1),
    },
    hints=(
        "You have everything: a hook for the activation, one for the gradient, one number to start from, and the map.",
        "Two hooks in one with block, one forward pass, one backward pass from `output[0, target_class]`, then your map.",
        "`with cw.Hook(layer) as hook, MyHookBwd(layer) as hook_bwd:` and inside `model(inputs)[0, target_class].backward()`, "
        "then `grad_cam_map(hook.stored[0], hook_bwd.stored[0])`; at the end `.relu()` if it is asked for.",
    ),
)
def any_layer(attempt: Attempt) -> None:
    """Judge a function (model, layer, inputs, target_class, relu=False) -> map."""
    judge_grad_cam(attempt, layer=1)


@ITEMS.item(
    "equals_cam",
    "At the last layer Grad-CAM is CAM, up to one number",
    difficulty=2,
    minutes=6,
    facts={
        "shape": ("the map keeps its shape", 1),
        "values": ("it has become the CAM, for maps of every size", 2),
    },
    hints=(
        "Behind pooling and one linear layer the gradient is known: what is the slope of a mean?",
        "One position counts 1/positions in the mean. So the gradient is the weight divided by the number of positions.",
        "`return grad_cam_map * grad_cam_map.numel()`",
    ),
)
def as_cam(attempt: Attempt) -> None:
    """Judge a function (Grad-CAM map) -> CAM."""
    judge_as_cam(attempt, low=2, high=9)


@ITEMS.item(
    "panel",
    "Your own hooks drive the panel",
    question=12,
    difficulty=2,
    minutes=5,
    facts={
        "activation": ("MyHook gives the network's own activations", 1),
        "gradient": ("MyHookBwd gives the gradients, class after class, and both leave nothing behind", 2),
    },
    hints=(
        "Read the message: it names what the panel found.",
        "The panel puts one hook of yours on every layer, and runs one backward pass per class: store anew each time.",
        "Both classes register in `__init__`, return `self` from `__enter__` and remove the handle in `__exit__`. What is "
        "stored is `output.detach().clone()` and `grad_output[0].detach().clone()`.",
    ),
)
def panel(attempt: Attempt) -> None:
    """Judge two classes by letting them capture for `explain`."""
    judge_own_hooks(attempt, layers=("0", "1"))
