#!/bin/sh
# Makes Sources/COTLP from the .proto files beside this script. Needs protoc-c (Debian: protobuf-c-compiler).
# The result is committed, so that a build needs only libprotobuf-c.
set -eu
cd "$(dirname "$0")"
target=../Sources/COTLP
rm -rf "$target/opentelemetry" "$target/include"
mkdir -p "$target/include"
# shellcheck disable=SC2046 # no spaces in these names
set -- $(find opentelemetry -name '*.proto' | LC_ALL=C sort)
protoc-c --proto_path=. --c_out="$target" "$@"
{
    echo "// Made by proto/generate.sh."
    echo "module COTLP {"
    for proto in "$@"; do
        header=${proto%.proto}.pb-c.h
        mkdir -p "$target/include/$(dirname "$header")"
        mv "$target/$header" "$target/include/$header"
        echo "    header \"$header\""
    done
    echo "    export *"
    echo "}"
} > "$target/include/module.modulemap"
