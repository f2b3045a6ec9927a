/* Runs transcripts: sessions in the language of redis-cli, against any server that speaks RESP.
 *
 *     > LPUSH fruit apple             a command; words and quotes as redis-cli takes them
 *     (integer) 1                     its reply, as redis-cli prints it on a terminal
 *
 * tests/commands/README.md is the manual of the language. Steps without an empty line between them
 * form a paragraph, which may begin with conditions; a paragraph of conditions alone holds for the
 * rest of the file. Each file begins with empty databases and the configuration that the run began
 * with, and ends by closing its connections: whatever they still had to say is a failure. */
#include <ctype.h>
#include <err.h>
#include <glob.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define REPLY_TIMEOUT_MS 5000
#define NOTHING_MS       30  /* how long (nothing) looks */
#define SETTLE_MS        5   /* after a command whose reply is left for later */
#define SHOWN_MAX        300 /* bytes of a reply in a failure's line */
#define CONNECTIONS      ('Z' - 'A' + 2)
#define LENGTH(array)    (sizeof(array) / sizeof *(array))

static struct {
    const char *host, *port, *socket, *password, *resp, *version;
    bool is_verbose;
} options = {.host = "127.0.0.1", .port = "6379", .resp = "2", .version = ""};

static struct {
    char product[16], version[32]; /* redis, valkey or tern; its own version */
    int level;                     /* the Redis version whose features it has */
} server;

static struct {
    unsigned passed, failed, skipped;
} tally = {.failed = 1}; /* unless the run comes to its end */

/* ---- text: kept until the program ends, some tens of MB ------------------------------------ */

/* Bytes that grow, terminated. All zero is an empty one, as yet without a terminator. */
struct text {
    char *data;
    size_t len;
};

/* The lines of a file or a reply, the words of a command. */
struct lines {
    struct text *items;
    size_t count;
};

static void text_append(struct text *text, const char *data, size_t len)
{
    text->data = realloc(text->data, text->len + len + 1);
    if (!text->data)
        errx(1, "out of memory");
    memcpy(text->data + text->len, data, len);
    text->len += len;
    text->data[text->len] = '\0';
}

static void text_format(struct text *, const char *, ...) __attribute__((format(printf, 2, 3)));

static void text_format(struct text *text, const char *format, ...)
{
    va_list args;
    char *formatted;

    va_start(args, format);
    int len = vasprintf(&formatted, format, args);
    if (len < 0)
        errx(1, "out of memory");
    text_append(text, formatted, (size_t)len);
    free(formatted);
    va_end(args);
}

static struct text *lines_add(struct lines *lines, const char *data, size_t len)
{
    lines->items = reallocarray(lines->items, lines->count + 1, sizeof *lines->items);
    if (!lines->items)
        errx(1, "out of memory");
    lines->items[lines->count] = (struct text){0};
    text_append(&lines->items[lines->count], data, len);
    return &lines->items[lines->count++];
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

struct connection {
    int fd; /* 0: opened at its first use */
    int resp;
    int timeout_ms; /* how long to wait for more */
    struct text input;
    size_t consumed; /* bytes of the input that were taken as replies */
};

enum outcome { GOT_REPLY, GOT_NOTHING, GOT_CLOSED, GOT_GARBAGE };

static int socket_connect(void)
{
    struct sockaddr_un local = {.sun_family = AF_UNIX};
    struct addrinfo path = {.ai_family = AF_UNIX, .ai_addrlen = sizeof local};
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found = &path;

    path.ai_addr = (struct sockaddr *)&local;
    if (options.socket)
        snprintf(local.sun_path, sizeof local.sun_path, "%s", options.socket);
    else if (getaddrinfo(options.host, options.port, &hints, &found) != 0)
        errx(1, "no host is called %s", options.host);
    int fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, found->ai_addr, found->ai_addrlen) < 0)
        err(1, "connecting to %s", options.socket ? options.socket : options.port);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    if (!options.socket)
        freeaddrinfo(found);
    return fd;
}

/* A server that has closed is noticed by the reading that follows. */
static void connection_send(struct connection *peer, const struct text *bytes)
{
    ssize_t n = 0;

    for (size_t sent = 0; sent < bytes->len && n >= 0; sent += (size_t)n)
        n = send(peer->fd, bytes->data + sent, bytes->len - sent, MSG_NOSIGNAL);
}

/* Reads until there are 'len' bytes that no reply has taken. */
static enum outcome connection_await(struct connection *peer, size_t len)
{
    struct pollfd ready = {.fd = peer->fd, .events = POLLIN};
    char buffer[65536];

    while (peer->input.len - peer->consumed < len) {
        if (poll(&ready, 1, peer->timeout_ms) <= 0)
            return GOT_NOTHING;
        ssize_t n = recv(peer->fd, buffer, sizeof buffer, 0);
        if (n <= 0)
            return GOT_CLOSED;
        text_append(&peer->input, buffer, (size_t)n);
    }
    return GOT_REPLY;
}

/* Takes up to 'len' bytes of the input. */
static struct text connection_take(struct connection *peer, size_t len)
{
    struct text taken = {0};
    size_t there = peer->input.len - peer->consumed;

    text_append(&taken, there ? peer->input.data + peer->consumed : "", there < len ? there : len);
    peer->consumed += taken.len;
    return taken;
}

/* Closes such that the server has forgotten the connection when this returns. Returns what it still
 * had to say. */
static struct text connection_finish(struct connection *peer)
{
    if (peer->fd > 0 && shutdown(peer->fd, SHUT_WR) == 0)
        connection_await(peer, SIZE_MAX);
    struct text rest = connection_take(peer, SIZE_MAX);
    if (peer->fd > 0)
        close(peer->fd);
    *peer = (struct connection){0};
    return rest;
}

/* ---- replies: printed as they are read ----------------------------------------------------- */

/* Adds bytes as redis-cli shows a string; or plainly, but so that a transcript remains a text. */
static void print_bytes(struct text *out, const char *data, size_t len, bool is_quoted)
{
    static const char plain[] = "\\\"\n\r\t\a\b", letter[] = "\\\"nrtab";

    for (size_t i = 0; i < len; i++) {
        const char *special = is_quoted ? memchr(plain, data[i], sizeof plain - 1) : NULL;

        if (special)
            text_format(out, "\\%c", letter[special - plain]);
        else if (isprint((unsigned char)data[i]) || (!is_quoted && data[i] == '\n'))
            text_append(out, data + i, 1);
        else if (is_quoted || data[i] != '\r')
            text_format(out, "\\x%02x", (unsigned char)data[i]);
    }
}

static const char *quoted(const char *data, size_t len)
{
    struct text out = {0};

    text_append(&out, "\"", 1);
    print_bytes(&out, data, len, true);
    text_append(&out, "\"", 1);
    return out.data;
}

static int text_order(const void *a, const void *b)
{
    return strcmp(((const struct text *)a)->data, ((const struct text *)b)->data);
}

static enum outcome print_reply(struct text *out, struct connection *peer, const char *indent,
                                bool is_sorted);

/* Elements with their numbers; what takes several lines is indented below. */
static enum outcome print_elements(struct text *out, struct connection *peer, const char *indent,
                                   bool is_sorted, char type, size_t count)
{
    const char *mark = type == '%' ? "# " : type == '~' ? "~ " : ") ";
    int width = snprintf(NULL, 0, "%zu", count);
    enum outcome outcome = GOT_REPLY;
    struct lines items = {0};
    struct text inner = {0};

    text_format(&inner, "%s%*s", indent, width + 2, "");
    for (size_t i = 0; i < count && outcome == GOT_REPLY; i++) {
        struct text *item = lines_add(&items, "", 0), value = {0};

        outcome = print_reply(item, peer, inner.data, is_sorted);
        if (type == '%' && outcome == GOT_REPLY)
            outcome = print_reply(&value, peer, inner.data, is_sorted);
        if (type == '%' && outcome == GOT_REPLY) {
            bool is_long = strchr(value.data, '\n') < value.data + value.len - 1;

            item->len--; /* the key's newline */
            text_format(item, is_long ? " =>\n%s%s" : " => %.0s%s", inner.data, value.data);
        }
    }
    if (is_sorted && count > 0)
        qsort(items.items, items.count, sizeof *items.items, text_order);
    for (size_t i = 0; i < items.count; i++)
        text_format(out, "%s%*zu%s%s", i ? indent : "", width, i + 1, mark, items.items[i].data);
    if (count == 0)
        text_format(out, "(empty %s)\n", *mark == '#' ? "hash" : *mark == '~' ? "set" : "array");
    return outcome;
}

/* Reads a reply and adds what redis-cli would print. */
static enum outcome print_reply(struct text *out, struct connection *peer, const char *indent,
                                bool is_sorted)
{
    static const char *const labels[128] = {
        ['-'] = "(error) ", ['!'] = "(error) ", [':'] = "(integer) ",   [','] = "(double) ",
        ['+'] = "",         ['='] = "",         ['('] = "(big number) "};
    enum outcome outcome = connection_await(peer, 3);
    size_t len = 1;

    while (outcome == GOT_REPLY && memcmp(peer->input.data + peer->consumed + len, "\r\n", 2))
        outcome = connection_await(peer, ++len + 2);
    if (outcome != GOT_REPLY)
        return outcome;
    struct text reply = connection_take(peer, len + 2);
    const char *content = reply.data + 1;
    char type = reply.data[0];
    bool is_sized = type && strchr("$=!*~%>", type);
    long long size = is_sized ? strtoll(content, NULL, 10) : (long long)len - 1;

    if (size < -1 || (is_sized && len == 1))
        return GOT_GARBAGE;
    if (is_sized && size >= 0 && strchr("*~%>", type))
        return print_elements(out, peer, indent, is_sorted, type, (size_t)size);
    if (is_sized && size >= 0) {
        outcome = connection_await(peer, (size_t)size + 2);
        reply = connection_take(peer, (size_t)size + 2);
        content = reply.data;
        if (outcome != GOT_REPLY || memcmp(content + size, "\r\n", 2) != 0)
            return outcome != GOT_REPLY ? outcome : GOT_GARBAGE;
    }
    if (type == '=' && size >= 4) { /* txt: */
        content += 4;
        size -= 4;
    }
    if (type == '_' || size == -1)
        text_format(out, "(nil)");
    else if (type == '#')
        text_format(out, *content == 't' ? "(true)" : "(false)");
    else if (type == '$')
        text_format(out, "%s", quoted(content, (size_t)size));
    else if (type < 0 || !labels[(int)type])
        return GOT_GARBAGE;
    else
        text_format(out, "%s", size > 0 ? labels[(int)type] : "(empty)");
    if (type != '$' && type != '#' && size > 0)
        print_bytes(out, content, (size_t)size, false);
    if (out->len == 0 || out->data[out->len - 1] != '\n')
        text_append(out, "\n", 1);
    return GOT_REPLY;
}

/* Splits as redis-cli does: blanks separate, "a\n\x00" and 'a' quote. False: a quote is open. */
static bool split_words(struct lines *words, const char *at)
{
    static const char letter[] = "nrtab", plain[] = "\n\r\t\a\b";
    unsigned high, low;
    char quote = '\0';

    for (at += strspn(at, " "); *at; at += strspn(at, " ")) {
        struct text *word = lines_add(words, "", 0);

        for (; *at && (quote || *at != ' '); at++) {
            bool is_escape = quote == '"' && at[0] == '\\' && at[1];

            if (*at == quote) {
                quote = '\0';
            } else if (!quote && (*at == '"' || *at == '\'')) {
                quote = *at;
            } else if (is_escape && sscanf(at, "\\x%1x%1x", &high, &low) == 2) {
                text_append(word, &(char){(char)(high * 16 + low)}, 1);
                at += 3;
            } else if (is_escape) {
                const char *special = strchr(letter, *++at);

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

/* Sends a command and returns its reply in lines. */
static struct lines exchange(struct connection *peer, const char *line)
{
    struct lines words = {0}, reply = {0};
    struct text bytes = {0}, printed = {0};

    split_words(&words, line);
    encode_command(&bytes, &words);
    connection_send(peer, &bytes);
    if (print_reply(&printed, peer, "", false) != GOT_REPLY)
        errx(1, "no reply to %s", line);
    lines_split(&reply, printed.data);
    return reply;
}

/* When the server refuses, the connection stays as it is, and what is asked of it fails. */
static void connection_open(struct connection *peer, const char *resp)
{
    const char *password = options.password;
    struct text auth = {0};

    *peer = (struct connection){socket_connect(), .resp = 2, .timeout_ms = REPLY_TIMEOUT_MS};
    text_format(&auth, "AUTH %s", password ? quoted(password, strlen(password)) : "");
    if (password)
        exchange(peer, auth.data);
    if (*resp == '3' && strncmp(exchange(peer, "HELLO 3").items[0].data, "(error)", 7) != 0)
        peer->resp = 3;
}

/* Exchanges on a connection of its own. */
static struct lines ask(const char *line)
{
    struct connection peer;

    connection_open(&peer, "2");
    struct lines reply = exchange(&peer, line);
    connection_finish(&peer);
    return reply;
}

/* ---- the server and its state -------------------------------------------------------------- */

static struct lines config_at_start; /* name, value, name, value ... */

static struct lines config_read(void)
{
    struct lines reply = ask("CONFIG GET *"), config = {0};

    for (size_t i = 0; i < reply.count / 2 * 2; i++)
        split_words(&config, strchr(reply.items[i].data, ')') + 2); /* 1) "name" */
    return config;
}

/* The value of the last that has this name, in pairs of name and value. */
static const char *value_of(const struct lines *pairs, const char *name)
{
    for (size_t i = pairs->count; i > 0; i -= 2)
        if (strcasecmp(pairs->items[i - 2].data, name) == 0)
            return pairs->items[i - 1].data;
    return NULL;
}

/* False when the server refuses. */
static bool config_set(const char *name, const char *value)
{
    struct text line = {0};

    text_format(&line, "CONFIG SET %s %s", name, quoted(value, strlen(value)));
    return strcmp(ask(line.data).items[0].data, "OK") == 0;
}

/* Empties the server and restores its configuration. What it does not know needs no cleaning. */
static void server_clean(void)
{
    ask("CLIENT UNPAUSE");
    ask("FLUSHALL");
    ask("SCRIPT FLUSH");
    ask("FUNCTION FLUSH");
    ask("CONFIG RESETSTAT");
    struct lines config = config_read();
    for (size_t i = 0; i + 1 < config.count; i += 2) {
        const char *before = value_of(&config_at_start, config.items[i].data);

        if (before && strcmp(before, config.items[i + 1].data) != 0)
            config_set(config.items[i].data, before);
    }
}

static int version_number(const char *version)
{
    int major = 0, minor = 0, patch = 0;

    sscanf(version, "%d.%d.%d", &major, &minor, &patch);
    return major * 1000000 + minor * 1000 + patch;
}

/* Finds out which server this is: --server-version or INFO says. Valkey is Redis 7.2.4 gone its own
 * way; from 9.0 on it has what Redis 8.0 brought, or a form of it. Tern has everything. */
static void server_identify(void)
{
    static const char *const fields[] = {"redis_version:", "valkey_version:", "tern_version:"};
    const char *info = ask("INFO server").items[0].data, *at;
    struct text claim = {0};

    for (size_t i = 0; i < LENGTH(fields); i++) /* the later ones have the fields before, too */
        if ((at = strstr(info, fields[i])))
            sscanf(at, "%15[a-z]_version:%31[0-9.]", server.product, server.version);
    text_format(&claim, isdigit(*options.version) ? "redis-%s" : "%s", options.version);
    sscanf(claim.data, "%15[a-z]-%31[0-9.]", server.product, server.version);
    if (!*server.product)
        errx(1, "which server is this? INFO: %.99s", info);
    server.level = version_number(server.version);
    if (strcmp(server.product, "valkey") == 0)
        server.level = version_number(server.level >= version_number("9.0") ? "8.0" : "7.2.4");
    if (strcmp(server.product, "tern") == 0)
        server.level = version_number("99.0");
    config_at_start = config_read();
}

static struct lines variables; /* name, value, name, value ... of this file */

/* Copies 'line' with {repeat:x:3} and {variables} replaced. */
static const char *expand(const char *line)
{
    struct text out = {0};

    for (text_append(&out, "", 0); *line; line++) {
        const char *end = *line == '{' ? strchr(line, '}') : NULL;
        struct text name = {0};

        text_append(&name, line + 1, end ? (size_t)(end - line - 1) : 0);
        const char *value = end ? value_of(&variables, name.data) : NULL;
        if (end && strncmp(line, "{repeat:", 8) == 0) {
            const char *colon = memrchr(line, ':', (size_t)(end - line));

            for (long n = strtol(colon + 1, NULL, 10); n > 0; n--)
                text_append(&out, line + 8, (size_t)(colon - line - 8));
        } else if (value) {
            text_format(&out, "%s", value);
        } else {
            text_append(&out, line, 1);
            continue;
        }
        line = end;
    }
    return out.data;
}

/* 1 when 'line' is 'pattern', which may have holes; 0 when not; -1 when not, and an {any} has tried
 * all there is from here on, so that those before it need not try again. */
static int match_line(const char *pattern, const char *line)
{
    for (; *pattern == *line && *line && *line != '{'; pattern++, line++)
        ;
    const char *end = *pattern == '{' ? strchr(pattern, '}') : NULL;
    const char *equals = end ? memchr(pattern, '=', (size_t)(end - pattern)) : NULL;
    const char *hole = equals ? equals + 1 : pattern + 1, *dots = end ? strstr(hole, "..") : NULL;
    size_t len = 0;
    int result = 0;

    if (end && strncmp(hole, "any}", 4) == 0) {
        while ((result = match_line(end + 1, line + len)) == 0 && line[len])
            len++;
        result = result == 1 ? 1 : -1;
    } else if (end && (strncmp(hole, "int}", 4) == 0 || (dots && dots < end))) {
        double value = strtod(line, NULL);

        len = strspn(line, "-.0123456789");
        if (*hole == 'i' || (value >= strtod(hole, NULL) && value <= strtod(dots + 2, NULL)))
            result = len > 0 ? match_line(end + 1, line + len) : 0;
    } else {
        return *pattern != *line ? 0 : *line ? match_line(pattern + 1, line + 1) : 1;
    }
    if (result == 1 && equals) {
        lines_add(&variables, pattern + 1, (size_t)(equals - pattern - 1));
        lines_add(&variables, line, len);
    }
    return result;
}

/* Lines against expected ones, among which "..." stands for any number. */
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
        if (got_count == 0 || match_line(expand(expected->data), got->data) != 1)
            return false;
    }
    return got_count == 0;
}

/* ---- steps --------------------------------------------------------------------------------- */

enum step_kind { STEP_SEND, STEP_READ, STEP_PUSH, STEP_RAW_SEND, STEP_RAW_READ, STEP_SLEEP };

struct step {
    enum step_kind kind;
    bool sends;
    struct connection *connection;
    const char *rest;          /* of the line, after the prompt */
    struct lines plain, resp3; /* the replies expected; no resp3 when they are the same */
    bool is_unordered;
};

/* The file under way. */
static struct {
    const char *path;
    struct lines source;
    struct connection connections[CONNECTIONS];
} transcript;

/* Reads the prompt of a step; false when the line is none. */
static bool step_parse(const char *line, struct step *step)
{
    static const char *const prompts[] = {">", "<", "<<", "raw>", "raw<", "sleep"};
    bool has_name = *line >= 'A' && *line <= 'Z';
    const char *at = line + has_name + (has_name && line[1] == ' ');
    size_t len = strcspn(at, " ");

    for (enum step_kind kind = STEP_SEND; kind <= STEP_SLEEP; kind++) {
        if (strlen(prompts[kind]) == len && memcmp(at, prompts[kind], len) == 0) {
            *step = (struct step){.kind = kind, .rest = at + len + strspn(at + len, " ")};
            step->sends = kind == STEP_SEND || kind == STEP_RAW_SEND;
            step->connection = &transcript.connections[has_name ? *line - 'A' + 1 : 0];
            return true;
        }
    }
    return false;
}

/* Gathers the replies expected in the lines from 'at' on; returns the line after them. */
static size_t step_parse_reply(size_t at, struct step *step)
{
    struct lines *form = &step->plain;
    struct step next;

    if (!step->sends && step->kind != STEP_SLEEP && *step->rest)
        lines_add(form, step->rest, strlen(step->rest));
    for (; at < transcript.source.count; at++) {
        const char *line = transcript.source.items[at].data;

        if (*line == '\0' || *line == '#' || step_parse(line, &next))
            break;
        if (strncmp(line, "resp3:", 6) == 0) {
            form = &step->resp3;
            line += 6 + strspn(line + 6, " ");
        }
        if (strcmp(line, "unordered") == 0)
            step->is_unordered = true;
        else if (*line)
            lines_add(form, line, strlen(line));
    }
    return at;
}

/* The reply expected in the protocol that the connection speaks now. */
static const struct lines *step_expected(const struct step *step)
{
    return step->connection->resp == 3 && step->resp3.count > 0 ? &step->resp3 : &step->plain;
}

/* A reply has come to the command 'name': HELLO and RESET change the protocol, and with it the form
 * that is expected. The kind of the reply must be that of the step; (P|S)SUBSCRIBE has both. */
static void check_kind(const struct step *step, const char *name, char type, struct text *got)
{
    struct connection *peer = step->connection;
    size_t len = strcspn(name, " ");

    if (strncasecmp(name, "HELLO ", 6) == 0 && type != '-')
        peer->resp = name[6] == '3' ? 3 : 2;
    if (strcasecmp(name, "RESET") == 0 && type == '+')
        peer->resp = 2;
    bool is_subscribing = len >= 9 && strncasecmp(name + len - 9, "subscribe", 9) == 0;
    if (peer->resp == 3 && !is_subscribing && (type == '>') != (step->kind == STEP_PUSH))
        text_format(got, type == '>' ? "(a push)\n" : "(not a push)\n");
}

/* Reads what the server says and prints it. 'name' is the command that was just sent, or empty. */
static void step_read(const struct step *step, const char *name, struct text *got)
{
    static const char *const failures[] = {"", "(nothing)\n", "(closed)\n", "(garbage)\n"};
    struct connection *peer = step->connection;
    const char *expected = step_expected(step)->items[0].data;
    bool is_quiet = strcmp(expected, "(nothing)") == 0;
    struct text printed = {0};
    struct lines bytes = {0};

    peer->timeout_ms = is_quiet ? NOTHING_MS : REPLY_TIMEOUT_MS;
    enum outcome outcome = connection_await(peer, 1);
    if (outcome == GOT_REPLY && step->kind == STEP_RAW_READ) {
        split_words(&bytes, expand(expected));
        outcome = connection_await(peer, bytes.items[0].len);
        printed = connection_take(peer, bytes.items[0].len);
        text_format(got, "%s\n", quoted(printed.data, printed.len));
    } else if (outcome == GOT_REPLY) {
        char type = peer->input.data[peer->consumed];

        outcome = print_reply(&printed, peer, "", step->is_unordered);
        check_kind(step, name, type, got);
        text_append(got, printed.data, printed.len);
    }
    text_format(got, "%s", failures[outcome]);
    if (outcome != GOT_REPLY && !is_quiet)
        connection_finish(peer);
}

/* Sends what the step sends and reads what it expects, if it expects anything. */
static void step_run(const struct step *step, struct text *got)
{
    const char *sent = step->sends ? expand(step->rest) : "";
    struct lines words = {0};
    struct text bytes = {0};

    text_append(got, "", 0);
    if (step->connection->fd == 0)
        connection_open(step->connection, options.resp);
    if (!split_words(&words, sent)) {
        text_format(got, "(a quote is open)\n");
        return;
    }
    if (step->kind == STEP_SEND)
        encode_command(&bytes, &words);
    for (size_t i = 0; step->kind == STEP_RAW_SEND && i < words.count; i++)
        text_append(&bytes, words.items[i].data, words.items[i].len);
    connection_send(step->connection, &bytes);
    if (step_expected(step)->count > 0)
        step_read(step, step->kind == STEP_SEND ? sent : "", got);
    else
        usleep(SETTLE_MS * 1000);
}

/* A reply on one line. */
static const char *joined(const struct lines *lines)
{
    struct text out = {0};

    text_append(&out, "", 0);
    for (size_t i = 0; i < lines->count; i++)
        text_format(&out, "%s%s", i ? " | " : "", lines->items[i].data);
    return out.data;
}

/* Runs the step of the line 'at' and says how it went. */
static void step_check(size_t at, const struct step *step)
{
    const char *line = transcript.source.items[at].data;
    struct text got = {0};
    struct lines lines = {0};

    step_run(step, &got);
    lines_split(&lines, got.data);
    const struct lines *expected = step_expected(step);
    bool passed = match_lines(expected->items, expected->count, lines.items, lines.count);
    tally.passed += passed;
    tally.failed += !passed;
    if (!passed)
        printf("%s:%zu: %.*s: expected %.*s, got %.*s\n", transcript.path, at + 1, SHOWN_MAX, line,
               SHOWN_MAX, joined(expected), SHOWN_MAX, joined(&lines));
    if (!passed && options.is_verbose)
        fputs(got.data, stdout);
    else if (options.is_verbose)
        printf("%s:%zu: %.*s: passed\n", transcript.path, at + 1, SHOWN_MAX, line);
}

/* True when the server, the protocol or the socket goes by this name. */
static bool is_called(const char *name)
{
    struct text names = {0}, wanted = {0};

    text_format(&names, " %s %s-%s resp%s %s ", server.product, server.product, server.version,
                options.resp, options.socket ? "unix" : "tcp");
    text_format(&wanted, " %s", name);
    const char *found = strstr(names.data, wanted.data);
    return found && strchr(" -.", found[wanted.len]);
}

static bool has_commands(const struct lines *words)
{
    for (size_t i = 1; i < words->count; i++) {
        struct text line = {0};

        text_format(&line, "COMMAND INFO %s", words->items[i].data);
        if (strcmp(ask(line.data).items[0].data, "1) (nil)") == 0)
            return false;
    }
    return true;
}

/* What the line asks for: 1 it is so, 0 it is not, -1 the line is no condition. */
static int condition_evaluate(const char *line)
{
    struct lines words = {0};
    int holds = 0;

    split_words(&words, line);
    const char *kind = words.items[0].data, *name = words.count > 1 ? words.items[1].data : "";
    const char *value = value_of(&config_at_start, name);
    bool is_needs = strcmp(kind, "needs") == 0, is_not = strcmp(kind, "not") == 0;
    if (strcmp(kind, "since") == 0 && words.count == 2)
        return server.level >= version_number(name);
    if (strcmp(kind, "config") == 0 && words.count == 3)
        return config_set(name, words.items[2].data);
    if ((!is_needs && !is_not && strcmp(kind, "only") != 0) || words.count < 2)
        return -1;
    if (is_needs && !value)
        return has_commands(&words);
    for (size_t i = 1 + is_needs; i < words.count; i++)
        holds |= is_needs ? value && strcasecmp(value, words.items[i].data) == 0
                          : is_called(words.items[i].data);
    return holds ^ is_not;
}

/* Every step in order. A condition that fails skips to the end of its paragraph; to the end of the
 * file when the paragraph has no steps. */
static void run_steps(void)
{
    bool is_skipping_file = false, is_skipping = false, has_steps = false;

    for (size_t at = 0, end; at < transcript.source.count; at = end) {
        const char *line = transcript.source.items[at].data;
        struct step step;

        end = at + 1;
        if (step_parse(line, &step)) {
            end = step_parse_reply(end, &step);
            has_steps = true;
            tally.skipped += is_skipping && step.kind != STEP_SLEEP;
            if (!is_skipping && step.kind == STEP_SLEEP)
                usleep((useconds_t)strtol(step.rest, NULL, 10) * 1000);
            else if (!is_skipping)
                step_check(at, &step);
        } else if (*line == '\0') {
            is_skipping_file |= is_skipping && !has_steps;
            is_skipping = is_skipping_file;
            has_steps = false;
        } else if (*line != '#' && !is_skipping) {
            int condition = has_steps ? -1 : condition_evaluate(line);

            is_skipping = condition == 0;
            tally.failed += condition < 0;
            if (condition < 0)
                printf("%s:%zu: not understood here: %s\n", transcript.path, at + 1, line);
        }
    }
}

static void run_file(const char *path)
{
    FILE *file = fopen(path, "r");
    char *line = NULL;
    size_t capacity = 0;

    if (!file)
        err(1, "%s", path);
    transcript.path = path;
    transcript.source = variables = (struct lines){0};
    while (getline(&line, &capacity, file) > 0)
        lines_split(&transcript.source, line);
    fclose(file);
    server_clean();
    run_steps();
    for (int i = 0; i < CONNECTIONS; i++) {
        struct text rest = connection_finish(&transcript.connections[i]);

        if (rest.len > 0)
            printf("%s:%zu: nothing reads what connection %c got: %.*s\n", path,
                   transcript.source.count, i ? 'A' + i - 1 : '>', SHOWN_MAX,
                   quoted(rest.data, rest.len));
        tally.failed += rest.len > 0;
    }
}

/* A file, or every .txt of a folder and of the folders in it, in the order of their names. */
static void run_path(const char *path)
{
    struct text pattern = {0};
    glob_t found = {0};

    text_format(&pattern, "%s{,/*.txt,/*/*.txt}", path);
    if (glob(pattern.data, GLOB_BRACE, NULL, &found) != 0)
        errx(1, "%s: nothing is there", path);
    for (size_t i = 0; i < found.gl_pathc; i++)
        if (strstr(found.gl_pathv[i], ".txt"))
            run_file(found.gl_pathv[i]);
    globfree(&found);
}

static void print_tally(void) /* the last line, however the run ends */
{
    printf("transcripts: %u passed, %u failed, %u skipped\n", tally.passed, tally.failed,
           tally.skipped);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name, **value;
    } known[] = {{"--host", &options.host},     {"--port", &options.port},
                 {"--socket", &options.socket}, {"--password", &options.password},
                 {"--resp", &options.resp},     {"--server-version", &options.version}};
    int at = 1;

    for (; at < argc && argv[at][0] == '-'; at++) {
        size_t i = 0;

        while (i < LENGTH(known) && strcmp(argv[at], known[i].name) != 0)
            i++;
        if (strcmp(argv[at], "-v") == 0)
            options.is_verbose = true;
        else if (i < LENGTH(known) && at + 1 < argc)
            *known[i].value = argv[++at];
        else
            break;
    }
    if (at == argc || argv[at][0] == '-' || (*options.resp != '2' && *options.resp != '3'))
        errx(2, "[--host H] [--port P] [--socket PATH] [--password WORD] [--resp 2|3] [-v] "
                "[--server-version 7.0|valkey-9.1|tern] FILE-OR-FOLDER ...");
    setvbuf(stdout, NULL, _IOLBF, 0);
    atexit(print_tally);
    server_identify();
    for (; at < argc; at++)
        run_path(argv[at]);
    server_clean();
    tally.failed--;
    return tally.failed > 0;
}
