/* Values to RDB and back: what comes back is written as the same bytes again. What is read was changed at random in
 * many thousand ways: it is refused, or it is a value that is sound. */
#include "unit.h"

#include "store/store_rig.h"
#include "rdb_values.h"

#include <math.h>

static struct store_rig rig;
static struct db *db;

static void begin(void) { db = &store_rig_init(&rig, 7)->dbs[0]; }

static struct rdb_writer written(const struct entry *entry)
{
    struct rdb_writer writer = {.compresses = true};

    rdb_write_byte(&writer, rdb_type_of(entry));
    rdb_write_value(&writer, entry);
    return writer;
}

static enum rdb_outcome read_whole(struct rdb_reader *reader, struct rdb_value *value)
{
    unsigned type;

    return rdb_read_byte(reader, &type) ? rdb_read_value(reader, type, value) : RDB_MALFORMED;
}

static struct key_ref keep(struct rdb_value *value, struct bytes key)
{
    struct key_ref ref = find(db, key, LOOKUP_WRITE);

    rdb_value_store(value, &ref, key);
    check_value(ref.entry);
    return ref;
}

/* --- there and back --- */

/* Gives a few bytes at a time. */
struct trickle {
    struct bytes rest;
    struct random random;
};

static size_t trickle(void *context, char *to, size_t size)
{
    struct trickle *from = context;
    size_t part = 1 + random_below(&from->random, 9);

    part = part < size ? part : size;
    part = part < from->rest.len ? part : from->rest.len;
    memcpy(to, from->rest.data, part);
    from->rest.data += part;
    from->rest.len -= part;
    return part;
}

static void assert_same_again(const struct rdb_writer *first, struct key_ref back)
{
    struct rdb_writer again = written(back.entry);

    assert_int_equal(again.len, first->len);
    assert_memory_equal(again.data, first->data, first->len);
    rdb_writer_release(&again);
}

static size_t elements(struct random *random)
{
    static const size_t counts[] = {0, 1, 3, 20, 100, 130, 300, 700};

    return counts[random_below(random, 8)];
}

/* Tables give their elements in an order of their own. */
static void every_value_comes_back_from_memory_and_in_pieces(void **state)
{
    begin();
    for (int i = 0; i < RANDOM_STEPS(1500); i++) {
        struct key_ref ref = find(db, BYTES("k"), LOOKUP_WRITE), back;
        struct rdb_reader reader;
        struct rdb_value value;

        make_any(&rig.random, &ref, BYTES("k"), (enum value_type)(i % VALUE_TYPE_COUNT), elements(&rig.random));
        struct rdb_writer writer = written(ref.entry);
        bool was_table = !strcmp(value_encoding(ref.entry), "hashtable");
        struct trickle slow = {{writer.data, writer.len}, rig.random};
        for (int way = 0; way < 2; way++) {
            if (way)
                rdb_reader_init_fill(&reader, writer.len, trickle, &slow);
            else
                rdb_reader_init(&reader, (struct bytes){writer.data, writer.len});
            assert_int_equal(read_whole(&reader, &value), RDB_READ);
            assert_int_equal(rdb_reader_left(&reader), 0);
            back = keep(&value, way ? BYTES("slow") : BYTES("back"));
            if (!was_table)
                assert_same_again(&writer, back);
            rdb_reader_release(&reader);
        }
        rdb_writer_release(&writer);
        work_until_done(rig.store);
    }
    store_rig_release(&rig);
}

static size_t fill_from_memory(void *context, char *to, size_t size)
{
    struct bytes *rest = context;
    size_t part = size < rest->len ? size : rest->len;

    memcpy(to, rest->data, part);
    *rest = (struct bytes){rest->data + part, rest->len - part};
    return part;
}

/* Values around the size of the window, so that a pair lies across its end in every way. */
static void a_long_pair_lies_across_the_end_of_the_window(void **state)
{
    char *memory = malloc(RDB_WINDOW_BYTES + 1000);

    begin();
    for (size_t i = 0; i < RDB_WINDOW_BYTES + 1000; i++)
        memory[i] = (char)random_next(&rig.random);
    for (size_t len = 0; len < 1000; len += 3) {
        size_t long_len = RDB_WINDOW_BYTES - 200 + len % 400;
        struct hash *hash = hash_new(), *back;
        struct rdb_writer writer = {.compresses = true};
        struct rdb_reader reader;
        struct rdb_value value;
        struct bytes got, rest;

        hash_set(hash, hashed((struct bytes){memory, len}), (struct bytes){memory + 1, long_len}, false);
        hash_set(hash, hashed((struct bytes){memory + 1, long_len}), (struct bytes){memory, len}, false);
        struct key_ref ref = find(db, BYTES("k"), LOOKUP_WRITE);
        store_replace(&ref, BYTES("k"), VALUE_HASH, hash);
        rdb_write_value(&writer, ref.entry);
        rest = (struct bytes){writer.data, writer.len};
        rdb_reader_init_fill(&reader, writer.len, fill_from_memory, &rest);
        assert_int_equal(rdb_read_value(&reader, rdb_type_of(ref.entry), &value), RDB_READ);
        back = value.collection;
        assert_true(hash_get(back, hashed((struct bytes){memory, len}), &got));
        assert_int_equal(got.len, long_len);
        assert_memory_equal(got.data, memory + 1, long_len);
        assert_true(hash_get(back, hashed((struct bytes){memory + 1, long_len}), &got));
        assert_int_equal(got.len, len);
        rdb_value_drop(&value);
        rdb_reader_release(&reader);
        rdb_writer_release(&writer);
    }
    free(memory);
    work_until_done(rig.store);
    store_rig_release(&rig);
}

/* --- what is wrong --- */

static void mutate(struct random *random, char *data, size_t *len)
{
    static const unsigned char edges[] = {0, 1, 63, 64, 127, 128, 129, 192, 195, 253, 254, 255};

    for (uint64_t n = 1 + random_below(random, 3); n; n--) {
        size_t at = random_below(random, *len);
        switch (random_below(random, 5)) {
        case 0:
            data[at] ^= (char)(1 << random_below(random, 8));
            break;
        case 1:
            data[at] = (char)edges[random_below(random, sizeof edges)];
            break;
        case 2:
            data[at] = (char)(data[at] + (random_below(random, 2) ? 1 : -1));
            break;
        case 3:
            data[0] = (char)random_below(random, 27);
            break;
        default:
            if (*len > 2 && !random_below(random, 4))
                *len -= 1 + random_below(random, *len - 1);
        }
    }
}

static void what_was_changed_at_random_is_refused_or_sound(void **state)
{
    unsigned accepted = 0;

    begin();
    for (int i = 0; i < RANDOM_STEPS(400); i++) {
        struct key_ref ref = find(db, BYTES("k"), LOOKUP_WRITE);
        static const size_t counts[] = {0, 1, 4, 30, 150};

        make_any(&rig.random, &ref, BYTES("k"), (enum value_type)(i % VALUE_TYPE_COUNT),
                 counts[random_below(&rig.random, 5)]);
        struct rdb_writer writer = written(ref.entry);
        if (i % 3 == 0) { /* without packing there is more to change */
            writer.len = 0;
            writer.compresses = false;
            rdb_write_byte(&writer, rdb_type_of(ref.entry));
            rdb_write_value(&writer, ref.entry);
        }
        for (int n = 0; n < 100; n++) {
            size_t len = writer.len;
            char *data = malloc(len);
            struct rdb_reader reader;
            struct rdb_value value;

            memcpy(data, writer.data, len);
            mutate(&rig.random, data, &len);
            char *just = malloc(len); /* so that a byte read outside is seen */
            memcpy(just, data, len);
            rdb_reader_init(&reader, (struct bytes){just, len});
            reader.is_valkey = n % 2;
            if (read_whole(&reader, &value) == RDB_READ) {
                struct rdb_writer again = written(keep(&value, BYTES("changed")).entry);
                rdb_writer_release(&again);
                accepted++;
            }
            rdb_reader_release(&reader);
            free(data);
            free(just);
        }
        rdb_writer_release(&writer);
        work_until_done(rig.store);
    }
    assert_true(accepted > 0);
    store_rig_release(&rig);
}

/* --- what older servers wrote --- */

struct raw {
    char data[4096];
    size_t len;
};

static void raw_add(struct raw *raw, struct bytes bytes)
{
    memcpy(raw->data + raw->len, bytes.data, bytes.len);
    raw->len += bytes.len;
}

static struct key_ref read_raw(struct bytes bytes, bool is_valkey)
{
    struct rdb_reader reader;
    struct rdb_value value;

    rdb_reader_init(&reader, bytes);
    reader.is_valkey = is_valkey;
    assert_int_equal(read_whole(&reader, &value), RDB_READ);
    assert_int_equal(rdb_reader_left(&reader), 0);
    struct key_ref ref = keep(&value, BYTES("old"));
    rdb_reader_release(&reader);
    return ref;
}

static void refuse_raw(struct bytes bytes, enum rdb_outcome outcome)
{
    struct rdb_reader reader;
    struct rdb_value value;

    rdb_reader_init(&reader, bytes);
    assert_int_equal(read_whole(&reader, &value), outcome);
    rdb_reader_release(&reader);
}

static void assert_list(struct key_ref ref, const char *const *values)
{
    struct list_iter iter;
    struct bytes value;

    list_iter_init(&iter, entry_value(ref.entry), 0, LIST_TAIL);
    for (; *values; values++) {
        assert_true(list_iter_next(&iter, &value));
        assert_true(bytes_equal(value, bytes_from_string(*values)));
    }
    assert_false(list_iter_next(&iter, &value));
}

static void assert_hash(struct key_ref ref, const char *field, const char *value)
{
    struct bytes got;

    assert_true(hash_get(entry_value(ref.entry), hashed(bytes_from_string(field)), &got));
    assert_true(bytes_equal(got, bytes_from_string(value)));
}

/* Entries: "hi", 10 (within the head), -300 (16 bits), 1 (8 bits), -8388608 (24 bits) and 7 (64 bits). */
#define ZIPLIST                                                                                              \
    "\x27\x00\x00\x00\x1c\x00\x00\x00\x06\x00"                                                               \
    "\x00\x02hi"                                                                                             \
    "\x04\xfb"                                                                                               \
    "\x02\xc0\xd4\xfe"                                                                                       \
    "\x04\xfe\x01"                                                                                           \
    "\x03\xf0\x00\x00\x80"                                                                                   \
    "\x05\xe0\x07\x00\x00\x00\x00\x00\x00\x00"                                                               \
    "\xff"

static void ziplists_of_lists_and_hashes_are_read(void **state)
{
    static const char *const values[] = {"hi", "10", "-300", "1", "-8388608", "7", NULL};
    static const char *const twice[] = {"hi", "10", "-300", "1", "-8388608", "7",
                                        "hi", "10", "-300", "1", "-8388608", "7", NULL};
    static const char zip[] = ZIPLIST;
    struct bytes ziplist = {zip, sizeof zip - 1};
    struct raw raw = {.len = 0};

    begin();
    assert_int_equal((unsigned char)zip[0], ziplist.len);
    raw_add(&raw, BYTES("\x0a\x27"));
    raw_add(&raw, ziplist);
    assert_list(read_raw((struct bytes){raw.data, raw.len}, false), values);
    raw.data[0] = 13;
    struct key_ref hash = read_raw((struct bytes){raw.data, raw.len}, false);
    assert_hash(hash, "hi", "10");
    assert_hash(hash, "-300", "1");
    assert_hash(hash, "-8388608", "7");
    raw.len = 0;
    raw_add(&raw, BYTES("\x0e\x02\x27"));
    raw_add(&raw, ziplist);
    raw_add(&raw, BYTES("\x27"));
    raw_add(&raw, ziplist);
    assert_list(read_raw((struct bytes){raw.data, raw.len}, false), twice);
    work_until_done(rig.store);
    store_rig_release(&rig);
}

static void every_changed_byte_of_a_ziplist_is_refused_or_sound(void **state)
{
    static const char zip[] = "\x0a\x27" ZIPLIST;

    begin();
    for (size_t at = 1; at < sizeof zip - 1; at++)
        for (int byte = 0; byte < 256; byte++) {
            char *copy = malloc(sizeof zip - 1);
            struct rdb_reader reader;
            struct rdb_value value;

            memcpy(copy, zip, sizeof zip - 1);
            copy[at] = (char)byte;
            copy[0] = byte % 2 ? 10 : 13;
            rdb_reader_init(&reader, (struct bytes){copy, sizeof zip - 1});
            if (read_whole(&reader, &value) == RDB_READ)
                keep(&value, BYTES("zip"));
            rdb_reader_release(&reader);
            free(copy);
        }
    work_until_done(rig.store);
    store_rig_release(&rig);
}

#define LONG_MEMBER "01234567890123456789012345678901234567890123456789012345678901234" /* 65 */

static void zipmaps_and_plain_lists_hashes_and_scores_are_read(void **state)
{
    static const char *const values[] = {"a", "7", NULL};
    double score;

    begin();
    assert_list(read_raw(BYTES("\x01\x02\x01" "a\xc0\x07"), false), values);
    struct key_ref map = read_raw(BYTES("\x09\x12\x02\x03" "foo\x03\x00" "bar\x02" "hi\x02\x00" "xy\xff"), false);
    assert_hash(map, "foo", "bar");
    refuse_raw(BYTES("\x09\x0f\x02\x03" "foo\x03\x00" "bar\x02" "hi\x01\xff"), RDB_MALFORMED);
    assert_hash(read_raw(BYTES("\x04\x01\x01" "f\x01v"), false), "f", "v");
    struct key_ref set = read_raw(BYTES("\x03\x03\x01" "a\x03" "1.5\x01" "b\xfe\x01" "c\xff"), false);
    assert_true(zset_score(entry_value(set.entry), hashed(BYTES("a")), &score));
    assert_true(score == 1.5);
    assert_true(zset_score(entry_value(set.entry), hashed(BYTES("b")), &score));
    assert_true(score > 1e308);
    refuse_raw(BYTES("\x03\x01\x01" "a\xfd"), RDB_MALFORMED);
    set = read_raw(BYTES("\x05\x01\x40\x41" LONG_MEMBER "\x00\x00\x00\x00\x00\x00\x00\x80"), false);
    assert_true(zset_score(entry_value(set.entry), hashed(BYTES(LONG_MEMBER)), &score));
    assert_true(score == 0 && signbit(score)); /* in a listpack it would be 0 */
    set = read_raw(BYTES("\x05\x01\x01" "a\x00\x00\x00\x00\x00\x00\xf0\x3f"), false);
    assert_int_equal(rdb_type_of(set.entry), 17); /* the few become a listpack */
    refuse_raw(BYTES("\x02\x00"), RDB_EMPTY);
    refuse_raw(BYTES("\x02\x02\x01" "a\x01" "a"), RDB_MALFORMED);
    refuse_raw(BYTES("\x06\x00"), RDB_UNKNOWN_TYPE);
    refuse_raw(BYTES("\x63\x00"), RDB_UNKNOWN_TYPE);
    work_until_done(rig.store);
    store_rig_release(&rig);
}

/* The same hash, {a: 1 until 1999999999999, b: 2}, as Redis 8.0 and Valkey 9.1 dump it, and as Redis 7.4 did before its
 * release. */
static void deadlines_of_fields_are_read_in_every_form(void **state)
{
    static const struct {
        struct bytes bytes;
        bool is_valkey;
    } forms[] = {
        {{"\x19\xff\x1fJ\xa9\xd1\x01\x00\x00\x1d\x1d\x00\x00\x00\x06\x00\x81" "a\x02\x01\x01\xf4\xff\x1fJ\xa9\xd1\x01\x00\x00"
          "\t\x81" "b\x02\x02\x01\x00\x01\xff", 39}, false},
        {{"\x16\x02\x01" "a\xc0\x01\xff\x1fJ\xa9\xd1\x01\x00\x00\x01" "b\xc0\x02\xff\xff\xff\xff\xff\xff\xff\xff", 26}, true},
        {{"\x18\xff\x1fJ\xa9\xd1\x01\x00\x00\x02\x01\x01" "a\xc0\x01\x00\x01" "b\xc0\x02", 20}, false},
        {{"\x16\x02\x81\x00\x00\x01\xd1\xa9J\x1f\xff\x01" "a\xc0\x01\x00\x01" "b\xc0\x02", 20}, false},
        {{"\x17\x1d\x1d\x00\x00\x00\x06\x00\x81" "a\x02\x01\x01\xf4\xff\x1fJ\xa9\xd1\x01\x00\x00\t\x81" "b\x02\x02\x01\x00\x01\xff",
          31}, false},
    };

    begin();
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        struct key_ref ref = read_raw(forms[i].bytes, forms[i].is_valkey);
        int64_t deadline_ms;
        assert_int_equal(hash_size(entry_value(ref.entry)), 2);
        assert_hash(ref, "a", "1");
        assert_hash(ref, "b", "2");
        assert_true(hash_get_deadline(entry_value(ref.entry), BYTES("a"), &deadline_ms));
        assert_true(deadline_ms == 1999999999999);
        assert_true(hash_get_deadline(entry_value(ref.entry), BYTES("b"), &deadline_ms));
        assert_true(deadline_ms == HASH_NO_DEADLINE);
    }
    store_rig_release(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_value_comes_back_from_memory_and_in_pieces),
        cmocka_unit_test(a_long_pair_lies_across_the_end_of_the_window),
        cmocka_unit_test(what_was_changed_at_random_is_refused_or_sound),
        cmocka_unit_test(ziplists_of_lists_and_hashes_are_read),
        cmocka_unit_test(every_changed_byte_of_a_ziplist_is_refused_or_sound),
        cmocka_unit_test(zipmaps_and_plain_lists_hashes_and_scores_are_read),
        cmocka_unit_test(deadlines_of_fields_are_read_in_every_form),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
