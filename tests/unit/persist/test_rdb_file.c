/* Whole files: all databases come back, what stands beside the keys is understood, and a file that was changed at random
 * is refused or read, with a store that is sound either way. */
#include "unit.h"

#include "rdb_values.h"
#include "store/store_rig.h"

#include "persist/rdb_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static struct store_rig rig;
static char place[] = "/tmp/tern-rdb-XXXXXX";

static int enter_place(void **state) { return mkdtemp(place) && chdir(place) == 0 ? 0 : -1; }

static int leave_place(void **state)
{
    unlink("file");
    return chdir("/") == 0 ? rmdir(place) : -1;
}

static const struct rdb_save_options usual = {.compresses = true, .has_checksum = true, .version = "7.2.4"};
static const struct rdb_load_options any = {.has_checksum = true};

static void make_keys(size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct db *db = &rig.store->dbs[i % DATABASES];
        char name[32];
        struct bytes key = {name, (size_t)snprintf(name, sizeof name, "key:%zu", i)};
        struct key_ref ref = find(db, key, LOOKUP_WRITE);

        make_any(&rig.random, &ref, key, (enum value_type)(i % VALUE_TYPE_COUNT), random_below(&rig.random, 40));
        if (i % 3 == 0)
            store_set_deadline(&ref, NOW_MS + 1 + (int64_t)i);
    }
}

static void save_with(const struct rdb_save_options *options)
{
    struct error error;

    assert_int_equal(rdb_save(rig.store, "file", options, &error), 0);
}

static enum rdb_load_outcome load_with(const struct rdb_load_options *options, struct rdb_loaded *loaded)
{
    struct error error = {""};
    enum rdb_load_outcome outcome = rdb_load(rig.store, "file", options, loaded, &error);

    assert_int_equal(*error.text != '\0', outcome == RDB_FILE_BAD);
    return outcome;
}

static void check_all(void)
{
    for (int i = 0; i < DATABASES; i++) {
        struct dict_iter iter;
        const struct entry *entry;

        store_check(&rig.store->dbs[i]);
        dict_iter_init(&iter, &rig.store->dbs[i].keys);
        while ((entry = dict_iter_next(&iter)) != NULL)
            check_value(entry);
    }
}

static void flush(void)
{
    for (int i = 0; i < DATABASES; i++)
        store_flush(&rig.store->dbs[i]);
    work_until_done(rig.store);
}

static size_t keys_in(int db) { return store_size(&rig.store->dbs[db]); }

static void all_databases_come_back(void **state)
{
    struct rdb_loaded loaded;
    uint64_t changes, done = 0;
    struct rdb_save_options options = usual;

    store_rig_init(&rig, 1);
    make_keys(300);
    options.keys_done = &done;
    options.syncs_often = true;
    save_with(&options);
    assert_int_equal(done, 300);
    flush();
    changes = rig.store->changes;
    assert_int_equal(load_with(&any, &loaded), RDB_FILE_LOADED);
    assert_true(rig.store->changes == changes); /* no command made them */
    assert_int_equal(loaded.keys, 300);
    assert_int_equal(loaded.expired, 0);
    assert_string_equal(loaded.writer_version, "7.2.4");
    assert_true(loaded.written_at == NOW_MS / 1000);
    for (int i = 0; i < DATABASES; i++)
        assert_int_equal(keys_in(i), 100);
    struct key_ref ref = find(&rig.store->dbs[0], BYTES("key:33"), LOOKUP_READ);
    assert_true(entry_deadline(ref.entry) == NOW_MS + 34);
    check_all();
    store_rig_release(&rig);
}

static void what_has_expired_stays_away(void **state)
{
    struct rdb_loaded loaded;

    store_rig_init(&rig, 2);
    make_keys(300);
    save_with(&usual);
    flush();
    clock_advance(&rig.clock, 152); /* keys 0, 3 .. 150 */
    assert_int_equal(load_with(&any, &loaded), RDB_FILE_LOADED);
    assert_int_equal(loaded.expired, 51);
    assert_int_equal(loaded.keys, 249);
    store_rig_release(&rig);
}

static void keys_that_are_there_are_a_fault_or_replaced(void **state)
{
    struct rdb_load_options replacing = any;
    struct rdb_loaded loaded;

    store_rig_init(&rig, 3);
    make_keys(60);
    save_with(&usual);
    assert_int_equal(load_with(&any, &loaded), RDB_FILE_BAD);
    replacing.may_replace = true;
    assert_int_equal(load_with(&replacing, &loaded), RDB_FILE_LOADED);
    assert_int_equal(keys_in(0) + keys_in(1) + keys_in(2), 60);
    check_all();
    work_until_done(rig.store);
    store_rig_release(&rig);
}

static bool stop_soon(void *context, uint64_t done, uint64_t total)
{
    int *calls = context;

    assert_true(done <= total);
    return ++*calls < 3;
}

static bool take_function(void *context, struct bytes code, struct error *error)
{
    assert_true(bytes_equal(code, BYTES("#!lua name=a")));
    ++*(int *)context;
    return true;
}

static void it_tells_how_far_it_is_and_stops_when_told(void **state)
{
    int calls = 0;
    struct rdb_load_options options = {.has_checksum = true, .step_bytes = 1000, .context = &calls, .progress = stop_soon};
    struct rdb_loaded loaded;

    store_rig_init(&rig, 4);
    make_keys(300);
    save_with(&usual);
    flush();
    assert_int_equal(load_with(&options, &loaded), RDB_FILE_STOPPED);
    assert_int_equal(calls, 3);
    store_rig_release(&rig);
}

static void functions_are_handed_over(void **state)
{
    int calls = 0;
    struct rdb_load_options options = {.has_checksum = true, .context = &calls, .function = take_function};
    struct rdb_save_options with = usual;
    struct rdb_loaded loaded;

    store_rig_init(&rig, 5);
    with.functions = BYTES("\xf5\x0c#!lua name=a");
    save_with(&with);
    assert_int_equal(load_with(&options, &loaded), RDB_FILE_LOADED);
    assert_int_equal(calls, 1);
    store_rig_release(&rig);
}

static void write_file(const char *data, size_t len)
{
    int fd = open("file", O_WRONLY | O_CREAT | O_TRUNC, 0600);

    assert_true(fd >= 0 && write(fd, data, len) == (ssize_t)len);
    close(fd);
}

static char *read_file(size_t *len)
{
    int fd = open("file", O_RDONLY);
    struct stat about;
    char *data;

    assert_true(fd >= 0 && fstat(fd, &about) == 0);
    *len = (size_t)about.st_size;
    data = malloc(*len);
    assert_true(read(fd, data, *len) == (ssize_t)*len);
    close(fd);
    return data;
}

static void every_beginning_of_a_file_is_refused(void **state)
{
    struct rdb_loaded loaded;
    char *data;
    size_t len;

    store_rig_init(&rig, 6);
    make_keys(30);
    save_with(&usual);
    flush();
    data = read_file(&len);
    for (size_t cut = 0; cut < len; cut += cut < 200 ? 1 : 37) {
        write_file(data, cut);
        assert_int_equal(load_with(&any, &loaded), RDB_FILE_BAD);
        flush();
    }
    free(data);
    store_rig_release(&rig);
}

static void a_file_that_was_changed_is_refused_or_read(void **state)
{
    static const unsigned char edges[] = {0, 1, 63, 64, 127, 128, 129, 192, 195, 245, 248, 250, 251, 252, 253, 254, 255};
    struct rdb_load_options blind = {.may_replace = true}; /* no checksum, or it would find everything */
    struct rdb_loaded loaded;
    unsigned refused = 0, read = 0;
    char *data, *changed;
    size_t len;

    store_rig_init(&rig, 7);
    make_keys(40);
    save_with(&usual);
    flush();
    data = read_file(&len);
    changed = malloc(len);
    for (int i = 0; i < RANDOM_STEPS(4000); i++) {
        memcpy(changed, data, len);
        for (uint64_t n = 1 + random_below(&rig.random, 3); n; n--)
            changed[random_below(&rig.random, len)] = random_below(&rig.random, 2)
                                                          ? (char)edges[random_below(&rig.random, sizeof edges)]
                                                          : (char)random_next(&rig.random);
        write_file(changed, len);
        if (load_with(&blind, &loaded) == RDB_FILE_LOADED)
            read++;
        else
            refused++;
        if (i % 16 == 0)
            check_all();
        flush();
    }
    assert_true(read > 0);
    assert_true(refused > 0);
    free(data);
    free(changed);
    store_rig_release(&rig);
}

static void what_is_not_there_is_told_apart(void **state)
{
    struct rdb_loaded loaded;
    struct error error = {""};

    store_rig_init(&rig, 8);
    assert_int_equal(rdb_load(rig.store, "none", &any, &loaded, &error), RDB_FILE_NONE);
    assert_int_equal(rdb_save(rig.store, "no/such/place", &usual, &error), -1);
    assert_non_null(strstr(error.text, "No such file or directory"));
    assert_int_equal(access("temp-1.rdb", F_OK), -1);
    store_rig_release(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_databases_come_back),
        cmocka_unit_test(what_has_expired_stays_away),
        cmocka_unit_test(keys_that_are_there_are_a_fault_or_replaced),
        cmocka_unit_test(it_tells_how_far_it_is_and_stops_when_told),
        cmocka_unit_test(functions_are_handed_over),
        cmocka_unit_test(every_beginning_of_a_file_is_refused),
        cmocka_unit_test(a_file_that_was_changed_is_refused_or_read),
        cmocka_unit_test(what_is_not_there_is_told_apart),
    };

    return cmocka_run_group_tests(tests, enter_place, leave_place);
}
