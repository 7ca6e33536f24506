"""FHIR R4 to events: resources, Bundles and bulk files (docs/fhir.md maps element by element)."""
