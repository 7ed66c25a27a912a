"""The commands `token create`, `token list` and `token revoke`, for the HTTP API."""

import argparse
from typing import TYPE_CHECKING, Any

from melanoma_core.access.rights import Right, Role
from melanoma_core.access.subject import require
from melanoma_core.cli.terminal import log, print_json
from melanoma_core.settings import load_settings

if TYPE_CHECKING:
    from melanoma_core.service.tokens import Token

_DAYS = 365


def add_token_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `token` with its three commands to the command line."""
    parser = commands.add_parser("token", help="make, list and revoke tokens of the HTTP API")
    actions = parser.add_subparsers(required=True, metavar="COMMAND")

    create = actions.add_parser("create", help="make a token for a program, and print it once")
    create.add_argument("name", metavar="NAME", help="what the token is for")
    create.add_argument(
        "--role",
        action="append",
        required=True,
        choices=[str(role) for role in Role],
        help="what the program may do; may be given several times",
    )
    create.add_argument(
        "--days",
        type=_parse_days,
        default=_DAYS,
        metavar="N",
        help="days until the token expires, or `never`; by default %(default)s",
    )
    create.set_defaults(run=_create)

    listed = actions.add_parser("list", help="list the tokens")
    listed.set_defaults(run=_list)

    revoke = actions.add_parser("revoke", help="refuse a token from now on")
    revoke.add_argument("id", metavar="ID", help="id of the token, from `token list`")
    revoke.set_defaults(run=_revoke)
    for each in (create, listed, revoke):
        each.add_argument("--json", action="store_true", help="print one JSON document")


def _parse_days(text: str) -> int | None:
    if text == "never":
        return None
    if not text.isdecimal() or not 1 <= int(text) <= 36_500:
        raise argparse.ArgumentTypeError(
            f'found "{text}"; it must be a whole number of days from 1 to 36500, or never'
        )
    return int(text)


def _create(options: argparse.Namespace) -> int:
    from melanoma_core.service.tokens import create_token, locate_tokens

    require(Right.MANAGE_USERS)
    path = locate_tokens(load_settings())
    roles = [Role(role) for role in options.role]
    text, token = create_token(path, options.name, roles, options.days)
    log(f"Kept its hash in {path}. The token is shown this once:")
    if options.json:
        print_json(_describe(token) | {"token": text})
    else:
        print(text)
    return 0


def _list(options: argparse.Namespace) -> int:
    from melanoma_core.service.tokens import list_tokens, locate_tokens

    tokens = list_tokens(locate_tokens(load_settings()))
    if options.json:
        print_json([_describe(token) for token in tokens])
        return 0
    for token in tokens:
        row = _describe(token)
        until = f"until {token.expires_at}" if token.expires_at else "without an end"
        print(f"{token.id}  {row['state']:<8} {', '.join(token.roles)}, {until}: {token.name}")
    return 0


def _revoke(options: argparse.Namespace) -> int:
    from melanoma_core.service.tokens import locate_tokens, revoke_token

    require(Right.MANAGE_USERS)
    token = revoke_token(locate_tokens(load_settings()), options.id)
    if options.json:
        print_json(_describe(token))
    else:
        print(f"{token.id} is revoked: {token.name}")
    return 0


def _describe(token: "Token") -> dict[str, Any]:
    """Return what is known of a token, without its hash."""
    from datetime import UTC, datetime

    from melanoma_core.jsonable import to_jsonable

    raw: dict[str, Any] = to_jsonable(token)
    del raw["sha256"]
    return raw | {"state": token.find_state(datetime.now(UTC))}
