"""`python -m tests.terraform.simulator PORT`: an empty account, until it is ended."""

import sys

from tests.terraform.simulator.server import serve

if __name__ == "__main__":
    serve(int(sys.argv[1]))
