/* SHA-1 (FIPS 180-4): for digests of databases and names of scripts, not for secrets. */
#ifndef TERN_BASE_SHA1_H
#define TERN_BASE_SHA1_H

#include "base/bytes.h"

#include <stddef.h>
#include <stdint.h>

#define SHA1_SIZE 20

struct sha1 {
    uint32_t state[5];
    uint64_t bytes;
    unsigned char block[64];
};

void sha1_init(struct sha1 *sha1);
void sha1_add(struct sha1 *sha1, const void *data, size_t size);
void sha1_finish(struct sha1 *sha1, unsigned char out[SHA1_SIZE]);

/* The sum of a text. */
void sha1_bytes(struct bytes text, unsigned char out[SHA1_SIZE]);
/* The same in hexadecimal, terminated. */
#define SHA1_HEX_LEN (2 * SHA1_SIZE)
void sha1_hex(struct bytes text, char out[SHA1_HEX_LEN + 1]);

#endif
