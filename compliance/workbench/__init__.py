"""The policy workbench: what somebody who edits policies sees before a change is put into force.

It stands above the engine, because whatever it says of a policy is shown by the engine's own judgement (docs/decisions/0011).
"""
