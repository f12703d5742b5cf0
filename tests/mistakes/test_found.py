from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from torch.utils.data import DataLoader

from camwidget.errors import ClassError, DataError, ImageError
from camwidget.mistakes.find import find_mistakes
from camwidget.mistakes.found import Found, unique
from tests.mistakes.small import Files, loader, network, picture_folder


def in_folder(folder: Path) -> Found:
    return find_mistakes(network(), DataLoader(Files(picture_folder(folder)), batch_size=4), progress=False)


def test_what_was_saved_is_loaded_to_the_last_bit(tmp_path: Path) -> None:
    found = in_folder(tmp_path / "pictures")
    found.tags.add("a shortcut", [2, 5])
    found.tags.add("café, twice", [5])

    back = Found.load(found.save(tmp_path / "kept"))

    pd.testing.assert_frame_equal(back.table, found.table)
    assert np.array_equal(back.maps, found.maps)
    for name in ("class_names", "method", "layer", "size", "root", "total", "tags"):
        assert getattr(back, name) == getattr(found, name)
    assert np.array_equal(np.asarray(back.confusion()), np.asarray(found.confusion()))


def test_names_that_a_table_could_take_for_something_else_come_back(tmp_path: Path) -> None:
    found = find_mistakes(network(), loader(6), class_names=["NA", "1", 'a "b", c'], progress=False)

    back = Found.load(found.save(tmp_path / "kept"))

    pd.testing.assert_frame_equal(back.table, found.table)


def test_a_row_that_was_not_read_comes_back(tmp_path: Path) -> None:
    folder = picture_folder(tmp_path / "pictures")
    (folder / "ant" / "ant_1.png").write_bytes(b"")
    found = find_mistakes(network(), DataLoader(Files(folder), batch_size=4), progress=False)

    back = Found.load(found.save(tmp_path / "kept"))

    pd.testing.assert_frame_equal(back.table, found.table)
    assert np.isnan(back.maps[1]).all()


def test_no_pickle_is_written_and_none_is_read(tmp_path: Path) -> None:
    folder = in_folder(tmp_path / "pictures").save(tmp_path / "kept")
    assert sorted(path.name for path in folder.iterdir()) == ["about.json", "maps.npy", "table.csv"]
    np.save(folder / "maps.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)

    with pytest.raises(DataError, match=r"cannot be loaded.*pickle"):
        Found.load(folder)


@pytest.mark.parametrize("spoilt", ["table.csv", "maps.npy", "about.json"])
def test_a_folder_that_misses_a_file_is_refused(tmp_path: Path, spoilt: str) -> None:
    folder = in_folder(tmp_path / "pictures").save(tmp_path / "kept")
    (folder / spoilt).unlink()

    with pytest.raises(DataError, match=r"cannot be loaded.*found.save"):
        Found.load(folder)


def test_files_that_do_not_fit_each_other_are_refused(tmp_path: Path) -> None:
    folder = in_folder(tmp_path / "pictures").save(tmp_path / "kept")
    np.save(folder / "maps.npy", np.zeros((3, 2, 5, 8), np.float32))

    with pytest.raises(DataError, match="9 rows, maps of shape"):
        Found.load(folder)


def test_a_folder_with_other_files_is_not_written_to(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("mine")
    with pytest.raises(DataError, match="holds other files"):
        find_mistakes(network(), loader(3), progress=False).save(tmp_path)


def test_a_picture_that_vanished_is_told_by_its_name(tmp_path: Path) -> None:
    found = in_folder(tmp_path)
    found.file(4).unlink()

    with pytest.raises(ImageError, match=r"row 4, '.*bee_1.png'.*cannot be read now"):
        found.picture(4)
    assert found.picture(3).size == (36, 24)


def test_after_loading_a_picture_is_cut_to_the_shape_that_the_network_takes(tmp_path: Path) -> None:
    found = in_folder(tmp_path / "pictures")

    back = Found.load(found.save(tmp_path / "kept"))

    assert back.picture(3).size == (36, 24)  # of a file of 52 by 40
    (tmp_path / "pictures").rename(tmp_path / "moved")
    with pytest.raises(ImageError, match="root="):
        back.picture(3)
    assert Found.load(tmp_path / "kept", root=tmp_path / "moved").picture(3).size == (36, 24)


def test_a_row_that_there_is_not_is_refused() -> None:
    found = find_mistakes(network(), loader(3), progress=False)
    with pytest.raises(DataError, match=r"no row 3.*3 rows, 0 to 2"):
        found.picture(3)
    with pytest.raises(DataError, match="is no file"):
        found.file(1)


def test_rows_are_found_by_their_classes() -> None:
    found = find_mistakes(network(), loader(9), progress=False)

    assert found.rows_of(true="class 1") == [1, 4, 7]
    assert sorted(row for name in found.class_names for row in found.rows_of(said=name)) == list(range(9))
    with pytest.raises(ClassError, match="class 7"):
        found.rows_of(true="class 7")


def test_parts_of_a_data_set_join_to_the_rows_of_the_whole(tmp_path: Path) -> None:
    picture_folder(tmp_path)
    files = [(path, path.parent.name) for path in sorted(tmp_path.rglob("*.png"))]
    model, names = network(), ["ant", "bee", "cow"]
    whole = find_mistakes(model, files, class_names=names, progress=False)
    parts = [find_mistakes(model, files[at : at + 4], class_names=names, progress=False) for at in range(0, 9, 4)]
    parts[1].tags.add("x", [2])

    joined = Found.joined(parts)

    assert joined.codes.tolist() == whole.codes.tolist()
    assert joined.table["loss"].to_numpy() == pytest.approx(whole.table["loss"].to_numpy(), rel=1e-5)
    assert joined.maps == pytest.approx(whole.maps, rel=1e-4, abs=1e-6)
    assert [joined.file(row) for row in range(9)] == [whole.file(row) for row in range(9)]
    assert joined.tags.rows("x") == [6]
    assert joined.complete


def test_parts_of_different_passes_do_not_join() -> None:
    one = find_mistakes(network(), loader(3), progress=False)
    other = find_mistakes(network(), loader(3), layer="0.0", progress=False)

    with pytest.raises(DataError, match="differ in layer"):
        Found.joined([one, other])


def test_a_table_with_tags_is_written(tmp_path: Path) -> None:
    found = find_mistakes(network(), loader(3), progress=False)
    found.tags.add("b", [1])
    found.tags.add("a", [1, 2])

    table = pd.read_csv(found.to_csv(tmp_path / "table.csv"), keep_default_na=False)

    assert table["tags"].tolist() == ["", "a; b", "a"]
    with pytest.raises(DataError, match="cannot be written"):
        found.to_csv(tmp_path / "no folder" / "table.csv")


def test_only_names_that_classes_share_get_a_number() -> None:
    assert unique(["a", "b", "a"]) == ("a (0)", "b", "a (2)")


def test_mistakes_come_with_the_largest_loss_first() -> None:
    wrong = find_mistakes(network(), loader(12), progress=False).wrong

    assert wrong["loss"].is_monotonic_decreasing
    assert not wrong["right"].any()
    assert torch.tensor(wrong["loss"].to_numpy()).isfinite().all()
