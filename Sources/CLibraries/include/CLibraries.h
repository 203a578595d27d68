// The C libraries that Weir links, for the System folder only.
#ifndef WEIR_CLIBRARIES_H
#define WEIR_CLIBRARIES_H

#include "base64url.h"
#include "certificate.h"
#include "crc32c.h"
#include "text_classes.h"

#include <libdeflate.h>
#include <malloc.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/core_names.h>
#include <openssl/hmac.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <postgresql/libpq-fe.h>
#include <sys/eventfd.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

// O_DIRECT of open(2), which Swift does not see.
extern const int weir_o_direct;

// Steps that this thread took, for tests that a text cannot take more than in proportion to its length.
void weir_note_step(void);
uint64_t weir_noted_steps(void);

#endif
