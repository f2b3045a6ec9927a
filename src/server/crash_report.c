/* What the log says when the process dies of a signal: registers, the way it came, the command that ran.
 *
 * The handler runs on a stack of its own, since the usual one may be full. It uses functions that are not
 * made for signal handlers; at worst the report is cut short, and the signal ends the process all the
 * same. */
#include "server_internal.h"

#include "base/log.h"
#include "base/text.h"
#include "engine/version.h"

#include <dlfcn.h>
#include <execinfo.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <ucontext.h>
#include <unistd.h>

#define FRAMES_MAX     64
#define STACK_SIZE     (64 * 1024)
#define ARGUMENTS_MAX  16
#define ARGUMENT_SHOWN 64

static const struct server *reporter; /* a signal handler has no other way to it */
static char handler_stack[STACK_SIZE];

static const int fatal_signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};

/* --- the parts ------------------------------------------------------------------------------------------------ */

static void line(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void line(const char *format, ...)
{
    char text[1024];
    va_list args;
    int len;

    va_start(args, format);
    len = vsnprintf(text, sizeof text - 1, format, args);
    va_end(args);
    if (len < 0)
        return;
    if ((size_t)len > sizeof text - 2)
        len = sizeof text - 2;
    text[len] = '\n';
    text[len + 1] = '\0';
    log_raw(text);
}

static void report_registers(const ucontext_t *context)
{
#if defined(__x86_64__)
    static const char *const names[] = {"R8",  "R9",  "R10", "R11", "R12", "R13", "R14", "R15", "RDI",
                                        "RSI", "RBP", "RBX", "RDX", "RAX", "RCX", "RSP", "RIP", "EFL"};

    line("\n--- registers");
    for (int i = 0; i < 18; i += 3)
        line("%s:%016llx %s:%016llx %s:%016llx", names[i], (unsigned long long)context->uc_mcontext.gregs[i],
             names[i + 1], (unsigned long long)context->uc_mcontext.gregs[i + 1], names[i + 2],
             (unsigned long long)context->uc_mcontext.gregs[i + 2]);
#elif defined(__aarch64__)
    line("\n--- registers");
    for (int i = 0; i < 31; i++)
        line("X%d:%016llx", i, (unsigned long long)context->uc_mcontext.regs[i]);
    line("SP:%016llx PC:%016llx", (unsigned long long)context->uc_mcontext.sp,
         (unsigned long long)context->uc_mcontext.pc);
#endif
}

/* "file(function+offset) [address]" or, without a name, "file(+offset)": what addr2line takes. The program's
 * own name is not the file's any more when the process has a title. */
static void report_stack(void)
{
    void *frames[FRAMES_MAX];
    int count = backtrace(frames, FRAMES_MAX);
    Dl_info own = {0};

    dladdr(fatal_signals, &own);

    line("\n--- stack trace");
    for (int i = 1; i < count; i++) {
        Dl_info info = {0};
        char *at = frames[i];

        if (!dladdr(at, &info) || !info.dli_fname)
            line("[%p]", frames[i]);
        else if (info.dli_fbase == own.dli_fbase)
            line("tern-server(+0x%zx) [%p]", (size_t)(at - (char *)info.dli_fbase), frames[i]);
        else if (info.dli_sname)
            line("%s(%s+0x%zx) [%p]", info.dli_fname, info.dli_sname, (size_t)(at - (char *)info.dli_saddr),
                 frames[i]);
        else
            line("%s(+0x%zx) [%p]", info.dli_fname, (size_t)(at - (char *)info.dli_fbase), frames[i]);
    }
}

/* A password is not for the log. */
static bool is_secret(const struct request *req)
{
    return req->command && req->command->row->flags & CMD_NO_AUTH;
}

static void report_client(const struct engine *engine)
{
    const struct request *req = engine_running_request(engine);
    char text[2048];

    if (!req)
        return;
    line("\n--- running command: %s", req->command ? req->command->row->name : "unknown");
    for (int i = 0; i < req->argc && i < ARGUMENTS_MAX && !is_secret(req); i++)
        line("argv[%d]: %zu bytes: %.*s", i, req->argv[i].len,
             (int)(req->argv[i].len < ARGUMENT_SHOWN ? req->argv[i].len : ARGUMENT_SHOWN), req->argv[i].data);
    if (req->argc > ARGUMENTS_MAX)
        line("... and %d more", req->argc - ARGUMENTS_MAX);
    if (req->client && client_describe(req->client, text, sizeof text))
        line("client: %s", text);
}

/* --- the handler ---------------------------------------------------------------------------------------------- */

static void report(int signal, siginfo_t *info, void *context)
{
    line("\n\n=== TERN CRASH REPORT: begin. Please send it to those who maintain this server ===");
    log_write(LOG_WARNING, "Tern %s crashed by signal: %d, si_code: %d", TERN_VERSION, signal, info->si_code);
    if (signal == SIGSEGV || signal == SIGBUS)
        log_write(LOG_WARNING, "Accessing address: %p", info->si_addr);
    report_registers(context);
    report_stack();
    report_client(reporter->engine);
    line("\n=== TERN CRASH REPORT: end ===\n");
    raise(signal); /* the handler is gone (SA_RESETHAND): now it ends the process */
}

void crash_report_install(const struct server *server)
{
    struct sigaction action = {.sa_sigaction = report,
                               .sa_flags = (int)(SA_SIGINFO | SA_RESETHAND | SA_NODEFER | SA_ONSTACK)};
    stack_t stack = {.ss_sp = handler_stack, .ss_size = STACK_SIZE};

#ifdef __SANITIZE_ADDRESS__
    return; /* it has a report of its own */
#endif
    reporter = server;
    sigemptyset(&action.sa_mask);
    sigaltstack(&stack, NULL);
    for (size_t i = 0; i < sizeof fatal_signals / sizeof *fatal_signals; i++)
        sigaction(fatal_signals[i], &action, NULL);
}
