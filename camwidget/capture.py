"""One forward pass over all layers, one backward pass per class; the model is left exactly as it was found."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any, Self

import torch
from jaxtyping import Float, Shaped
from torch import Tensor, nn

from camwidget.errors import ImageError, ModelError, three_parts
from camwidget.hooks import differentiable
from camwidget.layers import find_module
from camwidget.tensors import plain


@contextmanager
def left_as_found(model: nn.Module) -> Iterator[None]:
    """Put the model into evaluation mode with frozen parameters for the block, then restore what it was.

    Restored, after an error too: every module's training flag, every parameter's `requires_grad`, the buffers, and the
    state of the random numbers on the CPU and on the model's GPU. Nothing here touches a parameter's `.grad`.
    """
    modules = list(model.modules())
    training = [module.training for module in modules]
    parameters = list(model.parameters())
    required = [parameter.requires_grad for parameter in parameters]
    buffers = [
        (module, name, buffer, None if buffer is None else buffer.detach().clone(), _version(buffer))
        for module in modules
        for name, buffer in module._buffers.items()
    ]
    gpus = sorted({parameter.device.index for parameter in parameters if parameter.device.type == "cuda"})
    try:
        with torch.random.fork_rng(devices=gpus):
            # The flags are set one by one: train() and eval() may be overridden to do more (some merge weights).
            for module in modules:
                module.training = False
            for parameter in parameters:
                parameter.requires_grad_(False)
            yield
    finally:
        for module, flag in zip(modules, training, strict=True):
            module.training = flag
        for parameter, flag in zip(parameters, required, strict=True):
            parameter.requires_grad_(flag)
        for module, name, buffer, values, version in buffers:
            module._buffers[name] = buffer
            if buffer is not None and values is not None and (version is None or _version(buffer) != version):
                with torch.no_grad(), torch.inference_mode(buffer.is_inference()):
                    buffer.copy_(values)


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
        """What each layer put out, in the order in which the layers ran; part of the graph until the block ends."""
        self.other_outputs: dict[str, Any] = {}
        """For layers that ran but did not put out a floating-point tensor: what they did put out."""
        self.calls: dict[str, int] = {}
        """How often each layer ran in the forward pass."""
        self._model = model
        self._modules = {name: find_module(model, name) for name in layer_names}
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
        self.activations, self.other_outputs, self._logits = {}, {}, None
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
        self.activations, self.other_outputs, self.calls, self._logits = {}, {}, {}, None
        with torch.inference_mode(False), torch.enable_grad():
            # An inference tensor cannot be recorded; its clone can.
            self._logits = _checked(self._run(inputs.clone() if inputs.is_inference() else inputs))
        return self._logits.detach()

    def keep_only(self, layer_names: Sequence[str]) -> None:
        """Forget the other layers' activations, so that no gradient is computed for them."""
        self.activations = {name: each for name, each in self.activations.items() if name in layer_names}

    def gradients(self, class_index: int) -> dict[str, Float[Tensor, "1 channel map_height map_width"]]:
        """Return the derivative of one class's logit with respect to every activation, by one backward pass.

        The logit is differentiated, not the probability: a probability also falls when another class rises.

        Args:
            class_index: the class.

        Raises:
            ModelError: the logits carry no gradient.
        """
        found = self._derivatives(class_index, tuple(self.activations.values()))
        return dict(zip(self.activations, found, strict=True))

    def rerun(self, inputs: Tensor, *, replace: Mapping[str, Tensor] | None = None) -> Float[Tensor, "..."]:
        """Run the model once more, capture nothing, and return its logits, not checked.

        Args:
            inputs: what the model is run on.
            replace: what layers put out in place of their own output, by name.
        """
        counted, self.calls = self.calls, {}
        self._replacing = {name: (counted[name], each) for name, each in (replace or {}).items()}
        try:
            with torch.no_grad():
                return plain(self._run(inputs))
        finally:
            self._replacing, self.calls = None, counted

    def as_map(self, name: str, output: Tensor) -> Tensor:
        """Return a layer's output, or a gradient with respect to it, with the axes that its activation has here."""
        return output.reshape(self.activations[name].shape)

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

    def _hook(self, name: str) -> Any:
        def fire(_: nn.Module, inputs: Any, output: Any) -> Any:
            self.calls[name] = self.calls.get(name, 0) + 1
            if self._replacing is not None:
                call, activation = self._replacing.get(name, (0, None))
                return activation.clone() if activation is not None and call == self.calls[name] else None
            if not isinstance(output, Tensor) or not output.is_floating_point():
                self.other_outputs[name] = output
                return None
            kept = differentiable(plain(output), inputs)
            self.activations.pop(name, None)  # of several calls the last counts, in its place in the order
            self.activations[name] = kept
            with torch.enable_grad():
                return kept.clone()

        return fire


def _checked(logits: Any) -> Float[Tensor, "1 class"]:
    advice = "Wrap it in a module whose forward returns only the logits"
    allowed = "A model to be explained returns one tensor of logits, of shape (1, class) for one picture"
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


def _version(buffer: Tensor | None) -> int | None:
    """How often the tensor was changed in place, or None where that is not counted."""
    return None if buffer is None or buffer.is_inference() else buffer._version
