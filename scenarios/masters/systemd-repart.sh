#!/bin/sh
# systemd-repart of a newer Debian, in its own folder with its libraries.
#   systemd-repart.sh install FOLDER VERSION     downloads the packages with its own state of apt, and unpacks them
#   systemd-repart.sh run FOLDER ESP DISC VOLUME a disk with one EFI system partition, and a boot catalog that names it
#   systemd-repart.sh version FOLDER
set -eu
root=$2/root

repart() {
  "$root/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2" \
    --library-path "$root/usr/lib/x86_64-linux-gnu:$root/usr/lib/x86_64-linux-gnu/systemd" "$root/usr/bin/systemd-repart" "$@"
}

case "$1" in
install)
  state=$2/apt
  mkdir -p "$root" "$state/lists/partial" "$state/cache/archives/partial"
  # From where this system's packages come.
  from=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Label: Debian' | head -n 1)
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] ${from:?this system has no source of Debian} sid main" >"$state/sources.list"
  cat >"$state/apt.conf" <<END
Dir::State "$state"; Dir::State::lists "$state/lists"; Dir::State::status "/dev/null"; Dir::Cache "$state/cache";
Dir::Etc::sourcelist "$state/sources.list"; Dir::Etc::sourceparts "-"; Acquire::Languages "none"; APT::Sandbox::User "root";
END
  export APT_CONFIG="$state/apt.conf"
  apt-get update -qq
  apt-get install -qq --yes --no-install-recommends --download-only "systemd-repart=$3"
  for package in "$state"/cache/archives/*.deb; do dpkg-deb -x "$package" "$root"; done
  rm -r "$state"
  ;;
run)
  mkdir "$TMPDIR/definitions"
  printf '[Partition]\nType=esp\nCopyBlocks=%s\n' "$3" >"$TMPDIR/definitions/esp.conf"
  repart --empty=create --size=auto --dry-run=no --offline=yes --seed=6d6172726f772d6d6174726978000000 --definitions="$TMPDIR/definitions" \
    --el-torito=yes --el-torito-volume="$5" "$4"
  ;;
version) repart --version ;;
esac
