#!/bin/sh
# The agent that the conformance suite tests: this project's own, new each time.
# usage: agent.sh BIN_DIR    (with SEALWIRE_INVITE)
SEALWIRE_HOME=$(mktemp -d) || exit 1
export SEALWIRE_HOME
trap 'rm -rf "$SEALWIRE_HOME"' EXIT
"$1/sealwire" -c tested login "$SEALWIRE_INVITE" >&2 && "$1/sealwire" -c tested pipe
