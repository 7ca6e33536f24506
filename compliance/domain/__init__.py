"""What the field talks about: events, drugs, quantities, identifiers, time, findings. No I/O, no framework."""
