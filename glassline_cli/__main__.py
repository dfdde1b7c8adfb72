"""`python -m glassline_cli`."""

from glassline_cli.app import main

main()
