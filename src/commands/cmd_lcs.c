/* LCS: the longest common subsequence of two strings.
 *
 *     length[i][j]  of the first i bytes of a and the first j bytes of b
 *
 *         a[i-1] == b[j-1]   length[i-1][j-1] + 1
 *         else               the greater of length[i-1][j] and length[i][j-1]
 *
 * The subsequence itself is found on the way back from the last corner. For the length alone two rows
 * of the table are enough. */
#include "engine/request.h"
#include "store/string_value.h"

#include "base/mem.h"

#define ERR_LCS_KEYS     "ERR The specified keys must contain string values"
#define ERR_LCS_BOTH     "ERR If you want both the length and indexes, please just use IDX."
#define ERR_LCS_TOO_LONG "ERR String too long for LCS"
#define ERR_LCS_MEMORY                                                                             \
    "ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len"

struct lcs {
    struct bytes a, b;
    uint32_t *table; /* rows of b.len + 1; NULL until lcs_fill */
};

struct lcs_options {
    bool is_len, is_idx, with_len;
    int64_t len_min;
};

/* A run of bytes that both strings have; both ends count. */
struct lcs_match {
    size_t a_start, a_end, b_start, b_end;
};

/* --- the table ---------------------------------------------------------------------------------------- */

static void fill_row(const struct lcs *lcs, size_t i, const uint32_t *above, uint32_t *row)
{
    row[0] = 0;
    for (size_t j = 1; j <= lcs->b.len; j++)
        if (lcs->a.data[i - 1] == lcs->b.data[j - 1])
            row[j] = above[j - 1] + 1;
        else
            row[j] = above[j] > row[j - 1] ? above[j] : row[j - 1];
}

static size_t table_bytes(const struct lcs *lcs)
{
    return (lcs->a.len + 1) * (lcs->b.len + 1) * sizeof *lcs->table;
}

static uint32_t *row_of(const struct lcs *lcs, size_t i) { return lcs->table + i * (lcs->b.len + 1); }

static uint32_t lcs_fill(struct lcs *lcs)
{
    lcs->table = mem_alloc(table_bytes(lcs));
    memset(lcs->table, 0, (lcs->b.len + 1) * sizeof *lcs->table);
    for (size_t i = 1; i <= lcs->a.len; i++)
        fill_row(lcs, i, row_of(lcs, i - 1), row_of(lcs, i));
    return row_of(lcs, lcs->a.len)[lcs->b.len];
}

static uint32_t lcs_length(const struct lcs *lcs)
{
    size_t size = (lcs->b.len + 1) * sizeof(uint32_t);
    uint32_t *above = mem_alloc_zero(size), *row = mem_alloc_zero(size), length;

    for (size_t i = 1; i <= lcs->a.len; i++) {
        uint32_t *done = above;

        fill_row(lcs, i, above, row);
        above = row;
        row = done;
    }
    length = above[lcs->b.len];
    mem_free(above, size);
    mem_free(row, size);
    return length;
}

/* One step of the way back from corner (i, j): true when it is a byte that both have. */
static bool step_back(const struct lcs *lcs, size_t *i, size_t *j)
{
    if (lcs->a.data[*i - 1] == lcs->b.data[*j - 1]) {
        --*i;
        --*j;
        return true;
    }
    if (row_of(lcs, *i - 1)[*j] > row_of(lcs, *i)[*j - 1])
        --*i;
    else
        --*j;
    return false;
}

/* --- replies ------------------------------------------------------------------------------------------ */

static void reply_subsequence(struct request *req, struct lcs *lcs)
{
    size_t length = lcs_fill(lcs), at = length, i = lcs->a.len, j = lcs->b.len;
    char *text = mem_alloc(length + 1);

    while (at)
        if (step_back(lcs, &i, &j))
            text[--at] = lcs->a.data[i];
    reply_bulk(req, (struct bytes){text, length});
    mem_free(text, length + 1);
}

/* Gathers the runs of at least 'len_min' bytes, the last first. */
static size_t find_matches(const struct lcs *lcs, int64_t len_min, struct lcs_match *matches)
{
    size_t i = lcs->a.len, j = lcs->b.len, count = 0;

    while (i && j) {
        struct lcs_match match = {.a_end = i - 1, .b_end = j - 1};
        size_t len = 0;

        while (i && j && step_back(lcs, &i, &j))
            len++;
        if (!len || (int64_t)len < len_min)
            continue;
        match.a_start = match.a_end - len + 1;
        match.b_start = match.b_end - len + 1;
        matches[count++] = match;
    }
    return count;
}

static void reply_range(struct request *req, size_t start, size_t end)
{
    reply_array(req, 2);
    reply_int(req, (int64_t)start);
    reply_int(req, (int64_t)end);
}

static void reply_matches(struct request *req, struct lcs *lcs, const struct lcs_options *options)
{
    uint32_t length = lcs_fill(lcs);
    size_t size = (length + 1) * sizeof(struct lcs_match); /* each has a byte at least */
    struct lcs_match *matches = mem_alloc(size);
    size_t count = find_matches(lcs, options->len_min, matches);

    reply_map(req, 2);
    reply_bulk_string(req, "matches");
    reply_array(req, count);
    for (size_t i = 0; i < count; i++) {
        reply_array(req, options->with_len ? 3 : 2);
        reply_range(req, matches[i].a_start, matches[i].a_end);
        reply_range(req, matches[i].b_start, matches[i].b_end);
        if (options->with_len)
            reply_int(req, (int64_t)(matches[i].a_end - matches[i].a_start + 1));
    }
    reply_bulk_string(req, "len");
    reply_int(req, length);
    mem_free(matches, size);
}

/* --- the command -------------------------------------------------------------------------------------- */

static bool parse_options_or_reply(struct request *req, struct lcs_options *options)
{
    *options = (struct lcs_options){0};
    for (int i = 3; i < req->argc; i++) {
        if (argument_is(req, i, "idx")) {
            options->is_idx = true;
        } else if (argument_is(req, i, "len")) {
            options->is_len = true;
        } else if (argument_is(req, i, "withmatchlen")) {
            options->with_len = true;
        } else if (argument_is(req, i, "minmatchlen") && i + 1 < req->argc) {
            if (!parse_int_or_reply(req, ++i, &options->len_min))
                return false;
        } else {
            reply_syntax_error(req);
            return false;
        }
    }
    if (options->is_idx && options->is_len) {
        reply_error(req, ERR_LCS_BOTH);
        return false;
    }
    return true;
}

static bool fits_or_reply(struct request *req, const struct lcs *lcs)
{
    size_t bytes;

    if (lcs->a.len >= UINT32_MAX - 1 || lcs->b.len >= UINT32_MAX - 1) {
        reply_error(req, ERR_LCS_TOO_LONG);
        return false;
    }
    if (!__builtin_mul_overflow((lcs->a.len + 1) * sizeof *lcs->table, lcs->b.len + 1, &bytes) &&
        bytes <= (size_t)req->engine->settings.bulk_len_max)
        return true;
    reply_error(req, ERR_LCS_MEMORY);
    return false;
}

static void cmd_lcs(struct request *req)
{
    struct key_ref a = key_find(req, 1, LOOKUP_READ), b = key_find(req, 2, LOOKUP_READ);
    char a_text[INT64_TEXT_MAX], b_text[INT64_TEXT_MAX];
    struct lcs_options options;
    struct lcs lcs = {{NULL, 0}, {NULL, 0}, NULL};

    if ((a.entry && a.entry->type != VALUE_STRING) || (b.entry && b.entry->type != VALUE_STRING)) {
        reply_error(req, ERR_LCS_KEYS);
        return;
    }
    if (a.entry)
        lcs.a = string_get(a.entry, a_text);
    if (b.entry)
        lcs.b = string_get(b.entry, b_text);
    if (!parse_options_or_reply(req, &options) || !fits_or_reply(req, &lcs))
        return;
    if (options.is_len)
        reply_int(req, lcs_length(&lcs));
    else if (options.is_idx)
        reply_matches(req, &lcs, &options);
    else
        reply_subsequence(req, &lcs);
    if (lcs.table)
        mem_free(lcs.table, table_bytes(&lcs));
}

static const struct key_rule lcs_rules[] = {
    {KEY_RO | KEY_ACCESS, KEY_AT_INDEX, 1, NULL, KEY_RANGE, {1, 1, 0}},
    {0},
};

static const struct command lcs_commands[] = {
    {"lcs", cmd_lcs, -3, CMD_READONLY, {1, 2, 1}, NULL, "7.0.0", "O(N*M) lengths of the two strings",
     "key1 key2 [LEN] [IDX] [MINMATCHLEN min-match-len] [WITHMATCHLEN]",
     "Finds the longest subsequence that two strings have in common.", lcs_rules},
};
REGISTER_COMMANDS("string", lcs_commands);
