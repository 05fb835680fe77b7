# `make` alone prints help. Every target that needs the set-up does it first; when it is up to date,
# that takes a tenth of a second. Written for GNU make 3.81 (macOS) and later.

SHELL := /bin/sh
export PATH := $(CURDIR)/.tools/bin:$(PATH)
VENV := .venv/bin
# The tests start a hundred Pythons; without bytecode each would compile what it imports, in a second.
PYTEST := env -u PYTHONDONTWRITEBYTECODE $(VENV)/pytest
# Elsewhere a fork is not safe, and each of four workers collects all tests for itself.
WORKERS := $(if $(filter Linux,$(shell uname)),--forks 4,-n 4 --dist loadfile --no-loadscope-reorder)
MINUTES := 60
EXTRAS := observability/overlays/extras.yaml

.DEFAULT_GOAL := help
.PHONY: help setup browser pictures run up test test-ci test-long test-engines soak swarm mutants golden fuzz check bench bench-report bench-scrapes fmt docs lock clean

help: ## print this help
	@printf 'agentaskit-sim: alerts and dashboards, judged by a real Prometheus\n\n'
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' Makefile
	@printf '\nARGS=... goes to the program: make up ARGS="--compress 10"\n'

setup: ## Python packages into .venv, Prometheus and Alertmanager if they are missing
	@tools/setup.sh
	@tools/install-prometheus.sh
	@$(VENV)/python tools/chart_library.py

browser: setup ## chromium for the browser tests, if there is no browser; says what it installs
	@tools/install-chromium.sh

pictures: setup ## the two pictures of README.md, of real runs in a browser; needs `make browser`
	@$(VENV)/python tools/pictures.py

run: setup ## the main job: every bundled scenario and rule, judged by a real Prometheus
	@$(VENV)/agentaskit-sim verify --rules observability/alerts --overlay $(EXTRAS) $(ARGS)

up: setup ## the world, Prometheus and Alertmanager in real time; faults by hand
	@# Ctrl-C is the usual end of it: the shell waits, and make reports no error then.
	@trap : INT; $(VENV)/agentaskit-sim up $(ARGS) || { \
		status=$$?; [ $$status -eq 130 ] || exit $$status; }

test: setup ## the tests: an example of every check, without what takes long
	@echo 'An example of every check: laws, judge, report, commands, real servers, 200 seeds of the swarm.'
	@echo 'Left to make test-ci: the page in a browser, most stacks in real time, the dearest whole commands.'
	@echo 'Left to make test-long: the further cases of tables, exact days, corpora, many seeds and kills.'
	@$(PYTEST) $(WORKERS) -m "not long and not ci" $(ARGS)

test-ci: setup ## what CI runs beside make test: pages in a browser, stacks in real time
	@# Only CI installs a browser unasked; without one, the tests say what was left out.
	@[ -z "$(CI)" ] || tools/install-chromium.sh || true
	@echo 'What make test leaves out and CI does not: the page in a browser, most stacks in real time,'
	@echo 'the dearest whole commands, and the tests of the tools that test.'
	@$(PYTEST) $(WORKERS) -m "ci and not long" $(ARGS)

test-long: setup test-ci ## all that make test leaves out: exact days and many seeds, too
	@echo 'Beside what CI runs: further cases of tables, exact days, corpora, many seeds and kills.'
	@$(PYTEST) -m long $(ARGS)
	@# Ten times as many drawn examples of each property as make test.
	@$(PYTEST) -m "hypothesis and not long" --hypothesis-profile thorough $(ARGS)
	@# The environment variable ENGINES names folders with other engines, if there are any.
	@[ -z "$(ENGINES)" ] || $(VENV)/python tools/test_engines.py $(ENGINES)

test-engines: setup ## tests and library on other engines: make test-engines ENGINES="DIR ..."
	@$(VENV)/python tools/test_engines.py $(ENGINES) -- $(ARGS)

soak: setup ## a served world for an hour, a fault a minute: nothing may grow; MINUTES=60
	@$(VENV)/python -m benchmarks.soak --minutes $(MINUTES) $(ARGS)

swarm: setup ## random worlds, one from each seed, every law checked: make swarm SEED=0 N=10000
	@# Ctrl-C is one of its ends: the shell waits, and make reports no error then.
	@trap : INT; $(VENV)/python -m tests.swarm --seed $(or $(SEED),0) --count $(or $(N),1000) $(ARGS) || { \
		status=$$?; [ $$status -eq 130 ] || exit $$status; }

mutants: setup ## small changes of our code, and which tests notice: make mutants SEED=0 N=25 ROOM=judge
	@# Ctrl-C is one of its ends: the shell waits, and make reports no error then.
	@trap : INT; $(VENV)/python -m tests.mutants --seed $(or $(SEED),0) --count $(or $(N),25) \
		--json results/mutants.json $(foreach room,$(ROOM),--room $(room)) $(ARGS) || { \
		status=$$?; [ $$status -eq 130 ] || exit $$status; }

golden: setup ## record the histories of the bundled scenarios anew, after a meant change of the world
	@$(VENV)/python -m tests.histories

fuzz: setup ## random documents, read in bounds: make fuzz N=100000 FIRST=0
	@# Ctrl-C is one of its ends: the shell waits, and make reports no error then.
	@trap : INT; $(VENV)/python -m tests.fuzz.campaign --documents $(or $(N),10000) \
		--first $(or $(FIRST),0) $(ARGS) || { status=$$?; [ $$status -eq 130 ] || exit $$status; }

check: setup ## lint, formatting, types, known vulnerabilities of what is locked
	@$(VENV)/ruff check .
	@$(VENV)/ruff format --check .
	@$(VENV)/mypy
	@$(VENV)/oxlint --quiet --no-error-on-unmatched-pattern
	@$(VENV)/python tools/audit.py

bench: setup ## speed of the world beside a SimPy model of the same system; cost of the report
	@$(VENV)/python -m benchmarks.bench $(ARGS)
	@$(VENV)/python -m benchmarks.scale.cost
	@$(VENV)/python -m benchmarks.scale.store
	@$(VENV)/python -m benchmarks.report.cost

bench-report: setup ## what the report costs: its size, and runs that draw beside runs that do not
	@$(VENV)/python -m benchmarks.report.cost $(ARGS)

bench-scrapes: setup ## scrapes under load beside a plain prometheus_client exporter, in one run
	@$(VENV)/python -m benchmarks.scrape_load $(ARGS)

fmt: setup ## format the code and fix what ruff can fix
	@$(VENV)/ruff format .
	@$(VENV)/ruff check --fix .

docs: setup ## write the tables in docs/ and the scenario schema from the code
	@$(VENV)/python tools/write_docs.py

lock: setup ## bring requirements.lock up to date with pyproject.toml
	@tools/lock.sh $(ARGS)
	@tools/setup.sh

clean: ## remove everything that make created: .venv, .tools, results, caches
	rm -rf .venv .tools results build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
	rm -f benchmarks/latest.json
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
