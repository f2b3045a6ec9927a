/* A whole file in. */
#include "persist/rdb_file.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/mem.h"
#include "persist/dump_payload.h"
#include "persist/rdb_value.h"
#include "rdb_format_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define KEY_BYTES_MIN 3 /* of a key within a file: more are not made room for */

struct input {
    struct rdb_reader reader;
    struct store *store;
    struct db *db;
    const struct rdb_load_options *options;
    struct rdb_loaded *loaded;
    struct error *error;
    const char *path;
    int fd, read_errno;
    unsigned version;
    uint64_t total, next_step;
    /* of the key to come */
    int64_t deadline_ms, idle_seconds, frequency; /* -1: not told */
};

static size_t fill(void *context, char *to, size_t size)
{
    struct input *input = context;
    ssize_t got;

    do
        got = read(input->fd, to, size);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        input->read_errno = errno;
    return got > 0 ? (size_t)got : 0;
}

static uint64_t position(const struct input *input) { return input->total - rdb_reader_left(&input->reader); }

static bool bad(struct input *input, const char *what)
{
    if (input->read_errno) {
        errno = input->read_errno;
        error_set_errno(input->error, "Reading %s", input->path);
    } else if (!rdb_reader_left(&input->reader)) {
        error_set(input->error, "%s ends too early: %s", input->path, what);
    } else {
        error_set(input->error, "%s is damaged at byte %llu: %s", input->path,
                  (unsigned long long)position(input), what);
    }
    return false;
}

/* --- beside keys ------------------------------------------------------------------------------------------------ */

static bool read_magic(struct input *input)
{
    char magic[RDB_MAGIC_SIZE + 1] = {0};

    if (!rdb_read(&input->reader, magic, RDB_MAGIC_SIZE))
        return bad(input, "there is no beginning");
    if (!memcmp(magic, "VALKEY", 6)) /* of which the name is a letter longer, and the number shorter */
        input->version = (unsigned)strtoul(magic + 6, NULL, 10);
    else if (!memcmp(magic, RDB_MAGIC, 5))
        input->version = (unsigned)strtoul(magic + 5, NULL, 10);
    else
        return error_set(input->error, "%s: Wrong signature", input->path), false;
    if (!rdb_version_is_readable(input->version))
        return error_set(input->error, "%s: Can't handle RDB format version %u", input->path, input->version), false;
    input->reader.is_valkey = rdb_version_is_valkey(input->version);
    return true;
}

static bool read_aux(struct input *input)
{
    struct rdb_loaded *loaded = input->loaded;
    struct bytes name, value;
    int64_t number = 0;

    if (!rdb_read_pair(&input->reader, &name, &value))
        return bad(input, "an aux field");
    int64_parse(value, &number);
    if (bytes_equal(name, BYTES("redis-ver")) || bytes_equal(name, BYTES("valkey-ver")))
        snprintf(loaded->writer_version, sizeof loaded->writer_version, "%.*s", (int)(value.len < 31 ? value.len : 31),
                 value.data);
    else if (bytes_equal(name, BYTES("ctime")))
        loaded->written_at = number;
    else if (bytes_equal(name, BYTES("used-mem")))
        loaded->memory = (uint64_t)number;
    return true;
}

static bool read_function(struct input *input)
{
    struct bytes code;

    if (!rdb_read_string(&input->reader, &code))
        return bad(input, "functions");
    return !input->options->function || input->options->function(input->options->context, code, input->error);
}

static bool read_db(struct input *input)
{
    uint64_t number;

    if (!rdb_read_length(&input->reader, &number))
        return bad(input, "the number of a database");
    if (number >= (uint64_t)input->store->db_count) {
        error_set(input->error,
                  "FATAL: Data file was created with a Redis server configured to handle more than %d databases. Exiting",
                  input->store->db_count);
        return false;
    }
    input->db = &input->store->dbs[number];
    return true;
}

static bool read_sizes(struct input *input)
{
    uint64_t keys, expiring, most = rdb_reader_left(&input->reader) / KEY_BYTES_MIN;

    if (!rdb_read_length(&input->reader, &keys) || !rdb_read_length(&input->reader, &expiring))
        return bad(input, "the sizes of a database");
    store_reserve(input->db, keys < most ? keys : most);
    return true;
}

static bool read_slot(struct input *input)
{
    uint64_t ignored;

    for (int i = 0; i < 3; i++)
        if (!rdb_read_length(&input->reader, &ignored))
            return bad(input, "a slot");
    return true;
}

/* --- keys -------------------------------------------------------------------------------------------------------- */

static bool read_deadline(struct input *input, bool is_seconds)
{
    uint64_t number;
    uint32_t seconds = 0;

    if (is_seconds ? !rdb_read_u32(&input->reader, &seconds) : !rdb_read_u64(&input->reader, &number))
        return bad(input, "a deadline");
    input->deadline_ms = is_seconds ? (int64_t)seconds * 1000 : (int64_t)number;
    if (input->deadline_ms < 0)
        input->deadline_ms = 0; /* long ago */
    return true;
}

static bool read_access(struct input *input, unsigned opcode)
{
    unsigned frequency = 0;
    uint64_t idle = 0;

    if (opcode == OPCODE_IDLE ? !rdb_read_length(&input->reader, &idle) : !rdb_read_byte(&input->reader, &frequency))
        return bad(input, "when a key was used");
    if (opcode == OPCODE_IDLE)
        input->idle_seconds = idle < INT32_MAX ? (int64_t)idle : INT32_MAX;
    else
        input->frequency = frequency;
    return true;
}

static void forget_key(struct input *input)
{
    input->deadline_ms = input->idle_seconds = input->frequency = -1;
}

static bool keep_key(struct input *input, struct bytes key, struct rdb_value *value)
{
    struct key_ref ref = store_find(input->db, key, hash_bytes(key), LOOKUP_WRITE | LOOKUP_NOTOUCH | LOOKUP_QUIET);

    if (ref.entry && !input->options->may_replace) {
        rdb_value_drop(value);
        error_set(input->error, "%s: RDB has duplicated key '%.*s' in DB %d", input->path,
                  (int)(key.len < 100 ? key.len : 100), key.data, input->db->id);
        return false;
    }
    rdb_value_store(value, &ref, key);
    if (input->deadline_ms >= 0)
        store_set_deadline(&ref, input->deadline_ms);
    if (input->idle_seconds >= 0)
        store_set_idle(input->store, ref.entry, (uint64_t)input->idle_seconds);
    if (input->frequency >= 0)
        store_set_frequency(input->store, ref.entry, (unsigned)input->frequency);
    input->loaded->keys++;
    return true;
}

/* The key's bytes, of its own or in 'near' when they are few: what is read next takes the window's place. */
static char *own_bytes(struct bytes key, char *near, size_t size)
{
    char *own = key.len <= size ? near : mem_alloc(key.len);

    if (key.len)
        bytes_copy(own, key.data, key.len);
    return own;
}

static bool read_key(struct input *input, unsigned type)
{
    struct rdb_value value;
    struct bytes key;
    char near[256], *own;
    bool is_kept = true;

    if (!rdb_read_string(&input->reader, &key))
        return bad(input, "a key");
    own = own_bytes(key, near, sizeof near);
    key.data = own;
    switch (rdb_read_value(&input->reader, type, &value)) {
    case RDB_UNKNOWN_TYPE:
        error_set(input->error, "%s: Unknown RDB encoding type %u", input->path, type);
        is_kept = false;
        break;
    case RDB_MALFORMED:
        is_kept = bad(input, "a value");
        break;
    case RDB_EMPTY:
        input->loaded->empty++;
        break;
    case RDB_READ:
        if (input->deadline_ms >= 0 && input->deadline_ms < clock_now_ms(input->store->clock)) {
            rdb_value_drop(&value);
            input->loaded->expired++;
        } else {
            is_kept = keep_key(input, key, &value);
        }
    }
    if (own != near)
        mem_free(own, key.len);
    forget_key(input);
    if (input->options->key_delay_us > 0)
        usleep((useconds_t)input->options->key_delay_us);
    return is_kept;
}

/* --- the whole ---------------------------------------------------------------------------------------------------- */

static bool check_end(struct input *input)
{
    uint64_t crc = rdb_reader_crc(&input->reader), told;

    if (input->version < 5) /* had none */
        return true;
    if (!rdb_read_u64(&input->reader, &told))
        return bad(input, "the checksum");
    if (told && input->options->has_checksum && told != crc) {
        error_set(input->error, "%s: Wrong RDB checksum expected: (%llx) but got (%llx). Aborting now.", input->path,
                  (unsigned long long)told, (unsigned long long)crc);
        return false;
    }
    return true;
}

/* Of what is no key; '*is_over' at the end. */
static bool read_opcode(struct input *input, unsigned opcode, bool *is_over)
{
    switch (opcode) {
    case OPCODE_AUX:
        return read_aux(input);
    case OPCODE_FUNCTION:
        return read_function(input);
    case OPCODE_DATABASE:
        return read_db(input);
    case OPCODE_SIZES:
        return read_sizes(input);
    case OPCODE_SLOT_INFO:
        return read_slot(input);
    case OPCODE_DEADLINE:
    case OPCODE_DEADLINE_MS:
        return read_deadline(input, opcode == OPCODE_DEADLINE);
    case OPCODE_IDLE:
    case OPCODE_FREQUENCY:
        return read_access(input, opcode);
    case OPCODE_FUNCTION_OLD:
        error_set(input->error, "%s: Pre-release function format not supported.", input->path);
        return false;
    case OPCODE_MODULE_AUX:
        error_set(input->error, "%s holds data of a module, and there are no modules", input->path);
        return false;
    default:
        *is_over = true;
        return check_end(input);
    }
}

static enum rdb_load_outcome read_all(struct input *input)
{
    bool is_over = false;
    unsigned type;

    if (!read_magic(input))
        return RDB_FILE_BAD;
    while (!is_over) {
        if (!rdb_read_byte(&input->reader, &type))
            return bad(input, "there is no end"), RDB_FILE_BAD;
        if (type >= OPCODE_SLOT_INFO ? !read_opcode(input, type, &is_over) : !read_key(input, type))
            return RDB_FILE_BAD;
        if (position(input) >= input->next_step && input->options->progress) {
            input->next_step = position(input) + input->options->step_bytes;
            if (!input->options->progress(input->options->context, position(input), input->total))
                return RDB_FILE_STOPPED;
        }
    }
    return RDB_FILE_LOADED;
}

static enum rdb_load_outcome load_from(struct input *input)
{
    enum rdb_load_outcome outcome;
    struct stat about;

    if (fstat(input->fd, &about) < 0)
        return error_set_errno(input->error, "Reading %s", input->path), RDB_FILE_BAD;
    input->total = (uint64_t)about.st_size;
    input->next_step = input->options->step_bytes;
    input->loaded->bytes = input->total;
    rdb_reader_init_fill(&input->reader, input->total, fill, input);
    input->reader.has_checksum = input->options->has_checksum;
    outcome = read_all(input);
    rdb_reader_release(&input->reader);
    return outcome;
}

enum rdb_load_outcome rdb_load(struct store *store, const char *path, const struct rdb_load_options *options,
                               struct rdb_loaded *loaded, struct error *error)
{
    struct input input = {.store = store, .db = &store->dbs[0], .options = options, .loaded = loaded, .error = error,
                          .path = path};
    enum rdb_load_outcome outcome;
    uint64_t changes = store->changes;

    *loaded = (struct rdb_loaded){0};
    forget_key(&input);
    input.fd = open(path, O_RDONLY | O_CLOEXEC);
    if (input.fd < 0 && errno == ENOENT)
        return RDB_FILE_NONE;
    if (input.fd < 0)
        return error_set_errno(error, "Opening %s", path), RDB_FILE_BAD;
    posix_fadvise(input.fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    outcome = load_from(&input);
    close(input.fd);
    store->changes = changes; /* of commands: no command has made these */
    return outcome;
}
