/* The id of a stream's entry: a time in milliseconds and a number within it, ordered by both. */
#ifndef TERN_TYPES_STREAM_ID_H
#define TERN_TYPES_STREAM_ID_H

#include <stdbool.h>
#include <stdint.h>

struct stream_id {
    uint64_t ms, seq;
};

#define STREAM_ID_MIN ((struct stream_id){0, 0})
#define STREAM_ID_MAX ((struct stream_id){UINT64_MAX, UINT64_MAX})

/* <0, 0, >0 */
static inline int stream_id_compare(struct stream_id a, struct stream_id b)
{
    if (a.ms != b.ms)
        return a.ms < b.ms ? -1 : 1;
    return a.seq < b.seq ? -1 : a.seq > b.seq;
}

static inline bool stream_id_equal(struct stream_id a, struct stream_id b)
{
    return a.ms == b.ms && a.seq == b.seq;
}

static inline bool stream_id_is_zero(struct stream_id id) { return !(id.ms | id.seq); }

/* The id behind or before; false, and nothing changed, when there is none. */
static inline bool stream_id_next(struct stream_id *id)
{
    if (stream_id_equal(*id, STREAM_ID_MAX))
        return false;
    if (++id->seq == 0)
        id->ms++;
    return true;
}

static inline bool stream_id_previous(struct stream_id *id)
{
    if (stream_id_is_zero(*id))
        return false;
    if (id->seq-- == 0)
        id->ms--;
    return true;
}

#endif
