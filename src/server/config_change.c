/* CONFIG SET: all of the changes or none. Every value is parsed before the first is told to the module that uses it. */
#include "config_internal.h"

#include "base/mem.h"

struct change {
    const struct config_row *row;
    struct text before;
};

static int refuse_to_change(const struct config_row *row, bool may_change_protected, struct error *error)
{
    if (row->flags & CONFIG_FIXED)
        return error_set(error, "can't set immutable config");
    if (row->flags & CONFIG_PROTECTED && !may_change_protected)
        return error_set(error, "can't set protected config");
    return 0;
}

/* An alias beside the name is no duplicate. */
static bool was_named(const struct change *changes, const struct bytes *pairs, int at)
{
    const struct config_row *row = changes[at].row;

    for (int i = 0; i < at; i++)
        if (changes[i].row == row && bytes_is(pairs[2 * i], row->name) == bytes_is(pairs[2 * at], row->name))
            return true;
    return false;
}

static int find_rows(struct server *server, struct change *changes, const struct bytes *pairs, int count,
                     bool may_change_protected, int *culprit, struct error *error)
{
    for (int i = 0; i < count; i += 2) {
        struct change *change = &changes[i / 2];

        *culprit = i;
        change->row = config_find(pairs[i]);
        if (!change->row) {
            *error->text = '\0';
            return -1;
        }
        if (refuse_to_change(change->row, may_change_protected, error) < 0)
            return -1;
        if (change->row->flags & CONFIG_SETTLED && server->persistence.is_loading)
            return error_set(error, CONFIG_IS_LOADING);
        if (was_named(changes, pairs, i / 2))
            return error_set(error, "duplicate parameter");
    }
    return 0;
}

static int set(struct server *server, const struct config_row *row, struct bytes value, struct error *error)
{
    struct bytes words[CONFIG_ARGS_MAX];
    int count = config_value_words(row, value, words);

    if (count < 0)
        return error_set(error, "wrong number of arguments");
    return config_parse(server, row, words, count, false, error);
}

static bool was_told(const struct change *changes, int at)
{
    for (int i = 0; i < at; i++)
        if (changes[i].row->applied == changes[at].row->applied)
            return true;
    return false;
}

/* Tells each module once; returns the index of the change that cannot be, or 'count'. */
static int tell(struct server *server, const struct change *changes, int count, struct error *error)
{
    for (int i = 0; i < count; i++)
        if (changes[i].row->applied && !was_told(changes, i) && changes[i].row->applied(server, error) < 0)
            return i;
    return count;
}

static void put_back(struct server *server, const struct change *changes, int count, bool tells)
{
    struct error ignored;

    for (int i = count - 1; i >= 0; i--)
        set(server, changes[i].row, text_bytes(&changes[i].before), &ignored);
    if (tells)
        tell(server, changes, count, &ignored);
}

static int make_changes(struct server *server, struct change *changes, const struct bytes *pairs, int count,
                        int *culprit, struct error *error)
{
    int at;

    for (at = 0; at < count; at++) {
        config_format(server, changes[at].row, &changes[at].before);
        if (set(server, changes[at].row, pairs[2 * at + 1], error) < 0)
            break;
    }
    *culprit = 2 * at;
    if (at < count) {
        put_back(server, changes, at, false);
        return -1;
    }
    at = tell(server, changes, count, error);
    *culprit = 2 * at;
    if (at < count) {
        put_back(server, changes, count, true);
        return -1;
    }
    for (int i = 0; i < count; i++) {
        config_note_of(server, changes[i].row)->was_set = true;
        config_warn_of(server, changes[i].row);
    }
    return 0;
}

int config_change(struct server *server, const struct bytes *pairs, int count, bool may_change_protected,
                  int *culprit, struct error *error)
{
    int rows = count / 2, outcome;
    struct change *changes = mem_alloc_zero((size_t)rows * sizeof *changes);

    outcome = find_rows(server, changes, pairs, count, may_change_protected, culprit, error);
    if (outcome == 0)
        outcome = make_changes(server, changes, pairs, rows, culprit, error);
    for (int i = 0; i < rows; i++)
        text_release(&changes[i].before);
    mem_free(changes, (size_t)rows * sizeof *changes);
    return outcome;
}
