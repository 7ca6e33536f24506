"""The audit log: an append-only record of events and decisions that proves itself (audit-log.md)."""
