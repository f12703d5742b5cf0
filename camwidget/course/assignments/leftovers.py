"""Whether an answer removed its own hooks, and only those."""

from torch import nn

from camwidget.course.attempt import Attempt
from camwidget.hooks.restore import hooks_on


def with_other_hooks(model: nn.Module) -> int:
    """Put somebody else's hook on every module, and return how many hooks there are now.

    Args:
        model: the answer has to leave these hooks alone.
    """
    for module in model.modules():
        module.register_forward_hook(lambda *_: None)
    return len(hooks_on(model))


def judge_left(attempt: Attempt, model: nn.Module, before: int, *, likely: str, key: str = "removed") -> bool:
    """State whether as many hooks are on the model as before.

    Args:
        attempt: of this round.
        model: what the answer ran.
        before: how many hooks there were.
        likely: the likely cause if there are more.
        key: which of the promised facts.
    """
    left = len(hooks_on(model)) - before
    if left < 0:
        likely = "hooks of others were taken off as well: your handle's remove() takes off yours alone"
    got = f"{abs(left)} hook{'s' if abs(left) != 1 else ''} too {'many' if left > 0 else 'few'}"
    return attempt.fact(key, left == 0, expected="as many hooks as before", got=got, likely=likely)
