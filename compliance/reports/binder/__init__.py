"""The binder: a folder that can be handed to an inspector, with what proves it (21 CFR 1304; audit-log.md)."""
