"""`MistakesPanel`: the mistakes of a data set as a gallery, and the full panel of the picture that is clicked."""

import base64
import io
from collections.abc import Callable, Mapping, Sequence, Set
from pathlib import Path
from typing import Any

import ipywidgets
import numpy as np

from camwidget.errors import CamwidgetError, DataError, a_kind, nearest, three_parts
from camwidget.given import refuse_other_kind, several, told, whole
from camwidget.maps.arguments import class_index
from camwidget.mistakes.found import Found, refuse_other
from camwidget.mistakes.groups import Group, refuse_no_group
from camwidget.mistakes.hide import HideTest
from camwidget.mistakes.tags import Tags
from camwidget.panel.export import page_html, save_page
from camwidget.panel.gallery import CHOICES, MistakesView, columns_of, in_base64, manifest_of, tile_of, told_coarser
from camwidget.panel.picture import CamPanel
from camwidget.panel.shown import ShownPanel
from camwidget.panel.top_losses import figure_of
from camwidget.panel.whole import WholePanel

SAVED = 120
"""How many pictures a saved page holds, those with the largest losses."""

_MOST_ASKED = 48
_STILL = 9


class MistakesPanel(ShownPanel):
    """Look at the pictures that a network got wrong, and where it looked for what it said and for what is true.

    The matrix, the order and the maps are chosen in the panel; pictures are read again when they come into sight. A
    click on one opens it in a `CamPanel` below. Tags that are given in the panel are those of `found`, so
    `found.to_csv(...)` and `found.save(...)` write them.

    Args:
        found: what `find_mistakes` returned, or `Found.load`.
        groups: what `group_maps` returned, to show as well.
        tests: of some of these groups, what `hide_place` returned, in any order.
        order: rows in an order of your own, such as your function's; others are not shown. None for all rows.

    Raises:
        CamwidgetError: `order` holds what is no row, or one twice; or something else is not what is said here.

    Example:
        panel = MistakesPanel(find_mistakes(learn))
    """

    view: MistakesView

    def __init__(
        self,
        found: Found,
        *,
        groups: Sequence[Group] = (),
        tests: Sequence[HideTest] = (),
        order: Sequence[int] | None = None,
    ) -> None:
        refuse_other(found)
        groups, tests = _each(groups, "groups", refuse_no_group), _each(tests, "tests", _refuse_no_test)
        self.found = found
        self.picture: CamPanel | None = None
        """The panel of the picture that is open; None if none is."""
        self._rows = _ordered(found, order)
        self.view = MistakesView(
            rows=columns_of(found, self._rows).tobytes(),
            manifest=manifest_of(found, self._rows, groups, tests, ordered=order is not None),
            tags=found.tags.as_lists(),
            order="loss" if order is None else "given",
            shown="wrong" if order is None else "all",
        )
        self._below = ipywidgets.VBox()
        self._drawn_whole = False  # whether a host draws it that makes no view outside of a running cell
        super().__init__([self.view, self._below])
        self.view.on_msg(self._on_message)
        self.view.observe(self._on_tags, names=["tags"])
        self.view.observe(self._on_open, names=["opened"])

    def __repr__(self) -> str:
        shown, order, maps = (getattr(self.view, name) for name in CHOICES)
        return f"{type(self).__name__}(shown={shown!r}, order={order!r}, maps={maps!r})"

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, Any]:
        """The live panel, and beside it the first pictures for pages that run no kernel."""
        bundle: dict[str, Any] = super()._repr_mimebundle_(**kwargs)
        rows = self.first(_STILL)
        if rows:
            maps = self.view.maps
            figure = figure_of(self.found, rows, ("said", "true") if maps == "both" else (maps,))
            still = io.BytesIO()
            figure.savefig(still, format="jpeg", dpi=80)
            bundle["image/jpeg"] = base64.b64encode(still.getvalue()).decode("ascii")
        return bundle

    def _display_(self) -> WholePanel:
        self._drawn_whole = True
        return super()._display_()

    def choose(self, **choices: Any) -> None:
        """Choose what is shown, as the buttons do.

        Args:
            **choices: `shown`, `order`, `maps`, `own_scale`, `tag`, `group`, `cell` as (true, said) by name or index,
                empty for none, and `opened`, a row.

        Raises:
            CamwidgetError: there is no such choice.
        """
        values = {name: self._checked(name, value) for name, value in choices.items()}
        with self.view.hold_sync():
            for name, value in values.items():
                setattr(self.view, name, value)

    def first(self, count: int) -> list[int]:
        """Return the first rows of those that are right or wrong, as chosen, in the order that is chosen.

        Args:
            count: how many at most.

        Raises:
            CamwidgetError: it is no number of pictures.
        """
        count = whole(count, "count", least=0, try_="Try panel.first(9)")
        table = self.found.table.loc[self._rows]
        key = {"loss": -table["loss"], "sure": -table["p_said"], "doubt": table["margin"]}.get(self.view.order)
        kept = np.full(len(table), True) if self.view.shown == "all" else table["right"] == (self.view.shown == "right")
        places = np.arange(len(table)) if key is None else np.argsort(key.to_numpy(), kind="stable")
        return [self._rows[place] for place in places if np.asarray(kept)[place]][:count]

    def save_html(self, path: Any, *, pictures: int = SAVED) -> Path:
        """Write the panel as it is to one HTML file that works in any browser, without a kernel or a network.

        Args:
            path: of the file, ending in .html; an existing file is replaced.
            pictures: how many pictures it holds, see `as_html`.

        Raises:
            CamwidgetError: `pictures` is no number of pictures.
            ExportError: it cannot be written there.
        """
        return save_page(self.as_html(pictures=pictures), path)

    def as_html(self, *, title: str | None = None, pictures: int = SAVED) -> str:
        """Return the panel as it is as the text of one page.

        It holds all rows, and the pictures and maps of those with the largest losses, mistakes first.

        Args:
            title: of the page; None for what the panel shows.
            pictures: how many pictures it holds, some 10 kB each, and up to 35 kB more for its maps: those of more than
                56 cells a side are made coarser, and the page says so.

        Raises:
            CamwidgetError: `pictures` is no number of pictures, or `title` no text.
        """
        pictures = whole(pictures, "pictures", least=0, try_=f"Leave it out for {SAVED}")
        title = self._title_or(title)
        table = self.found.table.loc[self._rows]
        keep = np.lexsort((-table["loss"].to_numpy(), table["right"].to_numpy()))[:pictures]
        tiles = []
        for row in (self._rows[place] for place in keep):
            entry, picture, maps = tile_of(self.found, row, saved=True)
            tiles.append(entry | {"picture": in_base64(picture), "maps": in_base64(maps)})
        manifest = {"coarser": told_coarser(self.found)}
        return page_html(self.view, title=title, manifest=manifest, tiles=tiles)

    def _title(self) -> str:
        manifest = self.view.manifest
        return f"{manifest['wrong']:,} mistakes in {manifest['total']:,} pictures"

    def _alt(self) -> str:
        return f"Pictures of a data set with two heatmaps each: {self._title()}."

    def _checked(self, name: str, value: Any) -> Any:
        names, groups = self.found.class_names, self.view.manifest["groups"]
        if name in CHOICES and not (isinstance(value, str) and value in CHOICES[name]):
            close = nearest(str(value), CHOICES[name])
            allowed = f"It is one of {', '.join(map(repr, CHOICES[name]))}"
            given = f"{name} is {told(value)}"
            raise CamwidgetError(three_parts(given, allowed, f"Try {(close or CHOICES[name])[0]!r}"))
        match name:
            case "cell":
                if not isinstance(value, tuple | list) or len(value) not in (0, 2):
                    given = f"cell is {told(value)}"
                    raise CamwidgetError(three_parts(given, "It is (true, said), or ()", f"Try {tuple(names[:2])!r}"))
                return [class_index(each, names) for each in value]
            case "opened":
                row = whole(value, "opened", try_="Take one of found.table.index, or -1 for none")
                return row if row == -1 else int(self.found.table.index[self.found.place(row)])
            case "own_scale":
                return int(value) if isinstance(value, bool) else whole(value, name, least=0, most=1, try_="Try True")
            case "group":
                advice = "There is none: pass MistakesPanel(found, groups=...)" if not groups else "Take -1 for none"
                return whole(value, name, least=-1, most=len(groups) - 1, try_=advice)
            case "tag" if not isinstance(value, str) or value not in ("", *self.found.tags.counts()):
                tags = list(self.found.tags.counts())
                allowed = f"It is one of {', '.join(map(repr, tags[:10]))}, or ''" if tags else "No picture has a tag"
                advice = "Give one first: found.tags.add('a shortcut', found.wrong.index[:3])"
                raise CamwidgetError(three_parts(f"tag is {told(value)}", allowed, advice))
            case _ if name not in (*CHOICES, "opened", "tag", "group"):
                allowed = "There are shown, order, maps, own_scale, tag, group, cell and opened"
                advice = "Try panel.choose(order='doubt')"
                raise CamwidgetError(three_parts(f"There is no choice {name!r}", allowed, advice))
        return value

    def _on_message(self, _: Any, content: Mapping[str, Any], _buffers: Any) -> None:
        """Say that somebody has heard; send the pictures that came into sight."""
        self.view.send({"heard": content.get("number", 0)})
        wanted = content.get("rows") if content.get("do") == "tiles" else None
        if not isinstance(wanted, list):
            return
        tiles, data = [], []
        known = set(self._rows)
        for row in wanted[:_MOST_ASKED]:
            if isinstance(row, int) and row in known:
                entry, picture, maps = tile_of(self.found, row)
                tiles.append(entry)
                data += [picture, maps]
        self.view.send({"tiles": tiles}, data)

    def _on_tags(self, change: Mapping[str, Any]) -> None:
        """Keep what was tagged in the browser with what was found; what is no tag goes back."""
        try:
            lists = {str(tag): [int(row) for row in rows] for tag, rows in change["new"].items() if rows}
            self.found.tags.replace(Tags.from_lists(lists))
        except (CamwidgetError, TypeError, ValueError, OverflowError) as error:
            self.view.tags = self.found.tags.as_lists()
            self.view.message = str(error) if isinstance(error, CamwidgetError) else _no_tags(change["new"])
            return
        self.view.message = ""

    def _on_open(self, change: Mapping[str, Any]) -> None:
        """Open the picture that was clicked in a panel of its own."""
        row, self.view.message = int(change["new"]), ""
        if row < 0:
            self._show(None)
            return
        if self.found.model is None:
            given = "What was found was loaded without a model, so no picture can be opened"
            advice = "Load it with one: cw.Found.load(folder, model=learn)"
            self.view.message = three_parts(given, "A picture is explained by the model", advice)
            return
        if self._drawn_whole:
            given = "marimo draws only what a cell has made, so no picture opens below the gallery"
            advice = f"Show it in a cell: cw.CamPanel(found.model, found.picture({row}))"
            self.view.message = three_parts(given, "In a cell of its own each picture can be opened", advice)
            return
        self.view.busy = "Opening the picture"
        try:
            self._show(self._opened(row))
        except (CamwidgetError, OSError) as error:
            self._show(None)
            self.view.message = str(error)
        finally:
            self.view.busy = ""

    def _opened(self, row: int) -> CamPanel:
        found = self.found
        place = found.place(row)
        true, said = (int(each) for each in found.codes[place])
        if said < 0:
            given = f"Row {row} was not read"
            raise DataError(three_parts(given, str(found.table["problem"].iloc[place]), "Choose another"))
        picture = found.source.one(row) if found.source is not None else found.file(row)
        panel = CamPanel(
            found.model,
            picture,
            target_classes=list(dict.fromkeys((said, true))) if len(found.class_names) > 10 else None,
            class_names=found.class_names,
            methods=tuple(dict.fromkeys(("cam", found.method))),
        )
        if found.layer in panel._state.layer_names:
            panel.layer = found.layer
        panel.method = found.method
        panel.target_class = said
        return panel

    def _show(self, panel: CamPanel | None) -> None:
        before, self.picture = self.picture, panel
        self._below.children = () if panel is None else (panel,)
        if before is not None:
            before.close()


def _no_tags(given: Any) -> str:
    """What to say of tags that are no rows by name."""
    allowed = "They are rows of found.table by the name of their tag"
    return three_parts(f"The tags are {told(given)}", allowed, "Try {'a shortcut': [3, 5]}")


def _ordered(found: Found, order: Sequence[int] | None) -> list[int]:
    """The rows to show, those that could be read."""
    known = [int(row) for row in found.table.index[found.read]]
    if order is None:
        return known
    advice = "Pass rows such as found.wrong.index"
    if isinstance(order, Set):
        given, allowed = f"order is {a_kind(order)}", "It holds rows in the order in which they are shown"
        raise CamwidgetError(three_parts(given, allowed, "Pass a list: sorted(order)"))
    rows, read = several(order, "order", try_=advice), set(known)
    seen: set[int] = set()
    for row in rows:
        if row not in read or row in seen:
            given = f"order holds {row}, which is {'there twice' if row in seen else 'no row that was read'}"
            raise CamwidgetError(three_parts(given, "It holds rows of found.table, each once", "Check your function"))
        seen.add(row)
    return rows


def _each(given: Any, name: str, refuse: Callable[[Any, str], None]) -> list[Any]:
    """What was given as a list, of which each is what it should be."""
    if not isinstance(given, Sequence) or isinstance(given, str | bytes):
        what = "group_maps" if name == "groups" else "hide_place"
        allowed = f"It is a list of what {what} returned"
        raise CamwidgetError(three_parts(f"{name} is {a_kind(given)}", allowed, "Leave it out for none"))
    for each in given:
        refuse(each, f"{name} holds")
    return list(given)


def _refuse_no_test(test: Any, name: str) -> None:
    allowed, advice = "It holds what hide_place returned", "Try [cw.hide_place(found, group)]"
    refuse_other_kind(test, HideTest, name, allowed=allowed, try_=advice, error=DataError)
