/* Channels, patterns and shard channels, and who is subscribed to them. */
#ifndef TERN_ENGINE_PUBSUB_H
#define TERN_ENGINE_PUBSUB_H

#include "base/bytes.h"
#include "ds/map.h"

#include <stdint.h>

struct client;
struct engine;
struct request;

enum channel_kind { CHANNEL_PLAIN, CHANNEL_PATTERN, CHANNEL_SHARD, CHANNEL_KINDS };

/* Each replies as SUBSCRIBE and its like do. */
void pubsub_subscribe(struct request *req, enum channel_kind kind, struct bytes channel);
void pubsub_unsubscribe(struct request *req, enum channel_kind kind, struct bytes channel);
void pubsub_unsubscribe_all(struct request *req, enum channel_kind kind);
/* Without replies (RESET). */
void pubsub_leave(struct client *client);

/* Returns the number of clients that got it. */
int64_t pubsub_publish(struct engine *engine, struct bytes channel, struct bytes message);
int64_t pubsub_publish_shard(struct engine *engine, struct bytes channel, struct bytes message);

/* Channels with subscribers, and how many: for PUBSUB. Values are not for others. */
const struct map *pubsub_channels(const struct engine *engine, enum channel_kind kind);
size_t pubsub_subscribers(const struct engine *engine, enum channel_kind kind, struct bytes channel);

/* Of one client. */
size_t pubsub_count(const struct client *client, enum channel_kind kind);

#endif
