/* Keyed hashing: SipHash-1-3 (Aumasson and Bernstein, https://www.aumasson.jp/siphash/), so that
 * nobody who lacks the seed can make keys that collide. One seed for the process, drawn at start. */
#ifndef TERN_BASE_HASH_H
#define TERN_BASE_HASH_H

#include "base/bytes.h"

#include <stdint.h>

struct hash_seed {
    uint64_t k0, k1;
};

/* Before the first hash. Tests give a fixed seed to be repeatable. */
void hash_set_seed(struct hash_seed seed);

/* All 64 bits are equally good. */
uint64_t hash_bytes(struct bytes bytes);

/* A text whose hash may be known already: 0 is not. */
struct hashed {
    struct bytes bytes;
    uint64_t hash;
};

static inline struct hashed hashed(struct bytes bytes) { return (struct hashed){bytes, 0}; }
static inline uint64_t hash_of(const struct hashed *text) { return text->hash ? text->hash : hash_bytes(text->bytes); }

#endif
