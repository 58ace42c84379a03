"""Masters a disc with pycdlib: the files of a tree, and boot images by its El Torito calls."""

import argparse
import os
import struct
import sys

# This must be the first argument: a folder with another pycdlib than the system's.
if sys.argv[1:2] == ["--library"]:
    sys.path.insert(0, sys.argv[2])
    del sys.argv[1:3]

import pycdlib  # noqa: E402

# By the first word of the mode; the BIOS entry of "bios+efi" has no emulation.
MEDIA = {"none": "noemul", "bios": "noemul", "floppy": "floppy", "hard": "hdemul"}


def version():
    try:
        from importlib.metadata import version as of
    except ImportError:  # Python before 3.8
        return "unknown"
    return of("pycdlib")


def iso_name(name):
    """A name of ISO level 1 that pycdlib accepts for a file."""
    base, _, extension = name.upper().partition(".")
    return f"{base[:8]}.{extension[:3]};1"


def add_tree(iso, tree):
    for folder, folders, files in os.walk(tree):
        folders.sort()
        relative = os.path.relpath(folder, tree)
        at = "" if relative == "." else "/" + relative.upper()
        if at:
            iso.add_directory(at)
        for name in sorted(files):
            iso.add_file(os.path.join(folder, name), f"{at}/{iso_name(name)}")


def path_on_disc(path):
    folder, name = os.path.split(path)
    return f"/{folder.upper()}/{iso_name(name)}"


def main():
    if sys.argv[1:] == ["--version"]:
        print("pycdlib", version())
        return
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mode", required=True)
    parser.add_argument("--volume-id", required=True)
    parser.add_argument("--count", type=int)
    parser.add_argument("--segment", type=lambda text: int(text, 16), default=0)
    parser.add_argument("--boot-info-table", action="store_true")
    parser.add_argument("tree")
    parser.add_argument("boot_image")
    parser.add_argument("efi_image")
    parser.add_argument("iso")
    args = parser.parse_args()

    bios, _, efi = args.mode.partition("+")
    if bios == "efi":
        bios, efi = "", "efi"
    iso = pycdlib.PyCdlib()
    iso.new(interchange_level=3, vol_ident=args.volume_id)
    add_tree(iso, args.tree)
    catalog = "/BOOT/BOOT.CAT;1"
    count = args.count
    if bios:
        media = MEDIA[bios.split("-")[0]]
        # None leaves the count to pycdlib: the image's length, which it also needs to see to know which floppy it is.
        bios_count = count
        if efi:
            bios_count = 4 if media == "noemul" else None
        iso.add_eltorito(
            path_on_disc(args.boot_image),
            bootcatfile=catalog,
            media_name=media,
            boot_load_size=bios_count,
            boot_load_seg=args.segment,
            boot_info_table=args.boot_info_table,
        )
    if efi:
        iso.add_eltorito(
            path_on_disc(args.efi_image),
            bootcatfile=catalog,
            media_name="noemul",
            boot_load_size=count,
            platform_id=0xEF,
            efi=True,
        )
    iso.write(args.iso)
    iso.close()


if __name__ == "__main__":
    try:
        main()
    except struct.error as error:
        # Debian 12's Python (3.11) calls the format "ushort", Debian 13's (3.13) "'H'"; what pycdlib does is the same.
        text = str(error).replace("'H' format", "ushort format")
        raise struct.error(text).with_traceback(error.__traceback__) from None
