/* The table of directives: what the files config*.c and cmd_config.c share.
 *
 *     config.c            the rows with a subject, and what follows a change of them
 *     config_absent.c     the rows without one: known to Redis, accepted, without effect here
 *     config_own.c        values of a form of their own
 *     config_value.c      parsing, printing and keeping the values of all rows
 *     config_file.c       reading files, options and standard input
 *     config_rewrite.c    writing the file again */
#ifndef TERN_SERVER_CONFIG_INTERNAL_H
#define TERN_SERVER_CONFIG_INTERNAL_H

#include "server_internal.h"

enum config_kind {
    KIND_BOOL,
    KIND_INT,
    KIND_OCTAL,
    KIND_MEMORY,
    KIND_PERCENT, /* memory, or a share of it: "5%", kept as -5 */
    KIND_TEXT,
    KIND_ENUM,
    KIND_FLAGS, /* words that are bits */
    KIND_LIST,  /* several words, kept as one text with blanks between */
    KIND_OWN,
};

/* 'flags' of a row */
#define CONFIG_FIXED     1u /* only at start */
#define CONFIG_PROTECTED 2u /* CONFIG SET needs enable-protected-configs */
#define CONFIG_HIDDEN    4u /* only its exact name finds it */
#define CONFIG_LINES_ADD 8u /* at start, each line adds to those before */
#define CONFIG_WORDS    16u /* KIND_OWN: its value is several words */
#define CONFIG_SETTLED  32u /* CONFIG SET has to wait until the data are loaded */

#define CONFIG_IS_LOADING "LOADING" /* error of config_change(), in place of a text */

enum config_place { IN_SERVER, IN_ENGINE, IN_STORE, IN_NOTE };

struct config_word {
    const char *word; /* NULL ends the list */
    int value;
};

struct config_row {
    const char *name;
    enum config_kind kind;
    unsigned flags;
    enum config_place place;
    size_t offset;
    int64_t min, max, preset;
    const char *preset_text; /* KIND_TEXT, KIND_LIST, KIND_OWN */
    const struct config_word *words;
    const char *alias;   /* an older name */
    int words_per_line;  /* KIND_LIST: when the file is written again; 0 for all in one */
    /* KIND_TEXT, KIND_LIST, KIND_FLAGS: refuses values. For a list it writes what is kept into 'kept'. */
    int (*check)(const struct bytes *args, int argc, struct text *kept, struct error *error);
    /* KIND_OWN: both. */
    int (*parse)(struct server *server, const struct bytes *args, int argc, struct error *error);
    void (*format)(const struct server *server, struct text *out);
    /* Told of a change; -1 when that cannot be, and the old value is put back and told of. */
    int (*applied)(struct server *server, struct error *error);
    /* A row without effect: what does not happen. 'quiet' is the value that asks for nothing, where that is not
     * the default. */
    const char *lacks, *quiet;
};

#define SERVER(field) .place = IN_SERVER, .offset = offsetof(struct server_settings, field)
#define ENGINE(field) .place = IN_ENGINE, .offset = offsetof(struct engine_settings, field)
#define STORE(field)  .place = IN_STORE, .offset = offsetof(struct store_settings, field)
#define NOTE          .place = IN_NOTE, .offset = 0

/* What is remembered of each row, and the value itself when it has no other place. */
struct config_note {
    union {
        bool is_on;
        int word;
        int64_t number;
        char *text;
    } value;
    char *preset; /* as CONFIG GET showed it before anything was set */
    bool was_set, was_warned;
};

struct config_table {
    const struct config_row *rows;
    size_t count;
};
struct config_table config_present(void);
struct config_table config_absent(void);

extern const struct config_word allow_words[]; /* enum allowed */

/* --- config_value.c ------------------------------------------------------------------------------------- */

size_t config_count(void);
const struct config_row *config_row_at(size_t at);
size_t config_index(const struct config_row *row);
/* By name or alias, any case. NULL when unknown. */
const struct config_row *config_find(struct bytes name);
struct config_note *config_note_of(const struct server *server, const struct config_row *row);
bool config_is_preset(const struct server *server, const struct config_row *row);
void config_format(const struct server *server, const struct config_row *row, struct text *out);
/* Of a row that holds a number. */
int64_t config_number(const struct server *server, const struct config_row *row);
/* Sets the value without a word to anybody. */
int config_parse(struct server *server, const struct config_row *row, const struct bytes *args, int argc,
                 bool at_start, struct error *error);
/* config_warn for one row. */
void config_warn_of(struct server *server, const struct config_row *row);
/* The values of CONFIG SET: one text, which is several words for some rows. The words are views. Returns
 * their number, -1 when there are too many. */
int config_value_words(const struct config_row *row, struct bytes value, struct bytes *words);

/* --- config_own.c ----------------------------------------------------------------------------------------- */

int check_addresses(const struct bytes *args, int argc, struct text *kept, struct error *error);
int check_dump_name(const struct bytes *args, int argc, struct text *kept, struct error *error);
int check_append_name(const struct bytes *args, int argc, struct text *kept, struct error *error);
int check_append_dir(const struct bytes *args, int argc, struct text *kept, struct error *error);
int check_save(const struct bytes *args, int argc, struct text *kept, struct error *error);
int check_oom_values(const struct bytes *args, int argc, struct text *kept, struct error *error);
int check_host_name(const struct bytes *args, int argc, struct text *kept, struct error *error);
int check_node_name(const struct bytes *args, int argc, struct text *kept, struct error *error);
int check_locale(const struct bytes *args, int argc, struct text *kept, struct error *error);
int check_shutdown(const struct bytes *args, int argc, struct text *kept, struct error *error);
int check_master(const struct bytes *args, int argc, struct text *kept, struct error *error);
int check_users_file(const struct bytes *args, int argc, struct text *kept, struct error *error);
int parse_output_limits(struct server *server, const struct bytes *args, int argc, struct error *error);
void format_output_limits(const struct server *server, struct text *out);
int parse_percentiles(struct server *server, const struct bytes *args, int argc, struct error *error);
void format_percentiles(const struct server *server, struct text *out);
int parse_notify(struct server *server, const struct bytes *args, int argc, struct error *error);
void format_notify(const struct server *server, struct text *out);
int parse_dir(struct server *server, const struct bytes *args, int argc, struct error *error);
void format_dir(const struct server *server, struct text *out);

#endif
