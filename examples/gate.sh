#!/bin/sh
# Fails where the discs of a mastering tool do not boot as they did when their baseline was accepted.
#
#   gate.sh TOOL.toml BASELINE [OPTION…]
#
# TOOL.toml describes the tool (scenarios/masters/ has examples), BASELINE is a folder in the tool's repository.
# To accept what is seen:  gate.sh TOOL.toml BASELINE --accept
#
# BOOT_MATRIX  the checkout of boot-matrix            [default: the one that this script lies in]
# SCENARIOS    the scenarios that the tool goes through [default: gate.toml beside this script]
# OUT          the folder for results and evidence     [default: boot-matrix-results]
set -eu

if [ $# -lt 2 ]; then
    sed -n '2,/^set/s/^# \{0,1\}//p' "$0" >&2
    exit 2
fi
absolute() {
    case $1 in
    /*) printf '%s\n' "$1" ;;
    *) printf '%s/%s\n' "$PWD" "$1" ;;
    esac
}
here=$(cd "$(dirname "$0")" && pwd)
tool=$(absolute "$1")
baseline=$(absolute "$2")
out=$(absolute "${OUT:-boot-matrix-results}")
quoted() {
    case $1 in
    *[!a-zA-Z0-9_./-]* | '') ;;
    *) printf '%s' "$1" && return ;;
    esac
    printf "'"
    printf '%s' "$1" | sed "s/'/'\\\\''/g"
    printf "'"
}
# What to type to run one cell again, from here.
BOOT_MATRIX_AGAIN="$(quoted "$0") $(quoted "$1") $(quoted "$2")"
BOOT_MATRIX_FROM=$PWD
export BOOT_MATRIX_AGAIN BOOT_MATRIX_FROM
scenarios=$(absolute "${SCENARIOS:-$here/gate.toml}")
shift 2

# In GitHub Actions the job's page names the cells that changed.
format=text
if [ "${GITHUB_ACTIONS:-}" = true ]; then
    format=github
fi

cd "${BOOT_MATRIX:-$here/..}"
exec cargo xtask boot-matrix --install --scenarios "$scenarios" --master "$tool" --baseline "$baseline" --out "$out" \
    --format "$format" "$@"
