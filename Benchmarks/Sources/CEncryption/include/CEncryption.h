#ifndef CENCRYPTION_H
#define CENCRYPTION_H

#include <stddef.h>

struct weir_encryption_loop;
struct weir_encryption_loop *weir_encryption_loop_new(void);
// Encrypts a value as Weir's fields are, and writes the text. Returns 1, or 0 where OpenSSL refuses.
int weir_encryption_loop_seal(struct weir_encryption_loop *loop, int is_xaes, const void *value, size_t count);

#endif
