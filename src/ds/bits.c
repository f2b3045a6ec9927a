/* Bits: ranges of them are cut into a ragged first and last byte and the whole bytes between, which go by
 * words of 64 bits. */
#include "ds/bits.h"

#include "base/assert.h"

#define LINE 64 /* bytes that are looked at together */

/* The lowest 8 - 'from' % 8 bits of a byte: those from 'from' on. */
static inline unsigned char from_mask(uint64_t from) { return (unsigned char)(0xff >> from % 8); }
/* Those before 'to' in its byte. */
static inline unsigned char to_mask(uint64_t to) { return (unsigned char)~(0xff >> to % 8); }

/* --- counting ---------------------------------------------------------------------------------------- */

static inline __attribute__((always_inline)) uint64_t count_with(const unsigned char *at, size_t size)
{
    const char *word = (const char *)at;
    uint64_t a = 0, b = 0, c = 0, d = 0;
    size_t lines = size / 32;

    for (; lines; lines--, word += 32) { /* four sums, so that none waits for another */
        a += (uint64_t)__builtin_popcountll(bytes_word(word));
        b += (uint64_t)__builtin_popcountll(bytes_word(word + 8));
        c += (uint64_t)__builtin_popcountll(bytes_word(word + 16));
        d += (uint64_t)__builtin_popcountll(bytes_word(word + 24));
    }
    for (at += size / 32 * 32, size %= 32; size; size--, at++)
        a += (uint64_t)__builtin_popcount(*at);
    return a + b + c + d;
}

/* The instruction is not in every processor of the architecture, so it is asked for at run time. Without it
 * 100 MB take seven times as long. */
#ifdef __x86_64__
__attribute__((target("popcnt"))) static uint64_t count_by_instruction(const unsigned char *at, size_t size)
{
    return count_with(at, size);
}

#ifdef TERN_STRESS
static bool has_instruction(void) { return false; } /* so that both are tested */
#else
static bool has_instruction(void) { return __builtin_cpu_supports("popcnt"); }
#endif
#else
static uint64_t count_by_instruction(const unsigned char *at, size_t size) { return count_with(at, size); }
static bool has_instruction(void) { return true; }
#endif

static uint64_t count_bytes(const unsigned char *at, size_t size)
{
    return has_instruction() ? count_by_instruction(at, size) : count_with(at, size);
}

uint64_t bits_count(const void *data, uint64_t from, uint64_t to)
{
    const unsigned char *bytes = data;
    uint64_t first = from / 8, last = to / 8, count = 0;

    if (from >= to)
        return 0;
    if (first == last)
        return (uint64_t)__builtin_popcount(bytes[first] & from_mask(from) & to_mask(to));
    if (from % 8)
        count += (uint64_t)__builtin_popcount(bytes[first++] & from_mask(from));
    if (to % 8)
        count += (uint64_t)__builtin_popcount(bytes[last] & to_mask(to));
    return count + count_bytes(bytes + first, last - first);
}

/* --- finding ----------------------------------------------------------------------------------------- */

/* The place of the first byte that is not 'dull' (0 or 255), or 'size'. */
static size_t skip_dull(const unsigned char *bytes, size_t size, unsigned char dull)
{
    uint64_t word = dull * UINT64_C(0x0101010101010101);
    size_t at = 0;

    for (; at + LINE <= size; at += LINE) {
        uint64_t seen = 0;

        for (size_t i = 0; i < LINE; i += 8)
            seen |= bytes_word((const char *)bytes + at + i) ^ word;
        if (seen)
            break;
    }
    while (at < size && bytes[at] == dull)
        at++;
    return at;
}

uint64_t bits_find(const void *data, uint64_t from, uint64_t to, bool wanted)
{
    const unsigned char *bytes = data;
    unsigned char dull = wanted ? 0 : 0xff;
    uint64_t at = from / 8, end = (to + 7) / 8, found;
    unsigned char bright;

    if (from >= to)
        return BITS_NONE;
    bright = (unsigned char)((bytes[at] ^ dull) & from_mask(from));
    if (!bright) {
        at++;
        at += skip_dull(bytes + at, end - at, dull);
        if (at == end)
            return BITS_NONE;
        bright = bytes[at] ^ dull;
    }
    found = at * 8 + (uint64_t)__builtin_clz(bright) - 24;
    return found < to ? found : BITS_NONE;
}

/* --- combining --------------------------------------------------------------------------------------- */

#define CHUNK 16384 /* stays in the cache while one string after the other goes over it */

static void and_bytes(unsigned char *restrict to, const char *restrict from, size_t len)
{
    for (size_t i = 0; i < len; i++)
        to[i] &= (unsigned char)from[i];
}

static void or_bytes(unsigned char *restrict to, const char *restrict from, size_t len)
{
    for (size_t i = 0; i < len; i++)
        to[i] |= (unsigned char)from[i];
}

static void xor_bytes(unsigned char *restrict to, const char *restrict from, size_t len)
{
    for (size_t i = 0; i < len; i++)
        to[i] ^= (unsigned char)from[i];
}

static void not_bytes(unsigned char *to, size_t len)
{
    for (size_t i = 0; i < len; i++)
        to[i] = (unsigned char)~to[i];
}

/* How many of the 'len' bytes from 'at' on a string has. */
static size_t overlap(struct bytes string, size_t at, size_t len)
{
    if (at >= string.len)
        return 0;
    return string.len - at < len ? string.len - at : len;
}

static void combine_chunk(enum bits_operation operation, const struct bytes *strings, size_t count,
                          unsigned char *out, size_t at, size_t len)
{
    size_t have = overlap(strings[0], at, len);

    if (have)
        memcpy(out, strings[0].data + at, have);
    memset(out + have, 0, len - have);
    if (operation == BITS_NOT)
        not_bytes(out, len);
    for (size_t i = 1; i < count; i++) {
        const char *from;

        have = overlap(strings[i], at, len);
        from = have ? strings[i].data + at : NULL;
        if (operation == BITS_AND) {
            and_bytes(out, from, have);
            memset(out + have, 0, len - have);
        } else if (operation == BITS_OR) {
            or_bytes(out, from, have);
        } else {
            xor_bytes(out, from, have);
        }
    }
}

void bits_combine(enum bits_operation operation, const struct bytes *strings, size_t count, void *out)
{
    unsigned char chunk[CHUNK], *bytes = out;
    size_t longest = 0;

    ASSERT(count > 0);
    if (operation == BITS_NOT)
        count = 1;
    for (size_t i = 0; i < count; i++)
        if (strings[i].len > longest)
            longest = strings[i].len;
    for (size_t at = 0; at < longest; at += CHUNK) {
        size_t len = longest - at < CHUNK ? longest - at : CHUNK;

        combine_chunk(operation, strings, count, chunk, at, len);
        memcpy(bytes + at, chunk, len);
    }
}

/* --- numbers ----------------------------------------------------------------------------------------- */

/* A number of 64 bits that begins within a byte touches nine of them. */
uint64_t bits_get(struct bytes data, uint64_t at, unsigned width)
{
    unsigned __int128 window = 0;

    for (uint64_t byte = at / 8; byte <= (at + width - 1) / 8; byte++)
        window = window << 8 | (byte < data.len ? (unsigned char)data.data[byte] : 0);
    window >>= 7 - (at + width - 1) % 8;
    return (uint64_t)window & (UINT64_MAX >> (64 - width));
}

void bits_put(void *data, uint64_t at, unsigned width, uint64_t value)
{
    unsigned behind = 7 - (unsigned)((at + width - 1) % 8);
    unsigned __int128 mask = (unsigned __int128)(UINT64_MAX >> (64 - width)) << behind;
    unsigned __int128 bits = (unsigned __int128)value << behind & mask;
    unsigned char *bytes = data;

    for (uint64_t byte = (at + width - 1) / 8 + 1; byte-- > at / 8;) {
        bytes[byte] = (unsigned char)((bytes[byte] & ~(unsigned)mask) | (unsigned)bits);
        mask >>= 8;
        bits >>= 8;
    }
}
