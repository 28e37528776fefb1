# What people run. `make demo` and `make test` need Python 3.11, make, git and Pango's libraries; `make lab` needs root on Debian.
SHELL := /bin/bash
PYTHON ?= python3
UV := .tools/bin/uv
RUN := .venv/bin/python
GROUPS := --group dev --group lab

# What was interrupted is made anew, not taken for whole.
.DELETE_ON_ERROR:
.PHONY: demo test check lab bench setup pango

demo: setup pango ## One company on this machine: site, worker, an order; ONCE=1 drives it to its end and stops
	@$(RUN) manage.py demo $(if $(ONCE),--once --json)

test: setup pango ## Everything that needs no service
	@$(RUN) -m pytest -n 2 --dist loadfile

check: setup ## Style, types, walls, templates, migrations, deploy check
	@deploy/check

lab: setup ## The real services on this machine, and the tests against them
	@deploy/lab/run

bench: setup pango ## Ratios against a floor measured in the same run
	@$(RUN) -m pytest -m bench -p no:randomly -s tests/bench

setup: .venv/.synced .env

$(UV):
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed; set PYTHON=…" if sys.version_info < (3, 11) else 0)'
	@$(PYTHON) -m venv .tools
	@.tools/bin/python -m pip install --quiet --disable-pip-version-check uv

.venv/.synced: uv.lock pyproject.toml | $(UV)
	@UV_PYTHON_DOWNLOADS=never $(UV) sync --quiet --frozen --python $(PYTHON) $(GROUPS)
	@touch $@

.env:
	@$(PYTHON) -c 'import secrets; print(f"SECRET_KEY={secrets.token_urlsafe(50)}\nDEBUG=true")' > $@
	@chmod 600 $@

pango: | .venv/.synced
	@$(RUN) -c 'import weasyprint' >/dev/null 2>&1 || { echo "Pango's libraries are missing: apt-get install libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0" >&2; exit 1; }
