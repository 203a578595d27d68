#ifndef CENCRYPTION_H
#define CENCRYPTION_H

#include <stddef.h>

struct weir_encryption_loop;
struct weir_encryption_loop *weir_encryption_loop_new(void);
// Forgets what was written, and makes room for a batch.
void weir_encryption_loop_begin(struct weir_encryption_loop *loop, size_t capacity);
// Encrypts a value as Weir's fields are, and writes the text. Returns 1, or 0 where OpenSSL refuses.
int weir_encryption_loop_seal(struct weir_encryption_loop *loop, int is_xaes, const void *value, size_t count);

#endif
