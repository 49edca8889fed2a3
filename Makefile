# One line a target. PYTHON: any Python >= 3.11.
PYTHON ?= python3
# nproc would take OMP_NUM_THREADS, which clusters set to 1, for the number of cores
CORES ?= $(shell env -u OMP_NUM_THREADS nproc)
BIN := .venv/bin
export PATH := $(CURDIR)/$(BIN):$(PATH)

.PHONY: setup reproduce test test-portable test-cluster test-faults check bench bench-scale pull

setup: $(BIN)/.installed  ## a virtual environment with the pinned packages

$(BIN)/.installed: requirements.txt pyproject.toml
	$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 11) and 'pcpg needs Python 3.11 or newer: make PYTHON=python3.12')"
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

reproduce: setup  ## every table and figure of the preset mini, DVC's record of them, and how they compare
	@git rev-parse --verify --quiet HEAD >/dev/null || { echo "clone it with git: DVC and pcpg verify need its history"; exit 1; }
	pcpg plan && snakemake --cores $(CORES)
	dvc commit --force --quiet --no-relink  # a new link is a new time: all would rerun
	pcpg verify || true  # says how they compare with the committed ones; no gate

test: setup  ## the test suite; one test file a core, those that share one run of the pipeline on one
	pytest -n $(CORES) --dist loadscope --no-loadscope-reorder

test-portable: setup  ## a few updates of each kind on two emulated processors; needs qemu-user, 6 minutes
	pytest -rs tests/emulated

test-cluster: setup  ## the pipeline through a real Slurm of two nodes, docs/cluster.md
	pytest -rs tests/cluster

test-faults: setup  ## what kills, full disks, flipped bits and strangers' files do; 20 minutes at most
	pytest tests/faults

check: setup  ## style and every parameter file
	ruff check . && ruff format --check . && for file in params.yaml presets/*.yaml tests/*.params.yaml; do pcpg params check $$file || exit 1; done

bench: setup  ## measured speeds
	python -m tests.bench.speeds && python -m tests.bench.objectives && python -m tests.bench.report && python -m tests.bench.stages

bench-scale: setup  ## seconds and memory of Snakemake, DVC and the clip stores at the paper's size; no data needed
	python -m tests.bench.engines && python -m tests.bench.report full

pull: setup  ## what a DVC remote has, in place of running it
	dvc pull && snakemake --cores 1 --touch --forceall  # else Snakemake would have no record of what it did not make
