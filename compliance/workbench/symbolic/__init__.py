"""Rules as formulas, solved by z3 (extra ``analysis``): which case makes rules decide in a given way, or that there is none."""

from compliance.workbench.symbolic.outcomes import FINDINGS, form_of, outcomes_of
from compliance.workbench.symbolic.search import Found, Nowhere, Unknown, find_case
from compliance.workbench.symbolic.terms import Side

__all__ = ["FINDINGS", "Found", "Nowhere", "Side", "Unknown", "find_case", "form_of", "outcomes_of"]
