/* HyperLogLogs, which are strings in Redis's format (ds/hyperloglog.h). */
#include "base/mem.h"
#include "base/text.h"
#include "ds/hyperloglog.h"
#include "engine/events.h"
#include "engine/request.h"
#include "store/string_value.h"

static const struct event_kind EVENT_PFADD = {EVENT_CLASS_STRING, "pfadd"};

#define ERR_NOT_HLL     "WRONGTYPE Key is not a valid HyperLogLog string value."
#define ERR_HLL_CORRUPT "INVALIDOBJ Corrupted HLL object detected"

/* --- shared ------------------------------------------------------------------------------------------ */

/* The value at a key; empty when it is absent. */
static bool find_or_reply(struct request *req, int at, unsigned how, struct key_ref *ref,
                          struct bytes *value)
{
    char text[INT64_TEXT_MAX]; /* a number's text is never one */

    *value = (struct bytes){NULL, 0};
    if (!key_find_or_reply(req, at, VALUE_STRING, how, ref))
        return false;
    if (!ref->entry)
        return true;
    *value = string_get(ref->entry, text);
    if (hyperloglog_is_valid(*value))
        return true;
    reply_error(req, ERR_NOT_HLL);
    return false;
}

static size_t sparse_max(const struct request *req)
{
    return (size_t)req->engine->settings.hll_sparse_bytes_max;
}

/* --- adding ------------------------------------------------------------------------------------------ */

/* Elements into a dense value, where it is. Returns how many changed it. */
static int64_t add_in_place(struct request *req, struct key_ref *ref)
{
    char *data = string_bytes_for_write(ref, req->argv[1], HLL_DENSE_SIZE);
    int64_t changes = 0;

    for (int i = 2; i < req->argc; i++)
        changes += hyperloglog_dense_add(data, hyperloglog_element(req->argv[i]));
    return changes;
}

/* Elements into a sparse one, or one that is absent yet. What was added before the value turns out to be
 * corrupt stays. */
static int64_t add_to_copy(struct request *req, struct key_ref *ref, struct bytes value, bool *is_corrupt)
{
    struct hyperloglog hll;
    int64_t changes = 0;

    if (value.len)
        hyperloglog_open(&hll, value);
    else
        hyperloglog_init(&hll);
    changes += hyperloglog_is_changed(&hll);
    for (int i = 2; i < req->argc && !*is_corrupt; i++) {
        enum hyperloglog_result result =
            hyperloglog_add(&hll, hyperloglog_element(req->argv[i]), sparse_max(req));

        changes += result == HLL_CHANGED;
        *is_corrupt = result == HLL_CORRUPT;
    }
    if (changes) {
        hyperloglog_forget_count(&hll);
        string_set_raw(ref, req->argv[1], hyperloglog_value(&hll), true);
    }
    hyperloglog_release(&hll);
    return changes;
}

static void cmd_pfadd(struct request *req)
{
    bool is_corrupt = false;
    struct bytes value;
    struct key_ref ref;
    int64_t changes;

    if (!find_or_reply(req, 1, LOOKUP_WRITE, &ref, &value))
        return;
    if (value.len && hyperloglog_is_dense(value))
        changes = add_in_place(req, &ref);
    else
        changes = add_to_copy(req, &ref, value, &is_corrupt);
    if (changes)
        key_changed(req, req->db, req->argv[1], is_corrupt ? NULL : &EVENT_PFADD, changes);
    if (is_corrupt)
        reply_error(req, ERR_HLL_CORRUPT);
    else
        reply_int(req, changes > 0);
}

/* --- counting ---------------------------------------------------------------------------------------- */

/* What is counted is kept in the value, and that travels: a replica need not count again. */
static void count_one(struct request *req)
{
    struct bytes value;
    struct key_ref ref;
    uint64_t count;

    if (!find_or_reply(req, 1, LOOKUP_READ, &ref, &value))
        return;
    if (!value.len) {
        reply_int(req, 0);
        return;
    }
    if (!hyperloglog_known_count(value, &count)) {
        if (!hyperloglog_count(value, &count)) {
            reply_error(req, ERR_HLL_CORRUPT);
            return;
        }
        hyperloglog_set_known_count(string_bytes_for_write(&ref, req->argv[1], value.len), count);
        key_changed(req, req->db, req->argv[1], NULL, 1);
    }
    reply_int(req, (int64_t)count);
}

/* The registers of all keys from the first argument on; 'has_dense' tells whether one of them is dense. */
static bool merge_keys_or_reply(struct request *req, uint8_t registers[HLL_REGISTERS], bool *has_dense)
{
    memset(registers, 0, HLL_REGISTERS);
    *has_dense = false;
    for (int i = 1; i < req->argc; i++) {
        struct bytes value;
        struct key_ref ref;

        if (!find_or_reply(req, i, LOOKUP_READ, &ref, &value))
            return false;
        if (!value.len)
            continue;
        if (!hyperloglog_merge(registers, value)) {
            reply_error(req, ERR_HLL_CORRUPT);
            return false;
        }
        *has_dense |= hyperloglog_is_dense(value);
    }
    return true;
}

static void cmd_pfcount(struct request *req)
{
    uint8_t registers[HLL_REGISTERS];
    bool has_dense;

    if (req->argc == 2)
        count_one(req);
    else if (merge_keys_or_reply(req, registers, &has_dense))
        reply_int(req, (int64_t)hyperloglog_count_registers(registers));
}

/* --- merging ----------------------------------------------------------------------------------------- */

static void cmd_pfmerge(struct request *req)
{
    uint8_t registers[HLL_REGISTERS];
    struct hyperloglog hll;
    struct bytes value;
    struct key_ref ref;
    bool has_dense;

    if (!merge_keys_or_reply(req, registers, &has_dense) ||
        !find_or_reply(req, 1, LOOKUP_WRITE, &ref, &value))
        return;
    if (value.len)
        hyperloglog_open(&hll, value);
    else
        hyperloglog_init(&hll);
    if (has_dense)
        hyperloglog_to_dense(&hll);
    hyperloglog_raise(&hll, registers, sparse_max(req));
    hyperloglog_forget_count(&hll);
    string_set_raw(&ref, req->argv[1], hyperloglog_value(&hll), true);
    hyperloglog_release(&hll);
    key_changed(req, req->db, req->argv[1], &EVENT_PFADD, 1);
    reply_ok(req);
}

/* --- looking inside ---------------------------------------------------------------------------------- */

/* The value becomes dense; false when it is corrupt. */
static bool make_dense_or_reply(struct request *req, struct key_ref *ref, struct bytes value, bool *was_sparse)
{
    enum hyperloglog_result result;
    struct hyperloglog hll;

    hyperloglog_open(&hll, value);
    result = hyperloglog_to_dense(&hll);
    *was_sparse = result == HLL_CHANGED;
    if (*was_sparse) {
        string_set_raw(ref, req->argv[2], hyperloglog_value(&hll), true);
        key_changed(req, req->db, req->argv[2], NULL, 1);
    }
    hyperloglog_release(&hll);
    if (result == HLL_CORRUPT)
        reply_error(req, ERR_HLL_CORRUPT);
    return result != HLL_CORRUPT;
}

static void debug_to_dense(struct request *req, struct key_ref *ref, struct bytes value)
{
    bool was_sparse;

    if (make_dense_or_reply(req, ref, value, &was_sparse))
        reply_int(req, was_sparse);
}

static void debug_registers(struct request *req, struct key_ref *ref, struct bytes value)
{
    bool was_sparse;

    if (!make_dense_or_reply(req, ref, value, &was_sparse))
        return;
    value = string_get(ref->entry, NULL); /* no number */
    reply_array(req, HLL_REGISTERS);
    for (unsigned i = 0; i < HLL_REGISTERS; i++)
        reply_int(req, hyperloglog_dense_register(value.data, i));
}

static void debug_decode(struct request *req, struct bytes value)
{
    struct text text = {0};

    if (hyperloglog_is_dense(value)) {
        reply_error(req, "ERR HLL encoding is not sparse");
        return;
    }
    hyperloglog_describe(value, &text);
    reply_bulk(req, text_bytes(&text));
    text_release(&text);
}

static void cmd_pfdebug(struct request *req)
{
    struct bytes value;
    struct key_ref ref;

    if (!find_or_reply(req, 2, LOOKUP_WRITE, &ref, &value))
        return;
    if (!value.len)
        reply_error(req, "ERR The specified key does not exist");
    else if (argument_is(req, 1, "getreg"))
        debug_registers(req, &ref, value);
    else if (argument_is(req, 1, "decode"))
        debug_decode(req, value);
    else if (argument_is(req, 1, "encoding"))
        reply_status(req, hyperloglog_is_dense(value) ? "dense" : "sparse");
    else if (argument_is(req, 1, "todense"))
        debug_to_dense(req, &ref, value);
    else
        reply_error_format(req, "ERR Unknown PFDEBUG subcommand '%.*s'", (int)req->argv[1].len,
                           req->argv[1].data);
}

/* --- the self test ----------------------------------------------------------------------------------- */

#define TEST_ELEMENTS 200000

/* Six times the standard error, and one for small counts. */
static bool is_near(uint64_t count, uint64_t expected)
{
    uint64_t allowed = expected * 49 / 1000 + 1;

    return count + allowed >= expected && count <= expected + allowed;
}

/* Numbers from 'seed' on into one value that stays sparse as long as it can and one that is dense from the
 * beginning; they must agree, and be near the truth, at each power of ten. */
static bool self_test(uint64_t seed, struct hyperloglog *sparse, struct hyperloglog *dense)
{
    uint64_t next = 1, count, other;

    for (uint64_t i = 1; i <= TEST_ELEMENTS; i++) {
        uint64_t number = seed + i;
        struct hyperloglog_element element =
            hyperloglog_element((struct bytes){(const char *)&number, sizeof number});

        if (hyperloglog_add(sparse, element, HLL_DENSE_SIZE) !=
            hyperloglog_add(dense, element, HLL_DENSE_SIZE))
            return false;
        if (i != next)
            continue;
        if (!hyperloglog_count(hyperloglog_value(sparse), &count) ||
            !hyperloglog_count(hyperloglog_value(dense), &other) || count != other || !is_near(count, i))
            return false;
        next *= 10;
    }
    return true;
}

static void cmd_pfselftest(struct request *req)
{
    struct hyperloglog sparse, dense;

    hyperloglog_init(&sparse);
    hyperloglog_init(&dense);
    hyperloglog_to_dense(&dense);
    if (self_test(random_next(&req->engine->store->random), &sparse, &dense))
        reply_ok(req);
    else
        reply_error(req, "TESTFAILED sparse and dense values differ, or their count is too far off");
    hyperloglog_release(&sparse);
    hyperloglog_release(&dense);
}

/* --- the table --------------------------------------------------------------------------------------- */

static const struct key_rule pfadd_keys[] = {
    {KEY_RW | KEY_INSERT, KEY_AT_INDEX, 1, NULL, KEY_RANGE, {0, 1, 0}},
    {0},
};
static const struct key_rule pfcount_keys[] = {
    {KEY_RW | KEY_ACCESS, KEY_AT_INDEX, 1, NULL, KEY_RANGE, {-1, 1, 0}},
    {0},
};
static const struct key_rule pfmerge_keys[] = {
    {KEY_RW | KEY_ACCESS | KEY_INSERT, KEY_AT_INDEX, 1, NULL, KEY_RANGE, {0, 1, 0}},
    {KEY_RO | KEY_ACCESS, KEY_AT_INDEX, 2, NULL, KEY_RANGE, {-1, 1, 0}},
    {0},
};
static const struct key_rule pfdebug_keys[] = {
    {KEY_RW | KEY_ACCESS, KEY_AT_INDEX, 2, NULL, KEY_RANGE, {0, 1, 0}},
    {0},
};

static const struct command hyperloglog_commands[] = {
    {"pfadd", cmd_pfadd, -2, CMD_WRITE | CMD_GROWS | CMD_FAST, {1, 1, 1}, NULL, "2.8.9",
     "O(1) for each element", "key [element [element ...]]",
     "Adds elements to a HyperLogLog, creating it when absent.", pfadd_keys},
    {"pfcount", cmd_pfcount, -2, CMD_READONLY | CMD_MAY_REPLICATE, {1, -1, 1}, NULL, "2.8.9",
     "O(1) for one key, O(N) for several", "key [key ...]",
     "Returns about how many different elements HyperLogLogs have seen together.", pfcount_keys},
    {"pfmerge", cmd_pfmerge, -2, CMD_WRITE | CMD_GROWS, {1, -1, 1}, NULL, "2.8.9", "O(N) keys",
     "destkey [sourcekey [sourcekey ...]]", "Merges HyperLogLogs into one.", pfmerge_keys},
    {"pfdebug", cmd_pfdebug, 3, CMD_WRITE | CMD_GROWS | CMD_ADMIN, {2, 2, 1}, NULL, "2.8.9", "N/A",
     "subcommand key", "Shows registers and encoding of a HyperLogLog.", pfdebug_keys},
    {"pfselftest", cmd_pfselftest, 1, CMD_ADMIN, {0, 0, 0}, NULL, "2.8.9", "N/A", "",
     "Tests HyperLogLogs with random elements."},
};
REGISTER_COMMANDS("hyperloglog", hyperloglog_commands);
