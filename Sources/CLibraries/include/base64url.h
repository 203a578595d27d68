// Base64 with the URL and filename safe alphabet (RFC 4648, section 5), without padding.
#ifndef WEIR_BASE64URL_H
#define WEIR_BASE64URL_H

#include <stddef.h>
#include <stdint.h>

// Characters that so many bytes become.
static inline size_t weir_base64url_length(size_t count) { return (count * 4 + 2) / 3; }
// Writes weir_base64url_length(count) characters.
void weir_base64url_encode(const void *bytes, size_t count, void *text);
// What it is on a processor without AVX2.
void weir_base64url_encode_portable(const void *bytes, size_t count, void *text);
// Returns the bytes, at most count * 3 / 4, or -1 where the text is not what the encoder writes.
ptrdiff_t weir_base64url_decode(const void *text, size_t count, void *bytes);

// Where a text first stands in another; -1 where it does not.
ptrdiff_t weir_find(const void *text, size_t count, const void *wanted, size_t length);

#endif
