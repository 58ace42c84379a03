#!/bin/bash
# Tries job.sh on a cluster of four nodes on this machine, in its own folder: munged, slurmctld and four slurmd. One node dies during
# its task, the task continues on another node, and the slices are merged.
#
#   try.sh PROGRAM EMPTY-FOLDER SLICES [OPTION…]
#
# It needs root, Slurm and munge, and changes nothing outside the folder. The exit code is merge's.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
program=$1 folder=$2 slices=$3
shift 3
mkdir -p "$folder"/{munge,state,spool,results}
folder=$(cd "$folder" && pwd)
# munged requires that no other user can write to the folders above its socket.
socket=$(mktemp -d /run/boot-matrix-XXXXXX)
chmod 755 "$socket"

started=()
end() {
    kill "${started[@]}" 2>>"$folder/end.log" || true
    wait || true
    rm -rf "$socket"
}
trap end EXIT

(umask 077 && head -c 1024 /dev/urandom >"$folder/munge/key")
# In the foreground, so that this script can end it.
munged --foreground --force --key-file "$folder/munge/key" --socket "$socket/munge" --num-threads 2 \
    --log-file "$folder/munge/log" --pid-file "$socket/pid" --seed-file "$folder/munge/seed" >"$folder/munge/said" 2>&1 &
started+=($!)

export SLURM_CONF=$folder/slurm.conf
cat >"$SLURM_CONF" <<CONF
ClusterName=boot-matrix
SlurmctldHost=$(hostname -s)(127.0.0.1)
SlurmctldPort=17000
AuthType=auth/munge
# A job that is queued again waits until its old credential expires, by default for 2 minutes.
AuthInfo=socket=$socket/munge,cred_expire=5
CredType=cred/munge
SlurmUser=root
SlurmdUser=root
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool/%n
SlurmctldPidFile=$folder/state/slurmctld.pid
SlurmdPidFile=$folder/spool/%n.pid
SlurmctldLogFile=$folder/slurmctld.log
SlurmdLogFile=$folder/slurmd-%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerParameters=batch_sched_delay=1,sched_interval=2
MpiDefault=none
ReturnToService=2
SlurmdTimeout=10
JobRequeue=1
NodeName=n[1-4] NodeHostname=$(hostname -s) NodeAddr=127.0.0.1 Port=[17001-17004] CPUs=1 State=UNKNOWN
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
CONF

# Waits until a command prints the wanted text, for three minutes at most.
until_says() {
    local wanted=$1
    shift
    for _ in $(seq 900); do
        if "$@" 2>>"$folder/waiting.log" | grep -Eq "$wanted"; then
            return
        fi
        read -rt 0.2 <> <(:) || true
    done
    echo "not within three minutes: $* says $wanted" >&2
    exit 3
}

until_says . ls "$socket/munge"
slurmctld -D >"$folder/slurmctld.said" 2>&1 &
started+=($!)
declare -A node
for name in n1 n2 n3 n4; do
    mkdir -p "$folder/spool/$name"
    slurmd -D -N "$name" >"$folder/slurmd-$name.said" 2>&1 &
    node[$name]=$!
    started+=($!)
done
until_says '^4$' sh -c 'sinfo --noheader --Node --states idle | wc -l'

job=$(sbatch --parsable --array="1-$slices" --output "$folder/task-%a.log" "$here/job.sh" "$program" "$folder/results" "$@")
echo "job $job: $slices tasks"

# The last task's node dies as soon as the task has a result: its daemon, the task's watcher, and the task.
task=$folder/results/slice-$slices
until_says run.json find "$folder/results" -path "$task/run.json"
victim=$(squeue --noheader --jobs "${job}_$slices" --format %N)
dying=("${node[$victim]}")
for environment in /proc/[0-9]*/environ; do
    # Some have ended meanwhile.
    said=$({ tr '\0' '\n' <"$environment"; } 2>>"$folder/end.log") || continue
    if grep -qx "SLURM_CONF=$SLURM_CONF" <<<"$said" && grep -qx "SLURM_ARRAY_TASK_ID=$slices" <<<"$said"; then
        process=${environment%/environ}
        process=${process#/proc/}
        watcher=$(ps -o ppid= "$process" | tr -d ' ')
        if [[ $(ps -o comm= "$watcher") == slurmstepd* ]]; then
            dying+=("$watcher" "$process")
        fi
    fi
done
until_says result.json find "$task" -name result.json
kill -KILL "${dying[@]}"
echo "$victim died, with task $slices"

# When a machine comes back, its daemon starts again.
until_says "DOWN|down" scontrol show node "$victim"
slurmd -D -N "$victim" >>"$folder/slurmd-$victim.said" 2>&1 &
started+=($!)

until_says '^0$' sh -c "squeue --noheader --jobs $job | wc -l"
echo "task $slices went on: $(grep 'are run now' "$folder/task-$slices.log")"
"$program" merge "$folder"/results/slice-* --out "$folder/whole"
