"""What a judge sends arrives as it was, or by its number; and what becomes of it over there happens here too."""

import base64
from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from camwidget.grading import received, sent
from camwidget.grading.child import _Session
from camwidget.grading.kept import Kept, own_tensors
from camwidget.grading.session import Session
from camwidget.grading.wire import Line, pack


class Judge(Line):
    """The other end of the line, for the graphs of a judge's tensors."""

    def __init__(self, objects: sent.Objects) -> None:
        self.objects, self.asked = objects, []

    def send(self, question: dict[str, Any]) -> None:
        self.asked.append(question)

    def receive(self, left: Any = None) -> Mapping[str, Any]:
        output, sources = self.objects.graphs[self.asked[-1]["backward"]]
        return {"ok": pack(torch.autograd.grad(output, sources, torch.ones_like(output)), lambda value: {})}


@pytest.fixture
def there() -> received.Objects:
    return received.Objects(Judge(sent.Objects()))


def over(objects: sent.Objects, there: received.Objects, payload: Any, *, known: int = 0, traced: Any = ()) -> Any:
    return there.read(objects.write(payload, callbacks=(), known=known, traced=traced))


@pytest.mark.parametrize("tensor", [torch.arange(6.0).reshape(2, 3), torch.tensor([True, False]), torch.zeros(0, 3)])
def test_tensors_arrive_with_their_numbers_shape_and_kind(there: received.Objects, tensor: Tensor) -> None:
    found = over(sent.Objects(), there, [tensor, {"a": (1, "b")}])

    assert found[1] == {"a": (1, "b")}
    assert (found[0].dtype, found[0].shape, found[0].tolist()) == (tensor.dtype, tensor.shape, tensor.tolist())


def test_a_function_of_a_judges_arrives_with_its_defaults_and_with_what_it_closes_over(there: received.Objects) -> None:
    factor = 3

    def times(number: int, plus: int = 1) -> int:
        return factor * number + plus

    found = over(sent.Objects(), there, times)

    assert found is not times
    assert (found(2), found(2, plus=5)) == (7, 11)


def test_a_network_that_is_there_already_goes_by_its_number(there: received.Objects) -> None:
    objects, other = sent.Objects(), nn.Linear(2, 3)
    ours = nn.Linear(2, 3)
    objects.modules.append(ours)
    there.modules.append(other)

    assert over(objects, there, [ours], known=1) == [other]
    assert over(objects, there, [ours], known=0)[0] is not other


def test_a_leaf_is_the_same_tensor_whenever_it_is_sent(there: received.Objects) -> None:
    objects, leaf = sent.Objects(), torch.ones(2, 3, requires_grad=True)
    first = over(objects, there, leaf)
    leaf.grad = torch.full((2, 3), 5.0)

    assert over(objects, there, leaf) is first
    assert first.requires_grad
    assert first.grad.tolist() == [[5.0] * 3] * 2


def test_the_way_back_through_a_tensor_of_the_judges_leads_to_the_judge() -> None:
    objects, leaf = sent.Objects(), torch.tensor([1.0, 2.0], requires_grad=True)
    squares = leaf**2
    there = received.Objects(Judge(objects))

    found = over(objects, there, squares, traced=(leaf, squares))
    (found * 1).sum().backward()

    assert found.tolist() == [1.0, 4.0]
    assert there.leaves[0].grad.tolist() == [2.0, 4.0]


def test_how_a_tensor_was_is_its_numbers_whether_it_asks_for_gradients_and_its_gradient() -> None:
    tensor = torch.ones(2, 3, requires_grad=True)
    kept = Kept(tensor)

    assert kept.is_like(tensor)
    with torch.no_grad():
        tensor[0, 0] = 2
    assert not kept.is_like(tensor)
    assert not Kept(tensor).is_like(tensor.detach())
    before = Kept(tensor)
    tensor.grad = torch.ones(2, 3)
    assert not before.is_like(tensor)
    assert Kept(tensor).is_like(tensor)
    assert list(own_tensors(nn.Sequential(nn.BatchNorm2d(3)))) == []
    assert list(own_tensors(nn.Linear(2, 3))) == ["weight", "bias"]


@pytest.fixture
def session() -> Session:
    """A judge's side, whose calls are answered in this process."""
    child = _Session(Judge(sent.Objects()), SimpleNamespace(user_ns={}), 1000)
    return Session(lambda question, _: child.far(question["far"]))


def test_what_a_call_does_to_its_arguments_happens_to_the_judges_own(session: Session) -> None:
    tensor, numbers, network = torch.zeros(2, 3), [1, 2], nn.BatchNorm2d(3)

    def changes(tensor: Tensor, numbers: list[int], network: nn.Module) -> int:
        tensor.add_(1)
        numbers.append(3)
        network.eval()
        network.weight.data.fill_(7)
        network.register_forward_hook(print)
        return len(numbers)

    assert session.far(changes, (tensor, numbers, network), {}) == 3
    assert tensor.tolist() == [[1.0] * 3] * 2
    assert numbers == [1, 2, 3]
    assert not network.training
    assert network.weight.tolist() == [7.0] * 3
    assert len(network._forward_hooks) == 1


def test_an_error_over_there_is_raised_here(session: Session) -> None:
    def fails() -> None:
        raise KeyError("no such layer")

    with pytest.raises(KeyError, match="no such layer"):
        session.far(fails, (), {})


def test_a_function_that_comes_back_is_called_over_there(session: Session) -> None:
    def maker() -> Callable[[int], int]:
        return lambda number: number + 1

    made = session.far(maker, (), {})

    assert made(4) == 5
    assert "lambda" in repr(made)


def test_what_is_sent_is_text(session: Session) -> None:
    asked: list[Mapping[str, Any]] = []
    answer = session.ask
    session.ask = lambda question, back: asked.append(question) or answer(question, back)

    def nothing() -> None:
        return None

    session.far(nothing, (), {})

    assert base64.b64decode(asked[0]["far"])
