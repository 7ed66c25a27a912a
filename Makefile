# `make run` opens the dashboard, `make test` runs every check there is. Both make the virtual
# environment first; where it is up to date they install nothing.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RUN := $(BIN)/python -m

# uv installs several times as fast as pip, and checks the same hashes. Where it has no build for
# this machine, pip does it.
INSTALL = if [ -x $(BIN)/uv ]; \
	then $(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r $(1); \
	else $(RUN) pip install --quiet --disable-pip-version-check --require-hashes -r $(1); fi

.PHONY: run test lint quick bench soak docs pictures lock hooks clean

run: $(VENV)/run.stamp
	$(RUN) streamlit run dashboard/app.py

# Everything: the checks of the source, then every test.
test: lint
	$(RUN) pytest

# What is read, not run: style, types, who imports whom, documents. Seconds.
lint: $(VENV)/test.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(RUN) mypy
	$(RUN) tests.lint

# The tests that need neither a browser nor TensorFlow nor the real collections: under a minute.
quick: $(VENV)/test.stamp
	$(RUN) pytest --quick

# Prints the figures of docs/explanation/benchmarks.md; takes minutes, and wants an idle machine.
bench: $(VENV)/test.stamp
	$(RUN) tests.benchmarks

# Kills work 1,000 times at random moments and counts what is left wrong; takes an hour.
soak: $(VENV)/test.stamp
	$(RUN) tests.soak

# Writes the pages of docs/ that are made from the code.
docs: $(VENV)/test.stamp
	$(RUN) docs.generate

# Takes the pictures of docs/ again, of drawn lesions only; needs chromium, takes minutes.
pictures: $(VENV)/test.stamp
	$(RUN) docs.pictures

# Lets git run `make lint`'s quick half before each commit.
hooks: $(VENV)/test.stamp
	$(BIN)/pre-commit install

$(VENV)/run.stamp: requirements.txt requirements-uv.txt
	@$(PYTHON) -c 'import sys; sys.exit(0 if (3, 11) <= sys.version_info < (3, 14) else "Found Python %d.%d. This needs 3.11, 3.12 or 3.13: make PYTHON=python3.12 …" % sys.version_info[:2])'
	@echo "Installing about 3 GB into $(VENV): half a minute with a fast network, once."
	@$(PYTHON) -m venv $(VENV)
	@$(RUN) pip install --quiet --disable-pip-version-check --only-binary :all: --require-hashes -r requirements-uv.txt 2>/dev/null || echo "There is no uv for this machine: pip installs, which takes longer."
	@$(call INSTALL,requirements.txt)
	@touch $@

$(VENV)/test.stamp: $(VENV)/run.stamp tests/requirements.txt
	@$(call INSTALL,tests/requirements.txt)
	@touch $@

# After a change of the dependencies in pyproject.toml.
COMPILE = $(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --custom-compile-command "make lock"
lock: $(VENV)/run.stamp
	$(COMPILE) pyproject.toml -o requirements.txt
	$(COMPILE) --group test -c requirements.txt -o tests/requirements.txt
	echo uv | $(COMPILE) - -o requirements-uv.txt

clean:
	rm -rf $(VENV)
