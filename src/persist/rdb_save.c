/* A whole file out. */
#include "persist/rdb_file.h"

#include "base/mem.h"
#include "ds/dict.h"
#include "persist/dump_payload.h"
#include "persist/rdb_value.h"
#include "rdb_format_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define SYNC_BYTES     (4 * 1024 * 1024)
#define TEMPORARY_MAX  64

struct output {
    struct rdb_writer writer;
    const struct rdb_save_options *options;
    int fd, failure;
    uint64_t unsynced;
};

/* --- the file ----------------------------------------------------------------------------------------------- */

static void sync_often(struct output *output, size_t len)
{
    output->unsynced += len;
    if (!output->options->syncs_often || output->unsynced < SYNC_BYTES)
        return;
    sync_file_range(output->fd, 0, 0, SYNC_FILE_RANGE_WRITE); /* only begins; the end waits for all */
    output->unsynced = 0;
}

static bool write_all(void *context, const char *data, size_t len)
{
    struct output *output = context;

    for (size_t done = 0; done < len;) {
        ssize_t part = write(output->fd, data + done, len - done);

        if (part < 0 && errno == EINTR)
            continue;
        if (part <= 0) {
            output->failure = part ? errno : ENOSPC;
            return false;
        }
        done += (size_t)part;
    }
    sync_often(output, len);
    return true;
}

static void temporary_name(char out[TEMPORARY_MAX], int pid) { snprintf(out, TEMPORARY_MAX, "temp-%d.rdb", pid); }

void rdb_remove_temporary(int pid)
{
    char name[TEMPORARY_MAX];

    temporary_name(name, pid);
    unlink(name);
}

static int sync_directory(void)
{
    int fd = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), result;

    if (fd < 0)
        return -1;
    result = fsync(fd);
    if (result < 0 && errno == EINVAL) /* not every file system has that */
        result = 0;
    close(fd);
    return result;
}

/* --- what is in it ------------------------------------------------------------------------------------------- */

static void write_aux(struct rdb_writer *writer, const char *name, struct bytes value)
{
    rdb_write_byte(writer, OPCODE_AUX);
    rdb_write_string(writer, bytes_from_string(name));
    rdb_write_string(writer, value);
}

static void write_aux_int(struct rdb_writer *writer, const char *name, int64_t value)
{
    char text[INT64_TEXT_MAX];

    write_aux(writer, name, (struct bytes){text, int64_format(text, value)});
}

static void write_head(struct output *output, const struct store *store)
{
    struct rdb_writer *writer = &output->writer;
    char magic[RDB_MAGIC_SIZE + 1];

    snprintf(magic, sizeof magic, RDB_MAGIC "%04d", RDB_VERSION);
    rdb_write(writer, magic, RDB_MAGIC_SIZE);
    write_aux(writer, "redis-ver", bytes_from_string(output->options->version));
    write_aux_int(writer, "redis-bits", 64);
    write_aux_int(writer, "ctime", clock_now_ms(store->clock) / 1000);
    write_aux_int(writer, "used-mem", (int64_t)mem_used());
    write_aux_int(writer, "aof-base", 0);
    rdb_write(writer, output->options->functions.data, output->options->functions.len);
}

/* How recently it was used stands there when that decides what is evicted. */
static void write_access(struct rdb_writer *writer, const struct store *store, const struct entry *entry)
{
    int policy = store->settings.policy;

    if (store_is_lfu(store)) {
        rdb_write_byte(writer, OPCODE_FREQUENCY);
        rdb_write_byte(writer, store_frequency(store, entry));
    } else if (policy == EVICT_ALLKEYS_LRU || policy == EVICT_VOLATILE_LRU) {
        rdb_write_byte(writer, OPCODE_IDLE);
        rdb_write_length(writer, store_idle_seconds(store, entry));
    }
}

static void write_key(struct output *output, const struct store *store, const struct entry *entry)
{
    struct rdb_writer *writer = &output->writer;

    if (entry->flags & ENTRY_EXPIRES) {
        rdb_write_byte(writer, OPCODE_DEADLINE_MS);
        rdb_write_u64(writer, (uint64_t)entry_deadline(entry));
    }
    write_access(writer, store, entry);
    rdb_write_byte(writer, rdb_type_of(entry));
    rdb_write_string(writer, entry_key(entry));
    rdb_write_value(writer, entry);
    if (output->options->keys_done)
        ++*output->options->keys_done;
    if (output->options->key_delay_us > 0) {
        rdb_writer_flush(writer);
        usleep((useconds_t)output->options->key_delay_us);
    }
}

static void write_db(struct output *output, const struct db *db)
{
    const struct entry *entry;
    struct dict_iter iter;

    if (!store_size(db))
        return;
    rdb_write_byte(&output->writer, OPCODE_DATABASE);
    rdb_write_length(&output->writer, (uint64_t)db->id);
    rdb_write_byte(&output->writer, OPCODE_SIZES);
    rdb_write_length(&output->writer, store_size(db));
    rdb_write_length(&output->writer, store_expiring(db));
    dict_iter_init(&iter, &db->keys);
    while (!output->writer.is_failed && (entry = dict_iter_next(&iter)) != NULL)
        write_key(output, db->store, entry);
}

static void write_content(struct output *output, const struct store *store)
{
    struct rdb_writer *writer = &output->writer;

    write_head(output, store);
    for (int i = 0; i < store->db_count; i++)
        write_db(output, &store->dbs[i]);
    rdb_write_byte(writer, OPCODE_END);
    rdb_writer_flush(writer);
    rdb_write_u64(writer, writer->crc); /* 0 without a checksum */
    rdb_writer_flush(writer);
}

/* --- the whole ------------------------------------------------------------------------------------------------ */

static int save_to(struct output *output, const struct store *store, const char *temporary, struct error *error)
{
    write_content(output, store);
    rdb_writer_release(&output->writer);
    if (output->writer.is_failed) {
        errno = output->failure;
        return error_set_errno(error, "Writing %s", temporary);
    }
    return fsync(output->fd) < 0 ? error_set_errno(error, "Syncing %s", temporary) : 0;
}

int rdb_save(const struct store *store, const char *path, const struct rdb_save_options *options, struct error *error)
{
    struct output output = {.options = options};
    char temporary[TEMPORARY_MAX];
    int result;

    output.writer = (struct rdb_writer){.compresses = options->compresses, .has_checksum = options->has_checksum,
                                        .flush = write_all, .context = &output};
    temporary_name(temporary, getpid());
    output.fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (output.fd < 0)
        return error_set_errno(error, "Opening the temporary file %s", temporary);
    result = save_to(&output, store, temporary, error);
    if (close(output.fd) < 0 && result == 0)
        result = error_set_errno(error, "Closing %s", temporary);
    if (result == 0 && rename(temporary, path) < 0)
        result = error_set_errno(error, "Renaming %s to %s", temporary, path);
    if (result < 0)
        unlink(temporary);
    else if (sync_directory() < 0)
        result = error_set_errno(error, "Syncing the directory of %s", path);
    return result;
}
