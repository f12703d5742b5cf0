"""The one `explain` for pictures and texts: the model decides which it is."""

import os.path
from collections.abc import Sequence
from typing import Any, SupportsIndex

from camwidget.errors import CamwidgetError, ModelError, three_parts
from camwidget.hooks.learner_hooks import HookClass
from camwidget.maps.activation import Function
from camwidget.maps.arguments import Explainable, GridArgument
from camwidget.pictures.explain import explain as explain_picture
from camwidget.pictures.result import Explanation
from camwidget.text.explain import explain_text
from camwidget.text.reader import looks_words_up, reads_text, why_not_text
from camwidget.text.result import TextExplanation


def explain(
    model: Explainable,
    inputs: Any,
    *,
    method: str | None = None,
    layers: Sequence[str] | None = None,
    target_classes: Sequence[SupportsIndex | str] | None = None,
    class_names: Sequence[str] | None = None,
    activation: str | Function | None = None,
    hook: HookClass | None = None,
    hook_bwd: HookClass | None = None,
    call: int | None = None,
    grid: GridArgument | None = None,
) -> Explanation | TextExplanation:
    """Return what one method says about one picture or one text, for many layers and classes.

    The model decides how `inputs` are read: to a text classifier a string is a text, to a picture classifier it is the
    path of a picture. The model is left as found: training flags, `requires_grad`, gradients, hooks, buffers, state.

    Args:
        model: a fastai Learner or a torch module; for texts see `camwidget.text.explain.explain_text`.
        inputs: a text; or a picture in any form that `camwidget.pictures.explain.explain` takes, or a normalised
            tensor of shape (1, 3, height, width), which is used as it is.
        method: for pictures one of `camwidget.maps.methods.METHODS`, for texts one of
            `camwidget.text.explain.TEXT_METHODS`; None for `"grad_cam"` of a picture and `"cam"` of a text.
        layers: dotted names; None for a good choice (for plain CAM: those where it is valid).
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

    Raises:
        CamwidgetError: an argument cannot be used; the message says what to try.

    Example:
        >>> model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 2))
        >>> result = explain(model, torch.rand(1, 3, 8, 10), layers=["0"])
        >>> result.cam("0", target_class=1).shape
        torch.Size([6, 8])
    """
    chosen: dict[str, Any] = {"layers": layers, "target_classes": target_classes, "class_names": class_names}
    chosen |= {"activation": activation, "call": call}
    if reads_text(model):
        if hook is not None or hook_bwd is not None:
            given = f"A hook class of your own was passed with a {type(model).__name__}, which reads texts"
            allowed = "Hook classes of your own work with models of pictures"
            raise CamwidgetError(three_parts(given, allowed, "Leave hook and hook_bwd out"))
        if grid is not None:
            given = f"grid={grid!r} was passed with a {type(model).__name__}, which reads texts"
            raise CamwidgetError(three_parts(given, "The words of a text have no rows and columns", "Leave grid out"))
        return explain_text(model, inputs, method="cam" if method is None else method, **chosen)
    if isinstance(inputs, str) and looks_words_up(model) and not os.path.exists(inputs):  # noqa: PTH110 (Path raises on long texts)
        raise ModelError(why_not_text(model))
    chosen |= {"hook": hook, "hook_bwd": hook_bwd, "grid": grid}
    return explain_picture(model, inputs, method="grad_cam" if method is None else method, **chosen)
