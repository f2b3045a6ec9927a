/* The values of the directives: parsed from words, printed as CONFIG GET shows them, kept where their row
 * says. A value that no module uses lies in the row's note. */
#include "config_internal.h"

#include "base/log.h"
#include "base/mem.h"
#include "base/numbers.h"

#include <limits.h>

/* --- rows ------------------------------------------------------------------------------------------------- */

size_t config_count(void) { return config_present().count + config_absent().count; }

const struct config_row *config_row_at(size_t at)
{
    struct config_table present = config_present();

    return at < present.count ? &present.rows[at] : &config_absent().rows[at - present.count];
}

size_t config_index(const struct config_row *row)
{
    struct config_table present = config_present();

    if (row >= present.rows && row < present.rows + present.count)
        return (size_t)(row - present.rows);
    return present.count + (size_t)(row - config_absent().rows);
}

const struct config_row *config_find(struct bytes name)
{
    for (size_t i = 0; i < config_count(); i++) {
        const struct config_row *row = config_row_at(i);

        if (bytes_is(name, row->name) || (row->alias && bytes_is(name, row->alias)))
            return row;
    }
    return NULL;
}

struct config_note *config_note_of(const struct server *server, const struct config_row *row)
{
    return &server->notes[config_index(row)];
}

/* --- where values live ------------------------------------------------------------------------------------ */

static void *place_of(const struct server *server, const struct config_row *row)
{
    const char *base = (const char *)&server->settings;

    if (row->place == IN_NOTE)
        return &config_note_of(server, row)->value;
    if (row->place == IN_ENGINE)
        base = (const char *)(server->engine ? &server->engine->settings : &server->staged);
    else if (row->place == IN_STORE)
        base = (const char *)(server->store ? &server->store->settings : &server->staged_store);
    return (void *)(base + row->offset);
}

/* The store counts in int, all others in int64_t. */
static bool is_int(const struct config_row *row)
{
    return row->place == IN_STORE || row->kind == KIND_ENUM || row->kind == KIND_FLAGS;
}

static void store_number(const struct server *server, const struct config_row *row, int64_t value)
{
    void *place = place_of(server, row);

    if (row->kind == KIND_BOOL)
        *(bool *)place = value != 0;
    else if (is_int(row))
        *(int *)place = (int)value;
    else
        *(int64_t *)place = value;
}

int64_t config_number(const struct server *server, const struct config_row *row)
{
    const void *place = place_of(server, row);

    if (row->kind == KIND_BOOL)
        return *(const bool *)place;
    return is_int(row) ? *(const int *)place : *(const int64_t *)place;
}

void config_set_text(char **place, struct bytes text)
{
    char *copy = mem_alloc(text.len + 1);

    if (text.len)
        memcpy(copy, text.data, text.len);
    copy[text.len] = '\0';
    if (*place)
        mem_free(*place, strlen(*place) + 1);
    *place = copy;
}

static void drop_text(char **place)
{
    if (*place)
        mem_free(*place, strlen(*place) + 1);
    *place = NULL;
}

static bool is_text(const struct config_row *row) { return row->kind == KIND_TEXT || row->kind == KIND_LIST; }

/* --- parsing ------------------------------------------------------------------------------------------------ */

static int check_range(const struct config_row *row, int64_t value, struct error *error)
{
    if (value >= row->min && value <= row->max)
        return 0;
    if (row->kind == KIND_OCTAL)
        return error_set(error, "argument must be between %llo and %llo inclusive",
                         (unsigned long long)row->min, (unsigned long long)row->max);
    return error_set(error, "argument must be between %lld and %lld inclusive", (long long)row->min,
                     (long long)row->max);
}

static bool octal_parse(struct bytes text, int64_t *value)
{
    *value = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] < '0' || text.data[i] > '7' || *value > INT_MAX)
            return false;
        *value = *value * 8 + (text.data[i] - '0');
    }
    return text.len > 0;
}

static int parse_size(const struct config_row *row, struct bytes text, int64_t *value, struct error *error)
{
    uint64_t size;

    if (row->kind == KIND_PERCENT && text.len && text.data[text.len - 1] == '%') {
        if (!int64_parse((struct bytes){text.data, text.len - 1}, value) || *value < 0)
            return error_set(error, "argument must be a memory or percent value");
        if (*value > 100)
            return error_set(error, "percentage argument must be less or equal to 100");
        *value = -*value;
        return 0;
    }
    if (!memory_size_parse(text, &size))
        return error_set(error, row->kind == KIND_PERCENT ? "argument must be a memory or percent value"
                                                          : "argument must be a memory value");
    *value = size > INT64_MAX ? -1 : (int64_t)size; /* out of any range */
    return check_range(row, *value, error);
}

static int parse_number(const struct config_row *row, struct bytes text, int64_t *value, struct error *error)
{
    if (row->kind == KIND_MEMORY || row->kind == KIND_PERCENT)
        return parse_size(row, text, value, error);
    if (row->kind == KIND_OCTAL && !octal_parse(text, value))
        return error_set(error, "argument couldn't be parsed as an octal number");
    if (row->kind == KIND_INT && !int64_parse(text, value))
        return error_set(error, "argument couldn't be parsed into an integer");
    return check_range(row, *value, error);
}

static int parse_bool(struct bytes text, int64_t *value, struct error *error)
{
    *value = bytes_is(text, "yes");
    if (!*value && !bytes_is(text, "no"))
        return error_set(error, "argument must be 'yes' or 'no'");
    return 0;
}

static const struct config_word *word_find(const struct config_word *words, struct bytes text)
{
    for (; words->word; words++)
        if (bytes_is(text, words->word))
            return words;
    return NULL;
}

static int refuse_word(const struct config_row *row, struct error *error)
{
    struct text all = {0};

    for (const struct config_word *word = row->words; word->word; word++)
        text_format(&all, "%s%s", all.len ? ", " : "", word->word);
    error_set(error, "argument(s) must be one of the following: %.*s", (int)all.len, all.data);
    text_release(&all);
    return -1;
}

static int parse_words(const struct config_row *row, const struct bytes *args, int argc, int64_t *value,
                       struct error *error)
{
    *value = 0;
    for (int i = 0; i < argc; i++) {
        const struct config_word *word = word_find(row->words, args[i]);

        if (!word)
            return refuse_word(row, error);
        *value = row->kind == KIND_ENUM ? word->value : *value | word->value;
    }
    if (!argc)
        return refuse_word(row, error);
    return row->check ? row->check(args, argc, NULL, error) : 0;
}

/* Texts are kept as C strings. */
static bool holds_zero(const struct bytes *args, int argc)
{
    for (int i = 0; i < argc; i++)
        if (args[i].len && memchr(args[i].data, '\0', args[i].len))
            return true;
    return false;
}

static void join(const struct bytes *args, int argc, struct text *out)
{
    for (int i = 0; i < argc; i++) {
        if (out->len)
            text_add(out, BYTES(" "));
        text_add(out, args[i]);
    }
}

static int parse_text(struct server *server, const struct config_row *row, const struct bytes *args, int argc,
                      bool at_start, struct error *error)
{
    char **place = place_of(server, row);
    struct text kept = {0}, whole = {0};
    int outcome = 0;

    if (holds_zero(args, argc))
        return error_set(error, "argument must not contain a zero byte");
    if (row->check)
        outcome = row->check(args, argc, &kept, error);
    if (outcome == 0) {
        if (!row->check || (!kept.len && row->kind == KIND_TEXT))
            join(args, argc, &kept);
        if (at_start && row->flags & CONFIG_LINES_ADD && config_note_of(server, row)->was_set && kept.len)
            text_add(&whole, bytes_from_string(*place));
        if (kept.len)
            join((struct bytes[]){text_bytes(&kept)}, 1, &whole);
        config_set_text(place, text_bytes(&whole));
    }
    text_release(&kept);
    text_release(&whole);
    return outcome;
}

static int parse_one(struct server *server, const struct config_row *row, const struct bytes *args, int argc,
                     bool at_start, struct error *error)
{
    int64_t value = 0;
    int outcome;

    if (row->kind == KIND_OWN)
        return row->parse(server, args, argc, error);
    if (argc != 1 && row->kind != KIND_LIST && row->kind != KIND_FLAGS)
        return error_set(error, "wrong number of arguments");
    if (is_text(row))
        return parse_text(server, row, args, argc, at_start, error);
    if (row->kind == KIND_BOOL)
        outcome = parse_bool(args[0], &value, error);
    else if (row->kind == KIND_ENUM || row->kind == KIND_FLAGS)
        outcome = parse_words(row, args, argc, &value, error);
    else
        outcome = parse_number(row, args[0], &value, error);
    if (outcome == 0)
        store_number(server, row, value);
    return outcome;
}

static bool has_words(const struct config_row *row)
{
    return row->kind == KIND_LIST || row->kind == KIND_FLAGS || row->flags & CONFIG_WORDS;
}

int config_value_words(const struct config_row *row, struct bytes value, struct bytes *words)
{
    const char *at = value.data, *end = value.len ? at + value.len : at;
    int count = 0;

    if (!has_words(row) || !value.len) {
        words[0] = value;
        return !has_words(row);
    }
    for (;;) {
        const char *blank = memchr(at, ' ', (size_t)(end - at));

        if (count == CONFIG_ARGS_MAX)
            return -1;
        words[count++] = (struct bytes){at, (size_t)((blank ? blank : end) - at)};
        if (!blank)
            return count;
        at = blank + 1;
    }
}

int config_parse(struct server *server, const struct config_row *row, const struct bytes *args, int argc,
                 bool at_start, struct error *error)
{
    struct bytes words[CONFIG_ARGS_MAX];
    char *buffer;
    int count, outcome;

    if (!at_start || argc != 1 || !has_words(row))
        return parse_one(server, row, args, argc, at_start, error);
    buffer = mem_alloc(args[0].len + 1); /* save "900 1 300 10" */
    count = config_split(args[0], buffer, words, CONFIG_ARGS_MAX);
    outcome = count < 0 ? error_set(error, "wrong number of arguments")
                        : parse_one(server, row, words, count, true, error);
    mem_free(buffer, args[0].len + 1);
    return outcome;
}

/* --- printing ------------------------------------------------------------------------------------------------ */

static void format_words(const struct config_row *row, int64_t value, struct text *out)
{
    size_t before = out->len;

    for (const struct config_word *word = row->words; word->word; word++) {
        bool is_there = row->kind == KIND_ENUM || !value ? word->value == value
                                                         : word->value && (value & word->value) == word->value;

        if (!is_there)
            continue;
        text_format(out, "%s%s", out->len > before ? " " : "", word->word);
        if (row->kind == KIND_ENUM || !value)
            return; /* the first of several names */
    }
}

void config_format(const struct server *server, const struct config_row *row, struct text *out)
{
    long long number;

    if (row->kind == KIND_OWN) {
        row->format(server, out);
        return;
    }
    if (is_text(row)) {
        text_add(out, bytes_from_string(*(char **)place_of(server, row)));
        return;
    }
    number = config_number(server, row);
    if (row->kind == KIND_BOOL)
        text_format(out, "%s", number ? "yes" : "no");
    else if (row->kind == KIND_ENUM || row->kind == KIND_FLAGS)
        format_words(row, number, out);
    else if (row->kind == KIND_OCTAL)
        text_format(out, "%llo", (unsigned long long)number);
    else if (row->kind == KIND_PERCENT && number < 0)
        text_format(out, "%lld%%", -number);
    else
        text_format(out, "%lld", number);
}

void config_format_name(const struct server *server, const char *name, struct text *out)
{
    config_format(server, config_find(bytes_from_string(name)), out);
}

bool config_is_preset(const struct server *server, const struct config_row *row)
{
    struct text now = {0};
    bool is_same;

    config_format(server, row, &now);
    is_same = bytes_equal(text_bytes(&now), bytes_from_string(config_note_of(server, row)->preset));
    text_release(&now);
    return is_same;
}

/* --- what has no subject --------------------------------------------------------------------------------------- */

static bool asks_for_something(const struct server *server, const struct config_row *row)
{
    struct text now = {0};
    bool is_quiet;

    if (!row->quiet)
        return !config_is_preset(server, row);
    config_format(server, row, &now);
    is_quiet = bytes_equal(text_bytes(&now), bytes_from_string(row->quiet));
    text_release(&now);
    return !is_quiet;
}

void config_warn_of(struct server *server, const struct config_row *row)
{
    struct config_note *note = config_note_of(server, row);

    if (!row->lacks || !note->was_set || note->was_warned || !asks_for_something(server, row))
        return;
    note->was_warned = true;
    log_write(LOG_WARNING, "WARNING %s: not supported yet, %s", row->name, row->lacks);
}

void config_warn(struct server *server)
{
    for (size_t i = 0; i < config_count(); i++)
        config_warn_of(server, config_row_at(i));
}

/* --- beginning and end ----------------------------------------------------------------------------------------- */

static void set_preset(struct server *server, const struct config_row *row)
{
    struct bytes text = bytes_from_string(row->preset_text ? row->preset_text : "");
    struct error error;

    if (is_text(row))
        config_set_text(place_of(server, row), text);
    else if (row->kind != KIND_OWN)
        store_number(server, row, row->preset);
    else if (row->preset_text)
        config_parse(server, row, &text, 1, true, &error);
}

void config_set_defaults(struct server *server)
{
    server->notes = mem_alloc_zero(config_count() * sizeof *server->notes);
    server->staged = (struct engine_settings){
        .output_limits = {[CLIENT_REPLICA] = {256u << 20, 64u << 20, 60},
                          [CLIENT_PUBSUB] = {32u << 20, 8u << 20, 60}},
        .password = ""};
    for (size_t i = 0; i < config_count(); i++) {
        const struct config_row *row = config_row_at(i);
        struct text preset = {0};

        set_preset(server, row);
        config_format(server, row, &preset);
        config_set_text(&server->notes[i].preset, text_bytes(&preset));
        text_release(&preset);
    }
}

void config_release(struct server *server)
{
    for (size_t i = 0; i < config_count(); i++) {
        const struct config_row *row = config_row_at(i);

        if (is_text(row))
            drop_text(place_of(server, row));
        drop_text(&server->notes[i].preset);
    }
    drop_text(&server->settings.config_file);
    drop_text(&server->program);
    mem_free(server->notes, config_count() * sizeof *server->notes);
    server->notes = NULL;
}
