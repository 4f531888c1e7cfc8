#!/bin/bash
# Train on several machines under Slurm, or go on with a run that was begun.
#
#   sbatch examples/slurm.sh DATA RUN [OPTIONS OF equipoise train]
#
# DATA and RUN must be on a disk that all machines see. PROCESSES is of each machine; by
# default one for each GPU, or else for each core.
#SBATCH --job-name=equipoise
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=1
#SBATCH --cpus-per-task=8
##SBATCH --gpus-per-node=8
#SBATCH --time=12:00:00
# Two minutes before the end, SIGTERM: the run is saved.
#SBATCH --signal=TERM@120
set -euo pipefail

data=${1:?give the data, and the directory of the run}
run=${2:?give the directory of the run}
shift 2
if [ -f "$run/config.json" ]; then
    words=(--resume "$run" "$@")
else
    words=("$data" --out "$run" "$@")
fi
processes=${PROCESSES:-${SLURM_GPUS_ON_NODE:-$SLURM_CPUS_PER_TASK}}
first=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1)

# A machine that fails ends the others, whose torchrun might wait for it.
srun --kill-on-bad-exit=1 torchrun \
    --nnodes "$SLURM_JOB_NUM_NODES" --nproc-per-node "$processes" --max-restarts 3 \
    --rdzv-id "$SLURM_JOB_ID" --rdzv-backend c10d --rdzv-endpoint "$first:${PORT:-29500}" \
    -m equipoise train "${words[@]}"
