/* SipHash-1-3 against published vectors and against a second implementation, written from the paper
 * (Aumasson and Bernstein, "SipHash: a fast short-input PRF") with its numbers of rounds open, so
 * that the paper's own vector for SipHash-2-4 vouches for it. */
#include "unit.h"

#include "base/hash.h"
#include "base/random.h"

struct naive_sip {
    uint64_t v[4];
};

static void add_and_mix(uint64_t *to, uint64_t *from, int by)
{
    *to += *from;
    *from = *from << by | *from >> (64 - by);
    *from ^= *to;
}

static void swap_halves(uint64_t *word) { *word = *word << 32 | *word >> 32; }

static void naive_rounds(struct naive_sip *sip, int rounds)
{
    uint64_t *v = sip->v;

    while (rounds-- > 0) {
        add_and_mix(&v[0], &v[1], 13);
        swap_halves(&v[0]);
        add_and_mix(&v[2], &v[3], 16);
        add_and_mix(&v[0], &v[3], 21);
        add_and_mix(&v[2], &v[1], 17);
        swap_halves(&v[2]);
    }
}

static uint64_t naive_siphash(int rounds, int final_rounds, struct hash_seed seed,
                              struct bytes bytes)
{
    struct naive_sip sip = {{seed.k0 ^ 0x736f6d6570736575, seed.k1 ^ 0x646f72616e646f6d,
                             seed.k0 ^ 0x6c7967656e657261, seed.k1 ^ 0x7465646279746573}};

    for (size_t word_at = 0; word_at <= bytes.len; word_at += 8) {
        uint64_t word = 0;
        for (size_t i = 0; i < 8; i++) {
            uint64_t byte = 0;
            if (word_at + i < bytes.len)
                byte = (unsigned char)bytes.data[word_at + i];
            else if (i == 7)
                byte = bytes.len & 0xff;
            word |= byte << (8 * i);
        }
        sip.v[3] ^= word;
        naive_rounds(&sip, rounds);
        sip.v[0] ^= word;
    }
    sip.v[2] ^= 0xff;
    naive_rounds(&sip, final_rounds);
    return sip.v[0] ^ sip.v[1] ^ sip.v[2] ^ sip.v[3];
}

/* The key 00 01 .. 0f and the input 00 01 .. of every published vector. */
static const struct hash_seed vector_seed = {0x0706050403020100, 0x0f0e0d0c0b0a0908};

static struct bytes vector_input(size_t len)
{
    static char input[64];

    for (size_t i = 0; i < sizeof input; i++)
        input[i] = (char)i;
    return (struct bytes){input, len};
}

static void the_second_implementation_agrees_with_the_paper(void **state)
{
    assert_true(naive_siphash(2, 4, vector_seed, vector_input(15)) == 0xa129ca6149be45e5);
}

/* Those of the reference implementation, as in the tests of Rust's standard library. */
static void published_vectors_of_siphash_1_3_hold(void **state)
{
    static const struct {
        size_t len;
        uint64_t hash;
    } vectors[] = {{0, 0xabac0158050fc4dc},  {1, 0xc9f49bf37d57ca93},  {2, 0x82cb9b024dc7d44d},
                   {7, 0xd3927d989bb11140},  {8, 0x369095118d299a8e},  {9, 0x25a48eb36c063de4},
                   {15, 0xd320d86d2a519956}, {16, 0xcc4fdd1a7d908b66}, {63, 0x9d199062b7bbb3a8}};

    hash_set_seed(vector_seed);
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++)
        assert_true(hash_bytes(vector_input(vectors[i].len)) == vectors[i].hash);
}

/* In blocks of exactly their size, so that a sanitizer sees a byte read outside. */
static void every_length_and_seed_agrees_with_the_second_implementation(void **state)
{
    struct random random;

    random_init(&random, 1);
    for (int i = 0; i < RANDOM_STEPS(100000); i++) {
        size_t len = i < 300 ? (size_t)i : random_below(&random, 50);
        struct hash_seed seed = {random_next(&random), random_next(&random)};
        char *content = malloc(len + 1);
        content = realloc(content, len ? len : 1);
        for (size_t at = 0; at < len; at++)
            content[at] = (char)random_next(&random);
        struct bytes bytes = {content, len};
        hash_set_seed(seed);
        assert_true(hash_bytes(bytes) == naive_siphash(1, 3, seed, bytes));
        free(content);
    }
}

static void an_empty_view_may_be_null(void **state)
{
    hash_set_seed(vector_seed);
    assert_true(hash_bytes((struct bytes){NULL, 0}) == 0xabac0158050fc4dc);
}

static void a_zero_byte_more_is_another_hash(void **state)
{
    static const char zeros[32];

    for (size_t a = 0; a < sizeof zeros; a++)
        for (size_t b = 0; b < a; b++)
            assert_true(hash_bytes((struct bytes){zeros, a}) !=
                        hash_bytes((struct bytes){zeros, b}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_second_implementation_agrees_with_the_paper),
        cmocka_unit_test(published_vectors_of_siphash_1_3_hold),
        cmocka_unit_test(every_length_and_seed_agrees_with_the_second_implementation),
        cmocka_unit_test(an_empty_view_may_be_null),
        cmocka_unit_test(a_zero_byte_more_is_another_hash),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
