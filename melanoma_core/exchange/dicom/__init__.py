"""Photographs and readings as DICOM, and their way to a node."""
