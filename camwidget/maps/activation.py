"""What a network's outputs mean: the activation that turns logits into probabilities, or that they are values."""

from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias

import torch
from jaxtyping import Float, Shaped
from torch import Tensor, nn

from camwidget.errors import MapError, a_kind, nearest, three_parts
from camwidget.hooks.tensors import at_least_single, plain, tensors_in
from camwidget.hooks.walk import modules_in

Function: TypeAlias = Callable[[Tensor], Tensor]
"""From logits (batch, class) to as many numbers."""


@dataclass(frozen=True, kw_only=True)
class Activation:
    """What turns the outputs of a network into what it says of each class."""

    name: str
    """What it is called; also what `activation=` calls it, where it has such a name."""
    function: Function
    """From logits (batch, class) to probabilities, or to values."""
    exclusive: bool = False
    """Whether classes exclude each other, so that the probabilities sum to 1; else each class stands by itself."""
    is_probability: bool = True
    """Whether the numbers are probabilities; those of a regression are values."""
    log: Function | None = None
    """The logarithm of `function`, where it can be had without loss of digits."""

    def log_probabilities(self, logits: Float[Tensor, "batch class"]) -> Float[Tensor, "batch class"]:
        """Return the logarithms of the probabilities.

        Args:
            logits: of each picture.

        Raises:
            MapError: they are values, which have no probability.
        """
        if not self.is_probability:
            raise MapError(why_no_probability())
        return self.log(logits) if self.log is not None else self.function(logits).log()

    def __reduce__(self) -> Any:
        """Known activations are pickled by their names, so that they are themselves again."""
        if any(self is known for known in KNOWN):
            return known_activation, (self.name,)
        return partial(Activation, **vars(self)), ()


def _same(outputs: Tensor) -> Tensor:
    return outputs


SOFTMAX = Activation(
    name="softmax", function=partial(torch.softmax, dim=1), exclusive=True, log=partial(torch.log_softmax, dim=1)
)
"""One class of many."""
SIGMOID = Activation(name="sigmoid", function=torch.sigmoid, log=nn.functional.logsigmoid)
"""Each class by itself: several labels at once, or one logit for one class against all else."""
VALUES = Activation(name="none", function=_same, is_probability=False)
"""Values, such as those of a regression."""
AFTER_SOFTMAX = Activation(name="softmax inside the network", function=_same, exclusive=True)
"""The outputs are probabilities already."""
AFTER_LOG_SOFTMAX = Activation(name="log_softmax inside the network", function=torch.exp, exclusive=True, log=_same)
"""The outputs are the logarithms of probabilities."""
AFTER_SIGMOID = Activation(name="sigmoid inside the network", function=_same)
"""The outputs are probabilities already, each class by itself."""

KNOWN = (SOFTMAX, SIGMOID, VALUES, AFTER_SOFTMAX, AFTER_LOG_SOFTMAX, AFTER_SIGMOID)
"""The activations that a name stands for; all others hold somebody's function."""

NAMED = {each.name: each for each in (SOFTMAX, SIGMOID, VALUES)}
"""The activations that can be asked for by name."""

BY_LOSS = {
    **dict.fromkeys(
        ("CrossEntropyLoss", "LabelSmoothingCrossEntropy", "SoftTargetCrossEntropy", "FocalLoss", "cross_entropy"),
        SOFTMAX,
    ),
    **dict.fromkeys(
        (
            "BCEWithLogitsLoss",
            "MultiLabelSoftMarginLoss",
            "binary_cross_entropy_with_logits",
            "multilabel_soft_margin_loss",
        ),
        SIGMOID,
    ),
    **dict.fromkeys(("NLLLoss", "nll_loss", "KLDivLoss", "kl_div"), AFTER_LOG_SOFTMAX),
    **dict.fromkeys(("BCELoss", "binary_cross_entropy"), AFTER_SIGMOID),
    **dict.fromkeys(
        ("MSELoss", "L1Loss", "SmoothL1Loss", "HuberLoss", "GaussianNLLLoss", "PoissonNLLLoss", "MultiMarginLoss"),
        VALUES,
    ),
    **dict.fromkeys(("mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss", "multi_margin_loss"), VALUES),
}
"""What the outputs of a network mean that was trained with a loss, by the name of its class or function."""

_WAYS = "activation is 'softmax', 'sigmoid', 'none' (values, no probabilities), or a function from logits of shape "
_WAYS += "(batch, class) to as many probabilities"


def why_no_probability() -> str:
    """Return why there are no probabilities, in sentences."""
    given = "What is explained are values, of a target or as of a regression, and no probabilities"
    allowed = "Probabilities need a network that was trained to choose among classes"
    advice = "Read result.answers; if it is a classifier, pass activation='softmax' or activation='sigmoid' to explain"
    return three_parts(given, allowed, advice)


def checked_activation(asked: Any) -> str | Function | None:
    """Return the activation asked for, if it is one: a name, a function, or None.

    Args:
        asked: what was given as `activation`.

    Raises:
        MapError: there is no activation of that name.
        TypeError: it is neither a name nor a function.
    """
    if asked is None or (isinstance(asked, str) and asked in NAMED):
        return asked
    if isinstance(asked, str):
        close = nearest(asked, NAMED)
        advice = f"Did you mean {close[0]!r}?" if close else "Leave it out and it follows from the loss or the outputs"
        raise MapError(three_parts(f"There is no activation {asked!r}", _WAYS, advice))
    if isinstance(asked, type) or not callable(asked):
        given = f"activation is {asked!r}, of type {type(asked).__name__}"
        advice = "Pass activation=None and it follows from the loss or the outputs, or one of the names"
        raise TypeError(three_parts(given, _WAYS, advice))
    function: Function = asked
    return function


def activation_of(
    asked: str | Function | None,
    model: Any,
    logits: Float[Tensor, "1 class"],
    *,
    run: Callable[[Tensor], Tensor],
    inputs: Shaped[Tensor, "..."],
    others: Iterable[Shaped[Tensor, "..."]],
    last_step: str = "",
) -> Activation:
    """Return what the outputs of a model mean.

    What was asked for counts; else a Learner's loss, else that of its data; else the problem that the `config` of a
    Hugging Face model names; else what the outputs themselves show: a softmax inside the network is not applied twice.
    Where nothing tells, one logit has the sigmoid and several have softmax; the outputs of a Learner with several
    vocabularies are then values, since no softmax runs over all of them.

    An explicit loss counts even around a network that ends in softmax: fastai's `predict` does the same. A loss whose
    own `activation` function returns its input tells by its name.

    Args:
        asked: see `checked_activation`.
        model: a Learner or module.
        logits: what the network returned.
        run: runs the network.
        inputs: what it ran on.
        others: two other inputs, to tell a softmax inside the network from a coincidence; read only if needed.
        last_step: the operation that made the logits, see `Traced.last_step`; it shows a sigmoid that is no
            module.

    Raises:
        MapError: the function asked for, or the loss's own, does not return a probability for each logit.
    """
    own = at_least_single(plain(logits.detach())).cpu()
    if isinstance(asked, str):
        return NAMED[asked]
    if asked is not None:
        return _of_function(asked, own)
    if not isinstance(model, nn.Module):
        losses = (getattr(model, "loss_func", None), getattr(getattr(model.dls, "train_ds", None), "loss_func", None))
        for loss in losses:
            found = None if loss is None else _of_loss(loss, own)
            if found is not None:
                return found
        if len(vocabularies(getattr(model.dls, "vocab", ()))) > 1:
            return VALUES
    network = model if isinstance(model, nn.Module) else model.model
    if (declared := _of_config(network)) is not None:
        return declared
    inside = _inside(network, logits, run, inputs, others, last_step)
    return inside or (SIGMOID if own.shape[1] == 1 else SOFTMAX)


def known_activation(name: str) -> Activation:
    """Return one of `KNOWN`.

    Args:
        name: its name.

    Raises:
        KeyError: there is none of that name.
    """
    return {each.name: each for each in KNOWN}[name]


@dataclass(frozen=True, eq=False)
class _Answered:
    """In place of a function that cannot be kept: it knows the answers to the logits of one result."""

    name: str
    logits: Tensor
    answers: Tensor

    def __call__(self, logits: Tensor) -> Tensor:
        if logits.shape == (1, *self.logits.shape) and torch.equal(logits[0].to(self.logits), self.logits):
            return self.answers[None].to(logits)
        given = f"The activation {self.name!r} of this copy of a result was asked about other logits"
        allowed = "A copy, or a result from a file, keeps what the activation gave and not the function itself"
        raise MapError(three_parts(given, allowed, "Use the result that explain returned, or explain again"))


def lasting(activation: Activation, logits: Float[Tensor, " class"]) -> Activation:
    """Return an activation that can be pickled and written: itself if it has a name, else its answers to some logits.

    Args:
        activation: any.
        logits: of the result.
    """
    if any(activation is known for known in KNOWN):
        return activation
    answers = activation.function(logits[None])[0]
    return answered(
        activation.name,
        logits,
        answers,
        exclusive=activation.exclusive,
        is_probability=activation.is_probability,
    )


def answered(
    name: str,
    logits: Float[Tensor, " class"],
    answers: Float[Tensor, " class"],
    *,
    exclusive: bool,
    is_probability: bool,
) -> Activation:
    """Return an activation whose function is known for the logits of one result only.

    Args:
        name: what it is called.
        logits: of the result.
        answers: what the function gave for them.
        exclusive: see `Activation`.
        is_probability: see `Activation`.
    """
    function = _Answered(name, logits, answers)
    return Activation(name=name, function=function, exclusive=exclusive, is_probability=is_probability)


def vocabularies(vocab: Any) -> list[list[Any]]:
    """Return the vocabularies of a Learner with several outputs; one, or none, for a plain list of names.

    Args:
        vocab: what `dls.vocab` is.
    """
    members = list(vocab) if hasattr(vocab, "__iter__") and not isinstance(vocab, str) else []
    nested = [hasattr(each, "__iter__") and not isinstance(each, str | bytes) for each in members]
    return [list(each) for each in members] if all(nested) else [members]


def _of_config(network: nn.Module) -> Activation | None:
    """What the configuration of a Hugging Face model says; with one label and no word its loss is of a regression."""
    config = getattr(network, "config", None)
    problem, labels = getattr(config, "problem_type", None), getattr(config, "num_labels", None)
    if problem is None:
        return VALUES if labels == 1 and hasattr(config, "problem_type") else None
    known = {"multi_label_classification": SIGMOID, "single_label_classification": SOFTMAX, "regression": VALUES}
    return known.get(problem) if isinstance(problem, str) else None


def _of_function(function: Function, logits: Tensor) -> Activation:
    """The activation that a caller's function is."""
    known = _recognised(function, logits)
    if known is not None:
        return known
    found = _applied(function, logits, what="activation")
    if not _in_unit(found):
        given = f"activation returned numbers from {float(found.min()):.3g} to {float(found.max()):.3g}"
        raise MapError(three_parts(given, "Probabilities are from 0 to 1", "For values pass activation='none'"))
    return Activation(name=_name_of(function), function=_without_gradient(function), exclusive=_adds_up(found))


def _of_loss(loss: Any, logits: Tensor) -> Activation | None:
    """What a loss says: by an experiment with its own activation function (fastai), else by its name."""
    own, named = getattr(loss, "activation", None), _named(loss)
    if not callable(own):
        return named
    known = _recognised(own, logits)
    if known is not None:
        return known
    tried = torch.cat([logits, _probe(logits)])
    found = _applied(own, tried, what="The activation function of the loss")
    if torch.equal(found, tried):  # fastai's losses without an activation of their own return the outputs
        return named
    is_probability = _in_unit(found)
    return Activation(
        name=f"that of {_name_of(loss)}",
        function=_without_gradient(own),
        exclusive=is_probability and _adds_up(found),
        is_probability=is_probability,
    )


def _named(loss: Any) -> Activation | None:
    """What the name of a loss, or of what it wraps, says."""
    while loss is not None:
        names = [each.__name__ for each in type(loss).__mro__] + [getattr(loss, "__name__", "")]
        known = [BY_LOSS[name] for name in names if name in BY_LOSS]
        if known:
            return known[0]
        loss = getattr(loss, "func", None)
    return None


def _recognised(function: Function, logits: Tensor) -> Activation | None:
    """Softmax or the sigmoid, if the function does the same to numbers of many sizes."""
    probe = _probe(logits)
    try:
        found = function(probe.clone())
    except (RuntimeError, IndexError):  # it takes one row only, or asserts something of it
        return None
    if not isinstance(found, Tensor) or found.shape != probe.shape:
        return None
    same = (each for each in (SOFTMAX, SIGMOID) if torch.allclose(plain(found).to(probe), each.function(probe)))
    return next(same, None)


def _probe(logits: Tensor) -> Tensor:
    """Logits of many sizes, drawn by a generator of their own: no other random state moves."""
    return 4 * torch.randn(16, logits.shape[1], generator=torch.Generator().manual_seed(0), dtype=logits.dtype)


def _applied(function: Function, logits: Tensor, *, what: str) -> Tensor:
    with torch.no_grad():
        found = function(logits.clone())
    if isinstance(found, Tensor) and found.shape == logits.shape and bool(torch.isfinite(found).all()):
        return plain(found)
    if isinstance(found, Tensor) and found.shape == logits.shape:
        made = "numbers that are not finite"
    else:
        made = f"shape {tuple(found.shape)}" if isinstance(found, Tensor) else a_kind(found)
    given = f"{what} turned logits of shape {tuple(logits.shape)} into {made}"
    raise MapError(three_parts(given, _WAYS, "Pass activation='softmax', 'sigmoid' or 'none'"))


def _without_gradient(function: Function) -> Function:
    def apply(logits: Tensor) -> Tensor:
        return _applied(function, logits, what="activation").to(logits)

    return apply


def _name_of(function: Any) -> str:
    return str(getattr(function, "__name__", type(function).__name__))


def _in_unit(numbers: Tensor) -> bool:
    return bool(((numbers >= -1e-6) & (numbers <= 1 + 1e-6)).all())


def _adds_up(numbers: Tensor, *, tolerance: float = 1e-4) -> bool:
    return bool(((numbers.double().sum(dim=1) - 1).abs() <= tolerance).all())


def _inside(
    network: nn.Module,
    logits: Tensor,
    run: Callable[[Tensor], Tensor],
    inputs: Tensor,
    others: Iterable[Tensor],
    last_step: str,
) -> Activation | None:
    """Softmax, log_softmax or a sigmoid as the network's own last step; None if there is none."""
    found = _shape_of(logits) if logits.shape[1] > 1 else None
    if found is not None:
        return found if all(_shape_of(run(other)) is found for other in others) else None
    # Numbers between 0 and 1 may be so by chance, so a sigmoid must also be seen at work.
    low, high = float(logits.min()), float(logits.max())
    if low < 0 or high > 1:
        return None
    return AFTER_SIGMOID if last_step in _SIGMOIDS or _ends_in_sigmoid(network, run, inputs) else None


_SIGMOIDS = ("SigmoidBackward0", "HardsigmoidBackward0")
"""What PyTorch's graph calls sigmoids, modules or not."""


def _shape_of(outputs: Tensor) -> Activation | None:
    """Whether outputs look like probabilities of classes that exclude each other, or like their logarithms."""
    eps = torch.finfo(outputs.dtype).eps  # half precision rounds each of them
    outputs, tolerance = outputs.double(), max(4e-6, 4 * eps if eps > 1e-6 else 0)
    if _in_unit(outputs) and _adds_up(outputs, tolerance=tolerance):
        return AFTER_SOFTMAX
    return AFTER_LOG_SOFTMAX if _adds_up(outputs.exp(), tolerance=tolerance) else None


def _ends_in_sigmoid(network: nn.Module, run: Callable[[Tensor], Tensor], inputs: Tensor) -> bool:
    sigmoids = [module for module in modules_in(network) if isinstance(module, nn.Sigmoid | nn.Hardsigmoid)]
    if not sigmoids:
        return False
    seen: list[Tensor] = []
    with ExitStack() as stack:
        for module in sigmoids:
            hook = module.register_forward_hook(lambda _, __, output: seen.extend(tensors_in(output)))
            stack.callback(hook.remove)
        outputs = run(inputs)
    return bool(seen) and torch.equal(plain(seen[-1]).flatten(), outputs.flatten())
