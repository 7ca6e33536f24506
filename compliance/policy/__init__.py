"""Policy documents: loading, types, effective dates, the bundle, cases, and what can be proved about them."""
