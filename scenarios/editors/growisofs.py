"""Adds a second session to a disc, as growisofs -M does on overwritable media."""

import os
import subprocess
import sys

BLOCK = 2048
# growisofs begins a session at a multiple of a DVD's error-correction block.
ROUND = 16


def main():
    if sys.argv[1:] == ["--version"]:
        sys.exit(subprocess.run(["genisoimage", "-version"]).returncode)
    disc, added = sys.argv[1:]
    blocks = -(-os.path.getsize(disc) // BLOCK)
    start = -(-blocks // ROUND) * ROUND
    session = subprocess.run(
        ["genisoimage", "-quiet", "-R", "-M", disc, "-C", f"16,{start}", "-graft-points", f"/ks.cfg={added}"],
        stdout=subprocess.PIPE,
    )
    if session.returncode:
        sys.exit(session.returncode)
    with open(disc, "r+b") as file:
        file.seek(start * BLOCK)
        file.write(session.stdout)
        # The newest session's descriptors replace those of the first one.
        file.seek(16 * BLOCK)
        file.write(session.stdout[16 * BLOCK : 32 * BLOCK])


main()
