/* bytes_match on any pattern and text, against a naive matcher.
 *
 * SOURCES: src/base/glob.c
 *
 * Input: a byte whose lowest bit is ignore_case, the length of the pattern, the pattern, the text.
 * Both are copied into blocks of their size, so that a byte read outside is seen. */
#include "base/naive_glob.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* For standalone_main.c. */
const size_t fuzz_head_size = 2;
const char *const fuzz_words[] = {"*", "**", "?",   "[",   "[^",   "]",   "-",     "\\", "a",
                                  "A", "b",  "a-c", "Z-a", "\xff", "[a-", "[\\]]", NULL};

static struct bytes copy(const uint8_t *data, size_t len)
{
    char *block = malloc(len ? len : 1);

    memcpy(block, data, len);
    return (struct bytes){block, len};
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2 || size - 2 < data[1] || size - 2 - data[1] > NAIVE_TEXT_MAX)
        return 0;
    struct bytes pattern = copy(data + 2, data[1]);
    struct bytes text = copy(data + 2 + data[1], size - 2 - data[1]);
    bool ignore_case = data[0] & 1;

    if (bytes_match(pattern, text, ignore_case) != naive_match(pattern, text, ignore_case))
        abort();
    free((char *)pattern.data);
    free((char *)text.data);
    return 0;
}
