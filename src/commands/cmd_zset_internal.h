/* What the commands of sorted sets share: cmd_zset.c (members), cmd_zset_range.c, cmd_zset_algebra.c,
 * cmd_zset_pop.c. */
#ifndef TERN_CMD_ZSET_INTERNAL_H
#define TERN_CMD_ZSET_INTERNAL_H

#include "engine/events.h"
#include "engine/request.h"
#include "types/zset.h"

static inline struct zset *zset_at(const struct key_ref *ref) { return entry_value(ref->entry); }

/* After members were taken out: reports it, and removes a set that is empty now. 'ref' is void then. */
void zset_report_taken(struct request *req, struct key_ref *ref, struct bytes key,
                       const struct event_kind *event, int64_t taken);

/* Members of a reply with scores: pairs in RESP3, by turns in RESP2. */
void zset_reply_array(struct request *req, size_t count, bool with_scores);
void zset_reply_item(struct request *req, const struct zset_item *item, bool with_scores);

/* A set becomes what a key holds, whatever that was; an empty one (freed here) deletes the key. Replies its
 * size. */
void zset_store_and_reply(struct request *req, int at, struct zset *set, const struct event_kind *event);


/* The rule of a command with one key, its first argument. */
#define ZSET_ONE_KEY(flags) {{flags, KEY_AT_INDEX, 1, NULL, KEY_RANGE, {0, 1, 0}}, {0}}

#endif
