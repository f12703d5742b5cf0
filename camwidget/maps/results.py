"""`Explanations`: the results of several pictures or texts, in one object and one file."""

from collections.abc import Sequence
from dataclasses import dataclass
from os import PathLike
from typing import Generic, TypeVar, overload

from camwidget.maps.result import LayerMaps
from camwidget.maps.store import write

Result = TypeVar("Result", bound=LayerMaps)


@dataclass(frozen=True, eq=False, repr=False)
class Explanations(Sequence[Result], Generic[Result]):
    """What one method says about several pictures or texts: a result of each, in their order."""

    results: tuple[Result, ...]
    """One for each picture or text."""
    one_by_one: str = ""
    """Why the network was run on one at a time, in sentences; empty if it was run on batches."""

    def __len__(self) -> int:
        return len(self.results)

    @overload
    def __getitem__(self, place: int) -> Result: ...

    @overload
    def __getitem__(self, place: slice) -> "Explanations[Result]": ...

    def __getitem__(self, place: int | slice) -> "Result | Explanations[Result]":
        if isinstance(place, slice):
            return Explanations(self.results[place], one_by_one=self.one_by_one)
        return self.results[place]

    def __repr__(self) -> str:
        return f"<{len(self)} explanations{f', the first {self.results[0]!r}' if self.results else ''}>"

    def save(self, path: str | PathLike[str]) -> None:
        """Write all results to one file, which `camwidget.load` reads. Reading it runs no code.

        Args:
            path: where; a file that is there is replaced.
        """
        write(
            path, [result.stored() for result in self.results], about={"several": True, "one_by_one": self.one_by_one}
        )
