/* Whole files: all databases to a file and back.
 *
 *     "REDIS0011" | aux fields | functions | databases: number, sizes, keys | end | crc64
 *
 * What is written is complete or not there: it goes to a temporary file beside the target, is synced, and takes its
 * name; then the directory is synced too. */
#ifndef TERN_PERSIST_RDB_FILE_H
#define TERN_PERSIST_RDB_FILE_H

#include "base/bytes.h"
#include "base/error.h"

struct store;

/* A library of functions, in a file as in a payload of FUNCTION DUMP: this byte, then its code as a string. */
#define RDB_OPCODE_FUNCTION     245
#define RDB_OPCODE_FUNCTION_OLD 246 /* of 7.0 before its release, in another way */

struct rdb_save_options {
    bool compresses, has_checksum;
    bool syncs_often;       /* begins to write out each few megabytes, so that the end is no long wait */
    int64_t key_delay_us;   /* tests: waits so long at each key */
    const char *version;    /* what the file says that it was written by */
    struct bytes functions; /* sections of functions as they are written, or empty */
    uint64_t *keys_done;    /* counted up while it goes on; may be NULL */
};
/* 'path' is within the current directory. */
int rdb_save(const struct store *store, const char *path, const struct rdb_save_options *options, struct error *error);
/* Removes what a process that was killed in rdb_save has left. */
void rdb_remove_temporary(int pid);

struct rdb_load_options {
    bool has_checksum;
    bool may_replace;      /* keys that are there already: else the file is refused */
    int64_t key_delay_us;  /* tests */
    uint64_t step_bytes;   /* 'progress' is called about every so many */
    void *context;
    /* Returns false to stop. May be NULL. */
    bool (*progress)(void *context, uint64_t done, uint64_t total);
    /* The code of a library of functions. Returns false with an error to refuse it. */
    bool (*function)(void *context, struct bytes code, struct error *error);
};

struct rdb_loaded {
    uint64_t keys, expired, empty, bytes;
    char writer_version[32]; /* of the server that wrote it */
    int64_t written_at;      /* unix seconds; 0: not told */
    uint64_t memory;         /* that it used; 0: not told */
};

enum rdb_load_outcome {
    RDB_FILE_LOADED,
    RDB_FILE_NONE, /* there is no such file */
    RDB_FILE_STOPPED,
    RDB_FILE_BAD   /* 'error' says why; what was read up to there is in the store */
};
enum rdb_load_outcome rdb_load(struct store *store, const char *path, const struct rdb_load_options *options,
                               struct rdb_loaded *loaded, struct error *error);

#endif
