/* Publish and subscribe.
 *
 *     maps[kind]:            channel -> struct channel --- subscription --- subscription
 *     client's maps[kind]:   channel -> its subscription
 *
 * A message is formatted once for each protocol version and appended to the subscribers' chains, which
 * are sent at the end of the turn: fifty messages to one subscriber are one write. */
#include "engine/pubsub.h"

#include "engine_internal.h"

#include "base/assert.h"
#include "base/mem.h"
#include "base/numbers.h"

struct channel {
    struct map_node *node;
    struct subscription *first, *last;
    size_t subscribers;
};

struct subscription {
    struct channel *channel;
    struct client *client;
    struct subscription *next, *previous; /* of the channel */
};

struct subscriptions {
    struct map kinds[CHANNEL_KINDS]; /* channel -> struct subscription */
};

struct pubsub {
    struct map kinds[CHANNEL_KINDS]; /* channel -> struct channel */
};

static const char *const subscribe_words[] = {"subscribe", "psubscribe", "ssubscribe"};
static const char *const unsubscribe_words[] = {"unsubscribe", "punsubscribe", "sunsubscribe"};

struct pubsub *pubsub_new(void)
{
    struct pubsub *pubsub = mem_alloc(sizeof *pubsub);

    for (int kind = 0; kind < CHANNEL_KINDS; kind++)
        map_init(&pubsub->kinds[kind]);
    return pubsub;
}

void pubsub_free(struct pubsub *pubsub)
{
    for (int kind = 0; kind < CHANNEL_KINDS; kind++)
        map_release(&pubsub->kinds[kind]);
    mem_free(pubsub, sizeof *pubsub);
}

size_t pubsub_count(const struct client *client, enum channel_kind kind)
{
    return client->subscriptions ? map_size(&client->subscriptions->kinds[kind]) : 0;
}

const struct map *pubsub_channels(const struct engine *engine, enum channel_kind kind)
{
    return &engine->pubsub->kinds[kind];
}

size_t pubsub_subscribers(const struct engine *engine, enum channel_kind kind, struct bytes channel)
{
    const struct map_node *node = map_find(&engine->pubsub->kinds[kind], channel);

    return node ? ((const struct channel *)node->value)->subscribers : 0;
}

/* --- joining and leaving ------------------------------------------------------------------------- */

static struct subscriptions *subscriptions_of(struct client *client)
{
    if (!client->subscriptions) {
        client->subscriptions = mem_alloc(sizeof *client->subscriptions);
        for (int kind = 0; kind < CHANNEL_KINDS; kind++)
            map_init(&client->subscriptions->kinds[kind]);
    }
    client->flags |= CLIENT_SUBSCRIBED;
    return client->subscriptions;
}

static struct channel *channel_of(struct pubsub *pubsub, enum channel_kind kind, struct bytes name)
{
    struct map_node *node = map_add(&pubsub->kinds[kind], name, NULL);

    if (!node->value) {
        struct channel *channel = mem_alloc_zero(sizeof *channel);

        channel->node = node;
        node->value = channel;
    }
    return node->value;
}

static void join(struct client *client, enum channel_kind kind, struct bytes name)
{
    bool is_new;
    struct map_node *own = map_add(&subscriptions_of(client)->kinds[kind], name, &is_new);
    struct subscription *subscription;
    struct channel *channel;

    if (!is_new)
        return;
    channel = channel_of(client->engine->pubsub, kind, name);
    own->value = subscription = mem_alloc_zero(sizeof *subscription);
    subscription->channel = channel;
    subscription->client = client;
    subscription->previous = channel->last;
    if (channel->last)
        channel->last->next = subscription;
    else
        channel->first = subscription;
    channel->last = subscription;
    channel->subscribers++;
}

static void leave(struct client *client, enum channel_kind kind, struct map_node *own)
{
    struct subscription *subscription = own->value;
    struct channel *channel = subscription->channel;

    if (subscription->next)
        subscription->next->previous = subscription->previous;
    else
        channel->last = subscription->previous;
    if (subscription->previous)
        subscription->previous->next = subscription->next;
    else
        channel->first = subscription->next;
    if (--channel->subscribers == 0) {
        map_remove(&client->engine->pubsub->kinds[kind], channel->node);
        mem_free(channel, sizeof *channel);
    }
    mem_free(subscription, sizeof *subscription);
    map_remove(&client->subscriptions->kinds[kind], own);
}

static void drop_if_empty(struct client *client)
{
    struct subscriptions *subscriptions = client->subscriptions;

    if (!subscriptions)
        return;
    for (int kind = 0; kind < CHANNEL_KINDS; kind++)
        if (map_size(&subscriptions->kinds[kind]))
            return;
    for (int kind = 0; kind < CHANNEL_KINDS; kind++)
        map_release(&subscriptions->kinds[kind]);
    mem_free(subscriptions, sizeof *subscriptions);
    client->subscriptions = NULL;
    client->flags &= ~CLIENT_SUBSCRIBED;
}

void pubsub_leave(struct client *client)
{
    struct map_node *own;

    if (!client->subscriptions)
        return;
    for (int kind = 0; kind < CHANNEL_KINDS; kind++)
        while ((own = map_any(&client->subscriptions->kinds[kind])) != NULL)
            leave(client, kind, own);
    drop_if_empty(client);
}

void pubsub_forget(struct client *client) { pubsub_leave(client); }

/* --- the commands' replies ------------------------------------------------------------------------ */

/* Shard channels are counted apart. */
static size_t shown_count(const struct client *client, enum channel_kind kind)
{
    if (kind == CHANNEL_SHARD)
        return pubsub_count(client, CHANNEL_SHARD);
    return pubsub_count(client, CHANNEL_PLAIN) + pubsub_count(client, CHANNEL_PATTERN);
}

/* CLIENT REPLY OFF is not for these. */
static void reply_change(struct request *req, const char *word, enum channel_kind kind,
                         const struct bytes *channel)
{
    struct window *window = req->window;
    bool is_muted = window->is_muted;

    if (is_muted)
        window->at = window->command_start;
    window->is_muted = false;
    reply_push(req, 3);
    reply_bulk_string(req, word);
    if (channel)
        reply_bulk(req, *channel);
    else
        reply_null(req);
    reply_int(req, (int64_t)shown_count(req->client, kind));
    window->is_muted = is_muted;
    if (is_muted)
        window->command_start = window->at;
}

void pubsub_subscribe(struct request *req, enum channel_kind kind, struct bytes channel)
{
    join(req->client, kind, channel);
    reply_change(req, subscribe_words[kind], kind, &channel);
}

void pubsub_unsubscribe(struct request *req, enum channel_kind kind, struct bytes channel)
{
    struct client *client = req->client;
    struct map_node *own =
        client->subscriptions ? map_find(&client->subscriptions->kinds[kind], channel) : NULL;

    if (own)
        leave(client, kind, own);
    reply_change(req, unsubscribe_words[kind], kind, &channel);
    drop_if_empty(client);
}

void pubsub_unsubscribe_all(struct request *req, enum channel_kind kind)
{
    struct client *client = req->client;
    struct map_node *own;

    if (!pubsub_count(client, kind)) {
        reply_change(req, unsubscribe_words[kind], kind, NULL);
        return;
    }
    while ((own = map_any(&client->subscriptions->kinds[kind])) != NULL) {
        size_t len = own->key_len;
        char *name = mem_alloc(len + 1);

        memcpy(name, own->key, len);
        leave(client, kind, own);
        reply_change(req, unsubscribe_words[kind], kind, &(struct bytes){name, len});
        mem_free(name, len + 1);
    }
    drop_if_empty(client);
}

/* --- publishing ------------------------------------------------------------------------------------ */

/* One message in both protocols, each formatted when the first subscriber needs it. */
struct message {
    struct bytes parts[4];
    int count;
    char *formatted[2]; /* RESP2, RESP3 */
    size_t len;
};

static char *put_bulk(char *at, struct bytes bytes)
{
    *at++ = '$';
    at += uint64_format(at, bytes.len);
    memcpy(at, "\r\n", 2);
    at += 2;
    if (bytes.len)
        memcpy(at, bytes.data, bytes.len);
    memcpy(at + bytes.len, "\r\n", 2);
    return at + bytes.len + 2;
}

static size_t room_for(const struct message *message)
{
    size_t room = 8;

    for (int i = 0; i < message->count; i++)
        room += message->parts[i].len + INT64_TEXT_MAX + 5;
    return room;
}

static struct bytes formatted(struct message *message, int resp)
{
    char **text = &message->formatted[resp == 3];

    if (!*text) {
        char *at = *text = mem_alloc(room_for(message));

        *at++ = resp == 3 ? '>' : '*';
        *at++ = (char)('0' + message->count);
        memcpy(at, "\r\n", 2);
        at += 2;
        for (int i = 0; i < message->count; i++)
            at = put_bulk(at, message->parts[i]);
        message->len = (size_t)(at - *text);
    }
    return (struct bytes){*text, message->len};
}

static void release(struct message *message)
{
    for (int i = 0; i < 2; i++)
        if (message->formatted[i])
            mem_free(message->formatted[i], room_for(message));
}

/* A subscriber that is cut at its limit meanwhile stays in the channel until the turn is over. */
static int64_t deliver(struct channel *channel, struct message *message)
{
    int64_t receivers = (int64_t)channel->subscribers;
    struct subscription *subscription = channel->first;

    for (; subscription; subscription = subscription->next)
        output_push(subscription->client, formatted(message, subscription->client->resp));
    release(message);
    return receivers;
}

static int64_t publish_to(struct engine *engine, enum channel_kind kind, struct bytes word,
                          struct bytes channel, struct bytes text)
{
    struct map_node *node = map_find(&engine->pubsub->kinds[kind], channel);
    struct message message = {.parts = {word, channel, text}, .count = 3};

    return node ? deliver(node->value, &message) : 0;
}

int64_t pubsub_publish(struct engine *engine, struct bytes channel, struct bytes text)
{
    struct map *patterns = &engine->pubsub->kinds[CHANNEL_PATTERN];
    int64_t receivers = publish_to(engine, CHANNEL_PLAIN, BYTES("message"), channel, text);
    struct map_iter iter;
    struct map_node *node;

    if (!map_size(patterns))
        return receivers;
    map_iter_init(&iter, patterns);
    while ((node = map_iter_next(&iter)) != NULL) {
        struct message message = {.parts = {BYTES("pmessage"), map_key(node), channel, text},
                                  .count = 4};

        if (bytes_match(map_key(node), channel, false))
            receivers += deliver(node->value, &message);
    }
    return receivers;
}

int64_t pubsub_publish_shard(struct engine *engine, struct bytes channel, struct bytes text)
{
    return publish_to(engine, CHANNEL_SHARD, BYTES("smessage"), channel, text);
}
