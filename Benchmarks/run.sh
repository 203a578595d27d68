#!/bin/sh
# Measures the codecs, then (where they are there) the whole server, the hot tables, budgets and runs to LangSmith. Needs a Python with opentelemetry-proto: $PYTHON, else python3.
# With WEIR_TEXTS=FILE, a text a line as {"text": …}, also the redaction scanner on those texts.
# Usage: run.sh [rounds]
set -eu
cd "$(dirname "$0")"
bodies=.build/bodies
"${PYTHON:-python3}" make_bodies.py "$bodies"
swift build -c release --product HotPath
.build/release/HotPath "$bodies" "${1:-15}"
swift build -c release --product Encryption
.build/release/Encryption
swift build -c release --product Redaction
.build/release/Redaction "$bodies" ${WEIR_TEXTS:+"$WEIR_TEXTS"}
well=0
swift build -c release --product Parquet
.build/release/Parquet "$bodies" "${1:-15}" || well=1
swift build -c release --product Cost
.build/release/Cost "$bodies" "${1:-15}" || well=1
swift build -c release --product Sampling
.build/release/Sampling "$bodies" "${1:-15}" || well=1
if [ -x ./server.sh ]; then ./server.sh "$bodies" || well=1; fi
"${PYTHON:-python3}" store.py --weir ../.build/release/weir --spans 1000000 || well=1
"${PYTHON:-python3}" budgets.py --weir ../.build/release/weir || well=1
"${PYTHON:-python3}" archive.py --weir ../.build/release/weir || well=1
"${PYTHON:-python3}" langsmith.py --weir ../.build/release/weir || well=1
"${PYTHON:-python3}" sampling.py --weir ../.build/release/weir --bodies "$bodies" || well=1
exit $well
