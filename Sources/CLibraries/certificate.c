#include "certificate.h"

#include <limits.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <string.h>

typedef struct {
    char *text;
    size_t room, used;
} Names;

static int is_printable(const char *bytes, size_t count) {
    for (size_t index = 0; index < count; index++)
        if (bytes[index] < 0x20 || bytes[index] > 0x7E) return 0;
    return count > 0;
}

// Returns whether there was room.
static int add(Names *names, const char *kind, const char *bytes, size_t count) {
    size_t prefix = strlen(kind);
    if (!is_printable(bytes, count)) return 1;
    if (names->room - names->used < prefix + count + 1) return 0;
    memcpy(names->text + names->used, kind, prefix);
    memcpy(names->text + names->used + prefix, bytes, count);
    names->used += prefix + count;
    names->text[names->used++] = 0;
    return 1;
}

static int add_subject(Names *names, X509 *certificate) {
    BIO *memory = BIO_new(BIO_s_mem());
    if (!memory) return 0;
    char *bytes = NULL;
    X509_NAME_print_ex(memory, X509_get_subject_name(certificate), 0, XN_FLAG_RFC2253);
    long count = BIO_get_mem_data(memory, &bytes);
    int fits = count <= 0 || add(names, "", bytes, (size_t)count);
    BIO_free(memory);
    return fits;
}

static int add_alternatives(Names *names, X509 *certificate) {
    GENERAL_NAMES *all = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    int fits = 1;
    for (int index = 0; fits && index < sk_GENERAL_NAME_num(all); index++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(all, index);
        const char *kind = name->type == GEN_DNS ? "DNS:" : name->type == GEN_URI ? "URI:" : name->type == GEN_EMAIL ? "email:" : NULL;
        if (kind)
            fits = add(names, kind, (const char *)ASN1_STRING_get0_data(name->d.ia5), (size_t)ASN1_STRING_length(name->d.ia5));
    }
    GENERAL_NAMES_free(all);
    return fits;
}

ptrdiff_t weir_certificate_names(const void *der, size_t count, char *text, size_t room) {
    const unsigned char *next = der;
    X509 *certificate = count > LONG_MAX ? NULL : d2i_X509(NULL, &next, (long)count);
    Names names = {text, room, 0};
    int fits = certificate && add_subject(&names, certificate) && add_alternatives(&names, certificate);
    X509_free(certificate);
    ERR_clear_error();
    return fits ? (ptrdiff_t)names.used : -1;
}
