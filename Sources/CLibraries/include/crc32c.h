// CRC-32C (RFC 3720, appendix B.4), going on from the sum of what stands before the bytes; 0 if nothing does.
#ifndef WEIR_CRC32C_H
#define WEIR_CRC32C_H

#include <stddef.h>
#include <stdint.h>

uint32_t weir_crc32c(const void *start, size_t count, uint32_t after);
// What the first is on a processor without an instruction for it.
uint32_t weir_crc32c_portable(const void *start, size_t count, uint32_t after);

#endif
