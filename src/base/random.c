/* xoshiro256**, seeded through splitmix64 as its authors advise. */
#include "base/random.h"

#include "base/assert.h"

#include <errno.h>
#include <sys/random.h>

static uint64_t rotl(uint64_t x, int by) { return x << by | x >> (64 - by); }

void random_init(struct random *random, uint64_t seed)
{
    for (int i = 0; i < 4; i++) {
        uint64_t z = seed += 0x9e3779b97f4a7c15ULL;

        z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
        z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
        random->state[i] = z ^ z >> 31;
    }
}

uint64_t random_next(struct random *random)
{
    uint64_t *s = random->state;
    uint64_t result = rotl(s[1] * 5, 7) * 9, t = s[1] << 17;

    s[2] ^= s[0], s[3] ^= s[1], s[1] ^= s[2], s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotl(s[3], 45);
    return result;
}

/* Lemire's multiplication; the low half tells which results would be too frequent. */
uint64_t random_below(struct random *random, uint64_t bound)
{
    unsigned __int128 product;

    ASSERT(bound > 0);
    product = (unsigned __int128)random_next(random) * bound;
    if ((uint64_t)product < bound) {
        uint64_t floor = -bound % bound;

        while ((uint64_t)product < floor)
            product = (unsigned __int128)random_next(random) * bound;
    }
    return (uint64_t)(product >> 64);
}

void random_secret(void *out, size_t size)
{
    char *at = out;

    while (size) {
        ssize_t got = getrandom(at, size, 0);

        ASSERT(got > 0 || errno == EINTR);
        if (got > 0)
            at += got, size -= (size_t)got;
    }
}
