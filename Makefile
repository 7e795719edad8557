# Each target sets up what it needs on a fresh clone; Python >= 3.11 and make are enough to start.
# `make demo` shows the whole loop, `make test` proves it. The rest is in CONTRIBUTING.md.

# The first that runs: a version manager's stand-in may exist and refuse.
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do $$p -c '' 2>/dev/null && echo $$p && break; done)
BIN = .venv/bin
KERNEL = src/seawall/hashing/kernel.so src/seawall/matching/search.so
# Written last of what web/build.js writes.
WEB = src/seawall/site/static/site/vendor/LICENSES.txt
# Half the cores' worth of browsers is what a small machine carries.
PYTEST = $(BIN)/python -m pytest -q -n 2 --dist loadgroup
# What failed is tried once more by itself, and both are printed: three browsers on a busy machine are sometimes late.
AGAIN = $(PYTEST) --last-failed --last-failed-no-failures none
LANGUAGES = $(wildcard src/seawall/locale/*/LC_MESSAGES/django.po)
COMPILE_LANGUAGES = @$(foreach file,$(LANGUAGES),msgfmt --check-format --output $(file:.po=.mo) $(file) &&) true

ON_POSTGRES = --db postgres $(addprefix src/seawall/,exchange protect cases evidence accounts directory site) -m "not full and not browser"

.PHONY: demo run test test-faults test-full lint bench wasm wasm-check web setup system kernel lock messages clean

demo: $(KERNEL) $(WEB)          ## the whole loop on this machine, with a sample platform
	$(BIN)/seawall demo

run: $(KERNEL) $(WEB)           ## the site and the exchange on http://127.0.0.1:8000/
	$(BIN)/seawall serve

test: setup                ## everything on SQLite, then what touches a database on PostgreSQL (pages do not)
	$(PYTEST) -m "not full" || $(AGAIN) -m "not full"
	$(PYTEST) $(ON_POSTGRES) || $(AGAIN) $(ON_POSTGRES)

test-full: test            ## and what takes long: every page in every language, light and dark
	$(PYTEST) -m full

test-faults: setup         ## 500 kill -9 of exchange and gate, 500 in a case's uploads, 100,000 guesses at cases
	SEAWALL_KILLS=500 $(BIN)/python -m pytest -q tests/test_kill.py tests/test_kill_cases.py --timeout 7200
	SEAWALL_GUESSES=100000 $(BIN)/python -m pytest -q src/seawall/cases/tests/test_guess.py --timeout 7200

lint: setup wasm-check
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/djlint --lint --quiet src
	$(BIN)/python manage.py makemigrations --check --dry-run

bench: setup               ## our figures with the peer's beside them
	$(BIN)/seawall bench

wasm: .venv/wasm           ## rebuild the browser's kernel (committed, so that nobody needs to)
	$(BIN)/python kernel/build.py wasm

wasm-check: .venv/wasm     ## the committed kernel is what its source builds, byte for byte
	$(BIN)/python kernel/build.py wasm --check

web: $(WEB)                ## other people's code that the case page runs, bundled; needs no node of yours

setup: system              ## .venv with everything that development needs
	@$(MAKE) --no-print-directory .venv/dev $(KERNEL) $(WEB)
system:                    ## what tests need from the system; as root on Debian it is installed
	@$(PYTHON) bootstrap.py system
kernel: $(KERNEL)

$(KERNEL): $(wildcard kernel/*.[ch]) kernel/build.py | .venv/run
	$(BIN)/python kernel/build.py

$(WEB): package.json package-lock.json requirements-web.lock bootstrap.py $(wildcard web/*) | .venv/run
	$(PYTHON) bootstrap.py web

.venv/run: requirements.lock bootstrap.py
	$(PYTHON) bootstrap.py run
.venv/dev: requirements-dev.lock bootstrap.py | .venv/run
	$(PYTHON) bootstrap.py dev
.venv/wasm: requirements-wasm.lock bootstrap.py | .venv/run
	$(PYTHON) bootstrap.py wasm

lock: .venv/dev            ## write the lock files anew from pyproject.toml
	$(BIN)/pip install --quiet uv
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
	  --group setup pyproject.toml -o requirements.lock
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
	  --group dev --group peers --extra ray --extra s3 pyproject.toml -c requirements.lock -o requirements-dev.lock
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
	  --group wasm -o requirements-wasm.lock
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
	  --group web -o requirements-web.lock

messages:                  ## collect what people read into the languages' files, and compile these; needs gettext
	$(COMPILE_LANGUAGES)
	$(BIN)/python manage.py makemessages --all --add-location file --no-obsolete --no-wrap --ignore tests --ignore bench
	$(COMPILE_LANGUAGES)

clean:
	rm -rf .venv data dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache node_modules $(KERNEL) $(dir $(WEB))
