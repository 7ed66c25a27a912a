import pytest
from streamlit import config

from melanoma_core.settings import PROJECT_ROOT


def test_the_server_is_local_and_sends_no_usage_statistics(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(PROJECT_ROOT)
    options = config.get_config_options(force_reparse=True)
    assert options["server.address"].value == "localhost"
    assert options["server.maxUploadSize"].value == 32
    assert options["server.enableXsrfProtection"].value is True
    assert options["browser.gatherUsageStats"].value is False
