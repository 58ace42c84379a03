"""Adds a kickstart file to a disc, and its option to the loaders' configurations, as lorax's mkksiso does."""

import os
import re
import subprocess
import sys
import tempfile

CONFIGURATIONS = ["/isolinux/isolinux.cfg", "/boot/grub2/grub.cfg", "/EFI/BOOT/grub.cfg", "/EFI/BOOT/BOOT.conf"]
WORDS = " inst.ks=cdrom:/ks.cfg"


def changed(disc, folder):
    """The configurations of the disc that name a kernel, changed: their paths on the disc and here."""
    for number, path in enumerate(CONFIGURATIONS):
        here = os.path.join(folder, str(number))
        subprocess.run(
            ["xorriso", "-osirrox", "on", "-indev", disc, "-extract", path, here],
            stderr=subprocess.DEVNULL,
        )
        if not os.path.exists(here):
            continue
        os.chmod(here, 0o644)
        with open(here) as file:
            text = file.read()
        with open(here, "w") as file:
            file.write(re.sub(r"(?m)^(\s*(append|linux\w*)\s.*)$", lambda line: line[1] + WORDS, text))
        yield path, here


def main():
    if sys.argv[1:] == ["--version"]:
        sys.exit(subprocess.run(["xorriso", "-version"]).returncode)
    disc, out, kickstart = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        command = ["xorriso", "-indev", disc, "-outdev", out, "-boot_image", "any", "replay"]
        command += ["-joliet", "on", "-compliance", "joliet_long_names", "-map", kickstart, "/ks.cfg"]
        for path, here in changed(disc, folder):
            command += ["-rm", path, "--", "-map", here, path]
        made = subprocess.run(command).returncode
    sys.exit(made or subprocess.run(["implantisomd5", out]).returncode)


main()
