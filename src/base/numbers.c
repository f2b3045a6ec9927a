/* Integers and sizes, as text and back. The way of each digit matters: every INCR, every reply of a
 * count and every listpack entry comes through here. Doubles are in numbers_double.c. */
#include "base/numbers.h"

#include "digits_internal.h"

#define INT64_MIN_MAGNITUDE  ((uint64_t)INT64_MAX + 1)
#define UINT64_DIGITS_MAX    20

static const char two_digits[200] = "00010203040506070809101112131415161718192021222324"
                                    "25262728293031323334353637383940414243444546474849"
                                    "50515253545556575859606162636465666768697071727374"
                                    "75767778798081828384858687888990919293949596979899";

/* clang-format off */
static const uint64_t powers_of_ten[UINT64_DIGITS_MAX] = {
    1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000, 1000000000, 10000000000,
    100000000000, 1000000000000, 10000000000000, 100000000000000, 1000000000000000,
    10000000000000000, 100000000000000000, 1000000000000000000, 10000000000000000000ULL,
};
/* clang-format on */

bool uint64_parse(struct bytes text, uint64_t *value)
{
    uint64_t high, low;
    size_t high_len;

    if (text.len == 0 || text.len > UINT64_DIGITS_MAX || (text.data[0] == '0' && text.len > 1))
        return false;
    if (text.len <= DIGITS_MAX)
        return digits_parse(text.data, text.len, value);
    high_len = text.len - DIGITS_MAX;
    if (!digits_parse(text.data, high_len, &high) || !digits_parse(text.data + high_len, DIGITS_MAX, &low) ||
        __builtin_mul_overflow(high, powers_of_ten[DIGITS_MAX], &high) || __builtin_add_overflow(high, low, &high))
        return false;
    *value = high;
    return true;
}

bool int64_parse(struct bytes text, int64_t *value)
{
    bool is_negative = text.len > 0 && text.data[0] == '-';
    uint64_t magnitude;

    if (is_negative)
        text = (struct bytes){text.data + 1, text.len - 1};
    if (!uint64_parse(text, &magnitude))
        return false;
    if (is_negative) {
        if (magnitude == 0 || magnitude > INT64_MIN_MAGNITUDE)
            return false;
        *value = (int64_t)(0 - magnitude);
        return true;
    }
    if (magnitude > INT64_MAX)
        return false;
    *value = (int64_t)magnitude;
    return true;
}

/* Bits * log10(2), corrected by one comparison. */
static size_t count_digits(uint64_t value)
{
    unsigned bits = 64 - (unsigned)__builtin_clzll(value | 1);
    unsigned guess = bits * 1233 >> 12;

    return guess + (value >= powers_of_ten[guess] || guess == 0);
}

size_t uint64_format(char *out, uint64_t value)
{
    size_t len = count_digits(value);
    char *at = out + len;

    while (value >= 100) {
        at -= 2;
        memcpy(at, two_digits + value % 100 * 2, 2);
        value /= 100;
    }
    if (value >= 10)
        memcpy(out, two_digits + value * 2, 2);
    else
        out[0] = (char)('0' + value);
    return len;
}

size_t int64_format(char *out, int64_t value)
{
    if (value >= 0)
        return uint64_format(out, (uint64_t)value);
    out[0] = '-';
    return 1 + uint64_format(out + 1, 0 - (uint64_t)value);
}

size_t int64_text_len(int64_t value)
{
    return value < 0 ? 1 + count_digits(0 - (uint64_t)value) : count_digits((uint64_t)value);
}

/* The factor of a unit, 0 for none that is known. */
static uint64_t memory_unit(struct bytes unit)
{
    static const struct {
        const char *name;
        uint64_t factor;
    } units[] = {{"", 1},        {"b", 1},        {"k", 1000},       {"kb", 1 << 10},
                 {"m", 1000000}, {"mb", 1 << 20}, {"g", 1000000000}, {"gb", 1 << 30}};

    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (bytes_is(unit, units[i].name))
            return units[i].factor;
    return 0;
}

bool memory_size_parse(struct bytes text, uint64_t *bytes)
{
    uint64_t number = 0;
    size_t at = 0;

    for (; at < text.len && text.data[at] >= '0' && text.data[at] <= '9'; at++) {
        if (__builtin_mul_overflow(number, (uint64_t)10, &number) ||
            __builtin_add_overflow(number, (uint64_t)(text.data[at] - '0'), &number))
            return false;
    }
    uint64_t factor = memory_unit((struct bytes){text.data + at, text.len - at});
    if (factor == 0 || __builtin_mul_overflow(number, factor, &number))
        return false;
    *bytes = number;
    return true;
}
