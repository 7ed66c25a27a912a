"""The commands `role list`, `role set` and `role reset`, for people who log in."""

import argparse
from typing import TYPE_CHECKING

from melanoma_core.access.rights import Role
from melanoma_core.cli.terminal import print_json
from melanoma_core.names import neutralise
from melanoma_core.settings import load_settings

if TYPE_CHECKING:
    from melanoma_core.access.people import Person


def add_role_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `role` with its three commands to the command line."""
    parser = commands.add_parser("role", help="list people who log in, and set their roles")
    actions = parser.add_subparsers(required=True, metavar="COMMAND")
    listed = actions.add_parser("list", help="list people and their roles")
    listed.set_defaults(run=_list)
    given = actions.add_parser("set", help="set the roles of a person, instead of the login's")
    given.add_argument("subject", metavar="SUBJECT", help="the subject of the person's token")
    given.add_argument(
        "roles",
        nargs="*",
        metavar="ROLE",
        type=_parse_role,
        help=f"{', '.join(Role)}; none takes all roles",
    )
    given.set_defaults(run=_set)
    reset = actions.add_parser("reset", help="let the roles of the login count again")
    reset.add_argument("subject", metavar="SUBJECT", help="the subject of the person's token")
    reset.set_defaults(run=_reset)
    for each in (listed, given, reset):
        each.add_argument("--json", action="store_true", help="print one JSON document")


def _parse_role(text: str) -> Role:
    if text not in list(Role):
        raise argparse.ArgumentTypeError(f'found "{text}"; it must be one of: {", ".join(Role)}')
    return Role(text)


def _list(options: argparse.Namespace) -> int:
    from melanoma_core.access.people import list_people

    return _print(list_people(load_settings().access_dir), options)


def _set(options: argparse.Namespace) -> int:
    from melanoma_core.access.people import set_roles

    roles = frozenset(options.roles)
    return _print([set_roles(load_settings().access_dir, options.subject, roles)], options)


def _reset(options: argparse.Namespace) -> int:
    from melanoma_core.access.people import set_roles

    return _print([set_roles(load_settings().access_dir, options.subject, None)], options)


def _print(people: "list[Person]", options: argparse.Namespace) -> int:
    if options.json:
        print_json(
            {
                "people": [
                    {
                        "subject": person.id,
                        "name": person.name,
                        "roles": sorted(person.roles),
                        "set_by_a_steward": person.given is not None,
                        "seen_at": person.seen_at,
                    }
                    for person in people
                ]
            }
        )
        return 0
    for person in people:
        roles = ", ".join(sorted(person.roles)) or "no role"
        source = "the login" if person.given is None else "a steward"
        print(f"{neutralise(person.id)}  {neutralise(person.name)}  {roles} (from {source})")
    return 0
