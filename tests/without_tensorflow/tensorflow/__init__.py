"""Stands before the real TensorFlow in `make quick`, so that no test uses it unmarked."""

raise ImportError(
    "`make quick` runs without TensorFlow. Mark the test with pytest.mark.tensorflow, or mend what "
    "imports TensorFlow."
)
