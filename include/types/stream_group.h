/* Groups of consumers of a stream: who has got which entries and not acknowledged them yet.
 *
 * A pending entry is one block, in the index of its group and in that of its consumer. The structs
 * are for reading; what changes more than one place goes through the functions. Groups and consumers
 * are ordered by their names' bytes. */
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
};

struct stream_group {
    struct bytes name; /* behind the struct */
    struct stream_id last_id; /* that was delivered */
    int64_t entries_read;     /* or ENTRIES_READ_UNKNOWN */
    struct id_index pending;  /* of struct stream_pending */
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
/* Its pending entries go with it; returns how many they were. */
size_t stream_consumer_remove(struct stream_group *group, struct stream_consumer *consumer);

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
