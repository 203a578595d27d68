"""Memory under a load that wants it all: many clients send large bodies at once, and slowly.

The bound is max_in_flight_bytes, plus what a journal keeps in memory of its newest records, plus a constant. Bodies that grow when they are decoded add, for
each event loop and only while it works on one, what max_request_body_size and max_decoded_size allow; these do not grow.
"""
import collections
import socket

import processes

CLIENTS = 64
BODY_BYTES = 4 << 20
SLICE_BYTES = 64 << 10
WAVES = 5
IN_FLIGHT_MEBIBYTES = 64
# JournalLimits.cachedBytes.
JOURNAL_MEBIBYTES = 64
# What Weir needs beside those two: 28 for the program, 2 for each event loop's records, 8 that malloc may keep in each
# of its arenas (Sources/Weir/System/Heap.swift), of which there is one for each busy thread.
CONSTANT_MEBIBYTES = 64


def body(bodies):
    """An ExportTraceServiceRequest of 4 MiB: messages that stand one after the other are one message."""
    part = sorted(bodies.glob("backend100-*.pb"))[0].read_bytes()
    return part * (BODY_BYTES // len(part))


def wave(port, request):
    """All clients send a slice in turn, so that all are under way at once. - Returns: how often each status came."""
    clients = [socket.create_connection(("127.0.0.1", port), timeout=30) for _ in range(CLIENTS)]
    statuses = collections.Counter()
    for offset in range(0, len(request), SLICE_BYTES):
        for client in clients:
            try:
                client.sendall(request[offset:offset + SLICE_BYTES])
            except OSError:
                pass  # Refused: its answer is read below.
    for client in clients:
        try:
            statuses[client.recv(12)[9:12].decode() or "closed"] += 1
        except OSError:
            statuses["closed"] += 1
        client.close()
    return statuses


def run(program, bodies):
    """- Returns: whether the memory stayed within the bound, and some requests were taken."""
    spans = body(bodies)
    head = f"POST /v1/traces HTTP/1.1\r\nHost: bench\r\nContent-Type: application/x-protobuf\r\nContent-Length: {len(spans)}\r\n\r\n"
    bound = IN_FLIGHT_MEBIBYTES + JOURNAL_MEBIBYTES + CONSTANT_MEBIBYTES
    statuses = collections.Counter()
    with processes.weir(program, f"{IN_FLIGHT_MEBIBYTES}MiB") as weir:
        for _ in range(WAVES):
            statuses += wave(weir.port, head.encode() + spans)
        peak = weir.mebibytes("VmHWM")
    holds = peak <= bound and statuses["200"] > 0
    print(f"\n{CLIENTS} clients, bodies of {BODY_BYTES >> 20} MiB, {WAVES} times: {dict(statuses)}")
    print(f"  => {'ok' if holds else 'NOT OK'}: peak {peak:.0f} MiB resident, bound {bound} = max_in_flight_bytes"
          f" {IN_FLIGHT_MEBIBYTES} + cached records {JOURNAL_MEBIBYTES} + {CONSTANT_MEBIBYTES}")
    return holds
