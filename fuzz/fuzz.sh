#!/bin/bash
# Fuzzes YAML, interpolation, env files and the whole loader of ComposeFile, with files in memory only.
# FUZZ_SECONDS: how long (600). FUZZ_WORK: where the corpus and what crashes are kept (.build/fuzz).
# An input that crashes, takes over 2 seconds or over 512 MB ends the run with an error and is saved.
set -eu
cd "$(dirname "$0")/.."
work=${FUZZ_WORK:-.build/fuzz}
mkdir -p "$work/corpus" "$work/found"

sources=$(find Sources/ComposeFile -name '*.swift'; echo fuzz/FuzzTarget.swift; echo Tests/ComposeFileTests/Fuzzing/FuzzCase.swift)
newest=$(ls -t $sources | head -1)
if [ ! "$work/fuzzer" -nt "$newest" ]; then
    swiftc -O -wmo -parse-as-library -swift-version 6 -module-name ComposeFile -D FUZZER \
        -enable-upcoming-feature ExistentialAny -enable-upcoming-feature InternalImportsByDefault \
        -sanitize=fuzzer -I Sources/CLibraries/CYaml -o "$work/fuzzer" $sources
fi
[ "${1:-}" = build ] && exit 0

# Seeds and words of the grammars are those of the unit test.
python3 fuzz/seeds.py Tests/ComposeFileTests/Fuzzing/FuzzSeeds.swift "$work"
exec "$work/fuzzer" "$work/corpus" "$work/seeds" -dict="$work/words.dict" -artifact_prefix="$work/found/" \
    -max_total_time="${FUZZ_SECONDS:-600}" -timeout=2 -rss_limit_mb=512 -malloc_limit_mb=512 -max_len=8192 \
    -print_final_stats=1
