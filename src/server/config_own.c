/* Directives whose values have a form of their own. */
#include "config_internal.h"

#include "base/numbers.h"
#include "engine/notify.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <locale.h>
#include <stdio.h>
#include <unistd.h>

#define BIND_TEXT_MAX  4096 /* what listening on the addresses has room for */
#define HOST_LEN_MAX   256
#define OOM_VALUES     3

static void keep(struct text *kept, struct bytes word)
{
    if (kept->len)
        text_add(kept, BYTES(" "));
    text_add(kept, word);
}

static bool is_one_empty(const struct bytes *args, int argc) { return argc == 1 && !args[0].len; }

/* --- bind --------------------------------------------------------------------------------------------------- */

int check_addresses(const struct bytes *args, int argc, struct text *kept, struct error *error)
{
    if (argc > BIND_MAX)
        return error_set(error, "Too many bind addresses specified.");
    for (int i = 0; i < argc; i++)
        keep(kept, args[i]);
    if (kept->len >= BIND_TEXT_MAX)
        return error_set(error, "Invalid bind addresses.");
    return 0;
}

/* --- save: pairs of seconds and changes ------------------------------------------------------------------------ */

int check_save(const struct bytes *args, int argc, struct text *kept, struct error *error)
{
    if (is_one_empty(args, argc))
        return 0;
    if (argc % 2)
        return error_set(error, "Invalid save parameters");
    for (int i = 0; i < argc; i++) {
        int64_t value;

        if (!int64_parse(args[i], &value) || value < (i % 2 ? 0 : 1) || value > INT_MAX)
            return error_set(error, "Invalid save parameters");
        keep(kept, args[i]);
    }
    return 0;
}

/* --- numbers in a row -------------------------------------------------------------------------------------------- */

int parse_percentiles(struct server *server, const struct bytes *args, int argc, struct error *error)
{
    struct percentiles parsed = {0};

    if (is_one_empty(args, argc))
        argc = 0;
    for (int i = 0; i < argc; i++) {
        double value;

        if (i == PERCENTILES_MAX || !double_parse(args[i], &value))
            return error_set(error, "Invalid latency-tracking-info-percentiles parameters");
        if (!(value >= 0 && value <= 100))
            return error_set(error, "latency-tracking-info-percentiles parameters should sit between "
                                    "[0.0,100.0]");
        parsed.values[parsed.count++] = value;
    }
    server->settings.percentiles = parsed;
    return 0;
}

void format_percentiles(const struct server *server, struct text *out)
{
    const struct percentiles *percentiles = &server->settings.percentiles;

    for (int i = 0; i < percentiles->count; i++) {
        char text[DOUBLE_TEXT_MAX];
        int len = (int)double_format(text, percentiles->values[i]);

        text_format(out, "%s%.*s", i ? " " : "", len, text);
    }
}

int check_oom_values(const struct bytes *args, int argc, struct text *kept, struct error *error)
{
    if (argc != OOM_VALUES)
        return error_set(error, "wrong number of arguments");
    for (int i = 0; i < argc; i++) {
        int64_t value;

        if (!int64_parse(args[i], &value) || value < -2000 || value > 2000)
            return error_set(error, "Invalid oom-score-adj-values, elements must be between -2000 and 2000.");
        keep(kept, args[i]);
    }
    return 0;
}

/* --- names ----------------------------------------------------------------------------------------------------------- */

static bool is_path(struct bytes name) { return name.len && memchr(name.data, '/', name.len); }

int check_dump_name(const struct bytes *args, int argc, struct text *kept, struct error *error)
{
    return is_path(args[0]) ? error_set(error, "dbfilename can't be a path, just a filename") : 0;
}

int check_append_name(const struct bytes *args, int argc, struct text *kept, struct error *error)
{
    if (!args[0].len)
        return error_set(error, "appendfilename can't be empty");
    return is_path(args[0]) ? error_set(error, "appendfilename can't be a path, just a filename") : 0;
}

int check_append_dir(const struct bytes *args, int argc, struct text *kept, struct error *error)
{
    if (!args[0].len)
        return error_set(error, "appenddirname can't be empty");
    return is_path(args[0]) ? error_set(error, "appenddirname can't be a path, just a dirname") : 0;
}

int check_host_name(const struct bytes *args, int argc, struct text *kept, struct error *error)
{
    if (args[0].len >= HOST_LEN_MAX)
        return error_set(error, "Hostnames must be less than %d characters", HOST_LEN_MAX);
    for (size_t i = 0; i < args[0].len; i++)
        if (!isalnum((unsigned char)args[0].data[i]) && args[0].data[i] != '-' && args[0].data[i] != '.')
            return error_set(error, "Hostnames may only contain alphanumeric characters, hyphens or dots");
    return 0;
}

int check_node_name(const struct bytes *args, int argc, struct text *kept, struct error *error)
{
    for (size_t i = 0; i < args[0].len; i++)
        if (strchr("!#$%&()*+:;<>?@[]^{|}~", args[0].data[i]))
            return error_set(error, "Announced human node name contained invalid character");
    return 0;
}

int check_locale(const struct bytes *args, int argc, struct text *kept, struct error *error)
{
    char name[128];
    locale_t locale;

    snprintf(name, sizeof name, "%.*s", (int)args[0].len, args[0].data);
    locale = newlocale(LC_COLLATE_MASK, name, (locale_t)0);
    if (!locale)
        return error_set(error, "Invalid locale name");
    freelocale(locale);
    return 0;
}

int check_master(const struct bytes *args, int argc, struct text *kept, struct error *error)
{
    int64_t port;

    if (argc != 2)
        return error_set(error, "wrong number of arguments");
    if (bytes_is(args[0], "no") && bytes_is(args[1], "one"))
        return 0;
    if (!int64_parse(args[1], &port) || port < 0 || port > 65535)
        return error_set(error, "Invalid master port");
    keep(kept, args[0]);
    keep(kept, args[1]);
    return 0;
}

int check_shutdown(const struct bytes *args, int argc, struct text *kept, struct error *error)
{
    bool save = false, nosave = false;

    for (int i = 0; i < argc; i++) {
        save |= bytes_is(args[i], "save");
        nosave |= bytes_is(args[i], "nosave");
    }
    return save && nosave ? error_set(error, "shutdown options SAVE and NOSAVE can't be used simultaneously") : 0;
}

/* Who asks for users must not get a server that is open to everybody. */
int check_users_file(const struct bytes *args, int argc, struct text *kept, struct error *error)
{
    return args[0].len ? error_set(error, "Error loading ACLs: users are not supported yet") : 0;
}

/* --- client-output-buffer-limit: groups of class, hard limit, soft limit, soft seconds ----------------------------- */

#define LIMIT_WORDS 4

static struct engine_settings *engine_settings(const struct server *server)
{
    return server->engine ? &server->engine->settings : (struct engine_settings *)&server->staged;
}

static int class_of(struct bytes name)
{
    static const struct config_word classes[] = {
        {"normal", CLIENT_NORMAL}, {"replica", CLIENT_REPLICA}, {"slave", CLIENT_REPLICA},
        {"pubsub", CLIENT_PUBSUB}, {NULL, 0},
    };

    for (const struct config_word *class = classes; class->word; class++)
        if (bytes_is(name, class->word))
            return class->value;
    return -1;
}

int parse_output_limits(struct server *server, const struct bytes *args, int argc, struct error *error)
{
    struct engine_settings *settings = engine_settings(server);
    struct output_limit limits[CLIENT_CLASSES];

    memcpy(limits, settings->output_limits, sizeof limits);
    if (is_one_empty(args, argc))
        argc = 0;
    if (argc % LIMIT_WORDS)
        return error_set(error, "Wrong number of arguments in buffer limit configuration.");
    for (int i = 0; i < argc; i += LIMIT_WORDS) {
        int class = class_of(args[i]);
        struct output_limit *limit;

        if (class < 0)
            return error_set(error, "Invalid client class specified in buffer limit configuration.");
        limit = &limits[class];
        if (!memory_size_parse(args[i + 1], &limit->hard_bytes) ||
            !memory_size_parse(args[i + 2], &limit->soft_bytes) ||
            !int64_parse(args[i + 3], &limit->soft_seconds) || limit->soft_seconds < 0)
            return error_set(error, "Error in hard, soft or soft_seconds setting in buffer limit "
                                    "configuration.");
    }
    memcpy(settings->output_limits, limits, sizeof limits);
    return 0;
}

void format_output_limits(const struct server *server, struct text *out)
{
    static const char *const names[] = {"normal", "slave", "pubsub"};

    for (int i = 0; i < CLIENT_CLASSES; i++) {
        const struct output_limit *limit = &engine_settings(server)->output_limits[i];

        text_format(out, "%s%s %llu %llu %lld", i ? " " : "", names[i],
                    (unsigned long long)limit->hard_bytes, (unsigned long long)limit->soft_bytes,
                    (long long)limit->soft_seconds);
    }
}

/* --- notify-keyspace-events ------------------------------------------------------------------------------------- */

int parse_notify(struct server *server, const struct bytes *args, int argc, struct error *error)
{
    if (argc != 1)
        return error_set(error, "wrong number of arguments");
    if (!notify_parse(args[0], &engine_settings(server)->notify_classes))
        return error_set(error, "Invalid event class character. Use 'Ag$lshzxeKEtmdn'.");
    return 0;
}

void format_notify(const struct server *server, struct text *out)
{
    char classes[NOTIFY_TEXT_MAX];

    notify_format(engine_settings(server)->notify_classes, classes);
    text_add(out, bytes_from_string(classes));
}

/* --- dir: entered at once, so that what stands behind it is found there ----------------------------------------- */

int parse_dir(struct server *server, const struct bytes *args, int argc, struct error *error)
{
    char path[PATH_MAX];

    if (argc != 1)
        return error_set(error, "wrong number of arguments");
    if (args[0].len >= sizeof path || (args[0].len && memchr(args[0].data, '\0', args[0].len)))
        return error_set(error, "%s", strerror(ENAMETOOLONG));
    memcpy(path, args[0].data, args[0].len);
    path[args[0].len] = '\0';
    return chdir(path) < 0 ? error_set(error, "%s", strerror(errno)) : 0;
}

void format_dir(const struct server *server, struct text *out)
{
    char path[PATH_MAX];

    text_add(out, bytes_from_string(getcwd(path, sizeof path) ? path : ""));
}
