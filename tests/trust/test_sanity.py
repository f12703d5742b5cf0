"""Randomised weights: which, in which order, and that the given model keeps its own; ranks against their definition."""

import copy
import threading

import pytest
import torch
from torch import Tensor, nn

from camwidget.errors import LayerError, MapError, ModelError
from camwidget.pictures.explain import explain
from camwidget.trust.sanity import REST, randomised_weights, rank_correlation
from tests.text.toys import SENTENCES, Reviews, awd_learner
from tests.toys import PooledLinear, Restless, Reused, picture, state


@pytest.mark.parametrize("levels", [2, 5, 1000])
def test_the_rank_correlation_is_that_of_mean_ranks_with_and_without_ties(levels: int) -> None:
    first = torch.randint(levels, (6, 8)).double()
    second = first + torch.randint(levels, (6, 8))

    def mean_ranks(values: Tensor) -> Tensor:
        pairs = values.flatten()[:, None] - values.flatten()
        return (pairs > 0).sum(dim=1) + ((pairs == 0).sum(dim=1) + 1).double() / 2

    expected = torch.corrcoef(torch.stack([mean_ranks(first), mean_ranks(second)]))[0, 1]
    assert rank_correlation(first, second) == pytest.approx(float(expected), abs=1e-12)


def test_the_rank_correlation_looks_at_order_only() -> None:
    values = torch.randn(6, 8)

    assert rank_correlation(values, values.exp()) == pytest.approx(1.0, abs=1e-12)
    assert rank_correlation(values, -(values**3)) == pytest.approx(-1.0, abs=1e-12)
    assert rank_correlation(values, torch.ones(6, 8)) == 0.0


def test_layers_are_randomised_from_the_last_to_the_first() -> None:
    check = randomised_weights(PooledLinear().double(), picture(), layer="body.1", target_class=1)

    assert check.randomised == ("head", "body.3", "body.2", "body.0")
    assert len(check.correlations) == 4
    assert all(-1 <= each <= 1 for each in check.correlations)
    assert (check.method, check.layer, check.target_class, check.class_name) == ("grad_cam", "body.1", 1, "class 1")


def test_the_map_of_a_randomised_network_is_not_the_original() -> None:
    model = nn.Sequential(
        nn.Conv2d(3, 8, 3), nn.Tanh(), nn.Conv2d(8, 8, 3), nn.Tanh(), nn.AdaptiveAvgPool2d(1), nn.Flatten()
    )
    model.append(nn.Linear(8, 3)).double()

    ends = [
        randomised_weights(model, picture(height=30, width=40), target_class=0, seed=seed).correlations[-1]
        for seed in range(4)
    ]

    assert max(map(abs, ends)) < 0.5


def test_a_map_that_does_not_depend_on_the_weights_is_found_out() -> None:
    """The layer of the map knows no weight, and one channel feeds one weight: nothing but the sign can change."""
    model = nn.Sequential(
        nn.AvgPool2d(2), nn.Conv2d(3, 1, 1, bias=False), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(1, 2)
    )
    model.double()

    check = randomised_weights(model, picture(), layer="1", target_class=0)

    assert check.randomised == ("4", "1")
    assert abs(check.correlations[0]) == pytest.approx(1.0, abs=1e-12)


def test_the_same_seed_gives_the_same_result_and_another_one_another() -> None:
    model, inputs = PooledLinear().double(), picture()

    checks = [randomised_weights(model, inputs, seed=seed) for seed in (5, 5, 6)]

    assert checks[0] == checks[1]
    assert checks[0] != checks[2]


@pytest.mark.parametrize("make", [PooledLinear, Restless, Reused])
def test_the_model_is_left_as_found(make: type[nn.Module]) -> None:
    model, inputs = make().double(), picture()
    next(model.parameters()).requires_grad_(False)
    model(picture(batch=2)).sum().backward()  # so that gradients and running statistics are there
    model.train()
    before, weights = state(model), copy.deepcopy(model.state_dict())

    randomised_weights(model, inputs)
    with pytest.raises(LayerError):
        randomised_weights(model, inputs, layer="head.9")

    assert state(model) == before
    assert all(torch.equal(value, weights[name]) for name, value in model.state_dict().items())


def test_plain_cam_gives_the_correlations_of_grad_cam_where_the_two_are_one_map_but_for_a_factor() -> None:
    model, inputs = PooledLinear().double(), picture()

    plain, grad = (randomised_weights(model, inputs, method=each, target_class=1) for each in ("cam", "grad_cam"))

    assert (plain.method, plain.layer) == ("cam", "body.4")
    assert plain.randomised == grad.randomised
    assert plain.correlations == pytest.approx(grad.correlations, abs=0.05)  # rounding may break a tie at zero


class Owner(nn.Module):
    """Owns a bare parameter, and uses a layer without calling it."""

    def __init__(self) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.randn(1, 4, 1, 1))
        self.conv = nn.Conv2d(3, 4, 3)
        self.head = nn.Linear(4, 2)

    def forward(self, inputs: Tensor) -> Tensor:
        pooled = (self.conv(inputs).tanh() * self.gain).mean(dim=(2, 3))
        return nn.functional.linear(pooled, self.head.weight, self.head.bias)


def test_parameters_outside_layers_that_ran_go_first() -> None:
    assert randomised_weights(Owner().double(), picture(), layer="conv").randomised == (REST, "conv")


def test_a_constant_map_is_refused() -> None:
    model = PooledLinear().double()
    nn.init.zeros_(model.head.weight)

    with pytest.raises(MapError, match=r"'body\.4' is the same everywhere.*order.*another layer or class"):
        randomised_weights(model, picture())


def test_a_model_that_cannot_be_copied_is_told_so() -> None:
    model = PooledLinear().double()
    model.kept = threading.Lock()

    assert explain(model, picture()).layers
    with pytest.raises(ModelError, match=r"PooledLinear cannot be copied.*on a copy.*state_dict"):
        randomised_weights(model, picture())


def test_a_module_may_keep_tensors_with_a_history() -> None:
    model, inputs = PooledLinear().double(), picture()
    check = randomised_weights(model, inputs)
    model.kept = [torch.ones(2, requires_grad=True) * 2]

    assert randomised_weights(model, inputs) == check


def test_a_classifier_of_texts_forgets_from_the_last_layer_to_the_first() -> None:
    check = randomised_weights(Reviews().double(), SENTENCES[1], target_class="positive")

    assert (check.method, check.layer, check.class_name) == ("cam", "conv3", "positive")
    assert check.randomised == ("classifier", "conv3.0", "conv2.0", "conv1.0", "embedding")
    assert all(-1 <= each <= 1 for each in check.correlations)


def test_with_one_channel_the_classifiers_weight_can_change_nothing_but_the_sign_of_a_map_of_words() -> None:
    model = Reviews(channels=1).double()
    with torch.no_grad():
        for layer in (model.conv1, model.conv2, model.conv3):
            layer[0].bias += 5.0  # so that no ReLU silences the one channel

    check = randomised_weights(model, SENTENCES[1], target_class=0)

    assert abs(check.correlations[0]) == pytest.approx(1.0, abs=1e-12)
    assert any(abs(each) < 0.99 for each in check.correlations[1:])


def test_the_map_of_words_at_a_layer_before_those_that_forgot_is_compared_as_it_is() -> None:
    """Leaving a word out of a text moves a logit in the same way whatever layer is named."""
    model = Reviews().double()

    by_layer = [
        randomised_weights(model, SENTENCES[1], method="occlusion", layer=layer, target_class=0)
        for layer in ("embedding", "conv3")
    ]

    assert by_layer[0].correlations == by_layer[1].correlations


def test_a_fastai_classifier_of_texts_is_read_with_its_own_tokenizer_and_left_as_found() -> None:
    learner = awd_learner()
    network, before = learner.model, copy.deepcopy(learner.model.state_dict())

    check = randomised_weights(learner, SENTENCES[0], method="hires_cam", target_class=0)

    assert len(check.randomised) > 3
    assert learner.model is network
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
