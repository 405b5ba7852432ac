# The menu of the house. `make check` is what CI runs.
.PHONY: check test fuzz demo bench bundle clean
PY = .venv/bin/python

check:            ## everything that must hold: ruff, mypy, floors, tests, doctests
	bin/test
test:             ## the tests alone, as many as fail first
	$(PY) -m pytest -n 2 -x gateway adapters mapping message_specs spool tests
fuzz:             ## look for bytes that break a promise, SECONDS a target; what reached something new stays in .cache/fuzz
	for target in $$($(PY) -m tests.fuzz.targets); do mkdir -p .cache/fuzz/$$target \
	    && $(PY) -m tests.fuzz.drive $$target $(or $(SECONDS),300) .cache/fuzz/$$target || exit 1; done
demo:             ## everything on loopback, to the last answer of every authority
	bin/kouan demo
bench:            ## speed of this machine
	bin/kouan bench
bundle:           ## wheels/ for a network without an index: PIP_NO_INDEX=1 PIP_FIND_LINKS=wheels bin/kouan
	$(PY) -m pip download --only-binary :all: -d wheels -c constraints.txt 'setuptools>=77' '.[sm]'
clean:            ## what can be made again
	rm -rf .venv .cache build dist wheels *.egg-info
