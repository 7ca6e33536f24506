"""Tables of events, one kind each: CSV and XLSX in, empty tables out."""
