/* The compressor remembers for each hash of three bytes where they stood last, and takes what it finds there. */
#include "persist/lzf.h"

#define SLOT_BITS   16
#define SLOTS       (1u << SLOT_BITS)
#define PLAIN_MAX   32
#define BACK_MAX    8192
#define MATCH_MAX   264
#define CLEARED_MAX 16384 /* up to here clearing the slots that a text can touch is cheaper than clearing all */

struct packer {
    const unsigned char *text;
    uint32_t len;
    unsigned char *out, *end;
    unsigned char *plain; /* the head of the run of bytes as they are, whose length is not known yet */
    uint32_t *places;     /* by hash; 0: none, since a match never begins at the text's first byte */
};

static inline unsigned slot_of(const unsigned char *at)
{
    unsigned first = (unsigned)at[0] << 8 | at[1], last = (unsigned)at[1] << 8 | at[2];

    return (first - 5 * last) & (SLOTS - 1);
}

static void clear_places(const struct packer *packer)
{
    if (packer->len > CLEARED_MAX) {
        memset(packer->places, 0, SLOTS * sizeof *packer->places);
        return;
    }
    for (uint32_t at = 0; at + 2 < packer->len; at++)
        packer->places[slot_of(packer->text + at)] = 0;
}

static inline void remember(const struct packer *packer, uint32_t at)
{
    packer->places[slot_of(packer->text + at)] = at;
}

static void begin_plain(struct packer *packer) { packer->plain = packer->out++; }

/* A run of none leaves nothing behind. */
static void end_plain(struct packer *packer)
{
    size_t count = (size_t)(packer->out - packer->plain) - 1;

    if (count)
        *packer->plain = (unsigned char)(count - 1);
    else
        packer->out--;
}

static void add_plain(struct packer *packer, uint32_t at)
{
    *packer->out++ = packer->text[at];
    if (packer->out - packer->plain > PLAIN_MAX) {
        end_plain(packer);
        begin_plain(packer);
    }
}

/* How many bytes at 'at' are those at 'from', of which three are known to be. The text's last two are left out, but for
 * lengths that Redis's compressor looks at in one go of 16. */
static uint32_t match_len(const struct packer *packer, uint32_t at, uint32_t from)
{
    uint32_t len = 3, most = packer->len - at - 2;

    if (most > MATCH_MAX)
        most = MATCH_MAX;
    if (most > 16 && most < 19)
        most = 19;
    while (len < most && packer->text[from + len] == packer->text[at + len])
        len++;
    return len;
}

static void add_match(struct packer *packer, uint32_t back, uint32_t len)
{
    unsigned high = back >> 8;

    end_plain(packer);
    if (len < 9) {
        *packer->out++ = (unsigned char)(high | (len - 2) << 5);
    } else {
        *packer->out++ = (unsigned char)(high | 7 << 5);
        *packer->out++ = (unsigned char)(len - 9);
    }
    *packer->out++ = (unsigned char)back;
    begin_plain(packer);
}

/* Whether three bytes stood there before, near enough. */
static inline bool is_match(const struct packer *packer, uint32_t at, uint32_t from)
{
    const unsigned char *a = packer->text + at, *b = packer->text + from;

    return from > 0 && at - from <= BACK_MAX && a[0] == b[0] && a[1] == b[1] && a[2] == b[2];
}

/* Room for a match and for the head of what follows. */
static bool has_room_for_match(const struct packer *packer)
{
    bool is_run_empty = packer->out - packer->plain == 1;

    return packer->end - packer->out + is_run_empty > 4;
}

size_t lzf_compress(struct bytes text, char *out, size_t size)
{
    uint32_t places[SLOTS], at = 0;
    struct packer packer = {(const unsigned char *)text.data, (uint32_t)text.len, (unsigned char *)out,
                            (unsigned char *)out + size, NULL, places};

    if (text.len < 4 || text.len > UINT32_MAX || size < 4)
        return 0;
    clear_places(&packer);
    begin_plain(&packer);
    while (at + 2 < packer.len) {
        unsigned slot = slot_of(packer.text + at);
        uint32_t from = places[slot], len;

        places[slot] = at;
        if (!is_match(&packer, at, from)) {
            if (packer.out >= packer.end)
                return 0;
            add_plain(&packer, at++);
            continue;
        }
        if (!has_room_for_match(&packer))
            return 0;
        len = match_len(&packer, at, from);
        add_match(&packer, at - from - 1, len);
        at += len;
        if (at + 2 >= packer.len)
            break;
        remember(&packer, at - 2);
        remember(&packer, at - 1);
    }
    if (packer.end - packer.out < 3)
        return 0;
    while (at < packer.len)
        add_plain(&packer, at++);
    end_plain(&packer);
    return (size_t)(packer.out - (unsigned char *)out);
}

/* --- the way back ------------------------------------------------------------------------------------------- */

bool lzf_unpack(struct bytes packed, char *out, size_t len)
{
    const unsigned char *at = (const unsigned char *)packed.data, *end = at + packed.len;
    size_t done = 0;

    while (at < end) {
        unsigned head = *at++;
        size_t count = head >> 5, back;

        if (!count) {
            count = head + 1;
            if (count > (size_t)(end - at) || count > len - done)
                return false;
            memcpy(out + done, at, count);
            at += count;
            done += count;
            continue;
        }
        if (count == 7) {
            if (at == end)
                return false;
            count += *at++;
        }
        if (at == end)
            return false;
        back = ((size_t)(head & 31) << 8 | *at++) + 1;
        count += 2;
        if (back > done || count > len - done)
            return false;
        if (back >= count)
            memcpy(out + done, out + done - back, count);
        else /* what it writes it reads again */
            for (size_t i = 0; i < count; i++)
                out[done + i] = out[done + i - back];
        done += count;
    }
    return done == len;
}
