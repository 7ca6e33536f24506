"""The log: tables, append, tree, notes, proofs, verification, history over SQL, the identity vault."""
