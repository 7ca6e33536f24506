"""Holdings: book stock read from the log, what each container should hold, and how counts compare with both."""
