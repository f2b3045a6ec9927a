/* Runs transcripts: sessions in the language of redis-cli, against any server that speaks RESP.
 *
 *     > LPUSH fruit apple              a command; words and quotes as redis-cli takes them
 *     (integer) 1                      its reply, as redis-cli prints it on a terminal
 *
 * A reply ends at an empty line, a comment (#) or the next step. The steps are
 *
 *     > COMMAND   A> COMMAND           sends, on the usual connection or on the one named A (B, C
 * ...); with nothing under it the reply is left for later A< (integer) 1                   reads
 * the next reply of A (it may also stand below) A<< 1) "message" ...             reads the next
 * message: a push in RESP3, an array in RESP2 A raw> "*1\r\n$4\r\nPING\r\n"    sends these bytes;
 * what comes back is read as a reply A raw< "+PONG\r\n"               reads as many bytes and
 * compares them sleep 20                         milliseconds
 *
 * and what may stand where a reply does:
 *
 *     (nothing)   (closed)             nothing comes for a moment; the server closes the connection
 *     resp3:                           from here on: the reply in RESP3, where it differs
 *     unordered                        as first line: elements are printed sorted, at every depth
 *     ...                              any number of lines
 *     {any} {int} {90..100}            within a line: any text, an integer, a number in this range
 *     {id=int} {name=any}              the same, kept until the end of the file, used as {id}
 *     {repeat:x:70000}                 that text that often, also in commands
 *     ?                                nothing yet: --record puts the server's reply here
 *
 * Steps without an empty line between them form a paragraph, which may begin with conditions; a
 * paragraph of conditions alone holds for the rest of the file.
 *
 *     since 7.2                        the oldest Redis that answers so (8.0: also Valkey from 9.0)
 *     only valkey tern                 one of these; or redis, redis-7.0, valkey-9, resp2, resp3,
 * unix not redis-8                      none of these needs enable-debug-command yes   CONFIG GET
 * says one of these config maxmemory 0               CONFIG SET, skipped where refused; undone
 * after the file
 *
 * Each file begins with empty databases and the configuration that the run began with, and ends by
 * closing its connections: whatever they still had to say is a failure. */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define REPLY_TIMEOUT_MS 5000
#define NOTHING_MS       30  /* how long (nothing) looks */
#define SETTLE_MS        5   /* after a command whose reply is left for later */
#define SHOWN_MAX        300 /* bytes of a reply in a failure's line */
#define CONNECTIONS      ('Z' - 'A' + 2)

static struct {
    const char *host, *port, *socket, *password, *version, *resp;
    bool is_verbose, is_recording;
} options = {.host = "127.0.0.1", .port = "6379", .resp = "2"};

static struct {
    const char *product; /* redis, valkey, tern */
    char version[32];    /* its own */
    int level;           /* the Redis version whose features it has */
} server;

static struct {
    unsigned passed, failed, skipped;
} tally;

/* The last line; returns what the program exits with. */
static int finish(void)
{
    printf("transcripts: %u passed, %u failed, %u skipped\n", tally.passed, tally.failed,
           tally.skipped);
    return tally.failed > 0;
}

static void die(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));

static void die(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    fputs("transcript: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    tally.failed++;
    exit(finish());
}

/* ---- memory: kept until the end of the file -------------------------------------------------- */

static struct block {
    struct block *next;
    max_align_t content[];
} * blocks;

static void *keep(size_t size)
{
    struct block *block = calloc(1, sizeof *block + size);

    if (!block)
        die("out of memory");
    block->next = blocks;
    blocks = block;
    return block->content;
}

static void forget(const struct block *until)
{
    while (blocks != until) {
        struct block *next = blocks->next;

        free(blocks);
        blocks = next;
    }
}

/* Bytes that grow, terminated. All zero is an empty one. */
struct text {
    char *data;
    size_t len, capacity;
};

static void text_append(struct text *text, const char *data, size_t len)
{
    if (len >= text->capacity - text->len) {
        char *before = text->data;

        text->capacity = 2 * (text->len + len) + 16;
        text->data = keep(text->capacity);
        if (text->len > 0)
            memcpy(text->data, before, text->len);
    }
    if (len > 0)
        memcpy(text->data + text->len, data, len);
    text->len += len;
    text->data[text->len] = '\0';
}

static void text_format(struct text *text, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void text_format(struct text *text, const char *format, ...)
{
    va_list args;
    char *formatted;

    va_start(args, format);
    if (vasprintf(&formatted, format, args) < 0)
        die("out of memory");
    text_append(text, formatted, strlen(formatted));
    free(formatted);
    va_end(args);
}

/* The lines of a file or a reply, the words of a command. */
struct lines {
    struct text *items;
    size_t count;
};

static struct text *lines_add(struct lines *lines, const char *data, size_t len)
{
    if ((lines->count & (lines->count - 1)) == 0) {
        struct text *before = lines->items;

        lines->items = keep((2 * lines->count + 1) * sizeof *before);
        if (lines->count > 0)
            memcpy(lines->items, before, lines->count * sizeof *before);
    }
    text_append(&lines->items[lines->count], data, len);
    return &lines->items[lines->count++];
}

static void lines_append(struct lines *lines, const struct text *items, size_t count)
{
    for (size_t i = 0; i < count; i++)
        lines_add(lines, items[i].data, items[i].len);
}

/* Adds the lines of 'data', each without the blanks at its end. */
static void lines_split(struct lines *lines, const char *data)
{
    while (*data) {
        size_t len = strcspn(data, "\n"), kept = len;

        while (kept > 0 && strchr(" \t\r", data[kept - 1]))
            kept--;
        lines_add(lines, data, kept);
        data += len + (data[len] == '\n');
    }
}

/* ---- connections ----------------------------------------------------------------------------- */

struct connection {
    int fd; /* -1: opened at its first use */
    int resp;
    struct text input;
    size_t consumed; /* bytes of the input that were taken as replies */
};

enum outcome { GOT_REPLY, GOT_NOTHING, GOT_CLOSED, GOT_GARBAGE };

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void sleep_ms(long ms)
{
    nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000}, NULL);
}

static int socket_connect(void)
{
    struct sockaddr_un local = {.sun_family = AF_UNIX};
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo path = {.ai_family = AF_UNIX, .ai_addrlen = sizeof local}, *found = &path;

    path.ai_addr = (struct sockaddr *)&local;
    if (options.socket)
        snprintf(local.sun_path, sizeof local.sun_path, "%s", options.socket);
    else if (getaddrinfo(options.host, options.port, &hints, &found) != 0)
        die("no host is called %s", options.host);
    int fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, found->ai_addr, found->ai_addrlen) < 0)
        die("connecting to %s: %s", options.socket ? options.socket : options.port,
            strerror(errno));
    if (!options.socket) {
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
        freeaddrinfo(found);
    }
    return fd;
}

/* A server that has closed is noticed by the reading that follows. */
static void connection_send(struct connection *peer, const struct text *bytes)
{
    ssize_t n = 0;

    for (size_t sent = 0; sent < bytes->len && n >= 0; sent += (size_t)n)
        n = send(peer->fd, bytes->data + sent, bytes->len - sent, MSG_NOSIGNAL);
}

/* Waits for more input. */
static enum outcome connection_fill(struct connection *peer, int64_t deadline)
{
    struct pollfd ready = {.fd = peer->fd, .events = POLLIN};
    int64_t left = deadline - now_ms();
    char buffer[65536];

    if (poll(&ready, 1, left > 0 ? (int)left : 0) <= 0)
        return GOT_NOTHING;
    ssize_t n = recv(peer->fd, buffer, sizeof buffer, 0);
    if (n <= 0)
        return GOT_CLOSED;
    text_append(&peer->input, buffer, (size_t)n);
    return GOT_REPLY;
}

/* Reads until there are 'len' bytes that no reply has taken. */
static enum outcome connection_await(struct connection *peer, size_t len, int64_t deadline)
{
    enum outcome outcome = GOT_REPLY;

    while (peer->input.len - peer->consumed < len && outcome == GOT_REPLY)
        outcome = connection_fill(peer, deadline);
    return outcome;
}

static void connection_drop(struct connection *peer)
{
    if (peer->fd >= 0)
        close(peer->fd);
    *peer = (struct connection){.fd = -1};
}

/* Closes such that the server has forgotten the connection when this returns. Returns what it still
 * had to say. */
static struct text connection_finish(struct connection *peer)
{
    struct text rest = {0};

    if (peer->fd >= 0) {
        shutdown(peer->fd, SHUT_WR);
        while (connection_fill(peer, now_ms() + 1000) == GOT_REPLY)
            ;
    }
    if (peer->input.len > peer->consumed)
        text_append(&rest, peer->input.data + peer->consumed, peer->input.len - peer->consumed);
    connection_drop(peer);
    return rest;
}

/* ---- replies --------------------------------------------------------------------------------- */

struct reply {
    char type; /* the protocol's first byte; '_' for every kind of nil */
    struct text text;
    size_t count; /* elements of an aggregate; key and value of a map are two */
    struct reply *elements;
};

static bool is_aggregate(const struct reply *reply) { return strchr("*~%>|", reply->type); }

/* Reads one, blocking until 'deadline'; takes from the input as it goes. */
static enum outcome reply_read(struct connection *peer, struct reply *reply, int64_t deadline)
{
    enum outcome outcome = connection_await(peer, 3, deadline);
    size_t end = peer->consumed + 1;

    for (; outcome == GOT_REPLY && memcmp(peer->input.data + end, "\r\n", 2) != 0; end++)
        outcome = connection_await(peer, end + 3 - peer->consumed, deadline);
    if (outcome != GOT_REPLY)
        return outcome;

    const char *line = peer->input.data + peer->consumed;
    size_t line_len = end - peer->consumed;
    long long len = strtoll(line + 1, NULL, 10);
    reply->type = *line;
    peer->consumed = end + 2;
    if (*line && strchr("+-:,#(_", *line)) {
        text_append(&reply->text, line + 1, line_len - 1);
        return GOT_REPLY;
    }
    if (line_len < 2 || len < -1 || !*line || !strchr("$=!*~%>|", *line))
        return GOT_GARBAGE;
    if (len == -1) {
        reply->type = '_';
    } else if (is_aggregate(reply)) {
        size_t count = strchr("%|", reply->type) ? 2 * (size_t)len : (size_t)len;

        reply->elements = keep(count * sizeof *reply->elements);
        while (reply->count < count && outcome == GOT_REPLY)
            outcome = reply_read(peer, &reply->elements[reply->count++], deadline);
    } else if ((outcome = connection_await(peer, (size_t)len + 2, deadline)) == GOT_REPLY) {
        const char *content = peer->input.data + peer->consumed;

        text_append(&reply->text, content, (size_t)len);
        peer->consumed += (size_t)len + 2;
        outcome = memcmp(content + len, "\r\n", 2) == 0 ? GOT_REPLY : GOT_GARBAGE;
    }
    return outcome;
}

/* As redis-cli shows a string. */
static const char *quoted(const char *data, size_t len)
{
    static const char plain[] = "\\\"\n\r\t\a\b", letter[] = "\\\"nrtab";
    struct text out = {0};

    text_append(&out, "\"", 1);
    for (size_t i = 0; i < len; i++) {
        const char *special = data[i] ? strchr(plain, data[i]) : NULL;

        if (special)
            text_append(&out, (char[]){'\\', letter[special - plain]}, 2);
        else if (isprint((unsigned char)data[i]))
            text_append(&out, data + i, 1);
        else
            text_format(&out, "\\x%02x", (unsigned char)data[i]);
    }
    text_append(&out, "\"", 1);
    return out.data;
}

/* A status, an error, a number, a verbatim text: as it is, but a transcript remains a text. */
static void print_plain(struct text *out, const char *label, const char *data, size_t len)
{
    text_format(out, "%s", label);
    for (size_t i = 0; i < len; i++) {
        if (isprint((unsigned char)data[i]) || data[i] == '\n')
            text_append(out, data + i, 1);
        else if (data[i] != '\r')
            text_format(out, "\\x%02x", (unsigned char)data[i]);
    }
    if (len == 0 || data[len - 1] != '\n')
        text_append(out, "\n", 1);
}

static int text_order(const void *a, const void *b)
{
    return strcmp(((const struct text *)a)->data, ((const struct text *)b)->data);
}

static void print_reply(struct text *out, const struct reply *reply, const char *indent,
                        bool is_sorted);

/* Elements with their numbers; what takes several lines is indented below. */
static void print_aggregate(struct text *out, const struct reply *reply, const char *indent,
                            bool is_sorted)
{
    bool is_map = reply->type == '%', is_set = reply->type == '~';
    size_t count = reply->count / (is_map ? 2 : 1);
    int width = snprintf(NULL, 0, "%zu", count);
    struct lines items = {0};
    struct text inner = {0};

    if (count == 0) {
        text_format(out, "(empty %s)\n", is_map ? "hash" : is_set ? "set" : "array");
        return;
    }
    text_format(&inner, "%s%*s", indent, width + 2, "");
    for (size_t i = 0; i < count; i++) {
        struct text *item = lines_add(&items, "", 0), value = {0};

        print_reply(item, &reply->elements[is_map ? 2 * i : i], inner.data, is_sorted);
        if (!is_map)
            continue;
        print_reply(&value, &reply->elements[2 * i + 1], inner.data, is_sorted);
        bool is_long = strchr(value.data, '\n') < value.data + value.len - 1;
        item->len--; /* the key's newline */
        text_format(item, " => %s%s%s", is_long ? "\n" : "", is_long ? inner.data : "", value.data);
    }
    if (is_sorted)
        qsort(items.items, count, sizeof *items.items, text_order);
    for (size_t i = 0; i < count; i++)
        text_format(out, "%s%*zu%c %s", i ? indent : "", width, i + 1,
                    is_map   ? '#'
                    : is_set ? '~'
                             : ')',
                    items.items[i].data);
}

static void print_reply(struct text *out, const struct reply *reply, const char *indent,
                        bool is_sorted)
{
    static const char *const labels[128] = {
        ['-'] = "(error) ",  ['!'] = "(error) ",      [':'] = "(integer) ",
        [','] = "(double) ", ['('] = "(big number) ", ['+'] = ""};
    const char *data = reply->text.data;
    size_t len = reply->text.len;

    if (reply->type == '_')
        text_format(out, "(nil)\n");
    else if (reply->type == '#')
        text_format(out, *data == 't' ? "(true)\n" : "(false)\n");
    else if (reply->type == '$')
        text_format(out, "%s\n", quoted(data, len));
    else if (reply->type == '=') /* txt:content */
        print_plain(out, len > 4 ? "" : "(empty)", data + 4, len > 4 ? len - 4 : 0);
    else if (is_aggregate(reply))
        print_aggregate(out, reply, indent, is_sorted);
    else
        print_plain(out, labels[reply->type & 127], data, len);
}

/* ---- commands -------------------------------------------------------------------------------- */

/* Splits as redis-cli does: blanks separate, "a\n\x00" and 'a' quote. False when a quote is open.
 */
static bool split_words(struct lines *words, const char *at)
{
    static const char letter[] = "nrtab", plain[] = "\n\r\t\a\b";
    char quote = '\0';

    for (at += strspn(at, " "); *at; at += strspn(at, " ")) {
        struct text *word = lines_add(words, "", 0);

        for (; *at && (quote || *at != ' '); at++) {
            char *special, hex[3] = "";

            if (*at == quote) {
                quote = '\0';
            } else if (!quote && (*at == '"' || *at == '\'')) {
                quote = *at;
            } else if (quote == '"' && at[0] == '\\' && at[1] == 'x' && isxdigit(at[2] & 255) &&
                       isxdigit(at[3] & 255)) {
                memcpy(hex, at + 2, 2);
                text_append(word, &(char){(char)strtol(hex, NULL, 16)}, 1);
                at += 3;
            } else if (quote == '"' && at[0] == '\\' && at[1]) {
                special = strchr(letter, *++at);
                text_append(word, special ? &plain[special - letter] : at, 1);
            } else {
                at += quote == '\'' && at[0] == '\\' && at[1] == '\'';
                text_append(word, at, 1);
            }
        }
    }
    return !quote;
}

static void encode_command(struct text *out, const struct lines *words)
{
    text_format(out, "*%zu\r\n", words->count);
    for (size_t i = 0; i < words->count; i++) {
        text_format(out, "$%zu\r\n", words->items[i].len);
        text_append(out, words->items[i].data, words->items[i].len);
        text_append(out, "\r\n", 2);
    }
}

/* A command of the runner's own. */
static struct reply ask(struct connection *peer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static struct reply ask(struct connection *peer, const char *format, ...)
{
    struct lines words = {0};
    struct text bytes = {0};
    struct reply reply = {0};
    va_list args;
    char *line;

    va_start(args, format);
    if (vasprintf(&line, format, args) < 0)
        die("out of memory");
    va_end(args);
    split_words(&words, line);
    free(line);
    encode_command(&bytes, &words);
    connection_send(peer, &bytes);
    if (reply_read(peer, &reply, now_ms() + REPLY_TIMEOUT_MS) != GOT_REPLY)
        die("no reply to %s", words.items[0].data);
    return reply;
}

/* When the server refuses, the connection stays as it is, and what is asked of it fails. */
static void connection_open(struct connection *peer, const char *resp)
{
    const char *password = options.password;

    *peer = (struct connection){.fd = socket_connect(), .resp = 2};
    if (password)
        ask(peer, "AUTH %s", quoted(password, strlen(password)));
    if (*resp == '3' && ask(peer, "HELLO 3").type != '-')
        peer->resp = 3;
}

/* ---- the server and its state ---------------------------------------------------------------- */

static struct reply config_at_start; /* name, value, name, value ... */

static const char *config_value(const struct reply *config, const char *name)
{
    for (size_t i = 0; i + 1 < config->count; i += 2)
        if (strcasecmp(config->elements[i].text.data, name) == 0)
            return config->elements[i + 1].text.data;
    return NULL;
}

/* False when the server refuses. */
static bool config_set(const char *name, const char *value)
{
    struct connection peer;

    connection_open(&peer, "2");
    struct reply reply = ask(&peer, "CONFIG SET %s %s", name, quoted(value, strlen(value)));
    connection_finish(&peer);
    return reply.type != '-';
}

/* Empties the server and restores its configuration. What it does not know needs no cleaning. */
static void server_clean(void)
{
    struct connection peer;

    connection_open(&peer, "2");
    ask(&peer, "CLIENT UNPAUSE");
    ask(&peer, "FLUSHALL");
    ask(&peer, "SCRIPT FLUSH");
    ask(&peer, "FUNCTION FLUSH");
    ask(&peer, "CONFIG RESETSTAT");
    struct reply config = ask(&peer, "CONFIG GET *");
    connection_finish(&peer);
    for (size_t i = 0; i + 1 < config.count; i += 2) {
        const char *name = config.elements[i].text.data;
        const char *before = config_value(&config_at_start, name);

        if (before && strcmp(before, config.elements[i + 1].text.data) != 0)
            config_set(name, before);
    }
}

static int version_number(const char *version)
{
    int major = 0, minor = 0, patch = 0;

    sscanf(version, "%d.%d.%d", &major, &minor, &patch);
    return major * 1000000 + minor * 1000 + patch;
}

/* Finds out which server this is. Valkey is Redis 7.2.4 gone its own way; from 9.0 on it has what
 * Redis 8.0 brought, or a form of it. Tern has everything. */
static void server_identify(void)
{
    static const char *const products[] = {"redis", "valkey", "tern"};
    static const char digits[] = "0123456789.";
    const char *claim = options.version, *number = claim;
    struct connection peer;

    connection_open(&peer, "2");
    struct reply info = ask(&peer, "INFO server");
    config_at_start = ask(&peer, "CONFIG GET *");
    connection_finish(&peer);

    server.product = claim ? "redis" : NULL;
    for (size_t i = 0; i < sizeof products / sizeof *products; i++) {
        struct text field = {0};

        text_format(&field, claim ? "%s" : "\n%s_version:", products[i]);
        const char *found = strstr(claim ? claim : info.text.data, field.data);
        if (found) {
            server.product = products[i];
            number = found;
        }
    }
    if (!server.product)
        die("which server is this? INFO: %.99s", info.text.data);
    number += strcspn(number, digits);
    snprintf(server.version, sizeof server.version, "%.*s", (int)strspn(number, digits), number);
    server.level = version_number(server.version);
    if (strcmp(server.product, "valkey") == 0)
        server.level = version_number(server.level >= version_number("9.0") ? "8.0" : "7.2.4");
    if (strcmp(server.product, "tern") == 0)
        server.level = version_number("99.0");
}

/* ---- matching -------------------------------------------------------------------------------- */

/* Name, value, name, value ... of this file; the last of a name counts. */
static struct lines variables;

/* Copies 'line' with {repeat:x:3} and {variables} replaced. */
static struct text expand(const char *line)
{
    struct text out = {0};

    for (text_append(&out, "", 0); *line; line++) {
        const char *end = *line == '{' ? strchr(line, '}') : NULL;
        size_t len = end ? (size_t)(end - line - 1) : 0, i = variables.count;

        while (len > 0 && i > 0 &&
               (variables.items[i - 2].len != len ||
                memcmp(variables.items[i - 2].data, line + 1, len) != 0))
            i -= 2;
        if (end && strncmp(line, "{repeat:", 8) == 0) {
            const char *colon = memrchr(line, ':', (size_t)(end - line));

            for (long n = strtol(colon + 1, NULL, 10); n > 0; n--)
                text_append(&out, line + 8, (size_t)(colon - line - 8));
        } else if (len > 0 && i > 0) {
            text_append(&out, variables.items[i - 1].data, variables.items[i - 1].len);
        } else {
            text_append(&out, line, 1);
            continue;
        }
        line = end;
    }
    return out;
}

/* The length of what the hole takes from 'line', 0 when it refuses. */
static size_t match_hole(const char *hole, const char *line)
{
    const char *dots = strstr(hole, "..");
    size_t len = strspn(line, "-.0123456789");
    double value = strtod(line, NULL);

    if (strncmp(hole, "int}", 4) == 0)
        return strspn(line, "-0123456789");
    return value >= strtod(hole, NULL) && value <= strtod(dots + 2, NULL) ? len : 0;
}

/* Finds a hole at the start of the pattern: returns the '}' that ends it and what is in it behind
 * "name=". NULL when there is none. */
static const char *find_hole(const char *pattern, const char **hole)
{
    const char *end = *pattern == '{' ? strchr(pattern, '}') : NULL;
    const char *equals = end ? memchr(pattern, '=', (size_t)(end - pattern)) : NULL;

    *hole = equals ? equals + 1 : pattern + 1;
    if (!end || strncmp(*hole, "any}", 4) == 0 || strncmp(*hole, "int}", 4) == 0)
        return end;
    bool is_range = strspn(*hole, "-.0123456789") == (size_t)(end - *hole) && strstr(*hole, "..");
    return is_range ? end : NULL;
}

/* Keeps what the hole at 'pattern' took, if it has a name. */
static void keep_hole(const char *pattern, const char *hole, const char *line, size_t len)
{
    if (hole > pattern + 1) {
        lines_add(&variables, pattern + 1, (size_t)(hole - pattern - 2));
        lines_add(&variables, line, len);
    }
}

/* Steps over what is equal, up to the next {any} or the end of the pattern. */
static bool match_segment(const char **pattern, const char **line)
{
    const char *hole, *end;

    while (**pattern) {
        end = find_hole(*pattern, &hole);
        if (end && *hole == 'a')
            return true;
        size_t len = end ? match_hole(hole, *line) : **pattern == **line;
        if (len == 0)
            return false;
        if (end)
            keep_hole(*pattern, hole, *line, len);
        *pattern = end ? end + 1 : *pattern + 1;
        *line += len;
    }
    return true;
}

/* True when 'line' is 'pattern', which may have holes. */
static bool match_line(const char *pattern, const char *line)
{
    bool matches = match_segment(&pattern, &line);

    while (matches && *pattern) { /* at an {any} */
        const char *hole, *after = find_hole(pattern, &hole) + 1, *next, *rest = line;

        do {
            const char *at = rest;

            next = after;
            matches = match_segment(&next, &at) && (*next || !*at);
            if (matches) {
                keep_hole(pattern, hole, line, (size_t)(rest - line));
                line = at;
            }
        } while (!matches && *rest++);
        pattern = next;
    }
    return matches && !*line;
}

static bool match_lines(const struct text *expected, size_t expected_count, const struct text *got,
                        size_t got_count)
{
    for (; expected_count > 0; expected++, expected_count--, got++, got_count--) {
        if (strcmp(expected->data, "...") == 0) {
            for (size_t skip = 0; skip <= got_count; skip++)
                if (match_lines(expected + 1, expected_count - 1, got + skip, got_count - skip))
                    return true;
            return false;
        }
        if (got_count == 0 || !match_line(expand(expected->data).data, got->data))
            return false;
    }
    return got_count == 0;
}

/* ---- steps ----------------------------------------------------------------------------------- */

enum step_kind { STEP_SEND, STEP_READ, STEP_PUSH, STEP_RAW_SEND, STEP_RAW_READ, STEP_SLEEP };

struct step {
    enum step_kind kind;
    struct connection *connection;
    const char *rest;          /* of the line, after the prompt */
    struct lines plain, resp3; /* the replies expected; no resp3 when they are the same */
    bool is_unordered;
};

struct transcript {
    const char *path;
    struct lines source, recorded; /* recorded: what --record makes of it */
    struct connection connections[CONNECTIONS];
};

/* Reads the prompt of a step; false when the line is none. */
static bool step_parse(struct transcript *transcript, const char *line, struct step *step)
{
    static const char *const prompts[] = {
        [STEP_SEND] = ">",        [STEP_READ] = "<",        [STEP_PUSH] = "<<",
        [STEP_RAW_SEND] = "raw>", [STEP_RAW_READ] = "raw<", [STEP_SLEEP] = "sleep"};
    bool has_name = *line >= 'A' && *line <= 'Z';
    const char *at = line + has_name + (has_name && line[1] == ' ');
    size_t len = strcspn(at, " ");

    for (enum step_kind kind = STEP_SEND; kind <= STEP_SLEEP; kind++) {
        if (strlen(prompts[kind]) == len && memcmp(at, prompts[kind], len) == 0) {
            *step = (struct step){.kind = kind, .rest = at + len + strspn(at + len, " ")};
            step->connection = &transcript->connections[has_name ? *line - 'A' + 1 : 0];
            return true;
        }
    }
    return false;
}

static bool step_sends(const struct step *step)
{
    return step->kind == STEP_SEND || step->kind == STEP_RAW_SEND;
}

/* Gathers the replies expected in the lines from 'at' on; returns the line after them. */
static size_t step_parse_reply(struct transcript *transcript, size_t at, struct step *step)
{
    struct lines *form = &step->plain;
    struct step next;

    if (!step_sends(step) && step->kind != STEP_SLEEP && *step->rest)
        lines_add(form, step->rest, strlen(step->rest));
    for (; at < transcript->source.count; at++) {
        const char *line = transcript->source.items[at].data;

        if (*line == '\0' || *line == '#' || step_parse(transcript, line, &next))
            break;
        if (strcmp(line, "unordered") == 0) {
            step->is_unordered = true;
            continue;
        }
        if (strncmp(line, "resp3:", 6) == 0) {
            form = &step->resp3;
            line += 6 + strspn(line + 6, " ");
        }
        if (*line)
            lines_add(form, line, strlen(line));
    }
    return at;
}

/* The reply expected in the protocol that the connection speaks now. */
static const struct lines *step_expected(const struct step *step)
{
    return step->connection->resp == 3 && step->resp3.count > 0 ? &step->resp3 : &step->plain;
}

/* HELLO and RESET change the protocol of a connection, and with it the form that is expected. */
static void follow_protocol(struct connection *peer, const struct lines *words,
                            const struct reply *reply)
{
    const char *name = words->count > 0 ? words->items[0].data : "";

    if (strcasecmp(name, "HELLO") == 0 && words->count > 1 && is_aggregate(reply))
        peer->resp = *words->items[1].data == '3' ? 3 : 2;
    if (strcasecmp(name, "RESET") == 0 && reply->type == '+')
        peer->resp = 2;
}

static bool is_subscribing(const struct lines *words)
{
    const char *name = words->count > 0 ? words->items[0].data : "";
    size_t len = strlen(name);

    return len >= 9 && strcasecmp(name + len - 9, "subscribe") == 0;
}

/* Reads what the server says and prints it. 'words' is the command that asked, if it was just sent.
 */
static void step_read(const struct step *step, const struct lines *words, struct text *got)
{
    static const char *const failures[] = {
        [GOT_NOTHING] = "(nothing)\n", [GOT_CLOSED] = "(closed)\n", [GOT_GARBAGE] = "(garbage)\n"};
    struct connection *peer = step->connection;
    const struct lines *expected = step_expected(step);
    bool is_quiet = strcmp(expected->items[0].data, "(nothing)") == 0;
    int64_t deadline = now_ms() + (is_quiet ? NOTHING_MS : REPLY_TIMEOUT_MS);
    struct reply reply = {0};
    struct lines bytes = {0};
    enum outcome outcome;

    if (step->kind == STEP_RAW_READ) {
        split_words(&bytes, expand(expected->items[0].data).data);
        outcome = connection_await(peer, bytes.items[0].len, deadline);
        size_t len = peer->input.len - peer->consumed;
        if (outcome == GOT_REPLY)
            len = bytes.items[0].len;
        text_format(got, "%s\n", quoted(len ? peer->input.data + peer->consumed : "", len));
        peer->consumed += len;
    } else {
        outcome = reply_read(peer, &reply, deadline);
        if (outcome == GOT_REPLY) {
            follow_protocol(peer, words, &reply);
            if (peer->resp == 3 && !is_subscribing(words) &&
                (reply.type == '>') != (step->kind == STEP_PUSH))
                text_format(got, reply.type == '>' ? "(a push)\n" : "(not a push)\n");
            print_reply(got, &reply, "", step->is_unordered);
        }
    }
    if (outcome != GOT_REPLY)
        text_format(got, "%s", failures[outcome]);
    if (outcome != GOT_REPLY && !is_quiet)
        connection_drop(peer);
}

/* Sends what the step sends and reads what it expects, if it expects anything. */
static void step_run(const struct step *step, struct text *got)
{
    struct connection *peer = step->connection;
    struct lines words = {0};
    struct text bytes = {0};

    if (peer->fd < 0)
        connection_open(peer, options.resp);
    if (step_sends(step)) {
        if (!split_words(&words, expand(step->rest).data)) {
            text_format(got, "(a quote is open)\n");
            return;
        }
        if (step->kind == STEP_SEND)
            encode_command(&bytes, &words);
        for (size_t i = 0; step->kind == STEP_RAW_SEND && i < words.count; i++)
            text_append(&bytes, words.items[i].data, words.items[i].len);
        connection_send(peer, &bytes);
    }
    if (step_expected(step)->count > 0)
        step_read(step, &words, got);
    else
        sleep_ms(SETTLE_MS);
}

/* A reply on one line. */
static const char *joined(const struct lines *lines)
{
    struct text out = {0};

    text_append(&out, "", 0);
    for (size_t i = 0; i < lines->count; i++)
        text_format(&out, "%s%s", i ? " | " : "", lines->items[i].data);
    if (!options.is_verbose && out.len > SHOWN_MAX)
        memcpy(out.data + SHOWN_MAX - 3, "...", 4);
    return out.data;
}

/* Writes the step again. The reply that came takes the place of a "?" and becomes the form for
 * RESP3 when there was none; then it counts as expected. */
static bool step_record(struct lines *recorded, const struct step *step, const char *line,
                        const struct lines *got)
{
    const struct lines *plain = &step->plain, *resp3 = &step->resp3;
    size_t prompt_len = step_sends(step) ? strlen(line) : (size_t)(step->rest - line);

    if (got && plain->count == 1 && strcmp(plain->items[0].data, "?") == 0)
        plain = got;
    else if (got && step->connection->resp == 3 && resp3->count == 0)
        resp3 = got;
    struct text *prompt = lines_add(recorded, line, prompt_len);
    if (step->is_unordered)
        lines_add(recorded, "unordered", 9);
    if (prompt_len < strlen(line) && plain->count == 1 && !step->is_unordered)
        text_format(prompt, "%s", plain->items[0].data);
    else
        lines_append(recorded, plain->items, plain->count);
    if (resp3->count > 0)
        lines_add(recorded, "resp3:", 6);
    lines_append(recorded, resp3->items, resp3->count);
    return plain == got || resp3 == got;
}

/* Runs the step in line 'at' and says how it went. */
static void step_check(struct transcript *transcript, size_t at, const struct step *step)
{
    const char *line = transcript->source.items[at].data;
    struct text got = {0};
    struct lines got_lines = {0};

    if (step->kind == STEP_SLEEP) {
        sleep_ms(strtol(step->rest, NULL, 10));
        lines_add(&transcript->recorded, line, strlen(line));
        return;
    }
    text_append(&got, "", 0);
    step_run(step, &got);
    lines_split(&got_lines, got.data);
    const struct lines *expected = step_expected(step);
    bool passed = match_lines(expected->items, expected->count, got_lines.items, got_lines.count);
    if (options.is_recording)
        passed |= step_record(&transcript->recorded, step, line, passed ? NULL : &got_lines);
    tally.passed += passed;
    tally.failed += !passed;
    if (!passed)
        printf("%s:%zu: %.*s: expected %s, got %s\n", transcript->path, at + 1, SHOWN_MAX, line,
               joined(expected), joined(&got_lines));
    else if (options.is_verbose)
        printf("%s:%zu: %.*s: passed\n", transcript->path, at + 1, SHOWN_MAX, line);
}

/* ---- conditions ------------------------------------------------------------------------------ */

/* True when the server, the protocol or the socket goes by this name. */
static bool is_called(const char *name)
{
    struct text full = {0};
    size_t len = strlen(name);

    if (strncmp(name, "resp", 4) == 0)
        return strcmp(name + 4, options.resp) == 0;
    if (strcmp(name, "unix") == 0)
        return options.socket;
    text_format(&full, "%s-%s", server.product, server.version);
    return strncmp(full.data, name, len) == 0 && strchr("-.", full.data[len]); /* or its end */
}

enum condition { NO_CONDITION, HOLDS, FAILS };

static enum condition condition_evaluate(const char *line)
{
    struct lines words = {0};
    bool holds = false;

    split_words(&words, line);
    const char *kind = words.items[0].data, *name = words.count > 1 ? words.items[1].data : "";
    const char *value = config_value(&config_at_start, name);
    if (strcmp(kind, "since") == 0 && words.count == 2) {
        holds = server.level >= version_number(name);
    } else if (strcmp(kind, "config") == 0 && words.count == 3) {
        holds = config_set(name, words.items[2].data);
    } else if (strcmp(kind, "needs") == 0 && words.count > 2) {
        for (size_t i = 2; i < words.count; i++)
            holds |= value && strcasecmp(value, words.items[i].data) == 0;
    } else if ((strcmp(kind, "only") == 0 || strcmp(kind, "not") == 0) && words.count > 1) {
        for (size_t i = 1; i < words.count; i++)
            holds |= is_called(words.items[i].data);
        holds ^= *kind == 'n';
    } else {
        return NO_CONDITION;
    }
    return holds ? HOLDS : FAILS;
}

/* ---- files ----------------------------------------------------------------------------------- */

static void file_read(const char *path, struct lines *lines)
{
    FILE *file = fopen(path, "r");
    char *line = NULL;
    size_t capacity = 0;

    if (!file)
        die("%s: %s", path, strerror(errno));
    while (getline(&line, &capacity, file) > 0)
        lines_split(lines, line);
    free(line);
    fclose(file);
}

static void file_write(const char *path, const struct lines *lines)
{
    FILE *file = fopen(path, "w");

    if (!file)
        die("%s: %s", path, strerror(errno));
    for (size_t i = 0; i < lines->count; i++)
        fprintf(file, "%s\n", lines->items[i].data);
    fclose(file);
}

/* Every step in order. A condition that fails skips to the end of its paragraph; to the end of the
 * file when the paragraph has no steps. */
static void run_steps(struct transcript *transcript)
{
    bool is_skipping_file = false, is_skipping = false, has_steps = false;

    for (size_t at = 0, next; at < transcript->source.count; at = next) {
        const char *line = transcript->source.items[at].data;
        struct step step;

        next = at + 1;
        if (step_parse(transcript, line, &step)) {
            next = step_parse_reply(transcript, next, &step);
            has_steps = true;
            tally.skipped += is_skipping && step.kind != STEP_SLEEP;
            if (!is_skipping)
                step_check(transcript, at, &step);
            else
                lines_append(&transcript->recorded, &transcript->source.items[at], next - at);
            continue;
        }
        lines_add(&transcript->recorded, line, strlen(line));
        if (*line == '\0') {
            is_skipping_file |= is_skipping && !has_steps;
            is_skipping = is_skipping_file;
            has_steps = false;
        } else if (*line != '#' && !is_skipping) {
            enum condition condition = has_steps ? NO_CONDITION : condition_evaluate(line);

            is_skipping = condition == FAILS;
            tally.failed += condition == NO_CONDITION;
            if (condition == NO_CONDITION)
                printf("%s:%zu: not understood here: %s\n", transcript->path, at + 1, line);
        }
    }
}

static void run_file(const char *path)
{
    const struct block *before = blocks;
    struct transcript transcript = {.path = path};

    for (int i = 0; i < CONNECTIONS; i++)
        transcript.connections[i].fd = -1;
    file_read(path, &transcript.source);
    server_clean();
    run_steps(&transcript);
    for (int i = 0; i < CONNECTIONS; i++) {
        struct text rest = connection_finish(&transcript.connections[i]);

        tally.failed += rest.len > 0;
        if (rest.len > 0)
            printf("%s:%zu: nothing reads what connection %c got: %.*s\n", path,
                   transcript.source.count, i ? 'A' + i - 1 : '>', SHOWN_MAX,
                   quoted(rest.data, rest.len));
    }
    if (options.is_recording)
        file_write(path, &transcript.recorded);
    variables = (struct lines){0};
    forget(before);
}

static int is_transcript(const struct dirent *entry)
{
    const char *dot = strrchr(entry->d_name, '.');

    return !dot || strcmp(dot, ".txt") == 0; /* a name without a dot: a folder */
}

/* A file, or every .txt below a folder in the order of their names. */
static void run_path(const char *path)
{
    struct dirent **entries;
    struct stat info;

    if (stat(path, &info) < 0)
        die("%s: %s", path, strerror(errno));
    if (!S_ISDIR(info.st_mode)) {
        run_file(path);
        return;
    }
    int count = scandir(path, &entries, is_transcript, alphasort);
    for (int i = 0; i < count; i++) {
        struct text below = {0};

        text_format(&below, "%s/%s", path, entries[i]->d_name);
        free(entries[i]);
        run_path(below.data);
    }
    if (count >= 0)
        free(entries);
}

static void usage(void)
{
    puts("usage: transcript [options] file-or-folder...\n"
         "  --host HOST --port PORT --socket PATH --password PASSWORD   the server\n"
         "  --resp 2|3                 the protocol\n"
         "  --server-version VERSION   7.0.15, valkey-9.1, tern (default: ask the server)\n"
         "  --record                   fill in ? and missing RESP3 forms from the server\n"
         "  -v                         every step, and replies in full");
    exit(2);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name, **value;
    } valued[] = {{"--host", &options.host},     {"--port", &options.port},
                  {"--socket", &options.socket}, {"--password", &options.password},
                  {"--resp", &options.resp},     {"--server-version", &options.version}};
    const size_t valued_count = sizeof valued / sizeof *valued;
    int at = 1;

    for (; at < argc && argv[at][0] == '-'; at++) {
        size_t i = 0;

        while (i < valued_count && strcmp(argv[at], valued[i].name) != 0)
            i++;
        if (strcmp(argv[at], "-v") == 0)
            options.is_verbose = true;
        else if (strcmp(argv[at], "--record") == 0)
            options.is_recording = true;
        else if (i == valued_count || ++at == argc)
            usage();
        else
            *valued[i].value = argv[at];
    }
    if (at == argc || (strcmp(options.resp, "2") != 0 && strcmp(options.resp, "3") != 0))
        usage();
    setvbuf(stdout, NULL, _IOLBF, 0);
    server_identify();
    for (; at < argc; at++)
        run_path(argv[at]);
    server_clean();
    return finish();
}
