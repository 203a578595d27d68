// What the bytes of a text are, sixty-four at a time: a bit for each byte and class, the first byte's the lowest.
#ifndef WEIR_TEXT_CLASSES_H
#define WEIR_TEXT_CLASSES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __SSE2__
#include <emmintrin.h>
// There is no comparison of unsigned bytes but this: what is at most 9 is the lesser of itself and 9.
#define WEIR_AT_MOST(vector, most) _mm_cmpeq_epi8(_mm_min_epu8(vector, _mm_set1_epi8(most)), vector)
#define WEIR_ARE(byte) _mm_cmpeq_epi8(block, _mm_set1_epi8(byte))
#define WEIR_BITS(vector) ((uint64_t)(uint32_t)_mm_movemask_epi8(vector) << place)
#endif

struct weir_text_classes {
    uint64_t digits;
    // ASCII, of either case.
    uint64_t letters;
    uint64_t underscores, dashes, dots;
    // : and =
    uint64_t assignments;
    // @, A, J, and the byte that digits of full width begin with
    uint64_t rare;
};

// What the next does on a processor without vectors.
static inline struct weir_text_classes weir_text_classes_portable(const uint8_t *text, size_t count) {
    struct weir_text_classes classes = {0};
    for (size_t place = 0; place < count; place++) {
        const uint8_t byte = text[place];
        const uint64_t bit = (uint64_t)1 << place;
        if (byte >= '0' && byte <= '9') classes.digits |= bit;
        if ((byte | 0x20) >= 'a' && (byte | 0x20) <= 'z') classes.letters |= bit;
        if (byte == '_') classes.underscores |= bit;
        if (byte == '-') classes.dashes |= bit;
        if (byte == '.') classes.dots |= bit;
        if (byte == ':' || byte == '=') classes.assignments |= bit;
        if (byte == '@' || byte == 'A' || byte == 'J' || byte == 0xEF) classes.rare |= bit;
    }
    return classes;
}

// Whether the processor can do the next.
extern bool weir_has_wide_vectors;
// Of sixty-four bytes, in half as many steps.
void weir_text_classes_wide(const uint8_t *text, struct weir_text_classes *classes);

// Of at most sixty-four bytes. Up to fifteen more behind them are read, whose bits mean nothing.
static inline struct weir_text_classes weir_text_classes_of(const uint8_t *text, size_t count) {
#ifdef __SSE2__
    struct weir_text_classes classes = {0};
    if (count == 64 && weir_has_wide_vectors) {
        weir_text_classes_wide(text, &classes);
        return classes;
    }
    for (size_t place = 0; place < count; place += 16) {
        const __m128i block = _mm_loadu_si128((const __m128i *)(text + place));
        const __m128i digit = _mm_sub_epi8(block, _mm_set1_epi8('0'));
        const __m128i letter = _mm_sub_epi8(_mm_or_si128(block, _mm_set1_epi8(0x20)), _mm_set1_epi8('a'));
        classes.digits |= WEIR_BITS(WEIR_AT_MOST(digit, 9));
        classes.letters |= WEIR_BITS(WEIR_AT_MOST(letter, 25));
        classes.underscores |= WEIR_BITS(WEIR_ARE('_'));
        classes.dashes |= WEIR_BITS(WEIR_ARE('-'));
        classes.dots |= WEIR_BITS(WEIR_ARE('.'));
        classes.assignments |= WEIR_BITS(_mm_or_si128(WEIR_ARE(':'), WEIR_ARE('=')));
        const __m128i marks = _mm_or_si128(WEIR_ARE('@'), WEIR_ARE((char)0xEF));
        classes.rare |= WEIR_BITS(_mm_or_si128(marks, _mm_or_si128(WEIR_ARE('A'), WEIR_ARE('J'))));
    }
    return classes;
#else
    return weir_text_classes_portable(text, count);
#endif
}

struct weir_word_classes {
    // ASCII, and whatever is not.
    uint64_t letters;
    // ASCII.
    uint64_t capitals;
};

// What the next does on a processor without vectors.
static inline struct weir_word_classes weir_word_classes_portable(const uint8_t *text, size_t count) {
    struct weir_word_classes classes = {0};
    for (size_t place = 0; place < count; place++) {
        const uint8_t byte = text[place];
        const uint64_t bit = (uint64_t)1 << place;
        if (((byte | 0x20) >= 'a' && (byte | 0x20) <= 'z') || byte >= 0x80) classes.letters |= bit;
        if (byte >= 'A' && byte <= 'Z') classes.capitals |= bit;
    }
    return classes;
}

// Of at most sixty-four bytes. Up to fifteen more behind them are read, whose bits mean nothing.
static inline struct weir_word_classes weir_word_classes_of(const uint8_t *text, size_t count) {
#ifdef __SSE2__
    struct weir_word_classes classes = {0};
    for (size_t place = 0; place < count; place += 16) {
        const __m128i block = _mm_loadu_si128((const __m128i *)(text + place));
        const __m128i letter = _mm_sub_epi8(_mm_or_si128(block, _mm_set1_epi8(0x20)), _mm_set1_epi8('a'));
        const __m128i capital = _mm_sub_epi8(block, _mm_set1_epi8('A'));
        // The top bit of a byte that is not ASCII is set already.
        classes.letters |= WEIR_BITS(_mm_or_si128(WEIR_AT_MOST(letter, 25), block));
        classes.capitals |= WEIR_BITS(WEIR_AT_MOST(capital, 25));
    }
    return classes;
#else
    return weir_word_classes_portable(text, count);
#endif
}

#ifdef __SSE2__
#undef WEIR_AT_MOST
#undef WEIR_ARE
#undef WEIR_BITS
#endif

#endif
