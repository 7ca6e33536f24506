"""What the last ninety days show to be in use: containers that were opened, equipment that was checked, patients who were given doses."""

from __future__ import annotations

from typing import NamedTuple

from compliance.domain.event import Event
from compliance.reports.window import Seen


class Container(NamedTuple):
    """The newest state of a container, as far as a date is concerned; `idx` is its entry. Instants are in microseconds."""

    order: tuple[int, int, int]
    container: str
    status: str
    beyond_use_at: int | None
    drug: str | None
    lot: str | None
    site: str
    event_id: str
    idx: int


class InUse:
    """Containers, equipment and patients."""

    kinds = frozenset({"container_status", "equipment_check", "administration"})

    def __init__(self) -> None:
        self.containers: dict[str, Container] = {}
        self.equipment: dict[str, Event] = {}
        """The newest check of each piece."""
        self.doses: dict[str, int] = {}
        """When each patient was last given a dose."""

    def take(self, seen: Seen) -> None:
        """Keep what is newest."""
        event, values = seen.event, seen.event.values
        if event.proposed:
            return
        if event.kind == "administration":
            patient = values["patient"]
            self.doses[patient] = max(event.occurred_at, self.doses.get(patient, event.occurred_at))
            return
        if event.kind == "equipment_check":
            checked = self.equipment.get(values["equipment"])
            if checked is None or checked.order < event.order:
                self.equipment[values["equipment"]] = event
            return
        name = values["container"]
        known = self.containers.get(name)
        if known is None or known.order < event.order:
            self.containers[name] = Container(
                event.order, name, values["status"], values.get("beyond_use_at"), values.get("drug"), values.get("lot"), values["site"],
                event.id, event.position,
            )  # fmt: skip
