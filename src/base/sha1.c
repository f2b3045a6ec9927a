/* SHA-1, as the standard writes it. */
#include "base/sha1.h"

#include <stdio.h>
#include <string.h>

void sha1_init(struct sha1 *sha1)
{
    *sha1 = (struct sha1){{0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0}, 0, {0}};
}

static uint32_t rotl(uint32_t x, int by) { return x << by | x >> (32 - by); }

static uint32_t load_be32(const unsigned char *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static void mix_block(uint32_t state[5], const unsigned char *block)
{
    uint32_t w[80], a = state[0], b = state[1], c = state[2], d = state[3], e = state[4];

    for (int t = 0; t < 16; t++)
        w[t] = load_be32(block + 4 * t);
    for (int t = 16; t < 80; t++)
        w[t] = rotl(w[t - 3] ^ w[t - 8] ^ w[t - 14] ^ w[t - 16], 1);
    for (int t = 0; t < 80; t++) {
        uint32_t f, k, next;

        if (t < 20)
            f = (b & c) | (~b & d), k = 0x5a827999;
        else if (t < 40)
            f = b ^ c ^ d, k = 0x6ed9eba1;
        else if (t < 60)
            f = (b & c) | (b & d) | (c & d), k = 0x8f1bbcdc;
        else
            f = b ^ c ^ d, k = 0xca62c1d6;
        next = rotl(a, 5) + f + e + k + w[t];
        e = d, d = c, c = rotl(b, 30), b = a, a = next;
    }
    state[0] += a, state[1] += b, state[2] += c, state[3] += d, state[4] += e;
}

void sha1_add(struct sha1 *sha1, const void *data, size_t size)
{
    const unsigned char *at = data;
    size_t used = sha1->bytes % 64;

    sha1->bytes += size;
    while (size) {
        size_t part = 64 - used < size ? 64 - used : size;

        memcpy(sha1->block + used, at, part);
        at += part;
        size -= part;
        used += part;
        if (used == 64) {
            mix_block(sha1->state, sha1->block);
            used = 0;
        }
    }
}

void sha1_finish(struct sha1 *sha1, unsigned char out[SHA1_SIZE])
{
    static const unsigned char padding[64] = {0x80};
    uint64_t bits = sha1->bytes * 8;
    size_t used = sha1->bytes % 64;
    unsigned char length[8];

    for (int i = 0; i < 8; i++)
        length[i] = (unsigned char)(bits >> (56 - 8 * i));
    sha1_add(sha1, padding, used < 56 ? 56 - used : 120 - used);
    sha1_add(sha1, length, 8);
    for (int i = 0; i < SHA1_SIZE; i++)
        out[i] = (unsigned char)(sha1->state[i / 4] >> (24 - 8 * (i % 4)));
}

void sha1_bytes(struct bytes text, unsigned char out[SHA1_SIZE])
{
    struct sha1 sha1;

    sha1_init(&sha1);
    sha1_add(&sha1, text.data, text.len);
    sha1_finish(&sha1, out);
}

void sha1_hex(struct bytes text, char out[SHA1_HEX_LEN + 1])
{
    unsigned char sum[SHA1_SIZE];

    sha1_bytes(text, sum);
    for (size_t i = 0; i < SHA1_SIZE; i++)
        snprintf(out + 2 * i, 3, "%02x", sum[i]);
}
