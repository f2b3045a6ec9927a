/* What replication answers while nobody replicates. */
#include "engine/request.h"

static void cmd_role(struct request *req)
{
    reply_array(req, 3);
    reply_bulk_string(req, "master");
    reply_int(req, 0);
    reply_array(req, 0);
}

static const struct command replication_commands[] = {
    {"role", cmd_role, 1, CMD_NOSCRIPT | CMD_LOADING | CMD_STALE | CMD_FAST | CMD_IN_ADMIN,
     {0, 0, 0}, NULL, "2.8.12", "O(1)", "", "Returns the part that the server plays in replication."},
};
REGISTER_COMMANDS("server", replication_commands);
