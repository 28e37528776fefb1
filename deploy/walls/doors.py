"""Another room is entered through its doors; whatever else is in it is private."""

from __future__ import annotations

from typing import Any

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields, output


class DoorsContract(Contract):
    """Every import from one room into another names a door of that room.

    A door is a module (or package) whose own name is among `doors`, at the room's root or in one of its subjects, or
    one that `special_doors` names whole. Rooms in `open_rooms` may be entered anywhere. An `api` package may import
    another room's `api` package: the JSON of an order nests that of its customer.
    """

    rooms: Any = fields.ListField(subfield=fields.StringField())
    open_rooms: Any = fields.ListField(subfield=fields.StringField(), required=False)
    doors: Any = fields.ListField(subfield=fields.StringField())
    special_doors: Any = fields.ListField(subfield=fields.StringField(), required=False)

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        """The contract is kept if no room is entered elsewhere."""
        broken = [
            (importer, imported)
            for importer in sorted(graph.modules)
            for imported in sorted(graph.find_modules_directly_imported_by(importer))
            if self._is_intrusion(importer, imported)
        ]
        return ContractCheck(kept=not broken, metadata={"broken": broken})

    def render_broken_contract(self, check: ContractCheck) -> None:
        """Each import that goes through a wall."""
        for importer, imported in check.metadata["broken"]:
            output.print_error(f"{importer} imports {imported}, which is private to its room")
        output.new_line()

    def _is_intrusion(self, importer: str, imported: str) -> bool:
        home, room = importer.split(".", 1)[0], imported.split(".", 1)[0]
        if home == room or room not in self.rooms or room in (self.open_rooms or []):
            return False
        return not (self._is_door(imported) or _are_both_api(importer, imported))

    def _is_door(self, module: str) -> bool:
        if any(module == door or module.startswith(f"{door}.") for door in self.special_doors or []):
            return True
        return any(part in self.doors for part in module.split(".")[1:3])


def _are_both_api(importer: str, imported: str) -> bool:
    return importer.split(".")[1:2] == imported.split(".")[1:2] == ["api"]
