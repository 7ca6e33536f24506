"""Every kind of event there is: the source of the vocabulary, the checks and the JSON Schema (see `declaring`)."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType, ModuleType
from typing import Final

from compliance.domain.events import after, oversight, patient, people_and_places, plan, session, stock
from compliance.domain.events.declaring import Envelope


def _kinds_of(module: ModuleType) -> Iterator[type[Envelope]]:
    for value in vars(module).values():
        if isinstance(value, type) and issubclass(value, Envelope) and value is not Envelope:
            yield value


EVENT_TYPES: Final[Mapping[str, type[Envelope]]] = MappingProxyType(
    {
        declared.kind: declared
        for module in (people_and_places, patient, plan, stock, session, after, oversight)
        for declared in _kinds_of(module)
    }
)
"""The declarations by kind, in the order of the vocabulary."""
