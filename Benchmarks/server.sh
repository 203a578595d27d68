#!/bin/sh
# Measures the whole server: Weir and a bare NIO server in turn, on the same bodies, then Weir's memory under a hostile load.
# Weir has to be built already (make does it); needs wrk. Exits 1 when a request failed or a goal was missed.
# Usage: server.sh BODIES [rounds] [seconds]
set -eu
bodies=$(realpath "$1")
shift
cd "$(dirname "$0")"
# The same SwiftNIO as Weir's.
cp ../Package.resolved .
swift build -c release --product BareServer
exec "${PYTHON:-python3}" server.py --weir ../.build/release/weir --bare .build/release/BareServer --bodies "$bodies" \
    --rounds "${1:-3}" --seconds "${2:-3}"
