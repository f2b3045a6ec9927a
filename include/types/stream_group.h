/* Groups of consumers of a stream: who has got which entries and not acknowledged them yet.
 *
 * A pending entry is one block, in the index of its group and in that of its consumer. The structs
 * are for reading; what changes more than one place goes through the functions. Groups and consumers
 * are ordered by their names' bytes.
 *
 * A consumer that is removed with many pending entries leaves slowly: it is found no more and its
 * entries count no more, but they stand in the group's index until they are freed in slices. Who walks
 * that index goes through stream_pending_live:
 *
 *     at = stream_pending_live(id_index_ceiling(&group->pending, from));
 *     for (; at.node; at = stream_pending_next(at)) ... */
#ifndef TERN_TYPES_STREAM_GROUP_H
#define TERN_TYPES_STREAM_GROUP_H

#include "types/stream.h"

#define ENTRIES_READ_UNKNOWN (-1)
#define NEVER_ACTIVE         (-1)

struct stream_pending {
    struct stream_consumer *consumer;
    int64_t delivered_ms;
    uint64_t deliveries;
};

struct stream_consumer {
    struct bytes name; /* behind the struct */
    int64_t seen_ms;   /* tried something */
    int64_t active_ms; /* got something */
    struct id_index pending; /* of struct stream_pending */
    struct stream_group *leaving; /* it was removed from this group; NULL: it was not, or nothing is pending */
    struct stream_consumer *next; /* that leaves the same group */
};

struct stream_group {
    struct bytes name; /* behind the struct */
    struct stream_id last_id; /* that was delivered */
    int64_t entries_read;     /* or ENTRIES_READ_UNKNOWN */
    struct id_index pending;  /* of struct stream_pending, of those who leave too */
    struct stream_consumer *leaving; /* the first of those who were removed and still have something */
    size_t leaving_count;            /* what they have in all */
    void **consumers; /* of struct stream_consumer */
    uint32_t consumer_count;
    int mark; /* for a command that comes by again; between commands it says nothing */
};

size_t stream_group_count(const struct stream *stream);
struct stream_group *stream_group_at(const struct stream *stream, size_t index);
struct stream_group *stream_group_find(const struct stream *stream, struct bytes name);
/* NULL when there is one of this name. */
struct stream_group *stream_group_add(struct stream *stream, struct bytes name,
                                      struct stream_id last_id, int64_t entries_read);
/* Returns a stream that has this group alone, to be freed; NULL when there is none. */
struct stream *stream_group_take(struct stream *stream, struct bytes name);

struct stream_consumer *stream_consumer_find(const struct stream_group *group, struct bytes name);
/* NULL when there is one of this name. */
struct stream_consumer *stream_consumer_add(struct stream_group *group, struct bytes name,
                                            int64_t now_ms);
/* Its pending entries go with it; returns how many they were. When they are many, '*leaving' becomes the
 * consumer, for stream_consumer_leave_step, which frees it; else NULL. */
size_t stream_consumer_remove(struct stream_group *group, struct stream_consumer *consumer,
                              struct stream_consumer **leaving);
/* Frees about 'budget' entries of a consumer that leaves (void *: for the free queue); true when it is
 * gone. Its group may go first. */
bool stream_consumer_leave_step(void *consumer, size_t budget);

/* Of consumers who are there. */
static inline size_t stream_pending_count(const struct stream_group *group)
{
    return group->pending.count - group->leaving_count;
}
/* The cursor, or the next one that is at an entry of a consumer who is there. */
struct id_cursor stream_pending_live(struct id_cursor at);
struct id_cursor stream_pending_next(struct id_cursor at);
struct id_cursor stream_pending_last(const struct stream_group *group);

struct stream_pending *stream_pending_find(const struct stream_group *group, struct stream_id id);
/* The id must not be pending. */
struct stream_pending *stream_pending_add(struct stream_group *group,
                                          struct stream_consumer *consumer, struct stream_id id,
                                          int64_t now_ms);
void stream_pending_move(struct stream_pending *pending, struct stream_id id,
                         struct stream_consumer *consumer);
/* False when the id is not pending. */
bool stream_pending_remove(struct stream_group *group, struct stream_id id);

/* How many entries were ever added up to 'id', as far as it can be told: ENTRIES_READ_UNKNOWN. */
int64_t stream_entries_up_to(const struct stream *stream, struct stream_id id);
/* Entries may have been removed behind 'id'. */
bool stream_has_gaps_behind(const struct stream *stream, struct stream_id id);

#endif
