# Two commands: `make run` opens the dashboard, `make test` runs every check there is.
# Both make the virtual environment first; where it is up to date they install nothing.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: run test bench lock clean

run: $(VENV)/run.stamp
	$(BIN)/python -m streamlit run dashboard/app.py

test: $(VENV)/test.stamp
	$(BIN)/python -m pytest

# Prints the figures of README's speed table; takes minutes and wants an otherwise idle machine.
bench: $(VENV)/test.stamp
	$(BIN)/python -m tests.benchmarks

$(VENV)/run.stamp: requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(0 if (3, 11) <= sys.version_info < (3, 14) else "Found Python %d.%d. This needs 3.11, 3.12 or 3.13: make PYTHON=python3.12 …" % sys.version_info[:2])'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	@touch $@

$(VENV)/test.stamp: $(VENV)/run.stamp tests/requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r tests/requirements.txt
	@touch $@

# After a change of the dependencies in pyproject.toml; needs uv.
lock:
	uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --custom-compile-command "make lock" pyproject.toml -o requirements.txt
	uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --custom-compile-command "make lock" --group test -c requirements.txt -o tests/requirements.txt

clean:
	rm -rf $(VENV)
