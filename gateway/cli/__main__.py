"""`python -m gateway.cli` is the command."""

from gateway.cli import main

main()
