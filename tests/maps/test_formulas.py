"""The arithmetic of maps, against numbers worked out by hand."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from camwidget.maps.formulas import (
    cam,
    channel_weight,
    eigen_cam,
    grad_cam,
    grad_cam_plus_plus,
    hires_cam,
    layer_cam,
    positive,
    scale_of,
    upsample,
    xgrad_cam,
)

FROM_GRADIENTS = [grad_cam, hires_cam, grad_cam_plus_plus, xgrad_cam, layer_cam]

# Two pictures, two channels, one row of two columns: small enough to do in the head.
ACTIVATION = torch.tensor([[[[1.0, 2.0]], [[3.0, 5.0]]], [[[0.0, 4.0]], [[1.0, 1.0]]]], dtype=torch.float64)


def test_cam_is_the_sum_of_channels_by_the_classifiers_rows() -> None:
    classifier_weight = torch.tensor([[1.0, 0.0], [2.0, -1.0]], dtype=torch.float64)

    found = cam(ACTIVATION, classifier_weight)

    assert found.tolist() == [[[[1, 2]], [[-1, -1]]], [[[0, 4]], [[-1, 7]]]]


def test_grad_cam_weighs_channels_by_their_mean_gradient_and_keeps_the_sign() -> None:
    gradient = torch.tensor([[[[2.0, 4.0]], [[-1.0, -3.0]]], [[[0.0, 1.0]], [[2.0, 2.0]]]], dtype=torch.float64)

    assert channel_weight(gradient).tolist() == [[3, -2], [0.5, 2]]
    assert grad_cam(ACTIVATION, gradient).tolist() == [[[-3, -4]], [[2, 4]]]


# For the methods below: sums of the activation are 3, 8 and 4, 2.
GRADIENT = torch.tensor([[[[2.0, 4.0]], [[-1.0, 1.0]]], [[[0.0, 1.0]], [[2.0, -2.0]]]], dtype=torch.float64)


def test_hires_cam_multiplies_place_by_place() -> None:
    assert hires_cam(ACTIVATION, GRADIENT).tolist() == [[[-1, 13]], [[2, 2]]]


def test_layer_cam_does_so_with_the_gradients_above_zero() -> None:
    assert layer_cam(ACTIVATION, GRADIENT).tolist() == [[[2, 13]], [[2, 4]]]


def test_xgrad_cam_weighs_channels_by_the_mean_gradient_under_the_activation() -> None:
    # Weights are (2 + 8) / 3 and (-3 + 5) / 8; 4 / 4 and (2 - 2) / 2.
    expected = torch.tensor([[[10 / 3 + 3 / 4, 20 / 3 + 5 / 4]], [[0, 4]]], dtype=torch.float64)

    torch.testing.assert_close(xgrad_cam(ACTIVATION, GRADIENT), expected, rtol=0, atol=1e-14)


def test_grad_cam_plus_plus_weighs_channels_by_the_papers_alpha() -> None:
    # alpha g: 4/(8 + 3*8) * 2 = 1/4 and 16/(32 + 3*64) * 4 = 2/7; the second channel counts only in the second column:
    # 1/(2 + 8) * 1 = 1/10. In the second picture 1/(2 + 4) * 1 = 1/6, and 4/(8 + 2*8) * 2 = 1/3 in the first column.
    first, second = 1 / 4 + 2 / 7, 1 / 10
    expected = torch.tensor(
        [[[first + 3 * second, 2 * first + 5 * second]], [[1 / 3, 4 / 6 + 1 / 3]]], dtype=torch.float64
    )

    torch.testing.assert_close(grad_cam_plus_plus(ACTIVATION, GRADIENT), expected, rtol=0, atol=1e-14)


def test_eigen_cam_projects_on_the_strongest_direction() -> None:
    # Positions (3, 4) and (6, 8) lie on one line, of direction (0.6, 0.8); and likewise with both signs turned.
    activation = torch.tensor([[[[3.0, 6.0]], [[4.0, 8.0]]], [[[-3.0, -6.0]], [[-4.0, -8.0]]]], dtype=torch.float64)

    found = eigen_cam(activation)

    expected = torch.tensor([[[5.0, 10.0]]] * 2, dtype=torch.float64)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-13)


def test_eigen_cam_rises_with_the_magnitude_of_the_activation() -> None:
    activation = torch.randn(2, 5, 4, 7, dtype=torch.float64)

    found, magnitude = eigen_cam(activation), activation.abs().mean(dim=1)

    for cams, sizes in zip(found, magnitude, strict=True):
        assert torch.corrcoef(torch.stack([cams.flatten(), sizes.flatten()]))[0, 1] > 0
    # It is what is left of the activation when only the largest singular value is: no other direction gives more.
    largest = torch.linalg.matrix_norm(activation.flatten(2), ord=2)
    torch.testing.assert_close(found.flatten(1).norm(dim=1), largest)


def test_four_methods_are_one_behind_average_pooling_and_one_linear_layer() -> None:
    activation, weight = torch.rand(2, 4, 3, 5, dtype=torch.float64), torch.randn(3, 4, dtype=torch.float64)

    for target_class in range(3):
        leaf = activation.clone().requires_grad_()
        (leaf.mean(dim=(2, 3)) @ weight.T)[:, target_class].sum().backward()
        assert leaf.grad is not None
        expected = cam(activation, weight)[:, target_class] / (3 * 5)
        for method in (grad_cam, hires_cam, xgrad_cam):
            torch.testing.assert_close(method(activation, leaf.grad), expected, rtol=0, atol=1e-15)


def test_xgrad_cam_has_the_sum_of_hires_cam() -> None:
    activation, gradient = torch.rand(2, 4, 3, 5, dtype=torch.float64), torch.randn(2, 4, 3, 5, dtype=torch.float64)

    torch.testing.assert_close(
        xgrad_cam(activation, gradient).sum(dim=(1, 2)), hires_cam(activation, gradient).sum(dim=(1, 2))
    )


@pytest.mark.parametrize("method", FROM_GRADIENTS)
def test_dead_channels_and_dead_gradients_give_zeros(method: Callable[[Tensor, Tensor], Tensor]) -> None:
    zeros, ones = torch.zeros(2, 3, 2, 4), torch.ones(2, 3, 2, 4)

    for activation, gradient in [(zeros, zeros), (zeros, ones), (ones, zeros)]:
        assert not method(activation, gradient).any()
    half_dead = torch.cat([zeros[:, :1], ones[:, 1:]], dim=1)
    assert torch.equal(method(half_dead, ones), method(ones[:, 1:], ones[:, 1:]))


def test_eigen_cam_of_nothing_is_zero_and_of_no_number_is_no_number() -> None:
    assert not eigen_cam(torch.zeros(2, 3, 2, 4)).any()
    assert eigen_cam(torch.full((1, 3, 2, 4), torch.inf)).isnan().all()


def test_half_precision_keeps_its_type() -> None:
    activation = torch.rand(1, 3, 2, 4).bfloat16()

    assert eigen_cam(activation).dtype == torch.bfloat16
    assert grad_cam_plus_plus(activation, activation).dtype == torch.bfloat16


def test_grad_cam_plus_plus_does_not_lose_small_gradients() -> None:
    # Their squares are below the least number of float32. Where g is small alpha is 1/2.
    found = grad_cam_plus_plus(torch.ones(1, 1, 1, 2), torch.full((1, 1, 1, 2), 1e-30))

    torch.testing.assert_close(found, torch.full((1, 1, 2), 1e-30))


def test_positive_keeps_only_evidence_for_the_class() -> None:
    given = torch.tensor([[-1.0, 0.0, 2.0]])

    assert positive(given).tolist() == [[0, 0, 2]]
    assert given.tolist() == [[-1, 0, 2]]


def test_upsample_puts_values_at_the_centres_of_cells() -> None:
    found = upsample(torch.tensor([[[0.0, 4.0]]], dtype=torch.float64), height=2, width=4)

    # Pixel centres lie at -1/4, 1/4, 3/4, 5/4 of a cell; outside the outer centres the value stays.
    assert found.tolist() == [[[0, 1, 3, 4]] * 2][0:1]


def test_scale_of_is_the_largest_magnitude_and_zero_of_nothing() -> None:
    assert scale_of(torch.tensor([[-3.0, 2.0]])) == 3.0
    assert scale_of(torch.zeros(0, 2)) == 0.0
