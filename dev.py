#!/usr/bin/env python3
"""The front door for whoever works on this repository: `python3 dev.py --help`.

Needs Python 3.11 with pip and nothing else. This file is kept free of newer syntax, so that an older
Python can read it far enough to say what it lacks; all the rest is in tools/.
"""

import sys

if sys.version_info < (3, 11):  # noqa: UP036  (packaging promises 3.11, a person may have less)
    # No f-string: older Pythons have to be able to read this sentence too.
    sys.exit("dev.py needs Python 3.11 or newer, not {}.{}: try python3.11".format(*sys.version_info[:2]))

if __name__ == "__main__":
    from tools.commands import main

    sys.exit(main(sys.argv[1:]))
