"""What to look at: patterns in ninety days that somebody should be able to explain.

Each module gathers figures and asks from them. What it asks is a question with its evidence, never a finding: the same figures have many
innocent reasons, and those are named with it. Where there is too little to compare, nothing is asked, and that is said.
"""
