# What stages share: each sources this, and stands in the tree's root afterwards.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
scope=${SEALWIRE_SCOPE:-quick}
export CCACHE_BASEDIR=$PWD CCACHE_NOHASHDIR=1
export SEALWIRE_CACHE=${SEALWIRE_CACHE:-$PWD/.cache}
export NINJA_STATUS='[%f/%t] '

# by_scope CI LONG: how much of something this run does.
by_scope() { if [[ $scope == long ]]; then echo "$2"; else echo "$1"; fi; }

# configure PRESET [-DNAME=VALUE…]: again only when the answer could differ; ninja sees the rest.
configure() {
  local dir=build/$1 setting
  for setting in "${@:2}"; do
    grep -qE "^${setting%%=*}(:[A-Z]+)?=${setting#*=}$" <(sed 's/^/-D/' "$dir/CMakeCache.txt" 2>/dev/null) ||
      { cmake --preset "$@"; return; }
  done
  [[ $dir/build.ninja -nt CMakePresets.json ]] || cmake --preset "$@"
}

# build PRESET [TARGET…]: everything, tests included, where no target is given. Goes on after an
# error, so that one run shows them all.
build() {
  configure "$1" -DSEALWIRE_TESTS=ON
  ninja -C "build/$1" -k 0 "${@:2}"
}

# run_tests PRESET CTEST-OPTION…: counts test cases, not programs.
run_tests() {
  local dir=build/$1 status=0
  rm -rf "$dir/results"
  mkdir -p "$dir/results"
  ${launcher:-} ctest --test-dir "$dir" -j "$(nproc)" --timeout "${test_seconds:-300}" \
    --no-tests=error --output-on-failure --output-junit results/ctest.xml "${@:2}" || status=$?
  grep -h '^NOT CHECKED' "$dir/Testing/Temporary/LastTest.log" | sort -u || true
  python3 tests/stages/totals.py "$dir/results" tests/impossible.txt || status=1
  return "$status"
}

# Labels of tests that a stage of their own runs, or that only --long runs.
apart='pipeline|transports'
[[ $scope == long ]] || long='long'

# tally NAME COMMAND…: runs it as one part of a stage, adding the counts that it ends with.
passed=0 failed=0
tally() {
  local log=build/logs/part-$1.log status=0 counts p f
  echo "== $1"
  "${@:2}" 2>&1 | tee "$log" || status=$?
  counts=$(tail -n 1 "$log" | grep -E '^[0-9]+ passed, [0-9]+ failed$' || true)
  if [[ -n $counts ]]; then read -r p _ f _ <<<"$counts"
  else p=$((status == 0)) f=0; fi
  [[ $status == 0 || $f != 0 ]] || f=1
  echo "== $1: $p passed, $f failed"
  passed=$((passed + p)) failed=$((failed + f))
}
finish() {
  echo "$passed passed, $failed failed"
  [[ $failed == 0 && $passed != 0 ]]
}
