#!/usr/bin/env bash
# What `flatc --conform` says of the schema against that of the last tag. The wire is `sealwire/0`, so
# that a change is reported and allowed; from `sealwire/1` on it fails.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
base=${1:-$(git describe --tags --abbrev=0 2>/dev/null || true)}
if [[ -z $base ]]; then
  echo 'note: flatc --conform: no tag yet, nothing to compare with'
  exit 0
fi
before=$(mktemp -d)
trap 'rm -rf "$before"' EXIT
git archive "$base" protocol/schema | tar -x -C "$before"
changed=0
for file in protocol/schema/*.fbs; do
  old=$before/$file
  [[ -f $old ]] || { echo "note: flatc --conform: ${file##*/} is new since $base"; continue; }
  flatc --conform "$old" --conform-includes "$before/protocol/schema" -I protocol/schema \
    --binary --schema -o "$before" "$file" 2>"$before/said" ||
    { changed=1; sed "s/^/note: flatc --conform against $base: /" "$before/said"; }
done
((changed == 0)) || grep -q 'sealwire/0' protocol/SPEC.md
