"""Rules as formulas, solved by z3 (extra ``analysis``): which case makes rules decide in a given way, or that there is none."""
