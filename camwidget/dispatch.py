"""The one `explain` for pictures and texts: the model decides which it is."""

import os.path
from collections.abc import Sequence
from os import PathLike
from typing import Any, SupportsIndex

from camwidget.errors import CamwidgetError, ModelError, a_kind, three_parts
from camwidget.hooks.layers import LayerGiven
from camwidget.hooks.learner_hooks import HookClass
from camwidget.hooks.scores import TargetArgument
from camwidget.maps.activation import Function
from camwidget.maps.arguments import Explainable, GridArgument
from camwidget.maps.result import LayerMaps
from camwidget.maps.results import Explanations
from camwidget.maps.store import UNREADABLE, read, unreadable
from camwidget.pictures.batch import BATCH_SIZE, TrueClasses
from camwidget.pictures.batch import explain_batch as explain_pictures
from camwidget.pictures.explain import explain as explain_picture
from camwidget.pictures.preparation import Numbers, Size, Transform
from camwidget.pictures.result import PICTURE, Explanation
from camwidget.text.batch import explain_texts
from camwidget.text.explain import explain_text
from camwidget.text.reader import looks_words_up, reads_text, why_not_text
from camwidget.text.result import TEXT, TextExplanation


def explain(
    model: Explainable,
    inputs: Any,
    *,
    method: str | None = None,
    layers: Sequence[LayerGiven] | LayerGiven | None = None,
    target_classes: Sequence[SupportsIndex | str] | None = None,
    class_names: Sequence[str] | None = None,
    activation: str | Function | None = None,
    hook: HookClass | None = None,
    hook_bwd: HookClass | None = None,
    call: int | None = None,
    grid: GridArgument | None = None,
    transform: Transform | None = None,
    mean: Numbers | None = None,
    std: Numbers | None = None,
    size: Size | None = None,
    target: TargetArgument | None = None,
) -> Explanation | TextExplanation:
    """Return what one method says about one picture or one text, for many layers and classes.

    The model decides how `inputs` are read: to a text classifier a string is a text, to a picture classifier it is the
    path of a picture. The model is left as found: training flags, `requires_grad`, gradients, hooks, buffers, state.

    Args:
        model: a fastai Learner or a torch module; for texts see `camwidget.text.explain.explain_text`.
        inputs: a text; or a picture in any form that `camwidget.pictures.explain.explain` takes, or a normalised
            tensor of shape (1, channel, height, width), which is used as it is.
        method: for pictures one of `camwidget.maps.methods.METHODS`, for texts one of
            `camwidget.text.explain.TEXT_METHODS`; None for `"grad_cam"` of a picture and `"cam"` of a text.
        layers: dotted names, each `Layer` of a result, or the modules themselves; None for a good choice (for plain
            CAM: those where it is valid).
        target_classes: indices or names; None for the ten most probable, most probable first.
        class_names: a name for every class; None for the model's own.
        activation: what turns logits into probabilities: `"softmax"`, `"sigmoid"` (each class by itself), `"none"`
            (values, no probabilities) or a function; None for what the Learner's loss means, else softmax, and for one
            logit the sigmoid. See `camwidget.maps.arguments.request_of`.
        hook: for pictures, a class of your own that keeps activations; see `camwidget.pictures.explain.explain`.
        hook_bwd: one that keeps gradients.
        call: which call to show of layers that the network runs several times, from 1; None or -1 for the last.
        grid: for pictures, the size of maps where it cannot be found out, `(rows, columns)`, or by layer
            `{name: (rows, columns, extra)}` with how many tokens without a position come first; see
            `camwidget.maps.arguments.request_of`.
        transform: for pictures, what makes the network's inputs of a picture: torchvision's `weights.transforms()`, a
            Hugging Face image processor, or a function of your own; see
            `camwidget.pictures.preparation.preparation_of`. None, like the next three, for what the Learner or the
            network says, else what is usual; `result.notes` say what was assumed.
        mean: for pictures, the mean of values in [0, 1], one number for each channel or one for all.
        std: the same for the standard deviation.
        size: for pictures, the size of the inputs in pixels: the side of a square, or (height, width).
        target: a number of your own to explain in place of the logits: a function from what the model returns to a
            tensor with one number, as in `lambda output: output[0, 3] - output[0, 5]`, or a dictionary from names to
            such functions; see `camwidget.maps.arguments.request_of`.

    Raises:
        CamwidgetError: an argument cannot be used; the message says what to try.

    Example:
        >>> model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 2))
        >>> result = explain(model, torch.rand(1, 3, 8, 10), layers=["0"])
        >>> result.cam("0", target_class=1).shape
        torch.Size([6, 8])
    """
    chosen: dict[str, Any] = {"layers": layers, "target_classes": target_classes, "class_names": class_names}
    chosen |= {"activation": activation, "call": call, "target": target}
    preparing = {"transform": transform, "mean": mean, "std": std, "size": size}
    if reads_text(model):
        if hook is not None or hook_bwd is not None:
            given = f"A hook class of your own was passed with {a_kind(model)}, which reads texts"
            allowed = "Hook classes of your own work with models of pictures"
            raise CamwidgetError(three_parts(given, allowed, "Leave hook and hook_bwd out"))
        if grid is not None:
            given = f"grid={grid!r} was passed with {a_kind(model)}, which reads texts"
            raise CamwidgetError(three_parts(given, "The words of a text have no rows and columns", "Leave grid out"))
        for name, value in preparing.items():
            if value is not None:
                given = f"{name} was passed with {a_kind(model)}, which reads texts"
                raise CamwidgetError(three_parts(given, "It is about pictures", f"Leave {name} out"))
        return explain_text(model, inputs, method="cam" if method is None else method, **chosen)
    if isinstance(inputs, str) and looks_words_up(model) and not os.path.exists(inputs):  # noqa: PTH110 (Path raises on long texts)
        raise ModelError(why_not_text(model))
    chosen |= {"hook": hook, "hook_bwd": hook_bwd, "grid": grid, **preparing}
    return explain_picture(model, inputs, method="grad_cam" if method is None else method, **chosen)


def explain_batch(
    model: Explainable,
    inputs: Any,
    *,
    method: str | None = None,
    true_classes: TrueClasses | None = None,
    batch_size: int = BATCH_SIZE,
    **asked: Any,
) -> Explanations[Any]:
    """Return what one method says about many pictures or texts.

    Pictures take one forward pass and one backward pass for each batch and class. If the network mixes the pictures of
    a batch, which is found out by an experiment, they are run one by one, as texts always are, and `one_by_one` of the
    result says why. The maps are those that `explain` makes of each.

    Args:
        model: see `explain`.
        inputs: several pictures or texts, or normalised pictures in one tensor, (batch, 3, height, width).
        method: see `explain`.
        true_classes: a class for each picture or text, by index or name: it has a map of it, besides those of
            `target_classes`.
        batch_size: how many pictures are run at once; memory grows with it.
        **asked: `layers` (None for the deepest alone; of texts, for all), `target_classes` (None for the most probable
            class of each), `class_names`, `activation`, `call` and, of pictures, `grid`, `target`, `transform`, `mean`,
            `std` and `size`; see `explain`.

    Raises:
        CamwidgetError: an argument cannot be used; the message says what to try.

    Example:
        >>> model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 2))
        >>> results = explain_batch(model, torch.rand(5, 3, 8, 10), true_classes=[0, 1, 1, 0, 1])
        >>> results[4].cam(target_class=1).shape
        torch.Size([6, 8])
    """
    if reads_text(model):
        return explain_texts(model, inputs, method=method or "cam", true_classes=true_classes, **asked)
    method = method or "grad_cam"
    return explain_pictures(model, inputs, method=method, true_classes=true_classes, batch_size=batch_size, **asked)


def load(path: str | PathLike[str]) -> LayerMaps | Explanations[Any]:
    """Return what `save` of a result, or of several results, wrote to a file. Nothing of the file is run.

    Args:
        path: of the file.

    Raises:
        FileNotFoundError: there is no such file.
        CamwidgetError: it is no such file, or damaged.
    """
    about, stored = read(path)
    kinds: dict[str, type[LayerMaps]] = {PICTURE: Explanation, TEXT: TextExplanation}
    try:
        results = tuple(kinds[each.data["kind"]].from_stored(each) for each in stored)
        return Explanations(results, one_by_one=str(about["one_by_one"])) if about["several"] else results[0]
    except UNREADABLE as error:
        raise CamwidgetError(unreadable(path, "holds results that are damaged")) from error
