#!/bin/sh
# grub-mkrescue with the boot images of the disc under test in place of GRUB's. Arguments: the paths of bios.img and efi.img, then its own. It also runs xorriso
# through this script, which then puts the images into the folder that grub-mkrescue prepared, after -r. The call itself is not changed.
set -eu
case "$1" in
--version) exec grub-mkrescue --version ;;
-as)
  previous=
  for word in "$@"; do
    if [ "$previous" = -r ]; then
      image="$word/boot/grub/i386-pc/eltorito.img"
      [ ! -e "$image" ] || cp "$BIOS_IMAGE" "$image"
      [ ! -e "$word/efi.img" ] || cp "$EFI_IMAGE" "$word/efi.img"
    fi
    previous=$word
  done
  exec xorriso "$@"
  ;;
esac
BIOS_IMAGE=$1 EFI_IMAGE=$2
# Of a path with = in it, as an id has, grub-mkrescue makes a graft point. This one is seen from the tree, where it runs.
TMPDIR=../tmp
export BIOS_IMAGE EFI_IMAGE TMPDIR
shift 2
exec grub-mkrescue --xorriso="$0" "$@"
