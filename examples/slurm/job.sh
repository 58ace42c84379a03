#!/bin/sh
# The matrix on a cluster: a task of a job array for each slice.
#
#   sbatch --array=1-4 examples/slurm/job.sh ARCHIVE-FOLDER RESULTS-FOLDER [OPTION…]
#   sbatch --dependency=afterany:JOB --wrap 'ARCHIVE-FOLDER/target/archive/xtask merge RESULTS-FOLDER/slice-* --out RESULTS-FOLDER/whole'
#
# ARCHIVE-FOLDER is where the archive of `cargo xtask boot-matrix --archive` was unpacked, RESULTS-FOLDER where the slices leave their
# results; all nodes see both. What chooses cells are the options of boot-matrix.
#
# A task whose node dies is put into the queue again, and goes on where it stopped. Exit code 1, a mismatch, is a result: merge tells it.
#SBATCH --job-name=boot-matrix
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --cpus-per-task=1
set -eu

archive=$1
out=$2/slice-$SLURM_ARRAY_TASK_ID
shift 2
xtask=$archive/target/archive/xtask
if [ -e "$out/run.json" ]; then
    exec "$xtask" boot-matrix --resume --out "$out"
fi
exec "$xtask" boot-matrix "$@" --partition "slice:$SLURM_ARRAY_TASK_ID/$SLURM_ARRAY_TASK_COUNT" --out "$out"
