/* SipHash-1-3 with one seed for the process. */
#include "base/hash.h"

static struct hash_seed process_seed;

void hash_set_seed(struct hash_seed seed) { process_seed = seed; }

static inline uint64_t rotl(uint64_t x, int by) { return x << by | x >> (64 - by); }

static inline uint64_t load64(const char *at)
{
    uint64_t word;

    memcpy(&word, at, sizeof word);
    return word; /* little endian machines only; the value never leaves the process */
}

struct sip {
    uint64_t v0, v1, v2, v3;
};

static inline void sip_round(struct sip *s)
{
    s->v0 += s->v1, s->v2 += s->v3;
    s->v1 = rotl(s->v1, 13) ^ s->v0, s->v3 = rotl(s->v3, 16) ^ s->v2;
    s->v0 = rotl(s->v0, 32);
    s->v2 += s->v1, s->v0 += s->v3;
    s->v1 = rotl(s->v1, 17) ^ s->v2, s->v3 = rotl(s->v3, 21) ^ s->v0;
    s->v2 = rotl(s->v2, 32);
}

/* The last 0 to 7 bytes, little endian. Reads inside the string only. */
static inline uint64_t tail_word(const char *at, size_t len, size_t total)
{
    const unsigned char *bytes = (const unsigned char *)at;

    if (!len)
        return 0;
    if (total >= 8)
        return load64(at + len - 8) >> (8 * (8 - len));
    if (len >= 4)
        return bytes_half(at) | (uint64_t)bytes_half(at + len - 4) << (8 * (len - 4));
    return bytes[0] | (uint64_t)bytes[len / 2] << (8 * (len / 2)) |
           (uint64_t)bytes[len - 1] << (8 * (len - 1));
}

uint64_t hash_bytes(struct bytes bytes)
{
    struct sip s = {process_seed.k0 ^ 0x736f6d6570736575ULL, process_seed.k1 ^ 0x646f72616e646f6dULL,
                    process_seed.k0 ^ 0x6c7967656e657261ULL, process_seed.k1 ^ 0x7465646279746573ULL};
    const char *at = bytes.data;
    size_t left = bytes.len;
    uint64_t word;

    for (; left >= 8; at += 8, left -= 8) {
        word = load64(at);
        s.v3 ^= word;
        sip_round(&s);
        s.v0 ^= word;
    }
    word = (uint64_t)bytes.len << 56 | tail_word(at, left, bytes.len);
    s.v3 ^= word;
    sip_round(&s);
    s.v0 ^= word;
    s.v2 ^= 0xff;
    sip_round(&s);
    sip_round(&s);
    sip_round(&s);
    return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}
