#define _GNU_SOURCE  // memmem
#include "base64url.h"

#include <stdbool.h>
#include <string.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
/* What a character stands for; 255 for none. */
static uint8_t values[256];

void weir_base64url_encode_portable(const void *source, size_t count, void *target) {
    const uint8_t *in = source;
    char *out = target;
    for (; count >= 3; in += 3, count -= 3, out += 4) {
        uint32_t bits = (uint32_t)in[0] << 16 | (uint32_t)in[1] << 8 | in[2];
        out[0] = alphabet[bits >> 18];
        out[1] = alphabet[bits >> 12 & 63];
        out[2] = alphabet[bits >> 6 & 63];
        out[3] = alphabet[bits & 63];
    }
    if (count == 0) return;
    uint32_t bits = (uint32_t)in[0] << 16 | (count == 2 ? (uint32_t)in[1] << 8 : 0);
    out[0] = alphabet[bits >> 18];
    out[1] = alphabet[bits >> 12 & 63];
    if (count == 2) out[2] = alphabet[bits >> 6 & 63];
}

#if defined(__x86_64__)
#include <immintrin.h>

static bool has_avx2;

/* 24 bytes become 32 characters: each lane takes twelve, spreads them so that every 32 bits hold the three bytes of
   four characters, shifts the four groups of six bits into place with two multiplications, and adds to each what lies
   between its value and its character. */
__attribute__((target("avx2"))) static void encode_avx2(const uint8_t *in, size_t count, uint8_t *out) {
    const __m256i spread = _mm256_setr_epi8(
        1, 0, 2, 1, 4, 3, 5, 4, 7, 6, 8, 7, 10, 9, 11, 10, 1, 0, 2, 1, 4, 3, 5, 4, 7, 6, 8, 7, 10, 9, 11, 10);
    /* By class: 0 small letters, 1 to 10 digits, 11 '-', 12 '_', 13 capitals. */
    const __m256i steps = _mm256_setr_epi8(
        71, -4, -4, -4, -4, -4, -4, -4, -4, -4, -4, -17, 32, 65, 0, 0,
        71, -4, -4, -4, -4, -4, -4, -4, -4, -4, -4, -17, 32, 65, 0, 0);
    /* The second load reads up to byte 28. */
    for (; count >= 28; in += 24, count -= 24, out += 32) {
        __m128i low = _mm_loadu_si128((const __m128i *)in);
        __m128i high = _mm_loadu_si128((const __m128i *)(in + 12));
        __m256i bytes = _mm256_shuffle_epi8(_mm256_set_m128i(high, low), spread);
        __m256i odd = _mm256_mulhi_epu16(
            _mm256_and_si256(bytes, _mm256_set1_epi32(0x0FC0FC00)), _mm256_set1_epi32(0x04000040));
        __m256i even = _mm256_mullo_epi16(
            _mm256_and_si256(bytes, _mm256_set1_epi32(0x003F03F0)), _mm256_set1_epi32(0x01000010));
        __m256i sixes = _mm256_or_si256(odd, even);
        __m256i kind = _mm256_subs_epu8(sixes, _mm256_set1_epi8(51));
        __m256i capital = _mm256_cmpgt_epi8(_mm256_set1_epi8(26), sixes);
        kind = _mm256_or_si256(kind, _mm256_and_si256(capital, _mm256_set1_epi8(13)));
        _mm256_storeu_si256((__m256i *)out, _mm256_add_epi8(sixes, _mm256_shuffle_epi8(steps, kind)));
    }
    weir_base64url_encode_portable(in, count, out);
}
#endif

/* Before main(), so that no thread sees it half made. */
__attribute__((constructor)) static void make_tables(void) {
    memset(values, 255, sizeof values);
    for (int value = 0; value < 64; value++) values[(uint8_t)alphabet[value]] = (uint8_t)value;
#if defined(__x86_64__)
    has_avx2 = __builtin_cpu_supports("avx2");
#endif
}

void weir_base64url_encode(const void *bytes, size_t count, void *text) {
#if defined(__x86_64__)
    if (has_avx2) {
        encode_avx2(bytes, count, text);
        return;
    }
#endif
    weir_base64url_encode_portable(bytes, count, text);
}

ptrdiff_t weir_base64url_decode(const void *text, size_t count, void *bytes) {
    const uint8_t *in = text;
    uint8_t *out = bytes;
    for (; count >= 4; in += 4, count -= 4, out += 3) {
        uint8_t a = values[in[0]], b = values[in[1]], c = values[in[2]], d = values[in[3]];
        if ((a | b | c | d) > 63) return -1;
        out[0] = (uint8_t)(a << 2 | b >> 4);
        out[1] = (uint8_t)(b << 4 | c >> 2);
        out[2] = (uint8_t)(c << 6 | d);
    }
    if (count == 1) return -1;
    if (count > 1) {
        uint8_t a = values[in[0]], b = values[in[1]], c = count == 3 ? values[in[2]] : 0;
        if ((a | b | c) > 63) return -1;
        /* Bits that belong to no byte are zero: one text for each run of bytes. */
        if (count == 2 ? b & 15 : c & 3) return -1;
        *out++ = (uint8_t)(a << 2 | b >> 4);
        if (count == 3) *out++ = (uint8_t)(b << 4 | c >> 2);
    }
    return out - (uint8_t *)bytes;
}

ptrdiff_t weir_find(const void *text, size_t count, const void *wanted, size_t length) {
    const char *start = text;
    size_t at = 0;
    if (count == 0) return -1;
#ifdef __SSE2__
    /* Sixteen places at once, of which few have both the first byte and the last where they should be. */
    if (length > 1 && length <= count) {
        const char *word = wanted;
        size_t rest = length - 1;
        __m128i first = _mm_set1_epi8(word[0]), last = _mm_set1_epi8(word[rest]);
        for (; at + rest + 16 <= count; at += 16) {
            __m128i front = _mm_cmpeq_epi8(first, _mm_loadu_si128((const __m128i *)(start + at)));
            __m128i back = _mm_cmpeq_epi8(last, _mm_loadu_si128((const __m128i *)(start + at + rest)));
            for (int found = _mm_movemask_epi8(_mm_and_si128(front, back)); found != 0; found &= found - 1) {
                size_t place = at + (size_t)__builtin_ctz((unsigned)found);
                if (memcmp(start + place, word, length) == 0) return (ptrdiff_t)place;
            }
        }
    }
#endif
    const char *found = memmem(start + at, count - at, wanted, length);
    return found == NULL ? -1 : found - start;
}
