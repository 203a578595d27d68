#pragma once

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// CPU time of this thread, in nanoseconds.
uint64_t hotpath_thread_time(void);

/// protobuf-c with malloc. Returns the number of resources, or -1.
int hotpath_protobuf_c_malloc(const uint8_t *data, size_t size);

/// protobuf-c with an allocator that only moves a pointer, over memory that is used again each time.
int hotpath_protobuf_c_arena(const uint8_t *data, size_t size);

/// simdjson's on-demand parser over the whole request, into flat arrays of what Weir's decoder keeps: ids in binary, times, names,
/// keys and values unescaped. `data` must have 64 readable bytes behind it. Returns the number of spans, or -1.
int hotpath_simdjson(const uint8_t *data, size_t size);

#ifdef __cplusplus
}
#endif
