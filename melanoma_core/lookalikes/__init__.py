"""The lesions that look most like one, from a record or an indexed folder."""
