/* BITFIELD: numbers of any width anywhere in a string. */
#include "base/mem.h"
#include "bit_argument_internal.h"
#include "ds/bits.h"
#include "engine/events.h"
#include "engine/request.h"
#include "store/string_value.h"

static const struct event_kind EVENT_SETBIT = {EVENT_CLASS_STRING, "setbit"};

#define ERR_FIELD_TYPE                                                                             \
    "ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is."

enum operation_kind { FIELD_GET, FIELD_SET, FIELD_INCREMENT };
enum overflow { OVERFLOW_WRAP, OVERFLOW_SATURATE, OVERFLOW_FAIL };

struct operation {
    uint64_t offset;
    int64_t argument; /* of SET and INCRBY */
    uint8_t width;    /* in bits; at most 64, or 63 without sign */
    bool is_signed;
    enum operation_kind kind;
    enum overflow overflow;
};

struct operations {
    struct operation *list;
    size_t count, size;
    uint64_t bytes; /* that the string must have for all that write; 0: none does */
};

/* --- parsing ----------------------------------------------------------------------------------------- */

/* i1 to i64, u1 to u63. */
static bool parse_type_or_reply(struct request *req, int at, struct operation *operation)
{
    struct bytes text = req->argv[at];
    int64_t width;

    operation->is_signed = text.len && text.data[0] == 'i';
    if (text.len < 2 || (!operation->is_signed && text.data[0] != 'u') ||
        !int64_parse((struct bytes){text.data + 1, text.len - 1}, &width) || width < 1 ||
        width > (operation->is_signed ? 64 : 63)) {
        reply_error(req, ERR_FIELD_TYPE);
        return false;
    }
    operation->width = (uint8_t)width;
    return true;
}

/* A place in bits, or with # in numbers of this width. */
static bool parse_place_or_reply(struct request *req, int at, struct operation *operation)
{
    struct bytes text = req->argv[at];

    if (!text.len || text.data[0] != '#')
        return bit_place_or_reply(req, text, 1, &operation->offset);
    return bit_place_or_reply(req, (struct bytes){text.data + 1, text.len - 1}, operation->width,
                              &operation->offset);
}

static bool parse_overflow_or_reply(struct request *req, int at, enum overflow *overflow)
{
    if (argument_is(req, at, "wrap"))
        *overflow = OVERFLOW_WRAP;
    else if (argument_is(req, at, "sat"))
        *overflow = OVERFLOW_SATURATE;
    else if (argument_is(req, at, "fail"))
        *overflow = OVERFLOW_FAIL;
    else {
        reply_error(req, "ERR Invalid OVERFLOW type specified");
        return false;
    }
    return true;
}

/* One operation from '*at' on, which moves behind it. */
static bool parse_operation_or_reply(struct request *req, int *at, struct operation *operation)
{
    int behind = req->argc - *at - 1;

    if (argument_is(req, *at, "get") && behind >= 2) {
        operation->kind = FIELD_GET;
    } else if (argument_is(req, *at, "set") && behind >= 3) {
        operation->kind = FIELD_SET;
    } else if (argument_is(req, *at, "incrby") && behind >= 3) {
        operation->kind = FIELD_INCREMENT;
    } else {
        reply_syntax_error(req);
        return false;
    }
    if (!parse_type_or_reply(req, *at + 1, operation) || !parse_place_or_reply(req, *at + 2, operation))
        return false;
    *at += 3;
    return operation->kind == FIELD_GET || parse_int_or_reply(req, (*at)++, &operation->argument);
}

/* 'operations' has room for as many as there can be. */
static bool parse_or_reply(struct request *req, struct operations *operations)
{
    enum overflow overflow = OVERFLOW_WRAP;

    for (int at = 2; at < req->argc;) {
        struct operation *operation = &operations->list[operations->count];
        uint64_t end;

        if (argument_is(req, at, "overflow") && at + 1 < req->argc) {
            if (!parse_overflow_or_reply(req, at + 1, &overflow))
                return false;
            at += 2;
            continue;
        }
        *operation = (struct operation){.overflow = overflow};
        if (!parse_operation_or_reply(req, &at, operation))
            return false;
        operations->count++;
        end = (operation->offset + operation->width + 7) / 8;
        if (operation->kind != FIELD_GET && end > operations->bytes)
            operations->bytes = end;
    }
    return true;
}

/* --- numbers ----------------------------------------------------------------------------------------- */

/* The bits of a field as its number. */
static int64_t number_of(const struct operation *operation, uint64_t bits)
{
    unsigned above = 64 - operation->width;

    return operation->is_signed ? (int64_t)(bits << above) >> above : (int64_t)bits;
}

/* Real servers take the lowest numbers of SET for too large ones: their distance from 'max' overflows. */
static bool looks_too_large(const struct operation *operation, __int128 max)
{
    return operation->kind == FIELD_SET && operation->is_signed && max - operation->argument > INT64_MAX;
}

/* SET and INCRBY: what the field becomes. False when it overflows and must not. */
static bool compute(const struct operation *operation, int64_t old, uint64_t *bits)
{
    unsigned value_bits = operation->width - operation->is_signed;
    __int128 max = ((__int128)1 << value_bits) - 1, min = operation->is_signed ? -max - 1 : 0, value;

    if (operation->kind == FIELD_INCREMENT)
        value = (__int128)old + operation->argument;
    else if (operation->is_signed)
        value = operation->argument;
    else
        value = (uint64_t)operation->argument; /* a negative one is too large */
    *bits = (uint64_t)value;
    if (value >= min && value <= max)
        return true;
    if (operation->overflow == OVERFLOW_SATURATE)
        *bits = (uint64_t)(value > max || looks_too_large(operation, max) ? max : min);
    return operation->overflow != OVERFLOW_FAIL;
}

/* Does one that writes and replies to it. True when it wrote something else than what was there. */
static bool write_field(struct request *req, const struct operation *operation, char *data, size_t len,
                        bool *was_written)
{
    uint64_t old_bits = bits_get((struct bytes){data, len}, operation->offset, operation->width), bits;
    int64_t old = number_of(operation, old_bits);

    *was_written = compute(operation, old, &bits);
    if (!*was_written) {
        reply_null(req);
        return false;
    }
    bits_put(data, operation->offset, operation->width, bits);
    bits = bits_get((struct bytes){data, len}, operation->offset, operation->width);
    reply_int(req, operation->kind == FIELD_SET ? old : number_of(operation, bits));
    return bits != old_bits;
}

/* --- running ----------------------------------------------------------------------------------------- */

static void run_reads(struct request *req, const struct operations *operations)
{
    char text[INT64_TEXT_MAX];
    struct bytes value = {NULL, 0};
    struct key_ref ref;

    if (!key_find_or_reply(req, 1, VALUE_STRING, LOOKUP_READ, &ref))
        return;
    if (ref.entry)
        value = string_get(ref.entry, text);
    reply_array(req, operations->count);
    for (size_t i = 0; i < operations->count; i++) {
        const struct operation *get = &operations->list[i];

        reply_int(req, number_of(get, bits_get(value, get->offset, get->width)));
    }
}

static void run_writes(struct request *req, const struct operations *operations)
{
    size_t len, changes = 0;
    struct key_ref ref;
    bool has_grown;
    char *data;

    if (!key_find_or_reply(req, 1, VALUE_STRING, LOOKUP_WRITE, &ref))
        return;
    len = ref.entry ? string_len(ref.entry) : 0;
    has_grown = operations->bytes > len;
    data = string_bytes_for_write(&ref, req->argv[1], operations->bytes);
    len = has_grown ? operations->bytes : len;
    reply_array(req, operations->count);
    for (size_t i = 0; i < operations->count; i++) {
        const struct operation *operation = &operations->list[i];
        bool was_written, is_other;

        if (operation->kind == FIELD_GET) {
            reply_int(req, number_of(operation, bits_get((struct bytes){data, len}, operation->offset,
                                                         operation->width)));
            continue;
        }
        is_other = write_field(req, operation, data, len, &was_written);
        changes += is_other || (has_grown && was_written);
    }
    if (changes)
        key_changed(req, req->db, req->argv[1], &EVENT_SETBIT, (int64_t)changes);
    else if (has_grown) /* every one overflowed; the string is longer all the same */
        key_changed(req, req->db, req->argv[1], NULL, 1);
}

static bool only_reads_or_reply(struct request *req, const struct operations *operations)
{
    if (!operations->bytes)
        return true;
    reply_error(req, "ERR BITFIELD_RO only supports the GET subcommand");
    return false;
}

static void bitfield(struct request *req, bool is_readonly)
{
    struct operations operations = {.size = (size_t)req->argc / 3 * sizeof(struct operation)};

    operations.list = operations.size ? mem_alloc(operations.size) : NULL;
    if (parse_or_reply(req, &operations) && (!is_readonly || only_reads_or_reply(req, &operations))) {
        if (operations.bytes)
            run_writes(req, &operations);
        else
            run_reads(req, &operations);
    }
    mem_free(operations.list, operations.size);
}

static void cmd_bitfield(struct request *req) { bitfield(req, false); }
static void cmd_bitfield_ro(struct request *req) { bitfield(req, true); }

/* --- the table --------------------------------------------------------------------------------------- */

static const struct key_rule bitfield_keys[] = {
    {KEY_RW | KEY_ACCESS | KEY_UPDATE | KEY_VARIABLE, KEY_AT_INDEX, 1, NULL, KEY_RANGE, {0, 1, 0}},
    {0},
};

static const struct command bitfield_commands[] = {
    {"bitfield", cmd_bitfield, -2, CMD_WRITE | CMD_GROWS, {1, 1, 1}, NULL, "3.2.0",
     "O(1) for each operation",
     "key [GET encoding offset | [OVERFLOW <WRAP | SAT | FAIL>] <SET encoding offset value | "
     "INCRBY encoding offset increment> [GET encoding offset | [OVERFLOW <WRAP | SAT | FAIL>] "
     "<SET encoding offset value | INCRBY encoding offset increment> ...]]",
     "Reads and changes numbers of any width within a string.", bitfield_keys},
    {"bitfield_ro", cmd_bitfield_ro, -2, CMD_READONLY | CMD_FAST, {1, 1, 1}, NULL, "6.0.0",
     "O(1) for each operation", "key [GET encoding offset [GET encoding offset ...]]",
     "Reads numbers of any width within a string."},
};
REGISTER_COMMANDS("bitmap", bitfield_commands);
