"""No message shows a password."""

from dataclasses import replace

import pytest

from melanoma_core.errors import RunError, hide_passwords
from melanoma_core.settings import load_settings


@pytest.mark.parametrize(
    "address",
    [
        "http://ada:hunter2@server:5000/",
        "https://hunter2@server/api",
        "postgresql+psycopg://ada:hunter2/x@y@server/runs",
        "mysql://ada:hunter2%40@server/runs?ssl=on",
        "postgresql://server/runs?user=ada&password=hunter2",
        "postgresql://server/runs?sslPassword=hunter2&ssl=on",
        "https://server/api?token=hunter2",
        "host=server password=hunter2 dbname=runs",
        "https://server/?api_key=hunter2",
    ],
)
def test_no_form_of_a_password_is_shown(address: str):
    text = f"Cannot use {address}: refused. Try again."

    assert "hunter2" not in hide_passwords(text)
    assert "hunter2" not in str(RunError(text))
    assert "server" in hide_passwords(text)
    assert hide_passwords(text).endswith("refused. Try again.")


def test_what_is_no_password_stays():
    text = 'Found weights=imagenet in /data/a@b/c and https://server/a?size=3. "ada@home" wrote it.'

    assert hide_passwords(text) == text


def test_settings_do_not_show_the_address_of_the_tracking_store():
    settings = replace(load_settings(), tracking_uri="http://ada:hunter2@server/")

    assert "hunter2" not in repr(settings)
