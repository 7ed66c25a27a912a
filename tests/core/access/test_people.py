"""A steward gives and takes roles; each change is logged, and counts instead of the claim."""

from pathlib import Path

import pytest

from melanoma_core.access.people import list_people, list_role_changes, remember, set_roles
from melanoma_core.access.rights import Role
from melanoma_core.access.subject import Subject, acting_as
from melanoma_core.errors import AccessError

SUE = Subject("s", "Sue", frozenset({Role.STEWARD}))
ADA = Subject("a", "Ada", frozenset({Role.READER}))


def test_the_roles_of_the_claim_count_until_a_steward_sets_others(tmp_path: Path):
    assert remember(tmp_path, ADA).roles == {Role.READER}
    with acting_as(SUE):
        set_roles(tmp_path, "a", frozenset({Role.READER, Role.TRAINER}))
    assert remember(tmp_path, ADA).roles == {Role.READER, Role.TRAINER}

    with acting_as(SUE):
        set_roles(tmp_path, "a", frozenset())
    assert remember(tmp_path, ADA).roles == frozenset()

    with acting_as(SUE):
        set_roles(tmp_path, "a", None)
        changes = list_role_changes(tmp_path)
    assert remember(tmp_path, ADA).roles == {Role.READER}
    assert [(each.by, each.subject, each.before, each.after) for each in changes] == [
        ("Sue <s>", "a", [], None),
        ("Sue <s>", "a", ["reader", "trainer"], []),
        ("Sue <s>", "a", None, ["reader", "trainer"]),
    ]


def test_a_new_claim_and_a_new_name_are_taken_at_the_next_login(tmp_path: Path):
    remember(tmp_path, ADA)
    remember(tmp_path, Subject("a", "Ada King", frozenset({Role.AUDITOR})))

    (person,) = list_people(tmp_path)
    assert (person.name, person.claimed, person.given) == ("Ada King", (Role.AUDITOR,), None)


@pytest.mark.parametrize("roles", [None, frozenset(), frozenset({Role.READER})])
def test_no_steward_takes_the_role_from_themselves(tmp_path: Path, roles: frozenset[Role] | None):
    remember(tmp_path, Subject("s", "Sue"))
    with acting_as(SUE), pytest.raises(AccessError, match="Ask another steward"):
        set_roles(tmp_path, "s", roles)

    assert list_role_changes(tmp_path) == []


def test_others_neither_see_people_nor_give_roles(tmp_path: Path):
    with acting_as(ADA):
        for act in (
            lambda: set_roles(tmp_path, "a", frozenset(Role)),
            lambda: list_people(tmp_path),
            lambda: list_role_changes(tmp_path),
        ):
            with pytest.raises(AccessError, match="needs the role steward"):
                act()
    assert remember(tmp_path, ADA).roles == {Role.READER}


@pytest.mark.parametrize("content", ["", "[]", '{"a": {}}', '{"a": {"given": ["admin"]}}'])
def test_a_damaged_file_gives_no_role(tmp_path: Path, content: str):
    (tmp_path / "people.json").write_text(content)

    with pytest.raises(AccessError, match="Restore the file, or remove it"):
        remember(tmp_path, ADA)
