"""`python -m glassline_cli`."""

from glassline_cli.app import main

if __name__ == "__main__":  # else a process of a step is loading what started it
    main()
