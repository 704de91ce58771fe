"""How plug-ins of every kind are found, loaded, and refused with a sentence.

A plug-in is imported when somebody asks for it, since its libraries may take seconds.
`registry.py` lists the plug-ins of this project.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

from backends.errors import SetupError, first_line
from backends.installation import extra_line

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

Plugin = TypeVar("Plugin")


class BuiltIn(NamedTuple):
    """A plug-in of this project.

    Attributes:
        place: The module and the class, as in `backends.captioners.mock:MockCaptioner`.
        extra: The extra of this project that brings the packages of the plug-in.
    """

    place: str
    extra: str | None = None


class PluginKind(Generic[Plugin]):
    """All plug-ins of one kind.

    Args:
        what: What messages call such a plug-in.
        group: The entry-point group in which packages offer plug-ins of this kind.
        base: The module and the class that each plug-in derives from.
        built_in: The plug-ins of this project, by name.
        others: What else may be named, for the message about an unknown name.
    """

    def __init__(
        self, what: str, group: str, base: str, built_in: dict[str, BuiltIn], others: str = ""
    ) -> None:
        self.what = what
        self.group = group
        self.built_in = built_in
        self._base = base
        self._others = others

    def names(self) -> list[str]:
        """Return the names of all plug-ins, ours first."""
        return [*self.built_in, *(entry.name for entry in self._entries())]

    def __contains__(self, name: str) -> bool:
        return name in self.built_in or any(entry.name == name for entry in self._entries())

    def find(self, name: str) -> type[Plugin]:
        """Return the class of a plug-in.

        Raises:
            SetupError: there is no plug-in of that name, or it cannot be imported.
        """
        place = self._place_of(name)
        what = f"the {self.what} {name} ({place})"
        base: type[Plugin] = _imported(self._base)
        try:
            with self._naming_the_extra(name, place):
                found = _imported(place)
        except SetupError:
            raise
        except Exception as error:
            raise SetupError(f"{what} does not load: {first_line(error)}") from error
        if not (isinstance(found, type) and issubclass(found, base)):
            raise SetupError(f"{what} is no subclass of {base.__name__}")
        return found

    def make(self, name: str, *arguments: Any, **options: Any) -> Plugin:
        """Return a plug-in, made but not yet open.

        Args:
            name: The name of the plug-in.
            arguments: What the constructor is given.
            options: What the constructor is given by name.

        Raises:
            SetupError: the plug-in cannot be made; the message says what mends that.
        """
        kind = self.find(name)
        with self._naming_the_extra(name):
            return kind(*arguments, **options)

    def extra_of(self, name: str) -> str | None:
        """Return the extra that brings a plug-in's packages, None where no extra does."""
        return self.built_in[name].extra if name in self.built_in else None

    @contextmanager
    def _naming_the_extra(self, name: str, place: str = "") -> Iterator[None]:
        try:
            yield
        except ModuleNotFoundError as error:
            if place.startswith(error.name or "?"):  # the plug-in itself is not there
                raise
            extra = self.extra_of(name)
            mend = extra_line(extra) if extra else "install what that package asks for"
            raise SetupError(
                f"the {self.what} {name} needs the module {error.name}: {mend}"
            ) from None

    def _place_of(self, name: str) -> str:
        if name in self.built_in:
            return self.built_in[name].place
        for entry in self._entries():
            if entry.name == name:
                return f"{entry.module}:{entry.attr}"
        names = self.names()
        near = difflib.get_close_matches(name, names, n=1)
        hint = f"did you mean {near[0]}? There are: " if near else "there are: "
        raise SetupError(
            f"there is no {self.what} {name!r}; {hint}{', '.join(names)}{self._others}"
        )

    def _entries(self) -> Iterator[EntryPoint]:
        from importlib.metadata import entry_points  # 10 ms, and our own plug-ins need none of it

        return (
            entry for entry in entry_points(group=self.group) if entry.name not in self.built_in
        )


def _imported(place: str) -> Any:
    module, _, name = place.partition(":")
    return attrgetter(name)(import_module(module))


def require_modules(*names: str) -> None:
    """Refuse to make a plug-in without modules that it imports only when it is opened.

    Raises:
        ModuleNotFoundError: a module is missing; `PluginKind.make` tells the user the extra.
    """
    for name in names:
        if find_spec(name) is None:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


@contextmanager
def explained(what: str, extra: str, why: Callable[[Exception], str]) -> Iterator[None]:
    """Turn whatever a library raises while it loads a model into a sentence.

    Args:
        what: What is being loaded, as the message about a missing package names it.
        extra: The extra of this project that brings the packages.
        why: Returns the message about any other error.

    Raises:
        SetupError: the block raised; the message says what mends that.
    """
    try:
        yield
    except SetupError:
        raise
    except ImportError as error:
        raise SetupError(
            f"{what} needs a package that is missing: {first_line(error)}; {extra_line(extra)}"
        ) from error
    except Exception as error:
        raise SetupError(why(error)) from error
