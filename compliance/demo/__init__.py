"""A clinic's first fortnight, for trying the software out: its events, and the mistakes that are hidden among them."""

from compliance.demo.clinic import events
from compliance.demo.mistakes import CORRECTED, MISTAKES, Mistake

__all__ = ["CORRECTED", "MISTAKES", "Mistake", "events"]
