#!/bin/sh
# Fuzzes each decoder for some seconds (60 unless told), with the address sanitizer. Starts from the inputs that `swift test`
# replays and puts what it finds beside them: crash-* are failures, the rest is new coverage, kept in .build.
# Usage: fuzz.sh [seconds] [FuzzProtobuf|FuzzJSON|FuzzRedaction]
set -eu
cd "$(dirname "$0")"
seconds=${1:-60}
corpus=../Tests/WeirTests/Fixtures/corpus
# A Swift trap prints a backtrace for minutes and leaves no crash file; libFuzzer's own handler leaves one.
export SWIFT_BACKTRACE=enable=no
export ASAN_OPTIONS=detect_leaks=0
for target in ${2:-FuzzProtobuf FuzzJSON FuzzRedaction}; do
    swift build -c release --scratch-path .build/fuzz --product "$target" \
        -Xswiftc -sanitize=fuzzer,address -Xcc -fsanitize=fuzzer-no-link,address -Xswiftc -use-ld=lld
    case $target in FuzzProtobuf) kind=protobuf ;; FuzzRedaction) kind=redaction ;; *) kind=json ;; esac
    mkdir -p ".build/corpus/$kind"
    # -timeout: a decoder that needs seconds for 64 KiB has a loop that an attacker would find too.
    ".build/fuzz/release/$target" -max_total_time="$seconds" -max_len=65536 -timeout=5 -rss_limit_mb=4096 \
        -artifact_prefix="$corpus/$kind/" ".build/corpus/$kind" "$corpus/$kind"
done
