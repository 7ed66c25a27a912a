"""A lesion's photographs as rows of metadata for the ISIC Archive."""

from melanoma_core.records.case import LesionCase


def list_isic_rows(case: LesionCase) -> tuple[dict[str, str], ...]:
    """Return a row of ISIC metadata for each photograph of a lesion, without what names a person.

    Raises:
        pydantic.ValidationError: isic-metadata refuses the rows.
    """
    raise NotImplementedError
