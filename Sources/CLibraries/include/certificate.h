// Names of an X.509 certificate.
#ifndef WEIR_CERTIFICATE_H
#define WEIR_CERTIFICATE_H

#include <stddef.h>

// Writes the subject as RFC 2253 has it, and then each subject alternative name as DNS:…, URI:… or email:…, with a zero
// byte behind each. A name that is not printable ASCII is left out, since it could pass for another.
// Returns the bytes written, or -1 where this is no certificate or the room is too small.
ptrdiff_t weir_certificate_names(const void *der, size_t count, char *text, size_t room);

#endif
