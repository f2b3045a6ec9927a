/* DEBUG subcommands that end the process, so that tests see what it leaves behind. */
#include "debug_internal.h"

#include "base/assert.h"
#include "base/log.h"
#include "base/mem.h"

#include <stdlib.h>
#include <sys/mman.h>

static void debug_segfault(struct request *req)
{
    volatile char *page = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    *page = 1;
}

static void debug_panic(struct request *req)
{
    log_write(LOG_WARNING, "PANIC: asked for by DEBUG PANIC");
    abort();
}

static void debug_assert(struct request *req) { ASSERT(req->argc == 0); }

static void debug_oom(struct request *req) { mem_free(mem_alloc(SIZE_MAX / 4), SIZE_MAX / 4); }

const struct debug_action debug_crash_actions[] = {
    {"assert", 2, ANY_ARGC, debug_assert, "", "Ends the process by an assertion that does not hold."},
    {"oom", 2, ANY_ARGC, debug_oom, "", "Ends the process as one that gets no memory."},
    {"panic", 2, ANY_ARGC, debug_panic, "", "Ends the process."},
    {"segfault", 2, ANY_ARGC, debug_segfault, "", "Ends the process by a write to where nothing is."},
    {NULL},
};
