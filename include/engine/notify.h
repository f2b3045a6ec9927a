/* Keyspace notifications: events published to channels (notify-keyspace-events).
 *
 *     __keyspace@0__:fruit   lpush        with K
 *     __keyevent@0__:lpush   fruit        with E */
#ifndef TERN_ENGINE_NOTIFY_H
#define TERN_ENGINE_NOTIFY_H

#include "base/bytes.h"
#include "engine/events.h"

#include <stdbool.h>

#define NOTIFY_KEYSPACE (1u << 0) /* K */
#define NOTIFY_KEYEVENT (1u << 1) /* E */

#define NOTIFY_TEXT_MAX 24

/* "KEA", "Kg$" ... to classes; false when a letter is unknown. */
bool notify_parse(struct bytes text, unsigned *classes);
/* As CONFIG GET shows it; 'out' holds NOTIFY_TEXT_MAX bytes. */
void notify_format(unsigned classes, char *out);

void notify(struct engine *engine, struct db *db, struct bytes key, const struct event_kind *event);

#endif
