"""Events and decisions handed on in the formats of others: FHIR, tables, what a state asks of dispensers."""
