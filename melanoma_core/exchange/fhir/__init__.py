"""A lesion of the record as FHIR R4 (4.0.1): as a file, and to a server."""
