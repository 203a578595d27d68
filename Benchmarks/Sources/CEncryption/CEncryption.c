// The same calls of OpenSSL, in a loop without anything around it.
#include "CEncryption.h"

#include "base64url.h"

#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct weir_encryption_loop {
    EVP_CIPHER_CTX *xaes, *gcm, *ecb;
    uint8_t mask[16], nonces[4080], nonce[24], additional[100], *sealed, *text;
    size_t used, left, room, end, capacity;
};

struct weir_encryption_loop *weir_encryption_loop_new(void) {
    struct weir_encryption_loop *loop = calloc(1, sizeof *loop);
    uint8_t key[32], zeros[16] = {0};
    int length;
    RAND_bytes(key, sizeof key);
    loop->xaes = EVP_CIPHER_CTX_new();
    loop->gcm = EVP_CIPHER_CTX_new();
    loop->ecb = EVP_CIPHER_CTX_new();
    EVP_CIPHER *gcm = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL), *ecb = EVP_CIPHER_fetch(NULL, "AES-256-ECB", NULL);
    if (EVP_CipherInit_ex2(loop->xaes, gcm, NULL, NULL, 1, NULL) != 1) return NULL;
    if (EVP_CipherInit_ex2(loop->gcm, gcm, key, NULL, 1, NULL) != 1) return NULL;
    if (EVP_CipherInit_ex2(loop->ecb, ecb, key, NULL, 1, NULL) != 1) return NULL;
    EVP_CIPHER_CTX_set_padding(loop->ecb, 0);
    EVP_CipherUpdate(loop->ecb, loop->mask, &length, zeros, 16);
    loop->used = sizeof loop->nonces;
    return loop;
}

void weir_encryption_loop_begin(struct weir_encryption_loop *loop, size_t capacity) {
    free(loop->text);
    loop->text = malloc(capacity);
    loop->capacity = capacity;
    loop->end = 0;
}

int weir_encryption_loop_seal(struct weir_encryption_loop *loop, int is_xaes, const void *value, size_t count) {
    size_t size = is_xaes ? 24 : 12, head = 11 + size;
    int length;
    if (loop->room < count + 64) {
        loop->room = count + 64;
        loop->sealed = realloc(loop->sealed, loop->room);
    }
    const uint8_t *nonce = loop->nonce;
    int is_first = 0;
    if (!is_xaes) {
        if (loop->used + size > sizeof loop->nonces) {
            if (RAND_bytes(loop->nonces, sizeof loop->nonces) != 1) return 0;
            loop->used = 0;
        }
        nonce = loop->nonces + loop->used;
        loop->used += size;
    } else if (loop->left > 0) {
        uint64_t number;
        memcpy(&number, loop->nonce + 16, sizeof number);
        number++;
        memcpy(loop->nonce + 16, &number, sizeof number);
        loop->left--;
    } else {
        if (RAND_bytes(loop->nonce, sizeof loop->nonce) != 1) return 0;
        loop->left = 4095;
        is_first = 1;
    }
    memset(loop->sealed, 0xE7, 11);
    memcpy(loop->sealed + 11, nonce, size);
    EVP_CIPHER_CTX *context = is_xaes ? loop->xaes : loop->gcm;
    if (is_first) {
        uint8_t blocks[32], key[32];
        for (int part = 0; part < 2; part++) {
            uint8_t start[4] = {0, (uint8_t)(part + 1), 'X', 0};
            memcpy(blocks + 16 * part, start, 4);
            memcpy(blocks + 16 * part + 4, nonce, 12);
            for (int at = 0; at < 16; at++) blocks[16 * part + at] ^= loop->mask[at];
        }
        if (EVP_CipherUpdate(loop->ecb, key, &length, blocks, 32) != 1) return 0;
        if (EVP_CipherInit_ex2(context, NULL, key, nonce + 12, -1, NULL) != 1) return 0;
    } else if (EVP_CipherInit_ex2(context, NULL, NULL, nonce + size - 12, -1, NULL) != 1) {
        return 0;
    }
    if (EVP_CipherUpdate(context, NULL, &length, loop->additional, 76) != 1) return 0;
    if (EVP_CipherUpdate(context, loop->sealed + head, &length, value, (int)count) != 1) return 0;
    if (EVP_CipherFinal_ex(context, loop->sealed + head + count, &length) != 1) return 0;
    if (EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, 16, loop->sealed + head + count) != 1) return 0;
    // What was encrypted is kept, as the spans of a batch are.
    size_t written = 6 + weir_base64url_length(head + count + 16);
    if (loop->end + written > loop->capacity) return 0;
    memcpy(loop->text + loop->end, "weir1.", 6);
    weir_base64url_encode(loop->sealed, head + count + 16, loop->text + loop->end + 6);
    loop->end += written;
    return 1;
}
