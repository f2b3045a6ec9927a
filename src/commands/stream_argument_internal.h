/* What the commands of streams share: their arguments, and how ids and entries are answered. */
#ifndef TERN_STREAM_ARGUMENT_INTERNAL_H
#define TERN_STREAM_ARGUMENT_INTERNAL_H

#include "engine/events.h"
#include "engine/request.h"
#include "types/stream_group.h"

#define ERR_STREAM_ID   "ERR Invalid stream ID specified as stream command argument"
#define ERR_START_ID    "ERR invalid start ID for the interval"
#define ERR_END_ID      "ERR invalid end ID for the interval"
#define STREAM_ID_TEXT_MAX 42

/* "5-1", or "5" with 'missing_seq'. */
bool stream_id_parse(struct bytes text, uint64_t missing_seq, struct stream_id *id);
/* The same, and "5-*": '*is_open' then, and the number within it is 0. */
bool stream_id_parse_open(struct bytes text, struct stream_id *id, bool *is_open);
bool stream_id_or_reply(struct request *req, int at, struct stream_id *id);
/* The same, and "-" and "+" for the lowest and the highest. */
bool stream_edge_id_or_reply(struct request *req, int at, uint64_t missing_seq,
                             struct stream_id *id);
/* An end of a range, which "(" excludes. */
bool stream_start_or_reply(struct request *req, int at, struct stream_id *id);
bool stream_end_or_reply(struct request *req, int at, struct stream_id *id);
/* A COUNT; a negative one is 0. */
bool stream_count_or_reply(struct request *req, int at, int64_t *count);

struct bytes stream_id_format(char text[STREAM_ID_TEXT_MAX], struct stream_id id);
void reply_stream_id(struct request *req, struct stream_id id);
/* The entry at which the iterator stands: its id, its fields and values. */
void reply_stream_entry(struct request *req, struct stream_iter *iter);
/* The entry, or a null array when it is not there. */
void reply_stream_entry_at(struct request *req, const struct stream *stream, struct stream_id id);

/* The group; false when the key or the group is absent and that was answered. */
bool stream_group_or_reply(struct request *req, int key_at, int group_at, struct key_ref *ref,
                           struct stream_group **group);
/* The same for a key that was looked up before. */
bool stream_group_of_or_reply(struct request *req, int key_at, int group_at,
                              const struct key_ref *ref, struct stream_group **group);

/* What travels in place of what a group gave away: a pending entry as it is now, where the group
 * stands, a consumer that came. */
struct group_names {
    struct bytes key, group;
};
void propagate_claim(struct request *req, const struct group_names *names,
                     const struct stream_group *group, struct stream_id id,
                     const struct stream_pending *pending);
void propagate_group_id(struct request *req, const struct group_names *names,
                        const struct stream_group *group);
void propagate_consumer(struct request *req, const struct group_names *names, struct bytes name);

/* The consumer, made when absent ('*is_new', may be NULL), who has been seen now. */
struct stream_consumer *stream_consumer_at(struct request *req, const struct group_names *names,
                                           struct stream_group *group, struct bytes name,
                                           bool *is_new);

#endif
