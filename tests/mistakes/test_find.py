import random
import shutil
import warnings
from pathlib import Path
from typing import Any

import jaxtyping
import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.utils.data import ConcatDataset, DataLoader, Subset, SubsetRandomSampler, TensorDataset

from camwidget.errors import ClassError, DataError, ImageError, LayerError, MapError, ModelError
from camwidget.mistakes.find import find_mistakes
from camwidget.mistakes.found import Found
from camwidget.pictures.explain import explain
from tests.mistakes.small import CLASSES, HEIGHT, WIDTH, Files, Named, Stream, loader, network, picture_folder, tensors


def look(model: nn.Module, data: object, **asked: object) -> Found:
    return find_mistakes(model, data, progress=False, **asked)


def test_each_picture_has_the_maps_that_explain_makes_of_it_alone() -> None:
    model, data = network(), tensors(7)

    found = look(model, DataLoader(data, batch_size=3))

    assert found.maps.shape == (7, 2, 5, 8)
    for row, (pixels, true) in enumerate(data):
        said = int(model(pixels[None]).argmax())
        alone = explain(model, pixels[None], layers=[found.layer], target_classes=[said, int(true)])
        assert found.codes[row].tolist() == [true, said]
        for place, target in enumerate((said, int(true))):
            expected = alone.cam(target_class=target).numpy()
            assert found.maps[row, place] == pytest.approx(expected, rel=1e-4, abs=1e-6)


def test_probabilities_losses_and_doubt_are_those_of_the_logits() -> None:
    model, data = network(), tensors(9)
    with torch.no_grad():
        logits = model(data.tensors[0])
    losses = nn.functional.cross_entropy(logits, data.tensors[1], reduction="none")
    sorted_probabilities = logits.softmax(1).sort(1, descending=True).values

    table = look(model, DataLoader(data, batch_size=4)).table

    assert table["loss"].to_numpy() == pytest.approx(losses.numpy(), rel=1e-5)
    assert table["p_true"].to_numpy() == pytest.approx((-losses).exp().numpy(), rel=1e-5)
    assert table["p_said"].to_numpy() == pytest.approx(sorted_probabilities[:, 0].numpy(), rel=1e-5)
    doubt = (sorted_probabilities[:, 0] - sorted_probabilities[:, 1]).numpy()
    assert table["margin"].to_numpy() == pytest.approx(doubt, rel=1e-4, abs=1e-6)
    assert table["right"].tolist() == (logits.argmax(1) == data.tensors[1]).tolist()


def test_the_difference_of_the_maps_sums_to_the_difference_of_the_logits_but_for_the_bias() -> None:
    model, data = network(), tensors(8)
    with torch.no_grad():
        logits = model(data.tensors[0])
    bias = model[1][2].bias.detach()

    found = look(model, DataLoader(data, batch_size=8))

    for row, (true, said) in enumerate(found.codes):
        expected = (logits[row, said] - bias[said]) - (logits[row, true] - bias[true])
        assert found.differences()[row].sum() == pytest.approx(float(expected), abs=1e-5)


def test_a_loader_with_a_sampler_is_read_in_its_order_and_rows_are_places_in_the_data() -> None:
    model, data = network(), tensors(10)
    drawn = DataLoader(data, batch_size=3, sampler=SubsetRandomSampler([8, 1, 5, 2]))

    found = look(model, drawn)

    assert found.table.index.tolist() == [1, 2, 5, 8]
    assert found.codes[:, 0].tolist() == [1, 2, 2, 2]
    everything = look(model, DataLoader(data, batch_size=10))
    assert found.maps == pytest.approx(everything.maps[[1, 2, 5, 8]], rel=1e-4, abs=1e-6)


def test_a_stream_without_places_gives_the_same_rows() -> None:
    model, data = network(), tensors(7)

    streamed = look(model, DataLoader(Stream(data), batch_size=3))

    whole = look(model, DataLoader(data, batch_size=7))
    assert streamed.complete
    assert streamed.codes.tolist() == whole.codes.tolist()
    assert streamed.maps == pytest.approx(whole.maps, rel=1e-4, abs=1e-6)
    with pytest.raises(ImageError, match="read in one stream"):
        streamed.picture(2)


def test_workers_read_the_same_rows() -> None:
    model, data = network(), tensors(7)

    with_workers = look(model, DataLoader(data, batch_size=3), workers=1)

    assert with_workers.codes.tolist() == look(model, DataLoader(data, batch_size=3)).codes.tolist()


def test_a_folder_is_read_with_its_folders_as_classes(tmp_path: Path) -> None:
    folder = picture_folder(tmp_path)
    model = network()

    found = look(model, folder, class_names=("ant", "bee", "cow"))

    assert found.table["path"].tolist()[:2] == [str(Path("ant", "ant_0.png")), str(Path("ant", "ant_1.png"))]
    assert found.table["true"].tolist() == ["ant"] * 3 + ["bee"] * 3 + ["cow"] * 3
    assert found.class_names == ("ant", "bee", "cow")
    assert found.size == (224, 224)
    alone = explain(model, folder / "bee" / "bee_1.png", layers=[found.layer], target_classes=["class 1"])
    assert found.maps[4, 1] == pytest.approx(alone.cam().numpy(), rel=1e-4, abs=1e-6)
    assert np.array_equal(np.asarray(found.picture(4)), np.asarray(alone.image))


def test_labels_by_name_find_their_class_whatever_their_order(tmp_path: Path) -> None:
    folder = picture_folder(tmp_path)
    pairs = [(folder / "cow" / "cow_0.png", "cow"), (folder / "ant" / "ant_0.png", 0)]

    found = look(network(), pairs, class_names=["cow", "ant", "bee"])

    assert found.table["true"].tolist() == ["cow", "cow"]


def test_a_data_set_in_another_order_of_classes_is_read_by_name(tmp_path: Path) -> None:
    files = Files(picture_folder(tmp_path), classes=("cow", "ant", "bee"))
    model = network()
    model.class_names = ["ant", "bee", "cow"]

    found = look(model, DataLoader(files, batch_size=4))

    assert found.table["true"].tolist() == ["cow"] * 3 + ["ant"] * 3 + ["bee"] * 3
    assert found.codes[:, 0].tolist() == [2] * 3 + [0] * 3 + [1] * 3


def test_other_names_in_the_data_are_taken_in_order_with_a_warning(tmp_path: Path) -> None:
    files = Files(picture_folder(tmp_path))
    model = network()
    model.class_names = ["Ameise", "Biene", "Kuh"]

    with pytest.warns(UserWarning, match=r"'ant', 'bee', 'cow', the model 'Ameise'.*taken in order"):
        found = look(model, DataLoader(files, batch_size=4))

    assert found.class_names == ("Ameise", "Biene", "Kuh")


def test_data_with_other_classes_than_the_model_is_refused(tmp_path: Path) -> None:
    files = DataLoader(Files(picture_folder(tmp_path)), batch_size=4)
    model = network(4)
    with pytest.raises(ClassError, match="The model has 4"):
        look(model, files)

    model = network(3)
    model.class_names = ["ant", "bee", "pig"]
    with pytest.raises(ClassError, match=r"'cow'.*'pig'"):
        look(model, files)


def test_a_picture_that_cannot_be_read_has_a_row_with_the_reason(tmp_path: Path) -> None:
    folder = picture_folder(tmp_path)
    (folder / "bee" / "bee_1.png").write_bytes(b"no picture")

    found = look(network(), DataLoader(Files(folder), batch_size=4))

    assert found.read.tolist() == [True] * 4 + [False] + [True] * 4
    assert "UnidentifiedImageError" in found.table["problem"][4]
    assert found.table["path"][4] == str(Path("bee", "bee_1.png"))
    assert np.isnan(found.maps[4]).all()
    assert not np.isnan(found.maps[5]).any()
    assert 4 not in found.wrong.index
    assert "1 could not be read" in repr(found)


def test_nothing_that_can_be_read_is_an_error_with_the_first_reason(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"None of 2 pictures could be read.*gone_0"):
        look(network(), [(tmp_path / "gone_0.png", 0), (tmp_path / "gone_1.png", 1)])


def test_pictures_of_two_sizes_in_one_batch_are_run_and_the_maps_of_the_other_size_are_left_out() -> None:
    model = network()
    small, large = torch.randn(3, HEIGHT, WIDTH), torch.randn(3, HEIGHT + 16, WIDTH)
    data = [(small, 0), (large, 1), (small.flip(1), 2)]

    found = look(model, DataLoader(data, batch_size=3))

    assert [found.codes[row, 1] for row in range(3)] == [int(model(pixels[None]).argmax()) for pixels, _ in data]
    assert np.isnan(found.maps).any(axis=(1, 2, 3)).tolist() == [False, True, False]
    assert "9×8 cells, those of the first picture 5×8" in found.table["problem"][1]


def test_a_pass_that_is_stopped_returns_what_it_found() -> None:
    class Stopping(TensorDataset):
        def __getitem__(self, index: int) -> tuple[Tensor, ...]:
            if index == 9:
                raise KeyboardInterrupt
            return super().__getitem__(index)

    found = look(network(), DataLoader(Stopping(*tensors(12).tensors), batch_size=4))

    assert len(found) == 8
    assert not found.complete
    assert "stopped after 8 of 12" in repr(found)
    assert found.maps.shape[0] == 8


def test_a_pass_that_is_stopped_at_once_says_so() -> None:
    class Stopping(TensorDataset):
        def __getitem__(self, index: int) -> tuple[Tensor, ...]:
            raise KeyboardInterrupt

    with pytest.raises(DataError, match="stopped before the first picture"):
        look(network(), DataLoader(Stopping(*tensors(3).tensors)))


def test_the_model_is_left_as_found() -> None:
    model, data = network().train(), loader(6)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    state = torch.random.get_rng_state()

    look(model, data)

    assert all(module.training for module in model.modules())
    assert not any(module._forward_hooks or module._backward_hooks for module in model.modules())
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())
    assert torch.equal(state, torch.random.get_rng_state())


@pytest.mark.parametrize(
    ("labels", "told"),
    [
        (torch.rand(4, CLASSES).round(), r"float32 tensor of shape \(4, 3\)"),
        (torch.zeros(4, CLASSES, dtype=torch.long), r"int64 tensor of shape \(4, 3\)"),
        (torch.rand(4), "float32 tensor of shape"),
    ],
)
def test_several_labels_for_a_picture_are_refused(labels: Tensor, told: str) -> None:
    data = TensorDataset(torch.randn(4, 3, HEIGHT, WIDTH), labels)
    with pytest.raises(DataError, match=f"{told}.*one label"):
        look(network(), DataLoader(data, batch_size=4))


@pytest.mark.parametrize("wrong", [-1, 3])
def test_a_label_that_is_no_class_is_refused(wrong: int) -> None:
    data = TensorDataset(torch.randn(2, 3, HEIGHT, WIDTH), torch.tensor([0, wrong]))
    with pytest.raises(ClassError, match=f"the label {wrong}.*0 to 2"):
        look(network(), DataLoader(data, batch_size=2))


def test_a_folder_that_is_no_class_is_refused_before_anything_is_run(tmp_path: Path) -> None:
    folder = picture_folder(tmp_path, ("ant", "beee"))
    with pytest.raises(ClassError, match=r"'beee'.*Did you mean 'bee'"):
        look(network(), folder, class_names=["ant", "bee", "cow"])


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (None, "There is no data"),
        ([], "list of files is empty"),
        ("no such folder", "There is no folder 'no such folder'"),
        (DataLoader(tensors(0), batch_size=2), "loader is empty"),
        (DataLoader(Stream(tensors(0)), batch_size=2), "The data is empty"),
        (DataLoader(TensorDataset(torch.randn(2, 3, HEIGHT, WIDTH))), "one of list|a list, not pictures and labels"),
        (3, "dl is an int"),
        ([1, 2], "first element is 1"),
    ],
)
def test_data_that_cannot_be_used_is_refused_in_words(data: object, told: str) -> None:
    with pytest.raises(DataError, match=told):
        look(network(), data)


def test_a_folder_without_folders_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="has no pictures in folders"):
        look(network(), tmp_path)


def test_a_model_with_one_output_or_with_values_is_refused() -> None:
    data = DataLoader(TensorDataset(torch.randn(2, 3, HEIGHT, WIDTH), torch.zeros(2, dtype=torch.long)))
    with pytest.raises(ModelError, match="1 output"):
        look(network(1), data)
    with pytest.raises(MapError, match="values"):
        look(network(3), data, activation="none")


def test_a_layer_or_a_method_that_cannot_be_is_refused() -> None:
    with pytest.raises(LayerError, match="has no layer"):
        look(network(), loader(3), layer="9")
    with pytest.raises(MapError, match="score_cam"):
        look(network(), loader(3), method="score_cam")


def test_a_class_that_nobody_predicted_has_an_empty_column() -> None:
    model = network()
    with torch.no_grad():
        model[1][2].bias[2] = -1e4

    found = look(model, loader(9))

    assert found.confusion()["class 2"].tolist() == [0, 0, 0]
    assert found.confusion().to_numpy().sum() == 9
    assert np.isfinite(found.table["loss"]).all()


def test_a_thousand_classes_have_their_most_confused_pairs() -> None:
    model = nn.Sequential(network()[0], nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 1000))).eval()
    found = look(model, DataLoader(tensors(12, classes=1000), batch_size=6))

    pairs = found.most_confused(5)

    assert len(pairs) <= 5
    assert pairs["count"].is_monotonic_decreasing
    assert found.confusion().shape == (1000, 1000)


def test_classes_with_one_name_get_their_number() -> None:
    found = look(network(), loader(6), class_names=["crane", "ant", "crane"])

    assert found.class_names == ("crane (0)", "ant", "crane (2)")


def test_a_warning_is_given_for_nothing_else() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        look(network(), loader(5))


def test_a_picture_that_is_drawn_twice_has_one_row() -> None:
    data = tensors(9)
    drawn = [4, 4, 1, 7, 1, 4]
    model = network()
    found, plain = (
        look(model, DataLoader(data, batch_size=4, sampler=drawn)),
        look(model, DataLoader(data, batch_size=9)),
    )

    assert found.table.index.tolist() == [1, 4, 7]
    assert found.complete
    assert found.table["true"].cat.codes.tolist() == [1, 1, 1]
    np.testing.assert_allclose(found.maps, plain.maps[[1, 4, 7]], atol=1e-6)
    assert found.picture(4).size == (WIDTH, HEIGHT)


def test_a_loaders_own_batches_are_taken_as_they_are() -> None:
    found = find_mistakes(network(), DataLoader(tensors(15), batch_sampler=[[1, 14], [2, 13]]), progress=False)

    assert found.table.index.tolist() == [1, 2, 13, 14]


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"batch_size": 0}, "batch_size is 0.*1 or more"),
        ({"batch_size": -1}, "batch_size is -1"),
        ({"batch_size": 2.5}, "batch_size is 2.5"),
        ({"batch_size": "3"}, "batch_size is '3'"),
        ({"workers": -1}, "workers is -1.*from 0 to"),
        ({"workers": 10**6}, "workers is 1000000.*from 0 to"),  # one process for each would end the machine
    ],
)
def test_what_is_no_count_is_refused(asked: dict[str, Any], says: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)

    with pytest.raises(DataError, match=says):
        find_mistakes(network(), loader(5), progress=False, **asked)


def test_a_picture_that_gives_no_number_costs_a_row_and_not_the_run() -> None:
    pictures, labels = tensors(9).tensors
    pictures[0] = pictures[5] = torch.nan
    pictures[7] = 1e38  # too large for what comes of it

    found = look(network(), DataLoader(TensorDataset(pictures, labels), batch_size=4))

    assert found.table.index[found.read].tolist() == [1, 2, 3, 4, 6, 8]
    assert found.table["problem"][5] == "The picture holds NaN or infinity, once it is prepared"
    assert "NaN or infinite" in found.table["problem"][7]
    assert found.complete


def test_a_label_that_is_no_class_is_told_with_its_picture() -> None:
    pictures, labels = tensors(9).tensors
    labels[7] = 5

    with pytest.raises(ClassError, match="Picture 7 has the label 5"):
        find_mistakes(network(), DataLoader(TensorDataset(pictures, labels), batch_size=4), progress=False)


def test_labels_that_are_words_find_their_class_in_the_names_that_are_passed() -> None:
    found = find_mistakes(network(), DataLoader(Named()), class_names=["ant", "bee", "cow"], progress=False)

    assert found.table["true"].tolist() == ["cow", "ant"] * 3


def test_a_folder_with_odd_things_in_it_gives_its_pictures(tmp_path: Path) -> None:
    folder = picture_folder(tmp_path / "data", ("ant", "bee"), count=1)
    elsewhere = picture_folder(tmp_path / "other", ("cow",), count=1)
    (folder / "cow").symlink_to(elsewhere / "cow", target_is_directory=True)
    (folder / "ant" / "again").symlink_to(folder / "ant", target_is_directory=True)  # a circle
    (folder / "bee" / "LINK.PNG").symlink_to(elsewhere / "cow" / "cow_0.png")
    (folder / "bee" / "inside").mkdir()
    shutil.copy(elsewhere / "cow" / "cow_0.png", folder / "bee" / "inside" / "deep.JPEG")
    for odd in (".DS_Store", "Thumbs.db", "._ant_0.png"):
        (folder / "ant" / odd).write_bytes(b"odd")
    for hidden in (".ipynb_checkpoints", "ant/.thumbnails"):
        (folder / hidden).mkdir()
        shutil.copy(elsewhere / "cow" / "cow_0.png", folder / hidden / "x.png")

    found = look(network(), folder, class_names=["ant", "bee", "cow"])

    names = ["ant/ant_0.png", "bee/LINK.PNG", "bee/bee_0.png", "bee/inside/deep.JPEG", "cow/cow_0.png"]
    assert found.table["path"].tolist() == names
    assert found.table["true"].tolist() == ["ant", "bee", "bee", "bee", "cow"]
    assert found.read.all()


def test_a_class_without_pictures_is_a_class_of_the_folder(tmp_path: Path) -> None:
    folder = picture_folder(tmp_path, ("ant", "cow"), count=1)
    (folder / "bee").mkdir()

    found = look(network(3), folder)

    assert found.class_names == ("ant", "bee", "cow")
    assert found.codes[:, 0].tolist() == [0, 2]


def test_a_picture_that_cannot_be_read_keeps_the_class_that_its_folder_tells(tmp_path: Path) -> None:
    folder = picture_folder(tmp_path)
    for name in ("ant/ant_0.png", "cow/cow_1.png"):
        (folder / name).write_bytes(b"no picture")
    in_files = look(network(), folder, class_names=["cow", "ant", "bee"])  # the first one comes before any answer
    model = network()
    model.class_names = ["cow", "ant", "bee"]
    in_loader = look(model, DataLoader(Files(folder), batch_size=4))

    for found in (in_files, in_loader):
        assert found.table["true"].tolist() == ["ant"] * 3 + ["bee"] * 3 + ["cow"] * 3
        assert found.table.index[~found.read].tolist() == [0, 7]
        assert found.table["said"].isna().sum() == 2
        assert len(found.wrong) + found.table["right"].sum() == 7
        assert found.confusion().to_numpy().sum() == 7


def test_joined_and_parted_data_sets_keep_paths_and_names(tmp_path: Path) -> None:
    files = Files(picture_folder(tmp_path))
    joined = ConcatDataset([Subset(files, [8, 0]), Subset(files, [4])])

    found = look(network(), DataLoader(joined, batch_size=2))

    assert found.table["path"].tolist() == ["cow/cow_2.png", "ant/ant_0.png", "bee/bee_1.png"]
    assert found.class_names == ("ant", "bee", "cow")
    other = Files(tmp_path, classes=("cow", "ant", "bee"))
    with pytest.raises(ClassError, match=r"joined whose classes are .*Found.joined"):
        look(network(), DataLoader(ConcatDataset([files, other])))


class Shifting(TensorDataset):
    """Pictures that are moved by chance, by numbers of torch, NumPy and Python."""

    def __getitem__(self, index: int) -> tuple[Tensor, ...]:
        pixels, label = super().__getitem__(index)
        by = int(torch.randint(9, (1,))) + int(np.random.randint(9)) + random.randrange(9)
        return pixels.roll(by, 2), label


def test_a_random_change_comes_out_the_same_in_the_pass_and_in_the_panel_and_leaves_everybodys_numbers() -> None:
    model, data = network(), Shifting(*tensors(6).tensors)
    before = (random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state())

    one, other = (look(model, DataLoader(data, batch_size=size)) for size in (2, 3))
    shown = one.picture(4)

    assert one.source is not None
    assert torch.equal(one.source.one(4), one.source.one(4))
    assert not torch.equal(one.source.one(4)[0], data.tensors[0][4])
    assert np.array_equal(np.asarray(shown), np.asarray(other.picture(4)))
    assert random.getstate() == before[0]
    assert np.random.get_state()[1].tolist() == before[1]
    assert torch.equal(torch.get_rng_state(), before[2])


def test_a_picture_that_is_another_one_each_time_is_warned_of() -> None:
    class Counting(TensorDataset):
        read = 0

        def __getitem__(self, index: int) -> tuple[Tensor, ...]:
            self.read += 1
            pixels, label = super().__getitem__(index)
            return pixels + self.read, label

    with pytest.warns(UserWarning, match=r"Picture 0 is another one.*not the one that the network saw"):
        look(network(), DataLoader(Counting(*tensors(3).tensors)))


def test_a_stream_that_ends_with_an_error_keeps_what_came_before() -> None:
    class Ending(Stream):
        def __iter__(self) -> Any:
            yield from (self.data[index] for index in range(4))
            raise OSError("the disk is gone")

    with pytest.warns(UserWarning, match=r"ended after 4 pictures .*the disk is gone"):
        found = look(network(), DataLoader(Ending(tensors(9)), batch_size=2))

    assert len(found) == 4
    assert not found.complete


def test_labels_by_name_in_a_stream_find_the_names_that_are_passed() -> None:
    class Words(Stream):
        def __iter__(self) -> Any:
            return iter([(torch.zeros(3, HEIGHT, WIDTH), "cow"), (torch.zeros(3, HEIGHT, WIDTH), "ant")])

    found = look(network(), DataLoader(Words(tensors(2)), batch_size=2), class_names=["ant", "bee", "cow"])

    assert found.table["true"].tolist() == ["cow", "ant"]


@pytest.mark.parametrize(
    ("labels", "advice", "mended"),
    [
        (torch.eye(3)[[2, 0, 1, 1]], r"one-hot: take labels.argmax\(dim=1\)", lambda labels: labels.argmax(dim=1)),
        (torch.tensor([2.0, 0, 1, 1]), r"take labels.long\(\).view\(-1\)", lambda labels: labels.long().view(-1)),
        (torch.tensor([True, False, True, True]), "take labels.long", lambda labels: labels.long().view(-1)),
        (torch.tensor([[1, 1, 0]] * 4), "Several labels for a picture", None),
        (torch.tensor([0.3, 0.7, 1.5, 2.5]), "for classification", None),
    ],
)
def test_labels_of_another_form_are_refused_with_advice_that_works(labels: Tensor, advice: str, mended: Any) -> None:
    pictures = tensors(4).tensors[0]
    with pytest.raises(DataError, match=advice):
        look(network(), DataLoader(TensorDataset(pictures, labels), batch_size=4))

    if mended is not None:
        found = look(network(), DataLoader(TensorDataset(pictures, mended(labels)), batch_size=4))
        assert len(found) == 4


def test_labels_in_a_column_are_one_for_each_picture() -> None:
    pictures, labels = tensors(4).tensors

    found = look(network(), DataLoader(TensorDataset(pictures, labels[:, None]), batch_size=3))

    assert found.codes[:, 0].tolist() == [0, 1, 2, 0]


def test_batches_that_are_dictionaries_are_refused_with_advice_that_works() -> None:
    samples = [{"pixel_values": pixels, "labels": int(label)} for pixels, label in tensors(5)]
    with pytest.raises(DataError, match=r"dict with the keys 'pixel_values', 'labels'.*collate_fn"):
        look(network(), DataLoader(samples, batch_size=2))

    def two(some: list[dict[str, Any]]) -> tuple[Tensor, Tensor]:
        return torch.stack([each["pixel_values"] for each in some]), torch.tensor([each["labels"] for each in some])

    assert len(look(network(), DataLoader(samples, batch_size=2, collate_fn=two))) == 5


@pytest.mark.parametrize(
    ("pairs", "says"),
    [
        ([("a.png", None)], r"The label of 'a.png' is None.*whole number"),
        ([("a.png", 1.5)], "The label of 'a.png' is 1.5"),
        ([(None, 1)], r"A pair holds None for a path.*\(\"cat/1.jpg\", \"cat\"\)"),
        ([("a.png", "ant")], "no names for its classes.*Pass class_names"),
    ],
)
def test_pairs_that_make_no_sense_are_refused_in_words(pairs: Any, says: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)

    with pytest.raises((DataError, ClassError), match=says):
        look(network(), pairs)


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"class_names": "abc"}, "class_names is one str"),
        ({"class_names": 1.5}, "class_names is one float"),
        ({"progress": "no"}, "progress is 'no'. It is True or False"),
    ],
)
def test_arguments_that_make_no_sense_are_refused_in_words(
    asked: dict[str, Any], says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)

    with pytest.raises((DataError, ClassError), match=says):
        find_mistakes(network(), loader(3), **asked)
