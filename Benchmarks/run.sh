#!/bin/sh
# Measures the codecs, then (where they are there) the whole server and the hot tables. Needs a Python with opentelemetry-proto: $PYTHON, else python3.
# With WEIR_TEXTS=FILE, a text a line as {"text": …}, also the redaction scanner on those texts.
# Usage: run.sh [rounds]
set -eu
cd "$(dirname "$0")"
bodies=.build/bodies
"${PYTHON:-python3}" make_bodies.py "$bodies"
swift build -c release --product HotPath
.build/release/HotPath "$bodies" "${1:-15}"
swift build -c release --product Redaction
.build/release/Redaction "$bodies" ${WEIR_TEXTS:+"$WEIR_TEXTS"}
well=0
if [ -x ./server.sh ]; then ./server.sh "$bodies" || well=1; fi
"${PYTHON:-python3}" store.py --weir ../.build/release/weir || well=1
"${PYTHON:-python3}" archive.py --weir ../.build/release/weir || well=1
exit $well
