"""The event kinds, one module per group of kinds."""
