"""Reports: what a log says of a day or of a period, first as plain values (`page`), then in each form (`forms`)."""
