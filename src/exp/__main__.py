"""`python -m exp`."""

from exp.cli.main import main

if __name__ == "__main__":
    main()
