/* Strings as rows of bits. BITFIELD is in cmd_bitfield.c. */
#include "base/mem.h"
#include "bit_argument_internal.h"
#include "ds/bits.h"
#include "engine/events.h"
#include "engine/request.h"
#include "store/string_value.h"

static const struct event_kind EVENT_SETBIT = {EVENT_CLASS_STRING, "setbit"};
static const struct event_kind EVENT_SET = {EVENT_CLASS_STRING, "set"};

/* --- one bit ----------------------------------------------------------------------------------------- */

static void cmd_setbit(struct request *req)
{
    struct key_ref ref;
    uint64_t offset;
    int64_t bit;
    size_t len;
    char *data;
    bool old;

    if (!bit_offset_or_reply(req, 2, &offset) ||
        !parse_int_range_or_reply(req, 3, 0, 1, &bit, ERR_BIT) ||
        !key_find_or_reply(req, 1, VALUE_STRING, LOOKUP_WRITE, &ref))
        return;
    len = ref.entry ? string_len(ref.entry) : 0;
    data = string_bytes_for_write(&ref, req->argv[1], offset / 8 + 1);
    old = bits_get((struct bytes){data, offset / 8 + 1}, offset, 1);
    if (old != bit || offset / 8 >= len) {
        bits_put(data, offset, 1, (uint64_t)bit);
        key_changed(req, req->db, req->argv[1], &EVENT_SETBIT, 1);
    }
    reply_int(req, old);
}

static void cmd_getbit(struct request *req)
{
    char text[INT64_TEXT_MAX];
    struct key_ref ref;
    uint64_t offset;

    if (bit_offset_or_reply(req, 2, &offset) &&
        key_find_or_reply(req, 1, VALUE_STRING, LOOKUP_READ, &ref))
        reply_int(req, ref.entry && bits_test(string_get(ref.entry, text), offset));
}

/* --- ranges ------------------------------------------------------------------------------------------ */

struct bit_range {
    int64_t start, end; /* both belong to it; negative from the end of the string */
    bool is_in_bits;
};

static bool parse_unit_or_reply(struct request *req, int at, struct bit_range *range)
{
    range->is_in_bits = argument_is(req, at, "bit");
    if (range->is_in_bits || argument_is(req, at, "byte"))
        return true;
    reply_syntax_error(req);
    return false;
}

/* start, end and BYTE or BIT, from argument 'at' on. */
static bool parse_range_or_reply(struct request *req, int at, bool unit_before_end, struct bit_range *range)
{
    bool has_unit = req->argc == at + 3;

    *range = (struct bit_range){0, -1, false};
    if (req->argc > at + 3) {
        reply_syntax_error(req);
        return false;
    }
    if (req->argc > at && !parse_int_or_reply(req, at, &range->start))
        return false;
    if (has_unit && unit_before_end && !parse_unit_or_reply(req, at + 2, range))
        return false;
    if (req->argc > at + 1 && !parse_int_or_reply(req, at + 1, &range->end))
        return false;
    return !has_unit || unit_before_end || parse_unit_or_reply(req, at + 2, range);
}

static int64_t from_start(int64_t place, int64_t len)
{
    if (place >= 0)
        return place;
    return place + len > 0 ? place + len : 0;
}

/* The bits 'from' to 'to' - 1 of a string of 'size' bytes; false when there are none. */
static bool range_in(const struct bit_range *range, size_t size, uint64_t *from, uint64_t *to)
{
    int64_t unit = range->is_in_bits ? 1 : 8, len = (int64_t)size * 8 / unit;
    int64_t start = from_start(range->start, len), end = from_start(range->end, len);

    if (end >= len)
        end = len - 1;
    if (start > end)
        return false;
    *from = (uint64_t)(start * unit);
    *to = (uint64_t)((end + 1) * unit);
    return true;
}

static void cmd_bitcount(struct request *req)
{
    char text[INT64_TEXT_MAX];
    struct bit_range range;
    struct bytes value;
    struct key_ref ref;
    uint64_t from, to;
    bool is_reversed;

    if (req->argc == 3) {
        reply_syntax_error(req);
        return;
    }
    if (!parse_range_or_reply(req, 2, false, &range) ||
        !key_find_or_reply(req, 1, VALUE_STRING, LOOKUP_READ, &ref))
        return;
    value = ref.entry ? string_get(ref.entry, text) : (struct bytes){NULL, 0};
    is_reversed = range.start < 0 && range.end < 0 && range.start > range.end; /* however short the string */
    reply_int(req, !is_reversed && range_in(&range, value.len, &from, &to)
                       ? (int64_t)bits_count(value.data, from, to)
                       : 0);
}

static void cmd_bitpos(struct request *req)
{
    char text[INT64_TEXT_MAX];
    struct bit_range range;
    struct bytes value;
    struct key_ref ref;
    uint64_t from, to, found;
    int64_t bit;

    if (!parse_int_or_reply(req, 2, &bit))
        return;
    if (bit != 0 && bit != 1) {
        reply_error(req, "ERR The bit argument must be 1 or 0.");
        return;
    }
    if (!parse_range_or_reply(req, 3, true, &range) ||
        !key_find_or_reply(req, 1, VALUE_STRING, LOOKUP_READ, &ref))
        return;
    if (!ref.entry) {
        reply_int(req, bit ? -1 : 0);
        return;
    }
    value = string_get(ref.entry, text);
    if (!range_in(&range, value.len, &from, &to)) {
        reply_int(req, -1);
        return;
    }
    found = bits_find(value.data, from, to, bit);
    if (found != BITS_NONE)
        reply_int(req, (int64_t)found);
    else /* without an end, zeros are thought behind the string */
        reply_int(req, bit || req->argc > 4 ? -1 : (int64_t)to);
}

/* --- combining --------------------------------------------------------------------------------------- */

struct source {
    char text[INT64_TEXT_MAX];
};

static bool parse_operation_or_reply(struct request *req, enum bits_operation *operation)
{
    static const struct {
        const char *name;
        enum bits_operation operation;
    } operations[] = {{"and", BITS_AND}, {"or", BITS_OR}, {"xor", BITS_XOR}, {"not", BITS_NOT}};

    for (size_t i = 0; i < sizeof operations / sizeof *operations; i++) {
        if (!argument_is(req, 1, operations[i].name))
            continue;
        *operation = operations[i].operation;
        if (*operation != BITS_NOT || req->argc == 4)
            return true;
        reply_error(req, "ERR BITOP NOT must be called with a single source key.");
        return false;
    }
    reply_syntax_error(req);
    return false;
}

/* The values of the sources, empty ones for what is absent. 'texts' are for those of numbers. */
static bool read_sources_or_reply(struct request *req, struct bytes *values, struct source *texts,
                                  size_t *longest)
{
    *longest = 0;
    for (int i = 3; i < req->argc; i++) {
        struct bytes *value = &values[i - 3];
        struct key_ref ref;

        if (!key_find_or_reply(req, i, VALUE_STRING, LOOKUP_READ, &ref))
            return false;
        *value = ref.entry ? string_get(ref.entry, texts[i - 3].text) : (struct bytes){NULL, 0};
        if (value->len > *longest)
            *longest = value->len;
    }
    return true;
}

/* The destination may be a source. Its block serves again when it fits: in fresh memory 100 MB take three
 * times as long. */
static void store_combined(struct request *req, enum bits_operation operation, const struct bytes *values,
                           size_t count, size_t len)
{
    struct key_ref ref = key_find(req, 2, LOOKUP_WRITE);
    char buffer[STRING_EMBEDDED_MAX];
    struct string_block *block;

    if (len <= sizeof buffer) {
        bits_combine(operation, values, count, buffer);
        string_set_raw(&ref, req->argv[2], (struct bytes){buffer, len}, false);
    } else {
        block = string_take_block(&ref, len);
        if (!block)
            block = string_block_new(len);
        block->len = len;
        bits_combine(operation, values, count, block->data);
        string_set_block(&ref, req->argv[2], block, false);
    }
    key_changed(req, req->db, req->argv[2], &EVENT_SET, 1);
}

static void remove_destination(struct request *req)
{
    struct key_ref ref = key_find(req, 2, LOOKUP_WRITE);

    if (!ref.entry)
        return;
    store_remove(&ref);
    key_removed(req, req->db, req->argv[2], &EVENT_DEL, 1);
}

static void cmd_bitop(struct request *req)
{
    size_t count = (size_t)req->argc - 3, len;
    enum bits_operation operation;
    struct source *texts;
    struct bytes *values;

    if (!parse_operation_or_reply(req, &operation))
        return;
    values = mem_alloc(count * sizeof *values);
    texts = mem_alloc(count * sizeof *texts);
    if (read_sources_or_reply(req, values, texts, &len)) {
        if (len)
            store_combined(req, operation, values, count, len);
        else
            remove_destination(req);
        reply_int(req, (int64_t)len);
    }
    mem_free(values, count * sizeof *values);
    mem_free(texts, count * sizeof *texts);
}

/* --- the table --------------------------------------------------------------------------------------- */

static const struct key_rule bitop_keys[] = {
    {KEY_OW | KEY_UPDATE, KEY_AT_INDEX, 2, NULL, KEY_RANGE, {0, 1, 0}},
    {KEY_RO | KEY_ACCESS, KEY_AT_INDEX, 3, NULL, KEY_RANGE, {-1, 1, 0}},
    {0},
};

static const struct key_rule setbit_keys[] = {
    {KEY_RW | KEY_ACCESS | KEY_UPDATE, KEY_AT_INDEX, 1, NULL, KEY_RANGE, {0, 1, 0}},
    {0},
};

static const struct command bitmap_commands[] = {
    {"setbit", cmd_setbit, 4, CMD_WRITE | CMD_GROWS, {1, 1, 1}, NULL, "2.2.0", "O(1)",
     "key offset value", "Sets or clears one bit of a string, lengthening it with zero bytes.",
     setbit_keys},
    {"getbit", cmd_getbit, 3, CMD_READONLY | CMD_FAST, {1, 1, 1}, NULL, "2.2.0", "O(1)", "key offset",
     "Returns one bit of a string, 0 behind its end."},
    {"bitcount", cmd_bitcount, -2, CMD_READONLY, {1, 1, 1}, NULL, "2.6.0", "O(N) bytes",
     "key [start end [BYTE | BIT]]", "Counts the set bits of a string or of a range of it.",
     .history = "7.0.0 BYTE and BIT.",
     .argument_since = "unit 7.0.0"},
    {"bitpos", cmd_bitpos, -3, CMD_READONLY, {1, 1, 1}, NULL, "2.8.7", "O(N) bytes",
     "key bit [start [end [BYTE | BIT]]]", "Returns the place of the first set or clear bit of a string.",
     .history = "7.0.0 BYTE and BIT.",
     .argument_since = "unit 7.0.0"},
    {"bitop", cmd_bitop, -4, CMD_WRITE | CMD_GROWS, {2, -1, 1}, NULL, "2.6.0", "O(N) bytes",
     "<AND | OR | XOR | NOT> destkey key [key ...]",
     "Combines strings bit by bit and stores the result.", bitop_keys},
};
REGISTER_COMMANDS("bitmap", bitmap_commands);
