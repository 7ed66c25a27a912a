"""The style sheet of all image viewers: dark in both themes, with one row of controls."""

from pathlib import Path

VIEWER_STYLE = (Path(__file__).with_name("frontend") / "viewer.css").read_text("utf-8")
