# What people run. `make help` lists it; deploy/prerequisites says what the machine needs.
SHELL := /bin/bash
PYTHON ?= python3
UV := .tools/bin/uv
RUN := .venv/bin/python
GROUPS := --group dev --group lab
export PYTHON
# Dozens of processes start in a run of the tests: with code that is compiled once each takes half the time.
unexport PYTHONDONTWRITEBYTECODE

# What was interrupted is made anew, not taken for whole.
.DELETE_ON_ERROR:
.PHONY: help demo test check lab bench chaos schema pictures setup prerequisites

help: ## This list
	@sed -n 's/^\([a-z]*\):.*## /  make \1	/p' $(MAKEFILE_LIST) | expand -t 16

demo: setup ## A whole company on this machine: site, worker, an order. PORT=8001, ONCE=1 stops at its end, GITLAB=1, WHMCS=1
	@$(RUN) manage.py demo $(if $(PORT),--port $(PORT)) $(if $(ONCE),--once --json) $(if $(GITLAB),--gitlab) $(if $(WHMCS),--whmcs)

test: setup ## Every test that needs no service
	@$(RUN) -m pytest -n 3 --dist loadfile --no-loadscope-reorder --durations=20

check: setup ## Style, types, walls between rooms, templates, migrations, deploy check
	@deploy/check

lab: setup ## Debian, root: the real services on this machine, and the tests against them
	@deploy/lab/run

bench: setup ## Ratios against a floor measured in the same run
	@$(RUN) -m pytest -m bench -p no:randomly -s tests/bench

chaos: setup ## Hundreds of orders while workers are killed and all else fails; eight minutes, with Zabbix if the lab is up. CHAOS_SEED=4711 replays
	@set -a; if [ -f var/lab/env ]; then . var/lab/env; fi; \
	  CHAOS_ORDERS=$${CHAOS_ORDERS:-300} CHAOS_FAULTS=$${CHAOS_FAULTS:-80} CHAOS_KILLS=$${CHAOS_KILLS:-200} \
	  CHAOS_SECONDS=$${CHAOS_SECONDS:-420} CHAOS_SETTLED_WITHIN=$${CHAOS_SETTLED_WITHIN:-300} \
	  $(RUN) -m pytest -m chaos -n 0 -p no:randomly -s tests/chaos

schema: setup ## Write docs/openapi.yaml anew after the API has changed
	@$(RUN) manage.py spectacular --validate --fail-on-warn --file docs/openapi.yaml

pictures: setup ## Take every picture of docs/ anew from a demonstration
	@$(RUN) -m tests.docs.pictures.take

setup: prerequisites .venv/.synced .env

prerequisites:
	@deploy/prerequisites

$(UV): | prerequisites
	@$(PYTHON) -m venv .tools
	@.tools/bin/python -m pip install --quiet --disable-pip-version-check uv

.venv/.synced: uv.lock pyproject.toml | prerequisites $(UV)
	@echo "==> Installing Python packages into .venv (a minute the first time)" >&2
	@UV_PYTHON_DOWNLOADS=never $(UV) sync --quiet --frozen --python $(PYTHON) $(GROUPS)
	@touch $@

.env: | prerequisites
	@echo "==> Writing .env with a new SECRET_KEY" >&2
	@$(PYTHON) -c 'import secrets; print(f"SECRET_KEY={secrets.token_urlsafe(50)}\nDEBUG=true")' > $@
	@chmod 600 $@
