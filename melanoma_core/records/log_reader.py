"""What a record says of its audit log, to those who may read it."""

import sqlalchemy as sa

from melanoma_core.access.rights import Right
from melanoma_core.access.subject import require
from melanoma_core.records import ledger
from melanoma_core.records.database import Database
from melanoma_core.records.ledger import Action, LogEntry
from melanoma_core.records.log_search import LogPage, LogQuery, count_changes, search_log
from melanoma_core.records.schema import LOG


class LogReader:
    """Reads the audit log of a record; `Record` is one."""

    _database: Database

    def list_log(
        self, *, entry_id: str = "", limit: int = 100, offset: int = 0
    ) -> tuple[LogEntry, ...]:
        """Return entries of the audit log, the newest first.

        Args:
            entry_id: Only those of this entry of the record; "" for all.
            limit: Maximum number.
            offset: Number to leave out first.
        """
        require(Right.READ_LOG)
        query = sa.select(LOG).order_by(LOG.c.number.desc()).limit(limit).offset(offset)
        if entry_id:
            query = query.where(LOG.c.entry_id == entry_id)
        with self._database.read() as connection:
            return tuple(map(ledger.to_log_entry, connection.execute(query)))

    def search_log(self, query: LogQuery) -> LogPage:
        """Return entries of the audit log, the newest first, with whom each is about.

        Raises:
            AccessError: The person who acts may not read it.
        """
        require(Right.READ_LOG)
        with self._database.read() as connection:
            return search_log(connection, query)

    def search_log_of(self, pseudonym: str, limit: int) -> LogPage:
        """Return what the audit log says of one patient, who has a right to know it."""
        require(Right.EXPORT)
        with self._database.read() as connection:
            return search_log(connection, LogQuery(pseudonym=pseudonym, limit=limit))

    def list_exports(self, limit: int) -> LogPage:
        """Return what has left the record, the newest first, for a person who erases."""
        require(Right.ERASE)
        with self._database.read() as connection:
            return search_log(connection, LogQuery(actions=(Action.EXPORTED,), limit=limit))

    def find_newest(self) -> int:
        """Return the number of the newest entry of the audit log; 0 for none."""
        with self._database.read() as connection:
            number: int | None = connection.execute(sa.select(sa.func.max(LOG.c.number))).scalar()
        return number or 0

    def count_changes(self, after: int) -> dict[Action, int]:
        """Return how often the record was changed since an entry of the log, by what was done."""
        with self._database.read() as connection:
            return count_changes(connection, after)
