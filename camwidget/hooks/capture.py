"""One forward pass over all layers, one backward pass per class; the model is left exactly as it was found.

What makes this fast is that parameters are frozen and that nothing goes back further than the first layer.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from typing import Any, Literal, Self, TypeVar

import torch
from jaxtyping import Float, Shaped
from torch import Tensor, nn

from camwidget.errors import ModelError, three_parts
from camwidget.hooks.draws import Draws
from camwidget.hooks.hook import differentiable
from camwidget.hooks.layers import find_module
from camwidget.hooks.layout import LAST_CALL, AsItIs, Layout
from camwidget.hooks.obstacles import checked_logits, refuse_unready, running, without_gradient
from camwidget.hooks.restore import attributes_left_as_found, gpus_of, left_as_found
from camwidget.hooks.scores import why_no_gradient
from camwidget.hooks.subject import PICTURE, Subject
from camwidget.hooks.tensors import plain, with_first
from camwidget.hooks.traced import Traced
from camwidget.hooks.walk import modules_in

Noted = TypeVar("Noted")

RANDOM = (
    "The network draws random numbers when it answers, in evaluation mode too. The answer and the maps are of one "
    "draw: another one has others."
)
"""What a network is said to do that is no function of its inputs."""

Target = int | Callable[[Tensor], Tensor]
"""What is differentiated: the logit of a class by its index, or a function from the logits to one number."""


def scalar_of(target: Target, logits: Float[Tensor, "batch class"]) -> Float[Tensor, ""]:
    """Return what is differentiated: a class's logit, summed over the batch, or what a function makes of all logits."""
    return target(logits) if callable(target) else logits[:, target].sum()


class LayerCapture:
    """Runs a model once and gives the activations of many layers, then their gradients class by class.

    Nothing is recorded before the first of the layers, because its output starts the graph. Callers may be under
    `no_grad` or `inference_mode`. A layer's `Layout` says how its outputs are read and, if the layer runs several times
    in one pass, which calls count. Until `keep` sets one, one call counts, in the layer's own form.

    Args:
        model: a network that returns logits.
        layer_names: dotted names of the layers to capture.
        subject: what the model runs on.
        call: of layers that run several times, the number of the call that counts, from 1; `LAST_CALL` for the last.

    Raises:
        LayerError: the model has no layer of that name.

    Example:
        >>> model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 2))
        >>> with LayerCapture(model, ["0"]) as capture:
        ...     logits = capture.forward(torch.zeros(1, 3, 5, 6))
        ...     capture.gradients(1)["0"].shape
        torch.Size([1, 4, 3, 4])
    """

    def __init__(
        self,
        model: nn.Module,
        layer_names: Sequence[str],
        *,
        subject: Subject = PICTURE,
        call: int = LAST_CALL,
    ) -> None:
        self.activations: dict[str, Tensor] = {}
        """The output of each layer, in the order in which the layers ran; part of the graph until the block ends. In
        the layers' own form until `keep` says how to read them; as maps from then on."""
        self.outputs: dict[str, list[Tensor]] = {}
        """The same for every call, always in the layers' own form: gradients are taken with respect to these."""
        self.other_outputs: dict[str, Any] = {}
        """For layers that ran but did not return a floating-point tensor: what they returned."""
        self.output_shapes: dict[str, tuple[int, ...]] = {}
        """The shape of each floating-point output, in the layer's own form, of the call that counts."""
        self.calls: dict[str, int] = {}
        """How often each layer ran in the forward pass."""
        self.layouts: Mapping[str, Layout] = {}
        """How each kept layer is read."""
        self.layer_names = tuple(layer_names)
        """The layers to capture."""
        self.model = model
        """The network to run."""
        self.subject = subject
        """What the model runs on."""
        self.call = call
        """The call that counts, of layers that run several times."""
        self.traced = Traced(None)
        """The pass, followed back from its logits."""
        self.notes: tuple[str, ...] = ()
        """What to know of the forward pass before believing what came out of it, in sentences; mostly empty."""
        self._modules = {name: find_module(model, name) for name in layer_names}
        self._stack = ExitStack()
        self._logits: Tensor | None = None
        self._remembered: tuple[Target, dict[str, list[Tensor]]] | None = None
        # The pass in progress. Between passes others may run the model or its layers, and none of that counts.
        self._pass: Literal["", "forward", "rerun", "backward"] = ""
        self._order: dict[str, list[int]] = {}  # when each call that has an output came to its end
        self._replacing: dict[str, tuple[int, Tensor]] = {}
        self._draws: Draws | None = None

    def __enter__(self) -> Self:
        refuse_unready(self.model)
        with ExitStack() as stack:
            stack.enter_context(left_as_found(self.model))
            stack.enter_context(attributes_left_as_found(self.model))
            for name, module in self._modules.items():
                stack.callback(module.register_forward_hook(self._hook(name)).remove)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *error: Any) -> None:
        try:
            self.forget()
        finally:  # whatever comes in between, such as a stopped cell
            self._stack.__exit__(*error)

    def forward(self, inputs: Shaped[Tensor, "..."]) -> Float[Tensor, "batch class"]:
        """Run the model once and return its logits.

        Args:
            inputs: one normalised picture, or several, or an index for every token of one text, on the model's device.

        Raises:
            ImageError: more or fewer pictures than the subject takes.
            ModelError: not one text; or the model takes other inputs, or does not return finite logits (1, class).
        """
        self.subject.check(inputs)
        self.forget()
        draws = Draws(self.model, gpus=gpus_of(self.model))
        with torch.inference_mode(False), torch.enable_grad(), self._passing("forward"):
            # An inference tensor cannot be recorded; its clone can.
            with running(self.model, inputs):
                output = self._run(inputs.clone() if inputs.is_inference() else inputs)
            self._logits = checked_logits(output, count=inputs.shape[0])
        self.traced = Traced(self._logits)
        self._draws = draws if draws.any else None
        self.notes = () if self._draws is None else (RANDOM,)
        one = AsItIs(self.call)
        shown = {name: one.calls(len(outputs))[0] for name, outputs in self.outputs.items()}
        # A layer is placed by the call that counts.
        self.outputs = {name: self.outputs[name] for name in sorted(shown, key=lambda at: self._order[at][shown[at]])}
        self.output_shapes = {name: tuple(outputs[shown[name]].shape) for name, outputs in self.outputs.items()}
        self.keep(dict.fromkeys(self.outputs, one))
        return self._logits.detach()

    @property
    def differentiable(self) -> bool:
        """Whether the logits carry a gradient."""
        return self.traced.differentiable

    @property
    def draws(self) -> bool:
        """Whether the network drew random numbers in the forward pass."""
        return self._draws is not None

    def keep(self, layouts: Mapping[str, Layout]) -> None:
        """Turn the activations of some layers into maps and forget the others, so that they cost no gradient.

        From here on, activations, gradients and replacements of these layers are maps.

        Args:
            layouts: how to read each kept layer.
        """
        self.layouts = {name: layouts[name] for name in self.outputs if name in layouts}
        self.outputs = {name: self.outputs[name] for name in self.layouts}
        with torch.inference_mode(False), torch.enable_grad():
            self.activations = {name: self.as_map(name, self.counting(name)) for name in self.layouts}

    def forget(self) -> None:
        """Let the last forward pass go, with its graph, and what was kept of it."""
        self.activations, self.outputs, self.other_outputs = {}, {}, {}
        self.layouts, self._logits, self._order, self._remembered = {}, None, {}, None
        self.traced = Traced(None)

    def shown(self, name: str) -> tuple[int, int]:
        """Return which call of a layer counts, from 1, and of how many; (1, 1) if all calls are joined.

        Args:
            name: a kept layer.
        """
        ran = len(self.outputs[name])
        calls = self.layouts[name].calls(ran)
        return (calls[0] + 1, ran) if len(calls) == 1 else (1, 1)

    def as_map(self, name: str, outputs: Sequence[Tensor]) -> Tensor:
        """Return a layer's outputs, or gradients with respect to them, as a map.

        Args:
            name: a kept layer.
            outputs: in the layer's own form, one for each call that counts.
        """
        return self.layouts[name].as_map(outputs)

    def shapes(self, inputs: Tensor) -> dict[str, list[tuple[int, ...]]]:
        """Run the model once more and return the output shape of every call of every module.

        Args:
            inputs: what the model runs on.

        Returns:
            Shapes by dotted name, in the order in which the modules last finished; tensors only.
        """
        modules = dict(self.model.named_modules())
        return self._noted(inputs, modules, lambda output: tuple(output.shape))

    def other_outputs_for(self, inputs: Tensor, names: Sequence[str] | None = None) -> dict[str, list[Tensor]]:
        """Run the model once more and return what captured layers return in every call, in their own form.

        Args:
            inputs: others than those of the forward pass.
            names: some of the layers; None for all. Those that do not run, or return no tensor, are left out.
        """
        modules = {name: self._modules[name] for name in (self._modules if names is None else names)}
        # A copy, because an in-place operation behind the layer may change the output.
        return self._noted(inputs, modules, lambda output: plain(output).detach().clone())

    def _noted(
        self, inputs: Tensor, modules: Mapping[str, nn.Module], take: Callable[[Tensor], Noted]
    ) -> dict[str, list[Noted]]:
        """What is taken from every output of some modules in one more run, the module that finished last at the end."""
        noted: dict[str, list[Noted]] = {}

        def note(name: str, output: Any) -> None:
            output = self.subject.first_of(output)
            if isinstance(output, Tensor):
                noted[name] = [*noted.pop(name, []), take(output)]

        with ExitStack() as stack:
            for name, module in modules.items():
                if isinstance(module, torch.jit.ScriptModule):
                    continue  # it takes no hooks
                hook = module.register_forward_hook(lambda _, __, output, name=name: note(name, output))
                stack.callback(hook.remove)
            self.rerun(inputs)
        return noted

    def observe(self, inputs: Tensor, names: Sequence[str]) -> dict[str, Tensor]:
        """Run the model once more and return what some layers return in the call that is shown, in their own form.

        Args:
            inputs: what the model runs on.
            names: some of the layers; those that do not run, or return something else, are left out.
        """
        one, observed = AsItIs(self.call), self.other_outputs_for(inputs, names)
        return {name: outputs[one.calls(len(outputs))[0]] for name, outputs in observed.items()}

    def gradients(
        self, target: Target, *, names: Sequence[str] | None = None, remember: bool = False
    ) -> dict[str, Float[Tensor, "..."]]:
        """Return the derivative of one class's logit with respect to every activation, by one backward pass.

        Each has the form of its activation: (1, channel, map_height, map_width) for kept layers. The logit is
        differentiated, not the probability: a probability also falls when another class rises.

        Args:
            target: the class, or what to differentiate instead of its logit.
            names: some of the layers; None for all. Only the deepest cost little.
            remember: keep them for the next call, which takes no pass if it asks for the same class.

        Raises:
            ModelError: the logits carry no gradient.
        """
        sources = {name: self.counting(name) for name in (self.outputs if names is None else names)}
        own = self._remembered_of(target, sources)
        if own is None:
            found = iter(self.derivatives(target, [output for outputs in sources.values() for output in outputs]))
            own = {name: [next(found) for _ in outputs] for name, outputs in sources.items()}
        self._remembered = (target, own) if remember else None
        return {name: self.as_map(name, own[name]) for name in sources}

    def _remembered_of(self, target: Target, sources: Collection[str]) -> dict[str, list[Tensor]] | None:
        """The gradients from the pass before, if they are those of the same class and of all these layers."""
        before, own = self._remembered or (None, {})
        return own if isinstance(target, int) and before == target and set(sources) <= own.keys() else None

    def derivatives(self, target: Target, sources: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """Return the derivative of a class's logit with respect to each source; zero where the logit does not use it.

        Args:
            target: see `gradients`.
            sources: some of `outputs`.

        Raises:
            ModelError: the logits carry no gradient.
        """
        if self._logits is None:
            raise RuntimeError("gradients() needs a forward pass: call forward(inputs) first, inside the with block.")
        if not self._logits.requires_grad:
            if self.subject.scores is not None:
                raise ModelError(why_no_gradient(list(self.subject.scores)))
            given = "The model's logits carry no gradient back to the layers"
            allowed = "Its forward must compute them from the layers without detach(), torch.no_grad() or checkpoints "
            allowed += "with use_reentrant=True"
            raise ModelError(three_parts(given, allowed, "Look for these in its forward, or name later layers"))
        with torch.inference_mode(False), torch.enable_grad():
            whole = scalar_of(target, self._logits)
            self._pass = "backward"
            try:
                gradients = torch.autograd.grad(whole, tuple(sources), retain_graph=True, allow_unused=True)
            except (RuntimeError, AssertionError) as error:
                if (told := without_gradient(error)) is not None:
                    raise told from error
                raise
            finally:
                self._pass = ""
        return tuple(
            torch.zeros_like(source) if gradient is None else gradient
            for source, gradient in zip(sources, gradients, strict=True)
        )

    def rerun(self, inputs: Tensor, *, replace: Mapping[str, Tensor] | None = None) -> Float[Tensor, "..."]:
        """Run the model once more without capturing, and return its unchecked logits.

        If it draws random numbers, it draws those of the forward pass again: what changes, changes with the inputs.

        Args:
            inputs: what the model runs on.
            replace: activations to use instead of the layers' own outputs, by name, in the form of `activations`.
                Tokens without a position keep the layer's own values.
        """
        self._replacing = {name: (self.calls[name], activation) for name, activation in (replace or {}).items()}
        counted = self.calls
        if self._draws is not None:
            self._draws.again()
        try:
            with torch.no_grad(), self._passing("rerun"):
                return plain(self._run(inputs))
        finally:
            self._replacing, self.calls = {}, counted

    @contextmanager
    def _passing(self, which: Literal["forward", "rerun"]) -> Iterator[None]:
        """Count the layers' calls from zero for the block; in a forward pass, keep their outputs."""
        self.calls, self._pass = {}, which
        try:
            yield
        finally:
            self._pass = ""

    def _run(self, inputs: Tensor) -> Any:
        """Run the model and return what should be its logits."""
        # In evaluation mode cuDNN's recurrent networks have no backward pass; PyTorch's own do.
        recurrent = inputs.is_cuda and any(isinstance(module, nn.RNNBase) for module in modules_in(self.model))
        # Only then: the flags belong to the whole process, and other threads may be inside as well.
        with torch.backends.cudnn.flags(enabled=False) if recurrent else nullcontext():
            return self.subject.logits_of(self.model(inputs), count=inputs.shape[0])

    def counting(self, name: str) -> list[Tensor]:
        """Return a layer's outputs, in its own form, from the calls that count.

        Args:
            name: a kept layer.
        """
        outputs = self.outputs[name]
        return [outputs[call] for call in self.layouts[name].calls(len(outputs))]

    def _hook(self, name: str) -> Any:
        def fire(_: nn.Module, inputs: Any, output: Any) -> Any:
            if not self._pass:
                return None
            first = self.subject.first_of(output)
            again = self._pass == "backward"  # checkpointing runs parts again, to record what it recorded before
            if not again:
                self.calls[name] = self.calls.get(name, 0) + 1
            if self._pass == "rerun":
                replacement = self._replacement(name, first)
                return None if replacement is None else with_first(output, replacement)
            if not isinstance(first, Tensor) or not first.is_floating_point():
                if not again:
                    self.other_outputs[name] = output
                return None
            kept = differentiable(plain(first), inputs)
            if not again:
                self.outputs[name] = [*self.outputs.get(name, []), kept]
                self._order[name] = [*self._order.get(name, []), sum(self.calls.values())]
            with torch.enable_grad():
                return with_first(output, kept.clone())

        return fire

    def _replacement(self, name: str, own: Any) -> Tensor | None:
        """The replacement for a layer's output in the current call; None where its own stays."""
        ran, activation = self._replacing.get(name, (0, None))
        if activation is None:
            return None
        layout, call = self.layouts[name], self.calls[name] - 1
        calls = layout.calls(ran)
        return layout.put_back(activation, own, part=calls.index(call)) if call in calls else None
