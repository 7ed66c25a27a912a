"""Where a record is: a folder, with its database in it or on a PostgreSQL server."""

from dataclasses import dataclass, field
from pathlib import Path

from melanoma_core.errors import SettingsError
from melanoma_core.settings import Settings

LOOKALIKES = "lookalikes"  # beside the photographs: what is derived of them (`own_index`)
_SCHEMES = ("postgresql://", "postgres://")


@dataclass(frozen=True)
class Place:
    """Where a record is.

    Attributes:
        folder: Folder of the photographs, and of the SQLite database unless there is a `url`.
        url: Address of a PostgreSQL database, such as "postgresql://ada@server/clinic"; "" for
            SQLite in the folder.
    """

    folder: Path
    url: str = field(default="", repr=False)  # may hold a password

    def __post_init__(self) -> None:
        if self.url and not self.url.startswith(_SCHEMES):
            raise SettingsError(
                "The address of a record's database must begin with postgresql://, as in "
                "postgresql://ada@server/clinic. Without an address, the record keeps its own "
                "database in its folder."
            )

    @property
    def database_file(self) -> Path:
        """The SQLite database."""
        return self.folder / "record.sqlite"

    @property
    def head_file(self) -> Path:
        """The number and the hash of the last entry of the audit log."""
        return self.folder / "head.json"

    @property
    def images_folder(self) -> Path:
        """The photographs."""
        return self.folder / "images"

    @property
    def drafts_folder(self) -> Path:
        """What people have typed and not saved; see `draft_files`."""
        return self.folder / "drafts"

    @property
    def lookalikes_folder(self) -> Path:
        """What is derived of the photographs to find look-alikes."""
        return self.folder / LOOKALIKES

    @property
    def driver_url(self) -> str:
        """The address as SQLAlchemy needs it."""
        return f"postgresql+psycopg://{self.url.partition('://')[2]}"


def find_place(settings: Settings) -> Place | None:
    """Return the place of the record that the settings name; None if nothing is kept."""
    if settings.record is None:
        return None
    return Place(settings.record, settings.record_url or "")
