# The menu of the house. `make check` is what CI runs.
.PHONY: check test demo bench bundle clean
PY = .venv/bin/python

check:            ## everything that must hold: ruff, mypy, floors, tests, doctests
	bin/test
test:             ## the tests alone, as many as fail first
	$(PY) -m pytest -n 2 -x gateway adapters mapping message_specs spool tests
demo:             ## everything on loopback, to the last receipt
	bin/kouan demo
bench:            ## speed of this machine
	bin/kouan bench
bundle:           ## wheels/ for a network without an index: PIP_NO_INDEX=1 PIP_FIND_LINKS=wheels bin/kouan
	$(PY) -m pip download --only-binary :all: -d wheels -c constraints.txt 'setuptools>=77' '.[sm]'
clean:            ## what can be made again
	rm -rf .venv .cache build dist wheels *.egg-info
