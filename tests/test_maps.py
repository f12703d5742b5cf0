"""The arithmetic of maps, against numbers worked out by hand."""

import torch

from camwidget.maps import cam, channel_weight, grad_cam, positive, scale_of, upsample

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
