/* Requests: their arguments, and copies that outlive the execution unit. */
#include "engine/request.h"

#include "engine_internal.h"

#include "base/assert.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/numbers.h"
#include "store/string_value.h"

uint64_t request_hash(const struct request *req, int at)
{
    const struct key_spec *keys;
    int index;

    if (!req->hash_count)
        return hash_bytes(req->argv[at]);
    keys = &req->command->row->keys;
    index = at - keys->first;
    if (index == 0)
        return req->hashes[0];
    if (index < 0 || index % keys->step || index / keys->step >= req->hash_count)
        return hash_bytes(req->argv[at]);
    return req->hashes[index / keys->step];
}

/* AUTH's words, HELLO's behind AUTH, and passwords that CONFIG SET sets. */
static bool is_secret(const struct request *req, int at)
{
    const char *name = req->command ? req->command->row->name : "";

    if (!strcmp(name, "auth"))
        return at > 0;
    if (!strcmp(name, "hello"))
        return (at > 2 && argument_is(req, at - 1, "auth")) ||
               (at > 3 && argument_is(req, at - 2, "auth"));
    return !strcmp(name, "set") && req->command->parent && at > 2 && at % 2 &&
           (argument_is(req, at - 1, "requirepass") || argument_is(req, at - 1, "masterauth"));
}

struct bytes request_shown_argument(const struct request *req, int at)
{
    return is_secret(req, at) ? BYTES("(redacted)") : req->argv[at];
}

/* --- detaching --------------------------------------------------------------------------------- */

bool request_has_block(const struct request *req, int at)
{
    for (const struct big_argument *big = req->bigs; big; big = big->next)
        if (big->index == at)
            return true;
    return false;
}

struct request *request_detach(struct request *req)
{
    size_t size = sizeof *req + (size_t)req->argc * sizeof *req->argv;
    struct request *copy;
    char *at;

    for (int i = 0; i < req->argc; i++)
        if (!request_has_block(req, i))
            size += req->argv[i].len;
    copy = mem_alloc(size);
    *copy = *req;
    copy->flags |= REQUEST_IS_DETACHED;
    copy->detached_size = size;
    copy->hash_count = 0;
    copy->member_hash = 0;
    copy->argv = (struct bytes *)(copy + 1);
    at = (char *)(copy->argv + copy->argc);
    for (int i = 0; i < req->argc; i++) {
        copy->argv[i] = req->argv[i];
        if (request_has_block(req, i))
            continue;
        copy->argv[i].data = at;
        if (req->argv[i].len)
            memcpy(at, req->argv[i].data, req->argv[i].len);
        at += req->argv[i].len;
    }
    req->bigs = NULL;
    return copy;
}

void request_free_detached(struct request *req)
{
    while (req->bigs) {
        struct big_argument *big = req->bigs;

        req->bigs = big->next;
        if (big->block)
            string_block_free(big->block);
        mem_free(big, sizeof *big);
    }
    mem_free(req, req->detached_size);
}

struct string_block *request_take_block(struct request *req, int at)
{
    for (struct big_argument *big = req->bigs; big; big = big->next)
        if (big->index == at) {
            struct string_block *block = big->block;

            big->block = NULL;
            return block;
        }
    return NULL;
}

/* --- arguments --------------------------------------------------------------------------------- */

bool parse_int_or_reply(struct request *req, int at, int64_t *value)
{
    if (int64_parse(req->argv[at], value))
        return true;
    reply_error(req, ERR_NOT_INTEGER);
    return false;
}

bool parse_int_range_or_reply(struct request *req, int at, int64_t min, int64_t max, int64_t *value,
                              const char *error_text)
{
    int64_t parsed;

    if (int64_parse(req->argv[at], &parsed) && parsed >= min && parsed <= max) {
        *value = parsed;
        return true;
    }
    reply_error(req, error_text);
    return false;
}

bool parse_double_or_reply(struct request *req, int at, double *value)
{
    if (double_parse(req->argv[at], value))
        return true;
    reply_error(req, ERR_NOT_FLOAT);
    return false;
}

bool parse_long_double_or_reply(struct request *req, int at, long double *value)
{
    if (long_double_parse(req->argv[at], value))
        return true;
    reply_error(req, ERR_NOT_FLOAT);
    return false;
}

bool parse_timeout_ms_or_reply(struct request *req, int at, int64_t *deadline_ms)
{
    int64_t ms;

    if (!int64_parse(req->argv[at], &ms)) {
        reply_error(req, ERR_TIMEOUT_INTEGER);
        return false;
    }
    if (ms < 0) {
        reply_error(req, ERR_TIMEOUT_NEGATIVE);
        return false;
    }
    if (__builtin_add_overflow(ms, clock_now_ms(req->engine->clock), deadline_ms)) {
        reply_error(req, ERR_TIMEOUT_RANGE);
        return false;
    }
    if (!ms)
        *deadline_ms = 0;
    return true;
}

bool parse_timeout_or_reply(struct request *req, int at, int64_t *deadline_ms)
{
    int64_t now_ms = clock_now_ms(req->engine->clock);
    long double seconds, ms;
    int64_t whole;

    if (!long_double_parse(req->argv[at], &seconds)) {
        reply_error(req, ERR_TIMEOUT_FLOAT);
        return false;
    }
    ms = seconds * 1000;
    if (ms > (long double)(INT64_MAX - 1)) {
        reply_error(req, ERR_TIMEOUT_RANGE);
        return false;
    }
    if (ms <= -1) { /* rounded up, what is nearer to zero is none */
        reply_error(req, ERR_TIMEOUT_NEGATIVE);
        return false;
    }
    whole = (int64_t)ms;
    whole += (long double)whole < ms; /* up */
    if (whole > INT64_MAX - now_ms) {
        reply_error(req, ERR_TIMEOUT_RANGE);
        return false;
    }
    *deadline_ms = whole ? now_ms + whole : 0;
    return true;
}

/* --- keys -------------------------------------------------------------------------------------- */

struct key_ref key_find(const struct request *req, int at, unsigned how)
{
    if (__builtin_expect(req->client->flags & CLIENT_NO_TOUCH, 0))
        how |= LOOKUP_NOTOUCH;
    return store_find(req->db, req->argv[at], request_hash(req, at), how);
}

bool key_find_or_reply(struct request *req, int at, enum value_type type, unsigned how,
                       struct key_ref *ref)
{
    *ref = key_find(req, at, how);
    if (!ref->entry || ref->entry->type == type)
        return true;
    reply_error(req, ERR_WRONG_TYPE);
    return false;
}
