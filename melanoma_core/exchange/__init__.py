"""Readings as other systems take them: DICOM and FHIR."""
