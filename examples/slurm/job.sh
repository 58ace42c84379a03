#!/bin/sh
# The matrix on a cluster: a task of a job array for each slice.
#
#   sbatch --array=1-4 examples/slurm/job.sh PROGRAM RESULTS-FOLDER [OPTION…]
#   sbatch --dependency=afterany:JOB --wrap 'PROGRAM merge RESULTS-FOLDER/slice-* --out RESULTS-FOLDER/whole'
#
# PROGRAM is boot-matrix; RESULTS-FOLDER is the folder for the results of the slices. All nodes must see both. OPTION selects cells, as in
# boot-matrix run. Each node keeps its checkpoints in its own cache.
#
# If its node dies, a task is queued again and continues where it stopped. Exit code 1, a mismatch, is a result, which merge reports.
#SBATCH --job-name=boot-matrix
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --cpus-per-task=1
set -eu

program=$1
out=$2/slice-$SLURM_ARRAY_TASK_ID
shift 2
# On some clusters, a job has no home.
export XDG_CACHE_HOME="${XDG_CACHE_HOME:-${TMPDIR:-/tmp}/boot-matrix-$(id -u)}"
if [ -e "$out/run.json" ]; then
    exec "$program" run --resume --out "$out"
fi
exec "$program" run "$@" --partition "slice:$SLURM_ARRAY_TASK_ID/$SLURM_ARRAY_TASK_COUNT" --out "$out"
