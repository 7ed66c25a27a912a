"""Roles come from a claim whose name and whose groups are settings."""

from dataclasses import replace

import pytest

from melanoma_core.access.claims import check_groups, read_id, read_name, read_roles
from melanoma_core.access.rights import Role
from melanoma_core.errors import SettingsError
from melanoma_core.settings import load_settings


@pytest.mark.parametrize(
    "claims",
    [
        {},
        {"roles": None},
        {"roles": 3},
        {"roles": {"reader": True}},
        {"roles": ["READER", "admin", "", 3, None, ["reader"]]},
        {"realm_access": {"roles": ["reader"]}},
        {"role": ["reader"]},
    ],
)
def test_a_claim_that_is_missing_or_of_another_form_gives_no_role(claims: dict[str, object]):
    assert read_roles(claims, load_settings()) == frozenset()


@pytest.mark.parametrize(
    ("name", "claims"),
    [
        ("roles", {"roles": ["reader", "trainer", "guest"]}),
        ("roles", {"roles": "reader trainer"}),
        ("roles", {"roles": "reader,trainer"}),
        ("realm_access.roles", {"realm_access": {"roles": ["trainer", "reader"]}}),
        ("https://clinic.example/roles", {"https://clinic.example/roles": ["reader", "trainer"]}),
    ],
)
def test_a_claim_names_roles(name: str, claims: dict[str, object]):
    settings = replace(load_settings(), roles_claim=name)

    assert read_roles(claims, settings) == {Role.READER, Role.TRAINER}


def test_with_groups_only_their_roles_count():
    groups = {"CN=Derm, OU=Clinic": ("reader",), "IT": ("trainer", "steward")}
    settings = replace(load_settings(), roles_claim="groups", role_groups=groups)

    claims = {"groups": ["CN=Derm, OU=Clinic", "IT", "auditor"]}
    assert read_roles(claims, settings) == {Role.READER, Role.TRAINER, Role.STEWARD}
    assert read_roles({"groups": "CN=Derm, OU=Clinic"}, settings) == {Role.READER}
    assert read_roles({"groups": ["auditor"]}, settings) == frozenset()


def test_a_group_with_a_role_that_there_is_not_is_refused():
    settings = replace(load_settings(), role_groups={"IT": ("admin",)})

    with pytest.raises(SettingsError, match='the role "admin" for the group "IT"'):
        check_groups(settings)


@pytest.mark.parametrize("subject", [None, "", " ", 3, "a\nb", "a" * 256])
def test_a_subject_that_cannot_be_kept_is_none(subject: object):
    assert read_id({"sub": subject, "name": "Ada"}) == ""


def test_the_name_to_show_is_the_first_that_the_token_has():
    assert read_name({"name": " Dr.  Ada ", "email": "ada@clinic.example"}) == "Dr. Ada"
    assert read_name({"name": "", "email": "ada@clinic.example"}) == "ada@clinic.example"
    assert read_name({"name": 3}) == ""
