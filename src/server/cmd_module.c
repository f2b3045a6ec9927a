/* MODULE: there are none, and none can be loaded. */
#include "server_internal.h"

#include "base/log.h"
#include "commands/help.h"

#define ERR_MODULE_REFUSED                                                                         \
    "ERR MODULE command not allowed. If the enable-module-command option is set to \"local\", you can "\
    "run it from a local connection, otherwise you need to set this option in the configuration "  \
    "file, and then restart the server."

static void module_list(struct request *req) { reply_array(req, 0); }

static bool is_allowed_or_reply(struct request *req)
{
    if (server_allows(req, server_of(req)->settings.module_command))
        return true;
    reply_error(req, ERR_MODULE_REFUSED);
    return false;
}

static void module_load(struct request *req)
{
    if (!is_allowed_or_reply(req))
        return;
    log_write(LOG_WARNING, "Module %.*s failed to load: modules are not supported",
              (int)(req->argv[2].len < 256 ? req->argv[2].len : 256), req->argv[2].data);
    reply_error(req, "ERR Error loading the extension. Please check the server logs.");
}

static void module_unload(struct request *req)
{
    if (is_allowed_or_reply(req))
        reply_error(req, "ERR Error unloading module: no such module with that name");
}

#define MODULE_FLAGS (CMD_ADMIN | CMD_NOSCRIPT | CMD_NO_ASYNC_LOADING)

static const struct command module_subcommands[] = {
    {"help", cmd_help, 2, CMD_LOADING | CMD_STALE, {0, 0, 0}, NULL, "5.0.0", "O(1)", "",
     "Prints this help."},
    {"list", module_list, 2, CMD_ADMIN | CMD_NOSCRIPT, {0, 0, 0}, NULL, "4.0.0", "O(1)", "",
     "Returns the modules that are loaded.",
     .tips = "nondeterministic_output_order"},
    {"load", module_load, -3, MODULE_FLAGS, {0, 0, 0}, NULL, "4.0.0", "O(1)",
     "path [arg [arg ...]]", "Loads a module."},
    {"loadex", module_load, -3, MODULE_FLAGS, {0, 0, 0}, NULL, "7.0.0", "O(1)",
     "path [CONFIG name value [CONFIG name value ...]] [ARGS args [args ...]]",
     "Loads a module with a configuration."},
    {"unload", module_unload, 3, MODULE_FLAGS, {0, 0, 0}, NULL, "4.0.0", "O(1)", "name",
     "Unloads a module."},
    {0},
};

static const struct command module_commands[] = {
    {"module", NULL, -2, 0, {0, 0, 0}, module_subcommands, "4.0.0", "", "", "Shows modules."},
};
REGISTER_COMMANDS("server", module_commands);
