/* HyperLogLog: adding to dense and sparse values, and making the one from the other.
 *
 * Which sparse value comes from an addition is part of the format: replicas and files of other servers hold
 * the same bytes after the same commands. So runs are split and joined exactly so:
 *
 *   split   the run of the register becomes up to three: what is before it, the register, what is behind it
 *   join    from the run before the split one on, the next five runs: neighbours of one rank, as long as
 *           they fit into one run */
#include "hyperloglog_internal.h"

#include "base/assert.h"
#include "base/mem.h"
#include "base/text.h"

#define HASH_SEED    0xadc83b19
#define INDEX_BITS   14
#define RANK_MAX     (64 - INDEX_BITS + 1)
#define JOIN_STEPS   5
#define SPLIT_MAX    5 /* bytes of the runs that one is split into */
#define SPARSE_SLACK 64

/* --- the hash ---------------------------------------------------------------------------------------- */

/* MurmurHash64A (Austin Appleby, public domain), words in little endian. */
static uint64_t murmur_hash(struct bytes bytes)
{
    const uint64_t m = UINT64_C(0xc6a4a7935bd1e995);
    uint64_t hash = HASH_SEED ^ bytes.len * m, word;
    size_t at = 0;

    for (; at + 8 <= bytes.len; at += 8) {
        word = bytes_word(bytes.data + at) * m;
        hash = (hash ^ (word ^ word >> 47) * m) * m;
    }
    if (at < bytes.len) {
        word = 0;
        memcpy(&word, bytes.data + at, bytes.len - at);
        hash = (hash ^ word) * m;
    }
    hash = (hash ^ hash >> 47) * m;
    return hash ^ hash >> 47;
}

struct hyperloglog_element hyperloglog_element(struct bytes element)
{
    uint64_t hash = murmur_hash(element);
    uint64_t rest = hash >> INDEX_BITS | UINT64_C(1) << (RANK_MAX - 1); /* ends at the highest rank */

    return (struct hyperloglog_element){hash % HLL_REGISTERS, (uint8_t)(__builtin_ctzll(rest) + 1)};
}

/* --- the value --------------------------------------------------------------------------------------- */

bool hyperloglog_is_valid(struct bytes value)
{
    if (value.len < HLL_HEADER_SIZE || memcmp(value.data, "HYLL", 4) != 0)
        return false;
    return hyperloglog_is_dense(value) ? value.len == HLL_DENSE_SIZE : value.data[4] == 1;
}

void hyperloglog_open(struct hyperloglog *hll, struct bytes value)
{
    *hll = (struct hyperloglog){(unsigned char *)value.data, value.len, 0};
}

void hyperloglog_init(struct hyperloglog *hll)
{
    static const char empty[] = "HYLL\1\0\0\0\0\0\0\0\0\0\0\0\x7f\xff";

    hll->len = sizeof empty - 1;
    hll->size = hll->len + SPARSE_SLACK;
    hll->data = mem_alloc(hll->size);
    memcpy(hll->data, empty, hll->len);
}

void hyperloglog_release(struct hyperloglog *hll)
{
    if (hll->size)
        mem_free(hll->data, hll->size);
}

/* The value becomes its own, with room for 'more' bytes. */
static void make_own(struct hyperloglog *hll, size_t more)
{
    unsigned char *copy;

    if (hll->len + more <= hll->size)
        return;
    copy = mem_alloc(hll->len + more + SPARSE_SLACK);
    memcpy(copy, hll->data, hll->len);
    hyperloglog_release(hll);
    hll->data = copy;
    hll->size = hll->len + more + SPARSE_SLACK;
}

void hyperloglog_forget_count(struct hyperloglog *hll)
{
    make_own(hll, 0);
    hll->data[15] |= COUNT_IS_STALE;
}

/* --- dense ------------------------------------------------------------------------------------------- */

/* A register's six bits may reach into the next byte. */
unsigned hyperloglog_dense_register(const char *value, unsigned index)
{
    const unsigned char *at = (const unsigned char *)value + HLL_HEADER_SIZE + index * 6 / 8;
    unsigned shift = index * 6 % 8;

    return (shift > 2 ? (unsigned)(at[0] | at[1] << 8) : at[0]) >> shift & 63;
}

static void dense_set(char *value, unsigned index, unsigned rank)
{
    unsigned char *at = (unsigned char *)value + HLL_HEADER_SIZE + index * 6 / 8;
    unsigned shift = index * 6 % 8;

    at[0] = (unsigned char)((at[0] & ~(63u << shift)) | rank << shift);
    if (shift > 2)
        at[1] = (unsigned char)((at[1] & ~(63u >> (8 - shift))) | rank >> (8 - shift));
}

bool hyperloglog_dense_add(char *value, struct hyperloglog_element element)
{
    if (hyperloglog_dense_register(value, element.index) >= element.rank)
        return false;
    dense_set(value, element.index, element.rank);
    value[15] = (char)(value[15] | COUNT_IS_STALE);
    return true;
}

enum hyperloglog_result hyperloglog_to_dense(struct hyperloglog *hll)
{
    const unsigned char *at = hll->data + HLL_HEADER_SIZE, *end = hll->data + hll->len;
    unsigned char *dense;
    unsigned index = 0;
    struct run run;

    if (hyperloglog_is_dense(hyperloglog_value(hll)))
        return HLL_SAME;
    dense = mem_alloc_zero(HLL_DENSE_SIZE);
    memcpy(dense, hll->data, HLL_HEADER_SIZE);
    dense[4] = 0;
    for (; at < end && run_read(at, end, &run) && index + run.count <= HLL_REGISTERS; at += run.size) {
        for (unsigned i = 0; run.rank && i < run.count; i++)
            dense_set((char *)dense, index + i, run.rank);
        index += run.count;
    }
    if (at < end || index != HLL_REGISTERS) {
        mem_free(dense, HLL_DENSE_SIZE);
        return HLL_CORRUPT;
    }
    hyperloglog_release(hll);
    *hll = (struct hyperloglog){dense, HLL_DENSE_SIZE, HLL_DENSE_SIZE};
    return HLL_CHANGED;
}

/* --- sparse ------------------------------------------------------------------------------------------ */

/* A run and its first register. */
struct position {
    size_t at;
    unsigned first;
};

static const struct position sparse_start = {HLL_HEADER_SIZE, 0};

/* Where a register is: its run, and the two before that; at the beginning these are the first run. */
struct place {
    struct position here, before, before_that;
    struct run run;
};

/* The registers of a run of one byte. */
static unsigned short_run_count(unsigned byte) { return (byte & (byte & 0x80 ? 3 : 63)) + 1; }

#define EACH(byte) ((byte) * UINT64_C(0x0101010101010101))

/* The registers of the eight runs of a word; 0 when one of them is longer than a byte. */
static unsigned eight_runs_count(uint64_t word)
{
    uint64_t kinds = (word & EACH(0xc0)) ^ EACH(0x40), counts, pairs;

    if (((kinds | kinds << 1) & EACH(0x80)) != EACH(0x80))
        return 0;
    counts = word & (EACH(63) ^ (word >> 7 & EACH(1)) * (63 ^ 3));
    pairs = (counts & UINT64_C(0x00ff00ff00ff00ff)) + (counts >> 8 & UINT64_C(0x00ff00ff00ff00ff));
    return (unsigned)(pairs * UINT64_C(0x0001000100010001) >> 48) + 8;
}

/* Passes over eight runs of a byte when all are before the one of 'index'. */
static bool skip_eight(const struct hyperloglog *hll, unsigned index, struct place *place)
{
    const unsigned char *at = hll->data + place->here.at;
    unsigned count, last;

    if (hll->len - place->here.at < 8)
        return false;
    count = eight_runs_count(bytes_word((const char *)at));
    if (!count || index < place->here.first + count)
        return false;
    place->here = (struct position){place->here.at + 8, place->here.first + count};
    last = place->here.first - short_run_count(at[7]);
    place->before = (struct position){place->here.at - 1, last};
    place->before_that = (struct position){place->here.at - 2, last - short_run_count(at[6])};
    return true;
}

/* Looks from a run on that is the first, or not the one of 'index'. Nearly all the time of an addition to a
 * sparse value goes here. */
static bool find_place(const struct hyperloglog *hll, struct position from, unsigned index,
                       struct place *place)
{
    const unsigned char *end = hll->data + hll->len;

    place->here = place->before = place->before_that = from;
    while (place->here.at < hll->len) {
        if (skip_eight(hll, index, place))
            continue;
        if (!run_read(hll->data + place->here.at, end, &place->run))
            return false;
        if (index < place->here.first + place->run.count)
            return true;
        place->before_that = place->before;
        place->before = place->here;
        place->here.first += place->run.count;
        place->here.at += place->run.size;
    }
    return false;
}

static unsigned char value_run(unsigned rank, unsigned count)
{
    return (unsigned char)(0x80 | (rank - 1) << 2 | (count - 1));
}

/* Writes a run of 'count' registers like those of 'run'; nothing for none. Returns its size. */
static unsigned put_rest(unsigned char *out, const struct run *run, unsigned count)
{
    if (!count)
        return 0;
    if (run->kind == RUN_VALUE) {
        out[0] = value_run(run->rank, count);
    } else if (count <= RUN_ZEROS_MAX) {
        out[0] = (unsigned char)(count - 1);
    } else {
        out[0] = (unsigned char)(0x40 | (count - 1) >> 8);
        out[1] = (unsigned char)(count - 1);
        return 2;
    }
    return 1;
}

/* The runs that take the place of one in which a register gets another rank. Returns their size. */
static unsigned split_run(const struct place *place, struct hyperloglog_element element,
                          unsigned char out[SPLIT_MAX])
{
    unsigned before = element.index - place->here.first, size = put_rest(out, &place->run, before);

    out[size++] = value_run(element.rank, 1);
    return size + put_rest(out + size, &place->run, place->run.count - before - 1);
}

/* Two neighbours of one rank that fit into one run become that, which is then looked at again. */
static void join_runs(struct hyperloglog *hll, size_t from)
{
    struct run run, next;

    for (int step = 0; step < JOIN_STEPS && from < hll->len; step++) {
        unsigned char *at = hll->data + from, *end = hll->data + hll->len;

        if (!run_read(at, end, &run))
            return;
        if (run.kind == RUN_VALUE && at + 1 < end && run_read(at + 1, end, &next) &&
            next.kind == RUN_VALUE && next.rank == run.rank && run.count + next.count <= RUN_VALUE_MAX) {
            at[1] = value_run(run.rank, run.count + next.count);
            memmove(at, at + 1, (size_t)(end - at - 1));
            hll->len--;
            continue;
        }
        from += run.size;
    }
}

static enum hyperloglog_result add_as_dense(struct hyperloglog *hll, struct hyperloglog_element element)
{
    if (hyperloglog_to_dense(hll) == HLL_CORRUPT)
        return HLL_CORRUPT;
    hyperloglog_dense_add((char *)hll->data, element);
    return HLL_CHANGED;
}

/* 'from' is a run to begin the search at, and becomes one for higher registers: joining runs leaves alone
 * what is two runs before. */
static enum hyperloglog_result sparse_add(struct hyperloglog *hll, struct hyperloglog_element element,
                                          size_t sparse_max, struct position *from)
{
    unsigned char runs[SPLIT_MAX], *at;
    struct place place;
    unsigned size;

    if (element.rank > RUN_RANK_MAX)
        return add_as_dense(hll, element);
    if (!find_place(hll, *from, element.index, &place))
        return HLL_CORRUPT;
    *from = place.before_that;
    if (place.run.rank >= element.rank)
        return HLL_SAME;
    size = split_run(&place, element, runs);
    if (size > place.run.size && hll->len + size - place.run.size > sparse_max)
        return add_as_dense(hll, element);
    make_own(hll, SPLIT_MAX);
    at = hll->data + place.here.at;
    memmove(at + size, at + place.run.size, hll->len - place.here.at - place.run.size);
    memcpy(at, runs, size);
    hll->len = hll->len + size - place.run.size;
    join_runs(hll, place.before.at);
    return HLL_CHANGED;
}

/* --- adding ------------------------------------------------------------------------------------------ */

enum hyperloglog_result hyperloglog_add(struct hyperloglog *hll, struct hyperloglog_element element,
                                        size_t sparse_max)
{
    struct position from = sparse_start;

    if (!hyperloglog_is_dense(hyperloglog_value(hll)))
        return sparse_add(hll, element, sparse_max, &from);
    if (hyperloglog_dense_register((char *)hll->data, element.index) >= element.rank)
        return HLL_SAME;
    make_own(hll, 0);
    dense_set((char *)hll->data, element.index, element.rank);
    return HLL_CHANGED;
}

static void dense_set_all(struct hyperloglog *hll, const uint8_t registers[HLL_REGISTERS])
{
    make_own(hll, 0);
    for (unsigned group = 0; group < HLL_REGISTERS / 8; group++) {
        uint64_t packed = dense_pack(bytes_word((const char *)registers + group * 8));

        memcpy(hll->data + HLL_HEADER_SIZE + group * 6, &packed, 6);
    }
}

enum hyperloglog_result hyperloglog_raise(struct hyperloglog *hll, const uint8_t registers[HLL_REGISTERS],
                                          size_t sparse_max)
{
    enum hyperloglog_result result = HLL_SAME, added;
    struct position from = sparse_start;

    for (unsigned i = 0; i < HLL_REGISTERS && !hyperloglog_is_dense(hyperloglog_value(hll)); i++) {
        if (!registers[i])
            continue;
        added = sparse_add(hll, (struct hyperloglog_element){(uint16_t)i, registers[i]}, sparse_max, &from);
        if (added == HLL_CORRUPT)
            return HLL_CORRUPT;
        if (added == HLL_CHANGED)
            result = HLL_CHANGED;
    }
    if (!hyperloglog_is_dense(hyperloglog_value(hll)))
        return result;
    dense_set_all(hll, registers);
    return HLL_CHANGED;
}

/* --- looking inside ---------------------------------------------------------------------------------- */

void hyperloglog_describe(struct bytes value, struct text *out)
{
    const unsigned char *at = (const unsigned char *)value.data + HLL_HEADER_SIZE;
    const unsigned char *end = (const unsigned char *)value.data + value.len;
    struct run run;

    for (; at < end; at += run.size) {
        const char *blank = out->len ? " " : "";

        if (!run_read(at, end, &run)) /* its second byte is missing: as if that were 0 */
            run = (struct run){RUN_MANY_ZEROS, ((*at & 63u) << 8) + 1, 0, 1};
        if (run.kind == RUN_VALUE)
            text_format(out, "%sv:%u,%u", blank, run.rank, run.count);
        else
            text_format(out, "%s%c:%u", blank, run.kind == RUN_ZEROS ? 'z' : 'Z', run.count);
    }
}
