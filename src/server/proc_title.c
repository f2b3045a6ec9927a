/* The name of the process as ps shows it: the room of the arguments and the environment behind them is written anew,
 * and the environment moves away first. */
#include "server_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define TITLE_MAX 1024

static struct {
    char *start;
    size_t size;
} room; /* the kernel's, one for the process */

/* Arguments and environment lie one behind the other; stops where they do not. */
static char *end_of_row(char **strings, char *end)
{
    for (; *strings && *strings == end; strings++)
        end += strlen(*strings) + 1;
    return end;
}

static void move_environment(void)
{
    char **old = environ;
    static char *none[] = {NULL};

    environ = none;
    for (; *old; old++) {
        char name[TITLE_MAX];
        size_t len = strcspn(*old, "=");

        if (len >= sizeof name || (*old)[len] != '=')
            continue;
        memcpy(name, *old, len);
        name[len] = '\0';
        setenv(name, *old + len + 1, 1);
    }
}

void proc_title_begin(int argc, char **argv)
{
    char *end = end_of_row(argv, argv[0]);

    end = end_of_row(environ, end);
    room.start = argv[0];
    room.size = (size_t)(end - argv[0]);
    move_environment();
}

/* --- the template ------------------------------------------------------------------------------------------- */

static void add_address(const struct server_settings *settings, struct text *out)
{
    size_t first = strcspn(settings->bind, " ");

    if (settings->port)
        text_format(out, "%.*s:%lld", first ? (int)first : 1, first ? settings->bind : "*",
                    (long long)settings->port);
    else
        text_add(out, bytes_from_string(settings->unix_path));
}

/* False when there is no such variable. 'server' NULL: only looks whether there is; what always says something then adds
 * a letter. */
static bool add_variable(const struct server *server, struct bytes name, struct text *out)
{
    static const char *const names[] = {"title",      "listen-addr", "server-mode", "port",
                                        "unixsocket", "config-file", "tls-port",    NULL};
    int which = 0;

    while (names[which] && !bytes_equal(name, bytes_from_string(names[which])))
        which++;
    if (!names[which])
        return false;
    if (!server && which != 0 && which != 2)
        text_add(out, BYTES("x"));
    if (!server)
        return true;
    if (which == 0)
        text_add(out, bytes_from_string(server->program));
    else if (which == 1)
        add_address(&server->settings, out);
    else if (which == 3)
        text_format(out, "%lld", (long long)server->settings.port);
    else if (which == 4)
        text_add(out, bytes_from_string(server->settings.unix_path));
    else if (which == 5)
        text_add(out, bytes_from_string(server->settings.config_file ? server->settings.config_file : ""));
    else if (which == 6)
        text_add(out, BYTES("0"));
    return true;
}

static bool expand(const struct server *server, struct bytes template, struct text *out)
{
    const char *at = template.data, *end = template.len ? at + template.len : at;

    while (at < end) {
        const char *close;

        if (*at != '{') {
            text_add(out, (struct bytes){at++, 1});
            continue;
        }
        close = memchr(at, '}', (size_t)(end - at));
        if (!close || !add_variable(server, (struct bytes){at + 1, (size_t)(close - at - 1)}, out))
            return false;
        at = close + 1;
    }
    return true;
}

static void trim(struct text *title)
{
    while (title->len && title->data[title->len - 1] == ' ')
        title->len--;
}

/* It must say something beside the program's name, as in Redis. */
int proc_title_check(const struct bytes *args, int argc, struct text *kept, struct error *error)
{
    struct text title = {0};
    bool is_good = expand(NULL, args[0], &title);

    trim(&title);
    is_good = is_good && title.len > 0;
    text_release(&title);
    return is_good ? 0 : error_set(error, "template format is invalid or contains unknown variables");
}

static void show(struct bytes title)
{
    size_t len = title.len < room.size - 1 ? title.len : room.size - 1;

    memset(room.start, 0, room.size);
    if (len)
        memcpy(room.start, title.data, len);
}

void proc_title_refresh(const struct server *server)
{
    struct text title = {0};

    if (!server->engine || !server->settings.sets_title || room.size < 2)
        return;
    expand(server, bytes_from_string(server->settings.title_template), &title);
    trim(&title);
    show(text_bytes(&title));
    text_release(&title);
}

void proc_title_of_child(const struct server *server, const char *name)
{
    if (server->settings.sets_title && room.size >= 2)
        show(bytes_from_string(name));
}
