"""The keys of the app: every binding has an id, by which a user gives it another key."""

from __future__ import annotations

from collections.abc import Iterator

from textual.binding import Binding

from pcc_tui.app import PccApp
from pcc_tui.dialogs.ask import AskDialog
from pcc_tui.dialogs.choose_backend import ChooseBackend
from pcc_tui.dialogs.confirm import ConfirmDialog
from pcc_tui.dialogs.edit_caption import EditDialog
from pcc_tui.dialogs.leave import LeaveDialog
from pcc_tui.widgets.cluster_tree import ClusterTree
from pcc_tui.widgets.contact_sheet import ContactSheet
from pcc_tui.widgets.photo_list import PhotoList

OTHERS = (
    *(LeaveDialog, EditDialog, ChooseBackend, AskDialog, ConfirmDialog),
    *(PhotoList, ClusterTree, ContactSheet),
)


def bindings() -> Iterator[Binding]:
    """Yield every binding of this app that has an id."""
    for owner in (PccApp, *PccApp.MODES.values(), *OTHERS):
        for binding in getattr(owner, "BINDINGS", ()):
            if isinstance(binding, Binding) and binding.id:
                yield binding


def binding_ids() -> set[str]:
    """Return the id of every binding that can be remapped."""
    return {binding.id for binding in bindings() if binding.id}
