"""The Users page: people who have logged in, the roles that count, and who changed them.

Roles come from the login. A steward may set others, which then count instead.
"""

import streamlit as st

from dashboard.shared.address import follow_address, write_address
from dashboard.shared.errors import show_errors
from dashboard.shared.head import show_page_header
from dashboard.shared.html import show_html
from dashboard.shared.tables import render_table
from dashboard.users.roles import choose_roles
from dashboard.users.rows import list_change_rows, list_person_rows
from melanoma_core.access.people import list_people, list_role_changes
from melanoma_core.settings import load_settings

_PERSON, _KEY = "person", "users-person"  # in the address, and of the widget

show_page_header("Users")
with show_errors():
    folder = load_settings().access_dir
    people = list_people(folder)
    show_html(render_table(list_person_rows(people), "People who have logged in"))
    if people:
        names = {person.id: person.name or person.id for person in people}
        ids = list(names)
        follow_address(_PERSON, _KEY, ids[0], ids)
        chosen = st.selectbox(
            "Person", ids, key=_KEY, format_func=lambda each: names[each], width=420
        )
        write_address(_PERSON, _KEY, ids[0])
        choose_roles(next(person for person in people if person.id == chosen))
    st.header("Changes of roles", anchor=False)
    changes = list_change_rows(list_role_changes(folder))
    show_html(render_table(changes, "The newest first") or "<p>No role was changed yet.</p>")
