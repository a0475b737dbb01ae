#!/usr/bin/env bash
# What docs/conformance tells vendors, word for word, from an installed prefix and an empty folder.
# usage: installed.sh BUILD_DIR
set -euo pipefail
build=$(cd "$1" && pwd)
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
away=$(mktemp -d)
broker=
trap '[[ -z $broker ]] || kill "$broker"; rm -rf "$away"' EXIT
cmake --install "$build" --prefix "$away/prefix" >/dev/null
mkdir "$away/here"
cd "$away/here"
export PATH=$away/prefix/bin:/usr/bin:/bin

# The n-th shell example of a document.
example() {
  awk -v wanted="$2" '/^```sh$/ { n++; inside = 1; next } /^```$/ { inside = 0 }
    inside && n == wanted' "$root/docs/conformance/$1.md"
}
passed=0
follow() {
  echo "== $1"
  bash -euo pipefail -c "$2" >"$away/out" 2>&1 || { cat "$away/out"; echo "failed: $1"; exit 1; }
  passed=$((passed + 1))
}

# A vendor's broker: the identity that the first line makes is admitted, then the second is run.
text=$(example test-your-broker 1)
follow 'test-your-broker: the identity' "${text%%$'\n'*}"
sealwired init broker --wss-port=0 --zeromq-port=0 --http-port=0 >/dev/null
sed -i "s/^agents = \[\]/agents = [\"$(head -n 1 "$away/out")\"]/" broker/sealwired.toml
sealwired --config broker/sealwired.toml >told 2>log &
broker=$!
for ((i = 0; i < 300; i++)); do ! grep -q '^ready' told || break; sleep 0.1; done
key=$(sed -n 's/^broker-key //p' told)
wss=$(grep -o 'wss://.*' told) tcp=$(grep -o 'tcp://.*' told)
text=${text#*$'\n'}
text=${text//KEY/$key} text=${text//wss:\/\/127.0.0.1:7410\//$wss}
text=$(sed "s#'tcp://[^']*'#'$tcp'#" <<<"$text")
follow 'test-your-broker: the run' "$text --only SES-015 --only FRM-003"
grep -q '^conforms$' "$away/out"
[[ -s report.html && -s junit.xml && -s report.json ]]
follow 'the HTML again' 'sealwire-conformance report report.json | cmp - report.html'

cp "$root/tests/conformance/agent.sh" .
printf '#!/bin/sh\nexec ./agent.sh "%s"\n' "$away/prefix/bin" >my-agent
chmod +x my-agent
follow 'test-your-agent' "$(example test-your-agent 1) --only SES-011 --only E2E-040.agent"
grep -q '^conforms$' "$away/out"
[[ -s agent.html && -s agent.xml ]]

sealwire adapter new mine >/dev/null 2>&1
cp mine/bridge.py .
follow 'test-your-adapter' "$(example test-your-adapter 1)"
grep -q '^conforms$' "$away/out"
[[ -s adapter.html ]]

cp "$build/bin/conformance_codec" my-codec
follow 'test-your-codec' "$(example test-your-codec 1)"
follow 'sealwire conformance is the same program' 'sealwire conformance list | cmp - <(sealwire-conformance list)'
echo "$passed passed, 0 failed"
