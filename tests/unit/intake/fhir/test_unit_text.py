"""What a message names of a unit: as much as a unit can be, and no name that was written for one."""

from compliance.intake.fhir.quantities import unit_text


def test_only_what_can_be_a_unit_is_named() -> None:
    assert unit_text("kPa") == "the unit 'kPa'"
    assert unit_text("Leakington-Mavis-1971") == "what stands for the unit"
