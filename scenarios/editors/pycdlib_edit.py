"""Opens a disc, adds a file and writes the disc, with pycdlib."""

import sys

import pycdlib


def main():
    disc, out, added = sys.argv[1:]
    iso = pycdlib.PyCdlib()
    iso.open(disc)
    names = {"iso_path": "/KS.CFG;1"}
    if iso.has_rock_ridge():
        names["rr_name"] = "ks.cfg"
    if iso.has_joliet():
        names["joliet_path"] = "/ks.cfg"
    iso.add_file(added, **names)
    iso.write(out)
    iso.close()


main()
