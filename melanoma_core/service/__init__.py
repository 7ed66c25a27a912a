"""The HTTP API beside the pages: readings, models, health, metrics and logs."""
