#!/usr/bin/env bash
# Trains the bundled model `courtesy` again from its seed: corpus, vocabulary, 2,000 steps, check.
# usage: packaging/train-courtesy.sh [--seed N] [--steps N] [--out DIR] [--install]
#   --out DIR    where everything is written (default build/courtesy)
#   --install    put the model and its prompts into resources/ as well
# PLUMBLINE_CLI takes the place of build/release/bin/plumbline-cli, which is built when it is not there.
#
# The bundled file was written by an earlier version, whose sums were rounded otherwise: its bytes differ, its figures
# do not. Measured (seed 0, two cores): 146 s with the checks; held-out loss 0.565 nats a token, 11.41 nats a
# reply where 11.36 is the least possible. Replies to prompts in no corpus at temperature 1: 93% valid and on topic,
# polite 0.50, rude 0.49, concrete 0.52, sure 0.51, 16.7 words. At temperature 0.9, top-p 0.95: all valid, polite 0.53,
# rude 0.47.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$here/.."
seed=0 steps=2000 out=build/courtesy install=false
while [ $# -gt 0 ]; do
  case $1 in
    --seed) seed=${2:?--seed needs a number}; shift 2 ;;
    --steps) steps=${2:?--steps needs a number}; shift 2 ;;
    --out) out=${2:?--out needs a folder}; shift 2 ;;
    --install) install=true; shift ;;
    *) sed -n 's/^# usage: /usage: /p' "$here/train-courtesy.sh" >&2; exit 2 ;;
  esac
done

cli=${PLUMBLINE_CLI:-build/release/bin/plumbline-cli}
[ -x "$cli" ] || bash packaging/build.sh plumbline-cli
corpus=(python3 resources/corpora/courtesy.py)
mkdir -p "$out"

"${corpus[@]}" --seed "$seed" --out "$out/corpus.jsonl"
"${corpus[@]}" --prompts heldout --out "$out/heldout.txt"
begin=$(date +%s)
# Two threads: with another number the sums are rounded otherwise, and the file's last bits differ.
"$cli" train pretrain courtesy --data "$out/corpus.jsonl" --out "$out/courtesy.gguf" --seed "$seed" --threads 2 \
  --config "steps=$steps"
echo "seconds of training: $(($(date +%s) - begin))"

# Replies to every prompt that is in no corpus, at the model's own probabilities and as a session draws them.
check() {
  local name=$1 number=0 prompt
  shift
  while IFS= read -r prompt; do
    number=$((number + 1))
    "$cli" generate "$out/courtesy.gguf" --chat --prompt "$prompt" -n 8 --max-new-tokens 80 --seed "$number" \
      --threads 2 --json --quiet "$@" |
      PROMPT=$prompt python3 -c 'import json, os, sys
for line in sys.stdin:
    print(json.dumps({"prompt": os.environ["PROMPT"], "response": json.loads(line)["text"]}))'
  done <"$out/heldout.txt" >"$out/replies.jsonl"
  echo "$name: $("${corpus[@]}" --check "$out/replies.jsonl")"
}
echo "least possible loss: $("${corpus[@]}" --floor)"
check "temperature 1" --temperature 1 --top-p 1
check "temperature 0.9, top-p 0.95" --temperature 0.9 --top-p 0.95

if $install; then
  cp "$out/courtesy.gguf" resources/models/courtesy.gguf
  "${corpus[@]}" --prompts train --count 64 --out resources/prompts/courtesy.txt
  "${corpus[@]}" --prompts heldout --count 22 --out resources/prompts/courtesy_heldout.txt
fi
echo "the model is $out/courtesy.gguf, SHA-256 $(sha256sum "$out/courtesy.gguf" | cut -d' ' -f1)"
