/* Publish and subscribe. */
#include "engine/propagate.h"
#include "engine/pubsub.h"
#include "engine/request.h"

#include "base/mem.h"
#include "commands/help.h"

static void subscribe(struct request *req, enum channel_kind kind)
{
    for (int i = 1; i < req->argc; i++)
        pubsub_subscribe(req, kind, req->argv[i]);
}

static void unsubscribe(struct request *req, enum channel_kind kind)
{
    if (req->argc == 1)
        pubsub_unsubscribe_all(req, kind);
    for (int i = 1; i < req->argc; i++)
        pubsub_unsubscribe(req, kind, req->argv[i]);
}

static void cmd_subscribe(struct request *req) { subscribe(req, CHANNEL_PLAIN); }
static void cmd_psubscribe(struct request *req) { subscribe(req, CHANNEL_PATTERN); }
static void cmd_ssubscribe(struct request *req) { subscribe(req, CHANNEL_SHARD); }
static void cmd_unsubscribe(struct request *req) { unsubscribe(req, CHANNEL_PLAIN); }
static void cmd_punsubscribe(struct request *req) { unsubscribe(req, CHANNEL_PATTERN); }
static void cmd_sunsubscribe(struct request *req) { unsubscribe(req, CHANNEL_SHARD); }

static void cmd_publish(struct request *req)
{
    reply_int(req, pubsub_publish(req->engine, req->argv[1], req->argv[2]));
    propagate_also(req->engine, req->db->id, req->argc, req->argv);
}

static void cmd_spublish(struct request *req)
{
    reply_int(req, pubsub_publish_shard(req->engine, req->argv[1], req->argv[2]));
    propagate_also(req->engine, req->db->id, req->argc, req->argv);
}

/* --- PUBSUB ----------------------------------------------------------------------------------------------- */

static void reply_channels(struct request *req, enum channel_kind kind)
{
    const struct map *channels = pubsub_channels(req->engine, kind);
    struct bytes *found = mem_alloc((map_size(channels) + 1) * sizeof *found);
    struct map_node *node;
    struct map_iter iter;
    size_t count = 0;

    map_iter_init(&iter, channels);
    while ((node = map_iter_next(&iter)) != NULL)
        if (req->argc == 2 || bytes_match(req->argv[2], map_key(node), false))
            found[count++] = map_key(node);
    reply_array(req, count);
    for (size_t i = 0; i < count; i++)
        reply_bulk(req, found[i]);
    mem_free(found, (map_size(channels) + 1) * sizeof *found);
}

static void reply_subscribers(struct request *req, enum channel_kind kind)
{
    reply_array(req, 2 * ((size_t)req->argc - 2));
    for (int i = 2; i < req->argc; i++) {
        reply_bulk(req, req->argv[i]);
        reply_int(req, (int64_t)pubsub_subscribers(req->engine, kind, req->argv[i]));
    }
}

static void channels_or_arity(struct request *req, enum channel_kind kind)
{
    if (req->argc > 3)
        reply_subcommand_error(req);
    else
        reply_channels(req, kind);
}

static void pubsub_list(struct request *req) { channels_or_arity(req, CHANNEL_PLAIN); }
static void pubsub_shard_list(struct request *req) { channels_or_arity(req, CHANNEL_SHARD); }
static void pubsub_numsub(struct request *req) { reply_subscribers(req, CHANNEL_PLAIN); }
static void pubsub_shard_numsub(struct request *req) { reply_subscribers(req, CHANNEL_SHARD); }

static void pubsub_numpat(struct request *req)
{
    reply_int(req, (int64_t)map_size(pubsub_channels(req->engine, CHANNEL_PATTERN)));
}

#define PUBSUB_FLAGS    (CMD_PUBSUB | CMD_LOADING | CMD_STALE)
#define SUBSCRIBE_FLAGS (PUBSUB_FLAGS | CMD_NOSCRIPT | CMD_IN_SUBSCRIBED)
#define PUBLISH_FLAGS   (PUBSUB_FLAGS | CMD_FAST | CMD_MAY_REPLICATE)

static const struct command pubsub_subcommands[] = {
    {"channels", pubsub_list, -2, PUBSUB_FLAGS, {0, 0, 0}, NULL, "2.8.0", "O(N) channels",
     "[pattern]", "Returns the channels that have subscribers."},
    {"help", cmd_help, 2, CMD_LOADING | CMD_STALE, {0, 0, 0}, NULL, "6.2.0", "O(1)", "",
     "Prints this help."},
    {"numpat", pubsub_numpat, 2, PUBSUB_FLAGS, {0, 0, 0}, NULL, "2.8.0", "O(1)", "",
     "Returns the number of patterns that clients are subscribed to."},
    {"numsub", pubsub_numsub, -2, PUBSUB_FLAGS, {0, 0, 0}, NULL, "2.8.0", "O(N) channels",
     "[channel [channel ...]]", "Returns the number of subscribers of each channel."},
    {"shardchannels", pubsub_shard_list, -2, PUBSUB_FLAGS, {0, 0, 0}, NULL, "7.0.0",
     "O(N) channels", "[pattern]", "Returns the shard channels that have subscribers."},
    {"shardnumsub", pubsub_shard_numsub, -2, PUBSUB_FLAGS, {0, 0, 0}, NULL, "7.0.0",
     "O(N) channels", "[shardchannel [shardchannel ...]]",
     "Returns the number of subscribers of each shard channel."},
    {0},
};

static const struct command pubsub_commands[] = {
    {"subscribe", cmd_subscribe, -2, SUBSCRIBE_FLAGS, {0, 0, 0}, NULL, "2.0.0", "O(N) channels",
     "channel [channel ...]", "Listens to channels."},
    {"psubscribe", cmd_psubscribe, -2, SUBSCRIBE_FLAGS, {0, 0, 0}, NULL, "2.0.0", "O(N) patterns",
     "pattern [pattern ...]", "Listens to all channels that match patterns."},
    {"ssubscribe", cmd_ssubscribe, -2, SUBSCRIBE_FLAGS, {1, -1, 1}, NULL, "7.0.0", "O(N) channels",
     "shardchannel [shardchannel ...]", "Listens to shard channels.",
     ALL_KEYS(KEY_NOT_KEY)},
    {"unsubscribe", cmd_unsubscribe, -1, SUBSCRIBE_FLAGS, {0, 0, 0}, NULL, "2.0.0", "O(N) channels",
     "[channel [channel ...]]", "Stops listening to channels, all when none is named."},
    {"punsubscribe", cmd_punsubscribe, -1, SUBSCRIBE_FLAGS, {0, 0, 0}, NULL, "2.0.0",
     "O(N) patterns", "[pattern [pattern ...]]",
     "Stops listening to patterns, all when none is named."},
    {"sunsubscribe", cmd_sunsubscribe, -1, SUBSCRIBE_FLAGS, {1, -1, 1}, NULL, "7.0.0",
     "O(N) channels", "[shardchannel [shardchannel ...]]",
     "Stops listening to shard channels, all when none is named.",
     ALL_KEYS(KEY_NOT_KEY)},
    {"publish", cmd_publish, 3, PUBLISH_FLAGS, {0, 0, 0}, NULL, "2.0.0",
     "O(N+M) subscribers of the channel and patterns of all clients", "channel message",
     "Sends a message to all who listen to a channel."},
    {"spublish", cmd_spublish, 3, PUBLISH_FLAGS, {1, 1, 1}, NULL, "7.0.0", "O(N) subscribers",
     "shardchannel message", "Sends a message to all who listen to a shard channel.",
     FIRST_KEY(KEY_NOT_KEY)},
    {"pubsub", NULL, -2, 0, {0, 0, 0}, pubsub_subcommands, "2.8.0", "", "",
     "Shows channels and subscribers."},
};
REGISTER_COMMANDS("pubsub", pubsub_commands);
