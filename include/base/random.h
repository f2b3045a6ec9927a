/* Random numbers for choices that need no secrecy: xoshiro256** (Blackman and Vigna,
 * https://prng.di.unimi.it/). */
#ifndef TERN_BASE_RANDOM_H
#define TERN_BASE_RANDOM_H

#include <stddef.h>
#include <stdint.h>

struct random {
    uint64_t state[4];
};

void random_init(struct random *random, uint64_t seed);
uint64_t random_next(struct random *random);

/* Uniform in 0 .. bound - 1, without bias. 'bound' is not 0. */
uint64_t random_below(struct random *random, uint64_t bound);

/* From the kernel (getrandom): seeds, ids. */
void random_secret(void *out, size_t size);

#endif
