/* The configuration on any lines: words survive quoting, what is refused changes nothing, what
 * CONFIG GET shows can be given back and shows the same, and a file does what its lines do.
 *
 * SOURCES: src/server/config*.c src/server/proc_title.c src/engine/notify.c src/engine/command_set.c
 * SOURCES: src/types/[a-z]*.c src/ds/[a-z]*.c
 * SOURCES: src/base/[a-z]*.c
 *
 * Input: a byte of flags (enum flag), the lines. Unless PLAIN is set, a byte from 0x80 on stands
 * for the name of a directive or for one of fuzz_words. */
#include "server/config_internal.h"

#include "base/assert.h"
#include "base/log.h"
#include "base/mem.h"
#include "engine/command.h"
#include "engine/pubsub.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum flag { PLAIN = 1, RUNNING = 2 /* as CONFIG SET, not as at start */, FROM_FILE = 4 };

/* For standalone_main.c. */
const size_t fuzz_head_size = 1;
/* clang-format off */
const char *const fuzz_words[] = {
    "\n", " ", "\"", "'", "\\", "\\x00", "\\x4", "\\n", "#", "yes", "no", "local", "0", "1", "-1", "16", "1gb", "64mb", "5k", "2147483647",
    "2147483648", "9223372036854775807", "9223372036854775808", "18446744073709551615", "18446744073709551615b", "8589934592gb",
    "normal 0 0 0", "replica 256mb 64mb 60", "pubsub", "slave", "AKE", "K$lshzxetdmn", "777", "1000", "notice", "debug", "nothing",
    "volatile-ttl", "allkeys-lfu", "* -::*", "127.0.0.1", "900 1", "", NULL,
};
/* clang-format on */

/* What the rows reach of the running server, which is not there. */
int server_listen_again(struct server *server, struct error *error)
{
    ASSERT(!server->engine);
    return 0;
}

int64_t server_raise_descriptors(int64_t clients) { return clients; }
void engine_settings_changed(struct engine *engine) {}
void persistence_refresh(struct server *server) {}
void store_limit_memory(struct store *store, size_t bytes) {}
int oom_score_adjust(struct server *server, struct error *error) { return 0; }

int64_t pubsub_publish(struct engine *engine, struct bytes channel, struct bytes message)
{
    return 0;
}

/* --- helpers --------------------------------------------------------------------------------- */

static struct bytes no_bytes(void) { return (struct bytes){"", 0}; }

/* In a block of its size, so that a byte read outside is seen. */
static struct bytes copy(struct bytes bytes)
{
    char *block = malloc(bytes.len ? bytes.len : 1);

    if (bytes.len)
        memcpy(block, bytes.data, bytes.len);
    return (struct bytes){block, bytes.len};
}

static void drop(struct bytes bytes) { free((char *)bytes.data); }

static struct text shown(const struct server *server, size_t at)
{
    struct text text = {0};

    config_format(server, config_row_at(at), &text);
    return text;
}

static struct text shown_whole(const struct server *server)
{
    struct text text = {0};

    for (size_t i = 0; i < config_count(); i++) {
        text_format(&text, "%s ", config_row_at(i)->name);
        config_format(server, config_row_at(i), &text);
        text_add(&text, BYTES("\n"));
    }
    return text;
}

static void assert_same(struct text before, struct text after)
{
    ASSERT(bytes_equal(text_bytes(&before), text_bytes(&after)));
    text_release(&before);
    text_release(&after);
}

static void start(struct server *server)
{
    memset(server, 0, sizeof *server);
    config_set_defaults(server);
}

/* --- words ----------------------------------------------------------------------------------- */

static void add_quoted(struct text *line, struct bytes word)
{
    text_add(line, BYTES("\""));
    for (size_t i = 0; i < word.len; i++)
        text_format(line, word.data[i] == '"' || word.data[i] == '\\' ? "\\%c" : "\\x%02x",
                    (unsigned char)word.data[i]);
    text_add(line, BYTES("\" "));
}

/* Splits into a buffer that is as small as it may be. Returns the number of words or -1; '*buffer'
 * is the caller's. */
static int split(struct bytes line, char **buffer, struct bytes *words)
{
    *buffer = malloc(line.len ? line.len : 1);
    int count = config_split(line, *buffer, words, CONFIG_ARGS_MAX);

    ASSERT(count >= -1 && count <= CONFIG_ARGS_MAX);
    for (int i = 0; i < count; i++) {
        ASSERT(words[i].data >= *buffer);
        ASSERT(words[i].data + words[i].len <= *buffer + line.len);
    }
    return count;
}

static void check_quoting(const struct bytes *words, int count)
{
    struct bytes again[CONFIG_ARGS_MAX];
    struct text line = {0};
    char *buffer;

    for (int i = 0; i < count; i++)
        add_quoted(&line, words[i]);
    struct bytes exact = copy(text_bytes(&line));
    ASSERT(split(exact, &buffer, again) == count);
    for (int i = 0; i < count; i++)
        ASSERT(bytes_equal(words[i], again[i]));
    free(buffer);
    drop(exact);
    text_release(&line);
}

/* --- directives ------------------------------------------------------------------------------ */

/* CONFIG GET's answer is taken by CONFIG SET, or by a start when the directive is fixed then. */
static void check_giving_back(struct server *server, size_t at)
{
    struct text before = shown(server, at);
    struct bytes pair[2] = {bytes_from_string(config_row_at(at)->name), copy(text_bytes(&before))};
    const struct config_row *row = config_row_at(at);
    struct error error;
    int culprit;

    config_note_of(server, row)->was_set = false; /* or lines would add up */
    if (row->kind == KIND_LIST && !before.len)
        ASSERT(config_parse(server, row, pair + 1, 0, false, &error) == 0 || row->check == check_master ||
               row->check == check_oom_values);
    else if (row->flags & CONFIG_FIXED)
        ASSERT(config_apply(server, pair, 2, &error) == 0);
    else
        ASSERT(config_change(server, pair, 2, true, &culprit, &error) == 0);
    config_note_of(server, row)->was_set = true;
    drop(pair[1]);
    assert_same(before, shown(server, at));
}

static bool apply(struct server *server, const struct bytes *words, int count, bool at_start)
{
    struct text before = shown_whole(server);
    const struct config_row *row = config_find(words[0]);
    struct error error;
    int culprit = 0, outcome;

    memset(&error, 'x', sizeof error);
    outcome = at_start ? config_apply(server, words, count, &error)
                       : config_change(server, words, count - count % 2, true, &culprit, &error);
    if (outcome < 0) {
        ASSERT(memchr(error.text, '\0', sizeof error.text));
        ASSERT(*error.text || !config_find(words[culprit]));
        assert_same(before, shown_whole(server));
        return false;
    }
    if (row)
        check_giving_back(server, config_index(row));
    text_release(&before);
    return true;
}

static bool apply_line(struct server *server, struct bytes line, bool at_start)
{
    struct bytes words[CONFIG_ARGS_MAX];
    bool is_good = true;
    char *buffer;
    int count = split(line, &buffer, words);

    if (count > 0) {
        check_quoting(words, count);
        is_good = apply(server, words, count, at_start);
    }
    free(buffer);
    return is_good && count >= 0;
}

/* --- lines and files ------------------------------------------------------------------------- */

static bool is_comment(struct bytes line)
{
    size_t at = 0;

    while (at < line.len && (line.data[at] == ' ' || line.data[at] == '\t'))
        at++;
    return at < line.len && line.data[at] == '#';
}

/* Until the first that is refused, when 'as_file'. True when none was. */
static bool apply_lines(struct server *server, struct bytes lines, bool at_start, bool as_file)
{
    bool is_good = true;

    while (lines.len && (is_good || !as_file)) {
        const char *end = memchr(lines.data, '\n', lines.len);
        struct bytes line = {lines.data, end ? (size_t)(end - lines.data) : lines.len};
        size_t taken = line.len + (end != NULL);

        if (!as_file || !is_comment(line)) {
            line = copy(line);
            is_good = apply_line(server, line, at_start) && is_good;
            drop(line);
        }
        lines = (struct bytes){lines.data + taken, lines.len - taken};
    }
    return is_good;
}

static bool read_file(struct server *server, struct bytes content)
{
    int fd = memfd_create("config", MFD_CLOEXEC);
    struct error error = {""};
    char path[32];

    ASSERT(fd >= 0);
    ASSERT(write(fd, content.data, content.len) == (ssize_t)content.len);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    bool is_good = config_load(server, path, false, no_bytes(), &error) == 0;
    close(fd);
    ASSERT(is_good == !*error.text);
    return is_good;
}

static bool holds(struct bytes content, const char *const *words)
{
    char *text = malloc(content.len + 1);
    bool is_found = false;

    for (size_t i = 0; i < content.len; i++) /* behind a zero byte too */
        text[i] = content.data[i] ? content.data[i] : ' ';
    text[content.len] = '\0';
    for (; *words && !is_found; words++)
        is_found = strcasestr(text, *words) != NULL;
    free(text);
    return is_found;
}

/* Lines that end otherwise and those that are no directives are the file's own matter. */
static bool is_plain(struct bytes content)
{
    static const char *const others[] = {"rename-command", "user", "loadmodule", "list-max-ziplist-",
                                         "lua-replicate-commands", "\r", NULL};

    return !memchr(content.data, '\0', content.len) && !holds(content, others);
}

/* Other files are not for a fuzzer to read. */
static bool reads_others(struct bytes content)
{
    return holds(content, (const char *const[]){"include", NULL});
}

static void check_file(struct bytes content)
{
    static struct server by_line, by_file;

    if (reads_others(content))
        return;
    start(&by_file);
    bool is_good = read_file(&by_file, content);
    if (is_plain(content)) {
        start(&by_line);
        ASSERT(apply_lines(&by_line, content, true, true) == is_good);
        assert_same(shown_whole(&by_line), shown_whole(&by_file));
        config_release(&by_line);
    }
    config_release(&by_file);
    if (by_file.commands)
        command_set_free(by_file.commands);
}

/* --- the input ------------------------------------------------------------------------------- */

static void add_expanded(struct text *text, uint8_t byte)
{
    size_t word_count = 0, at = byte - 0x80;

    while (fuzz_words[word_count])
        word_count++;
    at %= config_count() + word_count;
    text_add(text, bytes_from_string(at < config_count() ? config_row_at(at)->name
                                                         : fuzz_words[at - config_count()]));
}

static void check(struct bytes lines, uint8_t flags)
{
    static struct server server;

    if (flags & FROM_FILE) {
        check_file(lines);
        return;
    }
    start(&server);
    apply_lines(&server, lines, !(flags & RUNNING), false);
    for (size_t i = 0; i < config_count(); i++)
        check_giving_back(&server, i);
    config_release(&server);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct error error;
    struct text text = {0};

    if (size < 1)
        return 0;
    log_set_level(LOG_NOTHING);
    ASSERT(log_set_file("/dev/null", &error) == 0); /* should a line turn it on again */
    for (size_t i = 1; i < size; i++) {
        if (data[0] & PLAIN || data[i] < 0x80)
            text_add(&text, (struct bytes){(const char *)data + i, 1});
        else
            add_expanded(&text, data[i]);
    }
    check(text.len ? text_bytes(&text) : no_bytes(), data[0]);
    text_release(&text);
    ASSERT(mem_used() == 0);
    return 0;
}
