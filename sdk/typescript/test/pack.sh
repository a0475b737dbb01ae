#!/usr/bin/env bash
# The package as npm makes it, installed into an empty project: ES module, CommonJS, types, and what the README shows.
# usage: pack.sh BUILD_DIR
set -euo pipefail
build=$(cd "${1:?usage: pack.sh BUILD_DIR}" && pwd)
cd "$(dirname "$0")/.."
here=$PWD
dir=$(mktemp -d)
pids=()
finish() {
  ((${#pids[@]} == 0)) || { kill "${pids[@]}" 2>/dev/null || true; wait "${pids[@]}" 2>/dev/null || true; }
  rm -rf "$dir"
}
trap finish EXIT

npm pack --silent --ignore-scripts --pack-destination "$dir" >/dev/null
mkdir "$dir/project"
cd "$dir/project"
echo '{ "name": "empty", "version": "0.0.0", "private": true }' >package.json
npm install --silent --no-audit --no-fund --omit=optional --omit=peer "$dir"/sealwire-*.tgz
echo "note: installed: $(du -sk node_modules | cut -f1) kB"
! find node_modules -name '*.node' -o -name binding.gyp | grep . || { echo 'something native was installed'; exit 1; }

echo 'import { Agent } from "sealwire"; if (typeof Agent.create !== "function") throw 1' >esm.mjs
node esm.mjs
echo 'const { Agent } = require("sealwire"); if (typeof Agent.create !== "function") throw 1' >common.cjs
node common.cjs
cat >typed.mts <<END
import { Agent, SealwireError, type Message } from "sealwire";
const bot: Agent = await Agent.create({ name: "typed" });
bot.on("text", async (message: Message) => { await message.reply(message.text); });
bot.on("json", (message) => { const value: unknown = message.json(); return value; });
for await (const message of bot) message.deadline?.getTime();
const answer: Message = await bot.request("peer", { json: 1 }, { signal: AbortSignal.timeout(1000) });
// @ts-expect-error: there is no such event
bot.on("texts", () => undefined);
throw new SealwireError("closed", answer.text);
END
echo 'import sealwire = require("sealwire"); export const make: Promise<unknown> = sealwire.Agent.create();' >typed.cts
node "$here/node_modules/typescript/bin/tsc" --noEmit --strict --skipLibCheck --module nodenext --target es2022 \
  --lib es2023,dom,dom.iterable --types node --typeRoots "$here/node_modules/@types" typed.mts typed.cts

# A bundler for browsers takes the browser's half, and drops what is not used.
"$here/node_modules/.bin/esbuild" --bundle --minify --format=esm --platform=browser --outfile=page.js --log-level=warning \
  <<<'import { Agent } from "sealwire"; globalThis.start = Agent.create;'
! grep -qE 'node:fs|from"ws"' page.js || { echo 'the bundle holds what is for Node'; exit 1; }
"$here/node_modules/.bin/esbuild" --bundle --minify --format=esm --platform=browser --outfile=small.js --log-level=warning \
  <<<'import { SealwireError } from "sealwire"; console.log(SealwireError);'
echo "note: bundled: $(gzip -9c page.js | wc -c) bytes gzipped; the error class alone: $(gzip -9c small.js | wc -c)"
(($(gzip -9c page.js | wc -c) <= 250000 && $(gzip -9c small.js | wc -c) <= 1000))

# The echo agent as it stands, asked by the command line and by the other example.
export SEALWIRE_HOME=$dir/home
sealwire() { "$build/bin/sealwire" "$@"; }
"$build/bin/sealwired" init "$dir/broker" --wss-port=0 --zeromq-port=0 --http-port=0 --open >/dev/null
exec 3< <(exec "$build/bin/sealwired" --config "$dir/broker/sealwired.toml" 2>"$dir/broker.log")
pids+=($!)
while read -r -t 30 line <&3; do
  [[ $line =~ wss://[^[:space:]]+ ]] && endpoint=${BASH_REMATCH[0]}
  [[ $line =~ ([0-9a-f]{64})$ && $line != *curve* ]] && key=${BASH_REMATCH[1]}
  [[ $line != ready ]] || break
done
sealwire -c alice key new >/dev/null
sealwire -c alice login --endpoint "$endpoint" --broker-key "$key" >/dev/null
cp "$here"/examples/*.mjs .
# echoes COMMAND…: what it runs answers alice. Its agent is another each time.
echoes() {
  local id
  exec 4< <(SEALWIRE_JS_HOME=$dir/agents-${1##*/} SEALWIRE_INVITE=$(sealwire -c alice invite) exec "$@" echo.mjs)
  pids+=($!)
  read -r -t 30 id <&4
  # Its name is known once the inviter has read its mailbox.
  sealwire -c alice recv >/dev/null
  [[ $(sealwire -c alice req -W 20 "$id" 'hello, echo') == 'hello, echo' ]]
  echo "ok      the package in an empty project; echo.mjs answers from ${1##*/}"
}
echoes node

deno=${SEALWIRE_CACHE:-$here/../../.cache}/deno
if ! cmp -s "$here/../../tests/interop/deno/package-lock.json" "$deno/node_modules/.installed"; then
  mkdir -p "$deno"
  cp "$here"/../../tests/interop/deno/package*.json "$deno/"
  npm ci --prefix "$deno" --no-audit --no-fund --silent
  cp "$deno/package-lock.json" "$deno/node_modules/.installed"
fi
DENO_NO_UPDATE_CHECK=1 echoes "$deno/node_modules/@deno/linux-x64-glibc/deno" run --allow-all
