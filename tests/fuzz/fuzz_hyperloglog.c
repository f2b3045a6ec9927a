/* HyperLogLogs from anywhere: any bytes behind a good header are counted, merged, shown and added to within
 * their bounds, what is sound stays sound, and its dense form counts the same.
 *
 * SOURCES: src/ds/hyperloglog*.c src/base/[a-z]*.c
 *
 * Input: how many elements are added (a byte), the encoding (its lowest bit), the bytes behind the header.
 * Those of a dense value are repeated to its length. */
#include "ds/hyperloglog.h"

#include "base/assert.h"
#include "base/text.h"

#include <stdlib.h>

#define SPARSE_MAX 3000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* For standalone_main.c. */
const size_t fuzz_head_size = 2;
const char *const fuzz_words[] = {"\x7f\xff", "\x40", "\x7f",     "\x80", "\xff", "\x83", "\x84",
                                  "\x3f",     "\x01", "\x7e\xff", "\x41", NULL};

/* In a block of just its size, so that a byte read outside is seen. */
static struct bytes make_value(const uint8_t *data, size_t size)
{
    size_t len = data[1] & 1 ? HLL_HEADER_SIZE + size - 2 : HLL_DENSE_SIZE;
    char *value = malloc(len);

    memcpy(value, "HYLL\0\0\0\0\0\0\0\0\0\0\0\x80", HLL_HEADER_SIZE);
    value[4] = data[1] & 1;
    for (size_t at = HLL_HEADER_SIZE; at < len; at++)
        value[at] = size > 2 ? (char)data[2 + (at - HLL_HEADER_SIZE) % (size - 2)] : 0;
    return (struct bytes){value, len};
}

static void check_sound(const struct hyperloglog *hll, uint64_t expected)
{
    uint64_t count;

    ASSERT(hyperloglog_is_valid(hyperloglog_value(hll)));
    ASSERT(hyperloglog_count(hyperloglog_value(hll), &count));
    ASSERT(count == expected);
}

static void add_elements(struct bytes value, unsigned count, bool is_sound)
{
    uint8_t registers[HLL_REGISTERS] = {0};
    struct hyperloglog hll;

    hyperloglog_open(&hll, value);
    hyperloglog_merge(registers, value);
    for (unsigned i = 0; i < count; i++) {
        struct hyperloglog_element element = hyperloglog_element((struct bytes){(char *)&i, sizeof i});
        bool is_higher = registers[element.index] < element.rank;
        enum hyperloglog_result result = hyperloglog_add(&hll, element, SPARSE_MAX);

        if (is_higher)
            registers[element.index] = element.rank;
        if (is_sound)
            ASSERT(result == (is_higher ? HLL_CHANGED : HLL_SAME));
    }
    if (is_sound) {
        check_sound(&hll, hyperloglog_count_registers(registers));
        hyperloglog_to_dense(&hll);
        check_sound(&hll, hyperloglog_count_registers(registers));
    }
    hyperloglog_release(&hll);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t registers[HLL_REGISTERS] = {0};
    struct text text = {0};
    struct bytes value;
    bool is_sound;
    uint64_t count;

    if (size < 2)
        return 0;
    value = make_value(data, size);
    ASSERT(hyperloglog_is_valid(value));
    is_sound = hyperloglog_count(value, &count);
    ASSERT(hyperloglog_merge(registers, value) == is_sound);
    if (is_sound)
        ASSERT(hyperloglog_count_registers(registers) == count);
    if (!hyperloglog_is_dense(value))
        hyperloglog_describe(value, &text);
    text_release(&text);
    add_elements(value, data[0], is_sound);
    free((char *)value.data);
    return 0;
}
