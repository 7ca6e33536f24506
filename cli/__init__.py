"""The command line: one module per group of commands. Imports here are relative (docs/decisions/0001)."""
