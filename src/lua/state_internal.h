/* The state of one interpreter, and what the files of this folder ask of each other about it. */
#ifndef TERN_LUA_STATE_INTERNAL_H
#define TERN_LUA_STATE_INTERNAL_H

#include "object_internal.h"

#include <stdarg.h>

/* Metamethods. A table remembers which of the first eight it lacks. */
enum lua_event {
    EVENT_INDEX,
    EVENT_NEWINDEX,
    EVENT_EQ,
    EVENT_MODE,
    EVENT_CALL,
    EVENT_LT,
    EVENT_LE,
    EVENT_LEN,
    EVENT_ADD,
    EVENT_SUB,
    EVENT_MUL,
    EVENT_DIV,
    EVENT_MOD,
    EVENT_POW,
    EVENT_UNM,
    EVENT_CONCAT,
    EVENT_TOSTRING,
    EVENT_METATABLE,
    EVENT_COUNT
};

enum {
    C_DEPTH_MAX = 200, /* calls from C into the interpreter, and levels of syntax */
    FRAMES_MAX = 16384, /* calls at one time: a power of two, as frames are allocated so */
    C_STACK_MAX = 8000, /* values of one function in C */
    C_STACK_MIN = 20, /* values that a function in C may return without asking for room */
    STACK_VALUES_MAX = 1 << 22,
};

/* Why a call failed. */
enum lua_unwind {
    UNWIND_ERROR, /* 'error' is the value; pcall may catch it */
    UNWIND_HOOK,  /* the same, but nothing in a script catches it */
    UNWIND_YIELD, /* no failure: the coroutine goes back to who resumed it */
};

struct lua_values {
    struct lua_value *at;
    int count, size;
};

struct lua {
    struct lua_thread *running;
    struct lua_thread *main;
    struct lua_table *globals;
    struct lua_table *string_metatable;
    int64_t hook_countdown; /* backward jumps and calls until the hook is asked */
    int c_depth;
    size_t memory;
    size_t threshold; /* of memory, at which the interpreter collects */

    struct {
        struct lua_string **chains;
        size_t size, count;
    } pool;
    struct lua_string *event_names[EVENT_COUNT];

    enum lua_unwind unwind;
    struct lua_value error;
    struct lua_string *error_source; /* where it was raised, or NULL */
    int error_line;
    char place_display[64]; /* a chunk's name, for lua_place and lua_error_place */

    lua_hook *hook;
    void *hook_context;
    int64_t hook_every;

    struct lua_values results; /* of the last lua_call */
    struct lua_values kept;    /* by functions in C */
    struct lua_values pins;    /* number n is at n - 1 */
    int pins_taken;            /* at least so many at the beginning are not free */

    struct lua_object *objects; /* all but short strings */
    uint8_t mark;
    bool is_stopped;            /* collectgarbage("stop") */
    int pause, step_multiplier; /* what collectgarbage was told; nothing heeds it */
    struct {
        struct lua_object **at;
        size_t count, size;
    } gray, weak;
    struct {
        bool is_going;
        struct lua_object **link; /* the next object to judge */
        size_t chain;             /* the next chain of the pool to judge */
    } sweep;
};

/* --- memory (collector.c) ------------------------------------------------------------------ */

void *lua_alloc(struct lua *lua, size_t size);
void lua_release(struct lua *lua, void *block, size_t size);
void *lua_resize(struct lua *lua, void *block, size_t old_size, size_t new_size);
/* Room for one more element: an array that grows by doubling. */
void *lua_grow(struct lua *lua, void *block, int count, int *size, size_t element_size);
/* A fresh object in the list of all. */
void *lua_object_new(struct lua *lua, int kind, size_t size);
void lua_object_free_all(struct lua *lua);
/* An object found again in a table of weak pointers (the pool, open upvalues) lives on. */
static inline void lua_object_touch(struct lua *lua, struct lua_object *object) { object->mark = lua->mark; }
/* What the interpreter calls between two instructions when 'memory' has reached 'threshold'. */
void lua_collect_now(struct lua *lua);

static inline bool lua_wants_collection(const struct lua *lua)
{
#ifdef TERN_STRESS
    if (!lua->is_stopped && lua->memory < 512 * 1024) /* each time; with more than that it would never end */
        return true;
#endif
    return lua->memory >= lua->threshold;
}

/* --- strings (string_pool.c) --------------------------------------------------------------- */

struct lua_string *lua_string_new(struct lua *lua, const char *data, size_t len);
/* A long one to be filled by the caller. */
struct lua_string *lua_string_new_long(struct lua *lua, size_t len);
uint32_t lua_string_hash(struct lua_string *string);
bool lua_string_equal_long(const struct lua_string *a, const struct lua_string *b);
size_t lua_string_size(const struct lua_string *string);
bool lua_string_less(const struct lua_string *a, const struct lua_string *b);
void lua_pool_init(struct lua *lua);
void lua_pool_release(struct lua *lua);
void lua_pool_shrink(struct lua *lua); /* after a sweep */
/* A chunk's name as errors show it. 'out' has 'size' bytes. */
size_t lua_chunk_display(const struct lua_string *source, char *out, size_t size);
enum { CHUNK_DISPLAY_MAX = 60, CHUNK_DISPLAY_SYNTAX_MAX = 80 };

/* --- functions and threads (function.c) ---------------------------------------------------- */

struct lua_proto *lua_proto_new(struct lua *lua);
void lua_proto_free(struct lua *lua, struct lua_proto *proto);
struct lua_closure *lua_closure_new(struct lua *lua, struct lua_proto *proto, struct lua_table *environment);
size_t lua_closure_size(const struct lua_closure *closure);
struct lua_upvalue *lua_upvalue_find(struct lua *lua, struct lua_thread *thread, struct lua_value *at);
/* Open upvalues at 'from' and above get a value of their own. */
void lua_upvalues_close(struct lua_thread *thread, struct lua_value *from);
void lua_upvalue_unlink(struct lua_upvalue *upvalue);
struct lua_thread *lua_thread_new(struct lua *lua);
void lua_thread_free(struct lua *lua, struct lua_thread *thread);
/* Room for 'count' values behind 'top'. Moves the stack. False: "stack overflow". */
bool lua_stack_grow(struct lua *lua, struct lua_thread *thread, size_t count);
void lua_stack_enlarge(struct lua *lua, struct lua_thread *thread, size_t count); /* whatever its size */

static inline bool lua_stack_reserve(struct lua *lua, struct lua_thread *thread, size_t count)
{
    return (size_t)(thread->stack_end - thread->top) >= count || lua_stack_grow(lua, thread, count);
}

static inline struct lua_frame *lua_frame_top(const struct lua_thread *thread)
{
    return &thread->frames[thread->frame_count - 1];
}

void lua_values_push(struct lua *lua, struct lua_values *values, struct lua_value value);

/* --- calls (call.c) ------------------------------------------------------------------------ */

struct lua_frame *lua_frame_push_slow(struct lua *lua, struct lua_thread *thread);

/* NULL: "stack overflow". The fields are the caller's to fill. */
static inline struct lua_frame *lua_frame_push(struct lua *lua, struct lua_thread *thread)
{
    if (thread->frame_count == thread->frame_size)
        return lua_frame_push_slow(lua, thread);
    return &thread->frames[thread->frame_count++];
}

/* Prepares the frame of a Lua function whose arguments stand behind it, up to thread->top. */
struct lua_frame *lua_enter(struct lua *lua, struct lua_thread *thread, struct lua_value *function, int wanted);
/* Runs a function in C, arguments likewise. The results stand at 'function', up to thread->top when wanted is -1. */
bool lua_run_c(struct lua *lua, struct lua_thread *thread, struct lua_value *function, int wanted);
/* Anything that can be called, likewise; from C. */
bool lua_call_at(struct lua *lua, struct lua_thread *thread, struct lua_value *function, int wanted);
/* Puts the __call of what stands there before it; false: it has none, and an error is raised. */
bool lua_call_prepare(struct lua *lua, struct lua_thread *thread, struct lua_value **function);
/* Frames beyond 'frame_count' are given up, the stack ends at 'top' again. */
void lua_unwind_to(struct lua_thread *thread, int frame_count, ptrdiff_t top);
/* Where a call from C may put its function: behind what the running function uses. */
struct lua_value *lua_stack_free(struct lua_thread *thread);
/* Counts a call from C; false: too many, an error is raised. Who leaves the call lowers c_depth again. */
bool lua_deeper(struct lua *lua);
/* 'count' results become 'wanted' ones at 'to'; with -1 all, and the top stands behind them. */
void lua_take_results(struct lua_thread *thread, struct lua_value *to, const struct lua_value *from, int count,
                      int wanted);
bool lua_metamethod_call(struct lua *lua, struct lua_value function, const struct lua_value *args, int argc,
                         struct lua_value *result);

/* --- the interpreter (vm.c) ---------------------------------------------------------------- */

/* Runs the innermost frame of the running thread, until the entry frame returns. False: see lua->unwind. */
bool lua_execute(struct lua *lua, struct lua_thread *thread);
/* The countdown has ended. False: the hook has raised an error. */
bool lua_call_hook(struct lua *lua);
/* What one instruction or function in C does with many bytes, values or objects counts as more than one: the hook is
 * asked sooner. */
static inline void lua_charge(struct lua *lua, size_t amount) { lua->hook_countdown -= (int64_t)(amount >> 8); }

/* --- coroutines (coroutine.c) -------------------------------------------------------------- */

void lua_open_coroutine(struct lua *lua);
/* The iterators of pairs and ipairs (base_library.c), which the interpreter knows. */
bool lua_base_next(struct lua_call *call);
bool lua_base_ipairs_step(struct lua_call *call);

/* --- operators (metamethod.c) -------------------------------------------------------------- */

struct lua_value lua_event_slow(struct lua *lua, struct lua_table *metatable, enum lua_event event);

/* The handler of one of the first eight events, nil when there is none. */
static inline struct lua_value lua_event_fast(struct lua *lua, struct lua_table *metatable, enum lua_event event)
{
    if (!metatable || metatable->object.flags & 1 << event)
        return lua_nil();
    return lua_event_slow(lua, metatable, event);
}
struct lua_value lua_event_of(struct lua *lua, struct lua_value value, enum lua_event event);

/* What an operator does when its fast path does not. Operands that are registers are passed in place: errors name them. */
bool lua_get(struct lua *lua, const struct lua_value *object, const struct lua_value *key, struct lua_value *value);
bool lua_set(struct lua *lua, const struct lua_value *object, const struct lua_value *key,
             const struct lua_value *value);
bool lua_arithmetic(struct lua *lua, enum lua_event event, const struct lua_value *a, const struct lua_value *b,
                    struct lua_value *result);
double lua_compute(enum lua_event event, double a, double b);
bool lua_length(struct lua *lua, const struct lua_value *value, struct lua_value *result);
bool lua_equal(struct lua *lua, struct lua_value a, struct lua_value b, bool *is_equal);
bool lua_less_equal(struct lua *lua, struct lua_value a, struct lua_value b, bool *is_less_equal);
/* Joins 'count' values that stand at 'at'; the result replaces the first. */
bool lua_concat(struct lua *lua, struct lua_thread *thread, ptrdiff_t at, int count);
/* A number becomes its text. False: neither string nor number. */
bool lua_coerce_string(struct lua *lua, struct lua_value *value);
bool lua_text_to_number(const char *text, size_t len, double *number);

/* --- errors (debug_names.c, error.c) ------------------------------------------------------- */

/* As lua_raise_text, but the place is written only when the innermost function is a Lua function: for what the
 * language itself refuses. */
bool lua_raise_runtime(struct lua *lua, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* "attempt to index global 'x' (a nil value)": the name when the value is a register of the running function. */
bool lua_raise_type(struct lua *lua, const struct lua_value *value, const char *doing);
bool lua_raise_compare(struct lua *lua, struct lua_value a, struct lua_value b);
int lua_frame_line(const struct lua_frame *frame);
/* The name by which the caller calls the innermost function: "global", "local", "method", "field", "upvalue"; or NULL. */
const char *lua_called_name(const struct lua_thread *thread, const char **name);
/* What an instruction of the innermost Lua function says of a register. */
const char *lua_register_name(const struct lua_frame *frame, int reg, const char **name);
/* "user_script:3: " of a level of 5.1: 0 is the running function, 1 its caller; a tail call is a level of its own.
 * Returns 0 bytes where there is no such place. */
size_t lua_place_text(const struct lua *lua, int level, char *out, size_t size);
enum { PLACE_TEXT_MAX = CHUNK_DISPLAY_MAX + 16 };
void lua_format_into(struct lua *lua, struct lua_value *out, const char *format, va_list arguments)
    __attribute__((format(printf, 3, 0)));

/* --- the compiler (parser.c) --------------------------------------------------------------- */

/* NULL: a syntax error, which is the error value. */
struct lua_proto *lua_compile(struct lua *lua, struct bytes source, struct lua_string *name);

#endif
