"""What a site's own systems call things: drugs, places, people and kinds of visit (``policies/sites/<site>.yaml``, ``codes``).

A code means something only within its system (FHIR R4, ``Coding``: "the meaning of the code is defined by the system"); a reference such
as ``Location/12`` is a code without one. Nothing is looked up by a name that people read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple


class Code(NamedTuple):
    """A code and the system that it belongs to (a URI; empty for a reference within the source)."""

    system: str
    code: str


GROUPS: Final = ("drugs", "locations", "practitioners", "encounters", "points")
"""What codes may stand for: a drug of the drug list, this site, a staff id, a treatment session, a point in a session."""


@dataclass(frozen=True, slots=True)
class Codes:
    """The codes of all sites. `drugs`, `practitioners` and `points` give what is meant, `locations` the site; `encounters` are those of visits
    at which a drug is given, so that what was measured there belongs to a session."""

    drugs: Mapping[Code, str] = field(default_factory=dict)
    locations: Mapping[Code, str] = field(default_factory=dict)
    practitioners: Mapping[Code, str] = field(default_factory=dict)
    encounters: frozenset[Code] = frozenset()
    points: Mapping[Code, str] = field(default_factory=dict)

    @classmethod
    def together(cls, several: Iterable[Codes]) -> Codes:
        """Those of several sites as one; that no two sites give one code two meanings is checked where policies are read."""
        drugs: dict[Code, str] = {}
        locations: dict[Code, str] = {}
        practitioners: dict[Code, str] = {}
        encounters: set[Code] = set()
        points: dict[Code, str] = {}
        for codes in several:
            drugs.update(codes.drugs)
            locations.update(codes.locations)
            practitioners.update(codes.practitioners)
            encounters.update(codes.encounters)
            points.update(codes.points)
        return cls(drugs, locations, practitioners, frozenset(encounters), points)
