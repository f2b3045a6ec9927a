/* Events as messages on channels. */
#include "engine/notify.h"

#include "engine_internal.h"

#include "base/mem.h"
#include "engine/pubsub.h"

#include <stdio.h>

#define CLASSES_ALL                                                                                \
    (EVENT_CLASS_GENERIC | EVENT_CLASS_STRING | EVENT_CLASS_LIST | EVENT_CLASS_SET |               \
     EVENT_CLASS_HASH | EVENT_CLASS_ZSET | EVENT_CLASS_EXPIRED | EVENT_CLASS_EVICTED |             \
     EVENT_CLASS_STREAM | EVENT_CLASS_MODULE)

static const struct {
    char letter;
    unsigned class;
} letters[] = {
    {'g', EVENT_CLASS_GENERIC}, {'$', EVENT_CLASS_STRING},  {'l', EVENT_CLASS_LIST},
    {'s', EVENT_CLASS_SET},     {'h', EVENT_CLASS_HASH},    {'z', EVENT_CLASS_ZSET},
    {'x', EVENT_CLASS_EXPIRED}, {'e', EVENT_CLASS_EVICTED}, {'t', EVENT_CLASS_STREAM},
    {'d', EVENT_CLASS_MODULE},  {'K', NOTIFY_KEYSPACE},     {'E', NOTIFY_KEYEVENT},
    {'m', EVENT_CLASS_MISS},    {'n', EVENT_CLASS_NEW},
};
#define LETTERS       (sizeof letters / sizeof *letters)
#define FIRST_OUTSIDE 10 /* letters that A does not stand for */

bool notify_parse(struct bytes text, unsigned *classes)
{
    unsigned parsed = 0;

    for (size_t i = 0; i < text.len; i++) {
        size_t at = 0;

        if (text.data[i] == 'A') {
            parsed |= CLASSES_ALL;
            continue;
        }
        while (at < LETTERS && letters[at].letter != text.data[i])
            at++;
        if (at == LETTERS)
            return false;
        parsed |= letters[at].class;
    }
    *classes = parsed;
    return true;
}

void notify_format(unsigned classes, char *out)
{
    bool is_all = (classes & CLASSES_ALL) == CLASSES_ALL;

    if (is_all)
        *out++ = 'A';
    for (size_t i = is_all ? FIRST_OUTSIDE : 0; i < LETTERS; i++)
        if (classes & letters[i].class)
            *out++ = letters[i].letter;
    *out = '\0';
}

static void publish_on(struct engine *engine, const char *kind, int db, struct bytes subject,
                       struct bytes message)
{
    char prefix[48];
    size_t len = (size_t)snprintf(prefix, sizeof prefix, "__%s@%d__:", kind, db);
    char *channel = mem_alloc(len + subject.len + 1);

    memcpy(channel, prefix, len);
    if (subject.len)
        memcpy(channel + len, subject.data, subject.len);
    pubsub_publish(engine, (struct bytes){channel, len + subject.len}, message);
    mem_free(channel, len + subject.len + 1);
}

void notify(struct engine *engine, struct db *db, struct bytes key, const struct event_kind *event)
{
    unsigned classes = engine->settings.notify_classes;
    struct bytes name = bytes_from_string(event->name);

    if (!(classes & event->class))
        return;
    if (classes & NOTIFY_KEYSPACE)
        publish_on(engine, "keyspace", db->id, key, name);
    if (classes & NOTIFY_KEYEVENT)
        publish_on(engine, "keyevent", db->id, name, key);
}
