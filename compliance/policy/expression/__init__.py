"""Expressions: parsed, typed, printed. The syntax and meaning of CEL, a subset of it."""
