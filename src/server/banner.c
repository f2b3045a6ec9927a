/* What the log says at the beginning: scripts and test suites read it. */
#include "server_internal.h"

#include "base/log.h"
#include "engine/version.h"

#include <stdio.h>
#include <unistd.h>

static const char picture[] =
    "\n"
    "            __                        Tern %s, as Redis %s, 64 bit\n"
    "        .--'o )\n"
    "  ____.'   ,-'---                     Running in %s mode\n"
    "  '-._    /                           Port: %lld\n"
    "   _.-'  / ______                     PID: %d\n"
    " <_____.'-'\n"
    "\n";

/* As 'C' until there is a server, as Redis does it. */
void banner_begin(const struct server *server)
{
    log_write(LOG_NOTICE, "oO0OoO0OoO0Oo Redis is starting oO0OoO0OoO0Oo");
    log_write(LOG_NOTICE, "Redis version=%s, bits=64, commit=00000000, modified=0, pid=%d, just started",
              REDIS_VERSION, (int)getpid());
    log_write(LOG_NOTICE, "Tern version=%s", TERN_VERSION);
    if (server->is_configured)
        log_write(LOG_NOTICE, "Configuration loaded");
    else
        log_write(LOG_WARNING,
                  "Warning: no config file specified, using the default config. In order to specify a "
                  "config file use %s /path/to/redis.conf", server->program);
}

void banner_show(const struct server *server)
{
    const struct server_settings *settings = &server->settings;
    bool is_terminal = !settings->uses_syslog && !*settings->log_file && isatty(STDOUT_FILENO);
    char text[sizeof picture + 128];

    log_write(LOG_NOTICE, "monotonic clock: %s", clock_work_source());
    if (!is_terminal && !settings->shows_logo) {
        log_write(LOG_NOTICE, "Running mode=standalone, port=%lld.", (long long)settings->port);
        return;
    }
    if (log_get_level() > LOG_NOTICE)
        return;
    snprintf(text, sizeof text, picture, TERN_VERSION, REDIS_VERSION, "standalone", (long long)settings->port,
             (int)getpid());
    log_raw(text);
}

void banner_ready(const struct server *server)
{
    log_write(LOG_NOTICE, "Server initialized");
    if (server->listener_count)
        log_write(LOG_NOTICE, "Ready to accept connections tcp");
    if (*server->settings.unix_path)
        log_write(LOG_NOTICE, "Ready to accept connections unix");
}
