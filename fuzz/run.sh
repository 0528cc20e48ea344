#!/usr/bin/env bash
# Runs every fuzz target for some seconds (30 unless the first argument says otherwise), from the seeds. Ends with 1 on
# a finding, whose input is then in the folder that is named. Says SKIPPED where targets cannot be built.
set -euo pipefail
cd "$(dirname "$0")"

seconds=${1:-30}
targets="path lockfile journal log plan merge placeholders template model"
out=${CARGO_TARGET_DIR:-$PWD/../target}/fuzz
PATH=$PATH:${CARGO_HOME:-$HOME/.cargo}/bin:$out/tools/bin

skip() { echo "SKIPPED: fuzzing: $*" >&2; exit 0; }
mkdir -p "$out"
command -v c++ > /dev/null || skip "the fuzzer's engine needs a C++ compiler (c++)"
command -v cargo-fuzz > /dev/null ||
  cargo install cargo-fuzz --locked --quiet --root "$out/tools" > "$out/install.log" 2>&1 ||
  skip "cargo-fuzz cannot be installed: $(tail -n 1 "$out/install.log")"

# Without a sanitizer a stable compiler can build it. There is no unsafe code that one would watch: the checks are those
# of the language (overflow, bounds) and the assertions of the targets.
cargo fuzz build --sanitizer none --target-dir "$out" > "$out/build.log" 2>&1 || {
  tail -n 20 "$out/build.log" >&2
  echo "the fuzz targets do not build" >&2
  exit 1
}
host=$(rustc -vV | sed -n 's/^host: //p')

failed=0
for target in $targets; do
  corpus=$out/corpus/$target found=$out/found/$target
  mkdir -p "$corpus" "$found" "seeds/$target"
  dict=() longest=4096
  case $target in
    template | placeholders) dict=(-dict=dict/template.dict) longest=2048 ;;
    model) dict=(-dict=dict/yaml.dict) longest=8192 ;;
    lockfile | journal | log | plan) dict=(-dict=dict/lockfile.dict) ;;
  esac
  if "$out/$host/release/$target" "$corpus" "seeds/$target" "${dict[@]}" -max_total_time="$seconds" -timeout=10 \
    -rss_limit_mb=512 -max_len=$longest -artifact_prefix="$found/" -print_final_stats=1 > "$out/$target.log" 2>&1; then
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$out/$target.log")
    peak=$(sed -n 's/^stat::peak_rss_mb: *//p' "$out/$target.log")
    printf '%-13s %10s runs in %s s, at most %s MiB\n' "$target" "${runs:-?}" "$seconds" "${peak:-?}"
  else
    failed=1
    echo "$target found something; the input is in $found:" >&2
    grep -a -A 3 -E 'panicked at|ERROR: libFuzzer|ALARM' "$out/$target.log" | head -n 12 >&2 || tail -n 5 "$out/$target.log" >&2
  fi
done
exit $failed
