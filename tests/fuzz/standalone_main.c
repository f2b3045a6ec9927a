/* A main for fuzz targets where libFuzzer is missing: inputs are made of the target's words and of
 * random bytes, from a seed that is printed, for some seconds. It sees no coverage; it is better
 * than nothing.
 *
 *     fuzz_x SECONDS [SEED]    when the process aborts, the input is in build/fuzz/crash
 *     fuzz_x FILE              that input once */
#include "base/random.h"

#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define INPUT_MAX  4096
#define CRASH_FILE "build/fuzz/crash"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Inputs of this target begin with so many bytes of flags and lengths, */
extern const size_t fuzz_head_size;
/* and go on with words like these, NULL at the end. */
extern const char *const fuzz_words[];

static uint8_t input[INPUT_MAX];
static size_t input_size;

static void keep_input(int signal_number)
{
    int fd = open(CRASH_FILE, O_CREAT | O_TRUNC | O_WRONLY, 0644);

    if (fd >= 0 && write(fd, input, input_size) == (ssize_t)input_size)
        fprintf(stderr, "the input is in " CRASH_FILE "\n");
    signal(signal_number, SIG_DFL);
    raise(signal_number);
}

static void add(const void *bytes, size_t size)
{
    if (size > INPUT_MAX - input_size)
        size = INPUT_MAX - input_size;
    memcpy(input + input_size, bytes, size);
    input_size += size;
}

static void add_noise(struct random *random, size_t size)
{
    while (size-- > 0) {
        uint8_t byte = (uint8_t)random_next(random);
        add(&byte, 1);
    }
}

static void make_input(struct random *random, size_t word_count)
{
    uint64_t parts = random_below(random, 1 << random_below(random, 9)); /* mostly few */

    input_size = 0;
    add_noise(random, fuzz_head_size);
    if (random_below(random, 2))
        for (size_t i = 0; i < fuzz_head_size; i++)
            input[i] %= 8;
    while (parts-- > 0) {
        const char *word = fuzz_words[random_below(random, word_count)];
        if (random_below(random, 20))
            add(word, strlen(word));
        else
            add_noise(random, random_below(random, 16));
    }
}

static void run_in_block(void)
{
    uint8_t *block = malloc(input_size ? input_size : 1); /* a sanitizer guards its end */

    memcpy(block, input, input_size);
    LLVMFuzzerTestOneInput(block, input_size);
    free(block);
}

static int run_file(const char *path)
{
    int fd = open(path, O_RDONLY);
    ssize_t size = fd < 0 ? -1 : read(fd, input, sizeof input);

    if (size < 0) {
        perror(path);
        return 2;
    }
    input_size = (size_t)size;
    run_in_block();
    return 0;
}

int main(int argc, char **argv)
{
    char *end = NULL;
    long seconds = argc > 1 ? strtol(argv[1], &end, 10) : 0;

    if (argc < 2 || argc > 3) {
        fprintf(stderr, "usage: %s SECONDS [SEED] | FILE\n", argv[0]);
        return 2;
    }
    if (*end != '\0')
        return run_file(argv[1]);
    signal(SIGABRT, keep_input);

    uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 10) : (uint64_t)time(NULL), runs = 0;
    size_t word_count = 0;
    struct random random;
    while (fuzz_words[word_count])
        word_count++;
    printf("seed %" PRIu64 "\n", seed);
    fflush(stdout);
    random_init(&random, seed);
    for (time_t stop = time(NULL) + seconds; time(NULL) < stop; runs++) {
        make_input(&random, word_count);
        run_in_block();
    }
    printf("%" PRIu64 " inputs, no failure\n", runs);
    return 0;
}
