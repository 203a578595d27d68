#include "crc32c.h"

#include <stdbool.h>
#include <string.h>

#if defined(__x86_64__)
#include <nmmintrin.h>
#define TARGET __attribute__((target("sse4.2")))
#define STEP8(crc, word) ((uint32_t)_mm_crc32_u64((crc), (word)))
#define STEP1(crc, byte) _mm_crc32_u8((crc), (byte))
#define IS_SUPPORTED __builtin_cpu_supports("sse4.2")
#elif defined(__aarch64__)
#include <arm_acle.h>
#include <sys/auxv.h>
#define TARGET __attribute__((target("crc")))
#define STEP8(crc, word) __crc32cd((crc), (word))
#define STEP1(crc, byte) __crc32cb((crc), (byte))
#define IS_SUPPORTED ((getauxval(AT_HWCAP) & (1 << 7)) != 0) /* HWCAP_CRC32 */
#endif

/* RFC 3720 12.1: the polynomial 0x11EDC6F41, its bits reversed. */
static const uint32_t polynomial = 0x82F63B78;

/* Bytes of each of the three stretches that are summed side by side. */
enum { stretch = 1024 };

/* bytes[n][b] is what the byte b makes of the state when n zero bytes follow it; shift[n][b] what the n-th byte of the
   state, with the value b, becomes when a stretch of zeros follows. */
static uint32_t bytes[8][256], shift[4][256];
static bool is_supported;

static uint64_t word_at(const uint8_t *at) {
    uint64_t word;
    memcpy(&word, at, 8);
    return word;
}

/* Before main(), so that no thread sees them half made. 50 microseconds. */
__attribute__((constructor)) static void make_tables(void) {
    for (uint32_t b = 0; b < 256; b++) {
        uint32_t crc = b;
        for (int bit = 0; bit < 8; bit++) crc = crc >> 1 ^ (crc & 1 ? polynomial : 0);
        bytes[0][b] = crc;
    }
    for (uint32_t b = 0; b < 256; b++)
        for (int n = 1; n < 8; n++) bytes[n][b] = bytes[n - 1][b] >> 8 ^ bytes[0][bytes[n - 1][b] & 0xFF];
#ifdef STEP8
    is_supported = IS_SUPPORTED;
    for (int bit = 0; bit < 32; bit++) {
        uint32_t crc = (uint32_t)1 << bit;
        for (int n = 0; n < stretch; n++) crc = crc >> 8 ^ bytes[0][crc & 0xFF];
        shift[bit / 8][1 << bit % 8] = crc;
    }
    /* The rest are sums of those of one bit. */
    for (int n = 0; n < 4; n++)
        for (int b = 1; b < 256; b++) shift[n][b] = shift[n][b & (b - 1)] ^ shift[n][b & -b];
#endif
}

uint32_t weir_crc32c_portable(const void *start, size_t count, uint32_t after) {
    const uint8_t *at = start;
    uint32_t crc = ~after;
    for (; count >= 8; at += 8, count -= 8) {
        uint32_t low = crc ^ (at[0] | at[1] << 8 | at[2] << 16 | (uint32_t)at[3] << 24);
        crc = bytes[7][low & 0xFF] ^ bytes[6][low >> 8 & 0xFF] ^ bytes[5][low >> 16 & 0xFF] ^ bytes[4][low >> 24]
            ^ bytes[3][at[4]] ^ bytes[2][at[5]] ^ bytes[1][at[6]] ^ bytes[0][at[7]];
    }
    for (; count > 0; at++, count--) crc = crc >> 8 ^ bytes[0][(crc ^ *at) & 0xFF];
    return ~crc;
}

#ifdef STEP8
static uint32_t shifted(uint32_t crc) {
    return shift[0][crc & 0xFF] ^ shift[1][crc >> 8 & 0xFF] ^ shift[2][crc >> 16 & 0xFF] ^ shift[3][crc >> 24];
}

/* The instruction takes three cycles and can begin every cycle, so three sums at once cost as much as one. */
TARGET static uint32_t crc32c_hardware(const uint8_t *at, size_t count, uint32_t after) {
    uint32_t crc = ~after;
    for (; count >= 3 * stretch; at += 3 * stretch, count -= 3 * stretch) {
        uint32_t second = 0, third = 0;
        for (const uint8_t *word = at; word < at + stretch; word += 8) {
            crc = STEP8(crc, word_at(word));
            second = STEP8(second, word_at(word + stretch));
            third = STEP8(third, word_at(word + 2 * stretch));
        }
        crc = shifted(shifted(crc) ^ second) ^ third;
    }
    for (; count >= 8; at += 8, count -= 8) crc = STEP8(crc, word_at(at));
    for (; count > 0; at++, count--) crc = STEP1(crc, *at);
    return ~crc;
}
#endif

uint32_t weir_crc32c(const void *start, size_t count, uint32_t after) {
#ifdef STEP8
    if (is_supported) return crc32c_hardware(start, count, after);
#endif
    return weir_crc32c_portable(start, count, after);
}
