#define _GNU_SOURCE
#include <stdlib.h>
#include <time.h>

#include "CHotPath.h"
#include "opentelemetry/proto/collector/trace/v1/trace_service.pb-c.h"

typedef Opentelemetry__Proto__Collector__Trace__V1__ExportTraceServiceRequest Request;
#define unpack opentelemetry__proto__collector__trace__v1__export_trace_service_request__unpack
#define free_unpacked opentelemetry__proto__collector__trace__v1__export_trace_service_request__free_unpacked

uint64_t hotpath_thread_time(void) {
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

int hotpath_protobuf_c_malloc(const uint8_t *data, size_t size) {
    Request *request = unpack(NULL, size, data);
    if (!request) return -1;
    int count = (int)request->n_resource_spans;
    free_unpacked(request, NULL);
    return count;
}

struct arena {
    uint8_t *base;
    size_t used, capacity;
};

static void *take(void *data, size_t size) {
    struct arena *arena = data;
    size_t start = (arena->used + 15) & ~(size_t)15;
    if (start + size > arena->capacity) return NULL;
    arena->used = start + size;
    return arena->base + start;
}

static void give_back(void *data, void *pointer) {
    (void)data;
    (void)pointer;
}

int hotpath_protobuf_c_arena(const uint8_t *data, size_t size) {
    static struct arena arena;
    if (!arena.base) {
        arena.capacity = 16 << 20;
        arena.base = malloc(arena.capacity);
    }
    arena.used = 0;
    ProtobufCAllocator allocator = {take, give_back, &arena};
    Request *request = unpack(&allocator, size, data);
    return request ? (int)request->n_resource_spans : -1;
}
