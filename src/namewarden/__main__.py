"""`namewarden`, and `python -m namewarden`: the command line."""

import gc


def main() -> None:
    gc.disable()  # of what is imported nothing is garbage: a tenth of the time until the first answer
    from namewarden import cli

    gc.enable()
    cli.main()


if __name__ == "__main__":
    main()
