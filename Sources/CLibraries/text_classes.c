#include "text_classes.h"

bool weir_has_wide_vectors;

#if defined(__x86_64__)
#include <immintrin.h>

/* Before main(), so that no thread sees it half made. */
__attribute__((constructor)) static void look(void) { weir_has_wide_vectors = __builtin_cpu_supports("avx2"); }

#define ARE(block, byte) _mm256_cmpeq_epi8(block, _mm256_set1_epi8(byte))
#define AT_MOST(vector, most) _mm256_cmpeq_epi8(_mm256_min_epu8(vector, _mm256_set1_epi8(most)), vector)
#define BITS(expression) ((uint64_t)bits(expression(high)) << 32 | bits(expression(low)))
#define DIGIT(block) AT_MOST(_mm256_sub_epi8(block, _mm256_set1_epi8('0')), 9)
#define LETTER(block) \
    AT_MOST(_mm256_sub_epi8(_mm256_or_si256(block, _mm256_set1_epi8(0x20)), _mm256_set1_epi8('a')), 25)
#define UNDERSCORE(block) ARE(block, '_')
#define DASH(block) ARE(block, '-')
#define DOT(block) ARE(block, '.')
#define ASSIGNMENT(block) _mm256_or_si256(ARE(block, ':'), ARE(block, '='))
#define RARE(block)                                                        \
    _mm256_or_si256(_mm256_or_si256(ARE(block, '@'), ARE(block, (char)0xEF)), \
                    _mm256_or_si256(ARE(block, 'A'), ARE(block, 'J')))

__attribute__((target("avx2"))) static inline uint32_t bits(__m256i vector) {
    return (uint32_t)_mm256_movemask_epi8(vector);
}

__attribute__((target("avx2"))) void weir_text_classes_wide(const uint8_t *text, struct weir_text_classes *classes) {
    const __m256i low = _mm256_loadu_si256((const __m256i *)text);
    const __m256i high = _mm256_loadu_si256((const __m256i *)(text + 32));
    classes->digits = BITS(DIGIT);
    classes->letters = BITS(LETTER);
    classes->underscores = BITS(UNDERSCORE);
    classes->dashes = BITS(DASH);
    classes->dots = BITS(DOT);
    classes->assignments = BITS(ASSIGNMENT);
    classes->rare = BITS(RARE);
}
#else
void weir_text_classes_wide(const uint8_t *text, struct weir_text_classes *classes) {
    *classes = weir_text_classes_portable(text, 64);
}
#endif
