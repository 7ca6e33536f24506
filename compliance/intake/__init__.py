"""Outside formats to events. All problems of an input at once, each with its place."""
