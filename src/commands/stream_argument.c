/* Arguments and replies that several commands of streams share. */
#include "stream_argument_internal.h"

#include "base/numbers.h"
#include "engine/propagate.h"

#include <errno.h>
#include <stdlib.h>

#define ID_ARGUMENT_MAX 127 /* bytes of an id as it is sent */

/* --- ids ------------------------------------------------------------------------------------------- */

/* As Redis reads it, which takes what strtoull takes, blanks, a plus and zeros in front, but no plain
 * negative number. */
static bool number_parse(const char *text, uint64_t *number)
{
    int64_t negative;
    char *end;

    if (uint64_parse(bytes_from_string(text), number))
        return true;
    if (int64_parse(bytes_from_string(text), &negative))
        return false;
    errno = 0;
    *number = strtoull(text, &end, 10);
    return !errno && *text && !*end;
}

/* 'is_open' may be NULL: then there must be a number behind the hyphen. */
static bool parse(struct bytes text, uint64_t missing_seq, struct stream_id *id, bool *is_open)
{
    char copy[ID_ARGUMENT_MAX + 1], *hyphen;

    if (text.len > ID_ARGUMENT_MAX)
        return false;
    if (text.len)
        memcpy(copy, text.data, text.len);
    copy[text.len] = '\0';
    hyphen = strchr(copy, '-');
    if (hyphen)
        *hyphen++ = '\0';
    if (!number_parse(copy, &id->ms))
        return false;
    id->seq = missing_seq;
    if (is_open)
        *is_open = hyphen && !strcmp(hyphen, "*");
    if (!hyphen || (is_open && *is_open))
        return true;
    return number_parse(hyphen, &id->seq);
}

bool stream_id_parse(struct bytes text, uint64_t missing_seq, struct stream_id *id)
{
    return parse(text, missing_seq, id, NULL);
}

bool stream_id_parse_open(struct bytes text, struct stream_id *id, bool *is_open)
{
    return parse(text, 0, id, is_open);
}

bool stream_id_or_reply(struct request *req, int at, struct stream_id *id)
{
    if (stream_id_parse(req->argv[at], 0, id))
        return true;
    reply_error(req, ERR_STREAM_ID);
    return false;
}

bool stream_edge_id_or_reply(struct request *req, int at, uint64_t missing_seq,
                             struct stream_id *id)
{
    if (bytes_equal(req->argv[at], BYTES("-")))
        *id = STREAM_ID_MIN;
    else if (bytes_equal(req->argv[at], BYTES("+")))
        *id = STREAM_ID_MAX;
    else if (!stream_id_parse(req->argv[at], missing_seq, id)) {
        reply_error(req, ERR_STREAM_ID);
        return false;
    }
    return true;
}

/* '*is_excluded': a bracket stands in front. */
static bool interval_or_reply(struct request *req, int at, uint64_t missing_seq,
                              struct stream_id *id, bool *is_excluded)
{
    struct bytes text = req->argv[at];

    *is_excluded = text.len > 1 && text.data[0] == '(';
    if (!*is_excluded)
        return stream_edge_id_or_reply(req, at, missing_seq, id);
    if (stream_id_parse((struct bytes){text.data + 1, text.len - 1}, missing_seq, id))
        return true;
    reply_error(req, ERR_STREAM_ID);
    return false;
}

bool stream_start_or_reply(struct request *req, int at, struct stream_id *id)
{
    bool is_excluded;

    if (!interval_or_reply(req, at, 0, id, &is_excluded))
        return false;
    if (!is_excluded || stream_id_next(id))
        return true;
    reply_error(req, ERR_START_ID);
    return false;
}

bool stream_end_or_reply(struct request *req, int at, struct stream_id *id)
{
    bool is_excluded;

    if (!interval_or_reply(req, at, UINT64_MAX, id, &is_excluded))
        return false;
    if (!is_excluded || stream_id_previous(id))
        return true;
    reply_error(req, ERR_END_ID);
    return false;
}

bool stream_count_or_reply(struct request *req, int at, int64_t *count)
{
    if (!parse_int_or_reply(req, at, count))
        return false;
    if (*count < 0)
        *count = 0;
    return true;
}

/* --- replies --------------------------------------------------------------------------------------- */

struct bytes stream_id_format(char text[STREAM_ID_TEXT_MAX], struct stream_id id)
{
    size_t len = uint64_format(text, id.ms);

    text[len++] = '-';
    len += uint64_format(text + len, id.seq);
    return (struct bytes){text, len};
}

void reply_stream_id(struct request *req, struct stream_id id)
{
    char text[STREAM_ID_TEXT_MAX];

    reply_bulk(req, stream_id_format(text, id));
}

void reply_stream_entry(struct request *req, struct stream_iter *iter)
{
    struct bytes field, value;

    reply_array(req, 2);
    reply_stream_id(req, iter->id);
    reply_array(req, 2 * iter->fields);
    for (size_t i = 0; i < iter->fields; i++) {
        stream_iter_field(iter, &field, &value);
        reply_bulk(req, field);
        reply_bulk(req, value);
    }
}

void reply_stream_entry_at(struct request *req, const struct stream *stream, struct stream_id id)
{
    struct stream_iter iter;

    stream_iter_init(&iter, stream, id, id, false);
    if (stream_iter_next(&iter))
        reply_stream_entry(req, &iter);
    else
        reply_null_array(req);
}

/* --- groups ---------------------------------------------------------------------------------------- */

bool stream_group_of_or_reply(struct request *req, int key_at, int group_at,
                              const struct key_ref *ref, struct stream_group **group)
{
    struct bytes key = req->argv[key_at], name = req->argv[group_at];

    if (ref->entry && ref->entry->type != VALUE_STREAM) {
        reply_error(req, ERR_WRONG_TYPE);
        return false;
    }
    *group = ref->entry ? stream_group_find(entry_value(ref->entry), name) : NULL;
    if (*group)
        return true;
    reply_error_format(req, "NOGROUP No such key '%.*s' or consumer group '%.*s'", (int)key.len,
                       key.data, (int)name.len, name.data);
    return false;
}

bool stream_group_or_reply(struct request *req, int key_at, int group_at, struct key_ref *ref,
                           struct stream_group **group)
{
    *ref = key_find(req, key_at, LOOKUP_READ);
    return stream_group_of_or_reply(req, key_at, group_at, ref, group);
}

/* --- what travels ---------------------------------------------------------------------------------- */

static struct bytes int_text(char text[INT64_TEXT_MAX], int64_t number)
{
    return (struct bytes){text, int64_format(text, number)};
}

void propagate_claim(struct request *req, const struct group_names *names,
                     const struct stream_group *group, struct stream_id id,
                     const struct stream_pending *pending)
{
    char id_text[STREAM_ID_TEXT_MAX], last_text[STREAM_ID_TEXT_MAX];
    char time_text[INT64_TEXT_MAX], count_text[INT64_TEXT_MAX];
    struct bytes argv[] = {BYTES("XCLAIM"),
                           names->key,
                           names->group,
                           pending->consumer->name,
                           BYTES("0"),
                           stream_id_format(id_text, id),
                           BYTES("TIME"),
                           int_text(time_text, pending->delivered_ms),
                           BYTES("RETRYCOUNT"),
                           int_text(count_text, (int64_t)pending->deliveries),
                           BYTES("FORCE"),
                           BYTES("JUSTID"),
                           BYTES("LASTID"),
                           stream_id_format(last_text, group->last_id)};

    propagate_instead(req, sizeof argv / sizeof *argv, argv);
}

void propagate_group_id(struct request *req, const struct group_names *names,
                        const struct stream_group *group)
{
    char id_text[STREAM_ID_TEXT_MAX], read_text[INT64_TEXT_MAX];
    struct bytes argv[] = {BYTES("XGROUP"),
                           BYTES("SETID"),
                           names->key,
                           names->group,
                           stream_id_format(id_text, group->last_id),
                           BYTES("ENTRIESREAD"),
                           int_text(read_text, group->entries_read)};

    propagate_instead(req, sizeof argv / sizeof *argv, argv);
}

void propagate_consumer(struct request *req, const struct group_names *names, struct bytes name)
{
    propagate_instead(req, 5, (struct bytes[]){BYTES("XGROUP"), BYTES("CREATECONSUMER"),
                                               names->key, names->group, name});
}

static const struct event_kind EVENT_CREATECONSUMER = {EVENT_CLASS_STREAM,
                                                       "xgroup-createconsumer"};

struct stream_consumer *stream_consumer_at(struct request *req, const struct group_names *names,
                                           struct stream_group *group, struct bytes name,
                                           bool *is_new)
{
    int64_t now_ms = clock_now_ms(req->engine->clock);
    struct stream_consumer *consumer = stream_consumer_find(group, name);

    if (is_new)
        *is_new = !consumer;
    if (!consumer) {
        consumer = stream_consumer_add(group, name, now_ms);
        key_changed_aside(req, req->db, names->key, &EVENT_CREATECONSUMER, 1);
    }
    consumer->seen_ms = now_ms;
    return consumer;
}
