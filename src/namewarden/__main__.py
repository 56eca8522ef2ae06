"""`python -m namewarden`: the command line."""

from namewarden.cli import main

if __name__ == "__main__":
    main()
