"""Reports as data, then one renderer per format."""
