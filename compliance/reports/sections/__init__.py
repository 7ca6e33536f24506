"""The sections of the nightly report: each module gives one, from what a `Night` shows of the log."""
