"""The person's clock: the record keeps UTC, pages show local time."""

from datetime import UTC, date, datetime, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import streamlit as st

from melanoma_core.records.dates import write_moment


def get_today() -> date:
    """Return the day of the clinic: that of the person's clock."""
    return datetime.now(find_zone()).date()


def render_moment(at: datetime) -> str:
    """Render a moment in the person's time, with UTC as its title.

    Args:
        at: The moment, with its zone.
    """
    local = at.astimezone(find_zone())
    return (
        f'<time datetime="{at.isoformat()}" title="{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC">'
        f"{write_moment(local)}</time>"
    )


def find_zone() -> tzinfo | None:
    """Return the time zone of the person's browser; None for that of this machine."""
    name = st.context.timezone
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError):
        return None
