/* CLUSTER and its relatives: this server is not part of a cluster, and says so as one that could be. */
#include "commands/help.h"
#include "engine/request.h"

static void cmd_not_clustered(struct request *req)
{
    reply_error(req, "ERR This instance has cluster support disabled");
}

#define SUB(name, arity, flags, since, syntax, summary, ...)                                       \
    {name, cmd_not_clustered, arity, flags, {0, 0, 0}, NULL, since, "O(1)", syntax, summary, __VA_ARGS__}
#define ADMIN (CMD_ADMIN | CMD_STALE | CMD_NO_ASYNC_LOADING)

static const struct command cluster_subcommands[] = {
    SUB("addslots", -3, ADMIN, "3.0.0", "slot [slot ...]", "Gives slots to this node."),
    SUB("addslotsrange", -4, ADMIN, "7.0.0", "start-slot end-slot [start-slot end-slot ...]",
        "Gives ranges of slots to this node."),
    SUB("bumpepoch", 2, ADMIN, "3.0.0", "", "Advances the configuration epoch."),
    SUB("count-failure-reports", 3, CMD_ADMIN | CMD_STALE, "3.0.0", "node-id",
        "Counts the reports that a node has failed."),
    SUB("countkeysinslot", 3, CMD_STALE, "3.0.0", "slot", "Counts the keys of a slot."),
    SUB("delslots", -3, ADMIN, "3.0.0", "slot [slot ...]", "Takes slots from this node."),
    SUB("delslotsrange", -4, ADMIN, "7.0.0", "start-slot end-slot [start-slot end-slot ...]",
        "Takes ranges of slots from this node."),
    SUB("failover", -2, ADMIN, "3.0.0", "[FORCE | TAKEOVER]", "Makes this replica the master."),
    SUB("flushslots", 2, ADMIN, "3.0.0", "", "Takes all slots from this node."),
    SUB("forget", 3, ADMIN, "3.0.0", "node-id", "Removes a node from the table of nodes."),
    SUB("getkeysinslot", 4, CMD_STALE, "3.0.0", "slot count", "Returns keys of a slot."),
    {"help", cmd_help, 2, CMD_LOADING | CMD_STALE, {0, 0, 0}, NULL, "5.0.0", "O(1)", "",
     "Prints this help."},
    SUB("info", 2, CMD_STALE, "3.0.0", "", "Returns the state of the cluster."),
    SUB("keyslot", 3, CMD_STALE, "3.0.0", "key", "Returns the slot of a key."),
    SUB("links", 2, CMD_STALE, "7.0.0", "", "Returns the links to other nodes."),
    SUB("meet", -4, ADMIN, "3.0.0", "ip port [cluster-bus-port]", "Makes nodes meet.",
        .history = "4.0.0 The port of the bus.", .argument_since = "cluster-bus-port 4.0.0"),
    SUB("myid", 2, CMD_STALE, "3.0.0", "", "Returns the id of this node."),
    SUB("myshardid", 2, CMD_STALE, "7.2.0", "", "Returns the id of this node's shard."),
    SUB("nodes", 2, CMD_STALE, "3.0.0", "", "Returns the nodes of the cluster."),
    SUB("replicas", 3, CMD_ADMIN | CMD_STALE, "5.0.0", "node-id", "Returns the replicas of a master."),
    SUB("replicate", 3, ADMIN, "3.0.0", "node-id", "Makes this node a replica."),
    SUB("reset", -2, CMD_ADMIN | CMD_NOSCRIPT | CMD_STALE, "3.0.0", "[HARD | SOFT]",
        "Resets this node."),
    SUB("saveconfig", 2, ADMIN, "3.0.0", "", "Writes the configuration of nodes to disk."),
    SUB("set-config-epoch", 3, ADMIN, "3.0.0", "config-epoch", "Sets the epoch of a new node."),
    SUB("setslot", -4, ADMIN, "3.0.0",
        "slot <IMPORTING node-id | MIGRATING node-id | NODE node-id | STABLE>",
        "Binds a slot to a node."),
    SUB("shards", 2, CMD_LOADING | CMD_STALE, "7.0.0", "", "Returns the shards of the cluster."),
    SUB("slaves", 3, CMD_ADMIN | CMD_STALE, "3.0.0", "node-id", "Returns the replicas of a master."),
    SUB("slots", 2, CMD_LOADING | CMD_STALE, "3.0.0", "", "Returns which node has which slots.",
        .history = "4.0.0 The ids of nodes.\n"
                   "7.0.0 More about the addresses of nodes."),
    {0},
};

static const struct command cluster_commands[] = {
    {"cluster", NULL, -2, 0, {0, 0, 0}, cluster_subcommands, "3.0.0", "", "",
     "Shows and changes the cluster."},
    {"asking", cmd_not_clustered, 1, CMD_FAST | CMD_IN_CONNECTION, {0, 0, 0}, NULL, "3.0.0", "O(1)", "",
     "Announces that a key is asked for after an ASK redirection."},
    {"readonly", cmd_not_clustered, 1, CMD_FAST | CMD_LOADING | CMD_STALE | CMD_IN_CONNECTION,
     {0, 0, 0}, NULL, "3.0.0", "O(1)", "", "Lets the connection read from a replica of a cluster."},
    {"readwrite", cmd_not_clustered, 1, CMD_FAST | CMD_LOADING | CMD_STALE | CMD_IN_CONNECTION,
     {0, 0, 0}, NULL, "3.0.0", "O(1)", "", "Ends READONLY."},
};
REGISTER_COMMANDS("cluster", cluster_commands);
