"""One forward pass over all layers, one backward pass per class; the model is left exactly as it was found."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any, Self

import torch
from jaxtyping import Float, Shaped
from torch import Tensor, nn

from camwidget.errors import ImageError, ModelError, three_parts
from camwidget.hooks.hook import differentiable
from camwidget.hooks.layers import find_module
from camwidget.hooks.layout import Grid
from camwidget.hooks.restore import left_as_found
from camwidget.hooks.tensors import plain


class LayerCapture:
    """Runs a model once and gives the activations of many layers, then their gradients class by class.

    Nothing is recorded before the first of the layers, because its output starts the graph. Callers may be under
    `no_grad` or `inference_mode`. A layer that runs several times in one pass counts with its last call.

    Args:
        model: a network that returns logits.
        layer_names: dotted names of the layers to look at.

    Raises:
        LayerError: the model has no layer of that name.

    Example:
        >>> model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 2))
        >>> with LayerCapture(model, ["0"]) as capture:
        ...     logits = capture.forward(torch.zeros(1, 3, 5, 6))
        ...     capture.gradients(1)["0"].shape
        torch.Size([1, 4, 3, 4])
    """

    def __init__(self, model: nn.Module, layer_names: Sequence[str]) -> None:
        self.activations: dict[str, Tensor] = {}
        """What each layer put out, in the order in which the layers ran; part of the graph until the block ends. In the
        layers' own form until `keep` says how to read them, from then on as maps."""
        self.other_outputs: dict[str, Any] = {}
        """For layers that ran but did not put out a floating-point tensor: what they did put out."""
        self.put_out: dict[str, tuple[int, ...]] = {}
        """The shape of each floating-point output, in the layer's own form."""
        self.calls: dict[str, int] = {}
        """How often each layer ran in the forward pass."""
        self._model = model
        self._modules = {name: find_module(model, name) for name in layer_names}
        self._outputs: dict[str, Tensor] = {}  # in the layers' own form: what gradients are asked for
        self.grids: Mapping[str, Grid] = {}
        """How the layers that are kept are read."""
        self._stack = ExitStack()
        self._logits: Tensor | None = None
        self._replacing: dict[str, tuple[int, Tensor]] | None = None  # not None while run without capturing

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            stack.enter_context(left_as_found(self._model))
            for name, module in self._modules.items():
                stack.callback(module.register_forward_hook(self._hook(name)).remove)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *error: Any) -> None:
        self._forget()
        self._stack.__exit__(*error)

    def forward(self, inputs: Shaped[Tensor, "..."]) -> Float[Tensor, "1 class"]:
        """Run the model once and return its logits.

        Args:
            inputs: one normalised picture, on the model's device.

        Raises:
            ImageError: more or fewer pictures than one.
            ModelError: the model does not return finite logits of shape (1, class).
        """
        self._check(inputs)
        self._forget()
        self.calls = {}
        with torch.inference_mode(False), torch.enable_grad():
            # An inference tensor cannot be recorded; its clone can.
            self._logits = _checked(self._run(inputs.clone() if inputs.is_inference() else inputs))
        self.activations = dict(self._outputs)
        self.put_out = {name: tuple(each.shape) for name, each in self._outputs.items()}
        return self._logits.detach()

    @property
    def differentiable(self) -> bool:
        """Whether the logits carry a gradient."""
        return self._logits is not None and self._logits.requires_grad

    def keep(self, grids: Mapping[str, Grid]) -> None:
        """Give the activations of some layers as maps, and forget the others, so that they cost no gradient.

        From here on, activations, gradients and replacements of these layers are maps.

        Args:
            grids: how to read each layer that is kept.
        """
        self.grids = grids
        self._outputs = {name: each for name, each in self._outputs.items() if name in grids}
        with torch.inference_mode(False), torch.enable_grad():
            self.activations = {name: self.as_map(name, each) for name, each in self._outputs.items()}

    def as_map(self, name: str, output: Tensor) -> Tensor:
        """Return a layer's output, or a gradient with respect to it, as a map; as it is where no grid is known."""
        return self.grids[name].as_map(output) if name in self.grids else output

    def shapes(self, inputs: Tensor) -> dict[str, tuple[int, ...]]:
        """Run the model once more and return the shape of what every module in it put out, in the order of running."""
        found: dict[str, tuple[int, ...]] = {}

        def note(name: str, output: Any) -> None:
            if isinstance(output, Tensor):
                found.pop(name, None)
                found[name] = tuple(output.shape)

        with ExitStack() as stack:
            for name, module in self._model.named_modules():
                hook = module.register_forward_hook(lambda _, __, output, name=name: note(name, output))
                stack.callback(hook.remove)
            self.rerun(inputs)
        return found

    def gradients(self, class_index: int) -> dict[str, Float[Tensor, "..."]]:
        """Return the derivative of one class's logit with respect to every activation, by one backward pass.

        Each has the form of its activation: (1, channel, map_height, map_width) for layers that are kept. The logit is
        differentiated, not the probability: a probability also falls when another class rises.

        Args:
            class_index: the class.

        Raises:
            ModelError: the logits carry no gradient.
        """
        found = self._derivatives(class_index, tuple(self._outputs.values()))
        return {name: self.as_map(name, each) for name, each in zip(self._outputs, found, strict=True)}

    def rerun(self, inputs: Tensor, *, replace: Mapping[str, Tensor] | None = None) -> Float[Tensor, "..."]:
        """Run the model once more, capture nothing, and return its logits, not checked.

        Args:
            inputs: what the model is run on.
            replace: what layers put out in place of their own output, by name, in the form of `activations`. Tokens
                that are no place stay the layer's own.
        """
        counted, self.calls = self.calls, {}
        self._replacing = {name: (counted[name], each) for name, each in (replace or {}).items()}
        try:
            with torch.no_grad():
                return plain(self._run(inputs))
        finally:
            self._replacing, self.calls = None, counted

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Let others run the model for the block: nothing is captured, and what was captured stays."""
        counted, self.calls, self._replacing = self.calls, {}, {}
        try:
            yield
        finally:
            self._replacing, self.calls = None, counted

    def _check(self, inputs: Tensor) -> None:
        """Refuse inputs that are not one of their kind."""
        if inputs.ndim != 4 or inputs.shape[0] != 1:
            given = f"The inputs have shape {tuple(inputs.shape)}"
            allowed = "One picture is explained at a time: shape (1, channel, height, width)"
            raise ImageError(three_parts(given, allowed, "For the first picture of a batch pass inputs[:1]"))

    def _run(self, inputs: Tensor) -> Any:
        """Run the model and return what should be its logits."""
        return self._model(inputs)

    def _derivatives(self, class_index: int, sources: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """The derivative of one class's logit with respect to each source; zero where the logit does not use it."""
        if self._logits is None:
            raise RuntimeError("gradients() needs a forward pass: call forward(inputs) first, inside the with block.")
        if not self._logits.requires_grad:
            given = "The model's logits carry no gradient back to the layers"
            allowed = "Its forward must compute them from the layers without detach() or torch.no_grad()"
            raise ModelError(three_parts(given, allowed, "Look for these in its forward, or name later layers"))
        with torch.inference_mode(False), torch.enable_grad():
            target_logit = self._logits[0, class_index]
            found = torch.autograd.grad(target_logit, sources, retain_graph=True, allow_unused=True)
        return tuple(
            torch.zeros_like(source) if gradient is None else gradient
            for source, gradient in zip(sources, found, strict=True)
        )

    def _forget(self) -> None:
        self.activations, self.other_outputs = {}, {}
        self._outputs, self.grids, self._logits = {}, {}, None

    def _hook(self, name: str) -> Any:
        def fire(_: nn.Module, inputs: Any, output: Any) -> Any:
            self.calls[name] = self.calls.get(name, 0) + 1
            if self._replacing is not None:
                call, activation = self._replacing.get(name, (0, None))
                if activation is None or call != self.calls[name]:
                    return None
                return self.grids[name].put_back(activation, output) if name in self.grids else activation.clone()
            if not isinstance(output, Tensor) or not output.is_floating_point():
                self.other_outputs[name] = output
                return None
            kept = differentiable(plain(output), inputs)
            self._outputs.pop(name, None)  # of several calls the last counts, in its place in the order
            self._outputs[name] = kept
            with torch.enable_grad():
                return kept.clone()

        return fire


def _checked(logits: Any) -> Float[Tensor, "1 class"]:
    advice = "Wrap it in a module whose forward returns only the logits"
    allowed = "A model to be explained returns one tensor of logits, of shape (1, class) for one picture or text"
    if not isinstance(logits, Tensor):
        size = f" of {len(logits)}" if isinstance(logits, tuple | list | dict) else ""
        raise ModelError(three_parts(f"The model returned a {type(logits).__name__}{size}", allowed, advice))
    if logits.ndim != 2 or logits.shape[0] != 1 or logits.shape[1] < 1 or not logits.is_floating_point():
        given = f"The model returned a {logits.dtype} tensor of shape {tuple(logits.shape)}"
        raise ModelError(three_parts(given, allowed, advice))
    if not bool(torch.isfinite(logits).all()):
        wrong = int((~torch.isfinite(logits)).sum())
        given = f"{wrong} of {logits.shape[1]} logits are NaN or infinite"
        advice = "Look for NaN in the weights and the inputs; a model in half precision may overflow: try model.float()"
        raise ModelError(three_parts(given, "Every logit must be a finite number", advice))
    return plain(logits)
