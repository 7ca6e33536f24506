"""The forms of a report: each module makes one from the plain values of `compliance.reports.page`, and reads nothing else."""
