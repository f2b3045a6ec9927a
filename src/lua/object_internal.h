/* The objects of the collector: strings, tables, functions, threads, and the two kinds that scripts never see
 * (prototypes, upvalues). Each begins with a struct lua_object. */
#ifndef TERN_LUA_OBJECT_INTERNAL_H
#define TERN_LUA_OBJECT_INTERNAL_H

#include "lua/lua.h"

enum {
    OBJECT_PROTO = LUA_THREAD + 1,
    OBJECT_UPVALUE,
    KEY_DEAD, /* in a table's node: a key whose value is gone and whose object may be, too */
};

struct lua_object {
    struct lua_object *next; /* in the list of all objects; of a short string: in its chain of the pool */
    uint8_t kind;            /* enum lua_type, OBJECT_PROTO or OBJECT_UPVALUE */
    uint8_t mark;            /* equal to the state's: reached by the last marking, or younger */
    uint8_t flags;           /* of the kind's own */
    uint32_t number;         /* of the kind's own */
};

/* --- strings ------------------------------------------------------------------------------- */

enum {
    SHORT_STRING_MAX = 40, /* up to here equal strings are one object */
    STRING_IS_LONG = 1,
    STRING_HAS_HASH = 2, /* of a long one */
};

/* object.flags: STRING_...; object.number: the hash, of a long one when STRING_HAS_HASH */
struct lua_string {
    struct lua_object object;
    size_t len;
    char data[]; /* and a zero byte */
};

static inline bool lua_string_is_short(const struct lua_string *string)
{
    return !(string->object.flags & STRING_IS_LONG);
}

/* --- tables -------------------------------------------------------------------------------- */

struct lua_node {
    struct lua_value value;
    struct {
        uint32_t type;
        int32_t next; /* to the next node of the chain, in nodes; 0: the last */
        union {
            bool boolean;
            double number;
            void *pointer;
            struct lua_string *string;
            struct lua_object *object;
        };
    } key;
};

_Static_assert(sizeof(struct lua_node) == 32, "two nodes to a cache line");

/* object.flags: events that it lacks as a metatable (1 << enum lua_event, for the first eight);
 * object.number: the number of nodes - 1 */
struct lua_table {
    struct lua_object object;
    struct lua_value *array; /* of keys 1 to array_size */
    struct lua_node *nodes;  /* a power of two of them; lua_empty_node when there are none */
    struct lua_table *metatable;
    uint32_t array_size;
    uint32_t last_free; /* nodes from here on are taken */
    bool is_readonly;
};

/* --- functions ----------------------------------------------------------------------------- */

struct lua_upvalue {
    struct lua_object object;
    struct lua_value *at; /* into a thread's stack while open, then to 'own' */
    union {
        struct lua_value own;
        struct {
            struct lua_upvalue *next_open; /* of the thread, by falling place */
            struct lua_upvalue **link;     /* what points to this one */
        };
    };
};

static inline bool lua_upvalue_is_open(const struct lua_upvalue *upvalue) { return upvalue->at != &upvalue->own; }

/* Where a new closure finds an upvalue. */
struct lua_upvalue_source {
    struct lua_string *name;
    bool is_local; /* a register of the function around; else one of its upvalues */
    uint8_t at;
};

struct lua_local_name {
    struct lua_string *name;
    int begin, end; /* instructions at which it is alive */
};

enum {
    VARARG_IS = 1,       /* the function takes ... */
    VARARG_HAS_ARG = 2,  /* ... and has a local 'arg' ... */
    VARARG_NEEDS_ARG = 4 /* ... that is a table, as '...' is not used */
};

/* A function as compiled. */
struct lua_proto {
    struct lua_object object;
    uint64_t *code;
    struct lua_value *constants;
    struct lua_proto **protos;
    int *lines;
    struct lua_upvalue_source *upvalues;
    struct lua_local_name *locals;
    struct lua_string *source; /* the chunk's name */
    int code_count, code_size;
    int constant_count, constant_size;
    int proto_count, proto_size;
    int line_size;
    int upvalue_count, upvalue_size;
    int local_count, local_size;
    int line_defined; /* 0: a main chunk */
    uint8_t parameter_count;
    uint8_t vararg;
    uint8_t stack_size;
};

/* object.number: how many upvalues follow it. In C they are values, in Lua pointers to upvalues. */
struct lua_closure {
    struct lua_object object;
    struct lua_proto *proto; /* NULL: a function in C */
    union {
        struct {
            struct lua_table *environment;
        };
        struct {
            lua_c_function *function;
            const char *name;
            void *context;
        };
    };
};

static inline struct lua_upvalue **lua_closure_upvalues(struct lua_closure *closure)
{
    return (struct lua_upvalue **)(closure + 1);
}

static inline struct lua_value *lua_closure_values(struct lua_closure *closure)
{
    return (struct lua_value *)(closure + 1);
}

/* --- threads ------------------------------------------------------------------------------- */

/* A running function. Those of a thread form an array, the innermost last. */
struct lua_frame {
    struct lua_value *function; /* the result goes here */
    struct lua_value *base;     /* arguments in C; registers in Lua */
    const uint64_t *pc;         /* of a Lua function: the next instruction */
    int wanted;                 /* results; -1: all */
    int tail_calls;             /* that came in its place */
    bool is_lua;
    bool is_entry; /* the interpreter returns to C behind it */
};

enum lua_thread_status { THREAD_SUSPENDED, THREAD_RUNNING, THREAD_NORMAL, THREAD_DEAD };

struct lua_thread {
    struct lua_object object;
    struct lua_value *stack, *stack_end;
    struct lua_value *top; /* in C: behind the results so far; in Lua: the end of an open list of values */
    struct lua_frame *frames;
    int frame_count, frame_size;
    int depth; /* the state's c_depth at which it may yield */
    enum lua_thread_status status;
    struct lua_upvalue *open_upvalues;
    struct lua_thread *resumer;
};

/* --- values -------------------------------------------------------------------------------- */

/* Copies field by field: a wide load of what was just stored as two narrow ones would wait for both. */
static inline void lua_value_copy(struct lua_value *to, const struct lua_value *from)
{
    to->type = from->type;
    to->object = from->object;
}

static inline void lua_value_set_number(struct lua_value *to, double number)
{
    to->type = LUA_NUMBER;
    to->number = number;
}

static inline bool lua_value_is_object(struct lua_value value) { return value.type >= LUA_STRING; }

static inline struct lua_value lua_of_string(struct lua_string *string)
{
    return (struct lua_value){.type = LUA_STRING, .string = string};
}

static inline struct lua_value lua_of_function(struct lua_closure *closure)
{
    return (struct lua_value){.type = LUA_FUNCTION, .function = closure};
}

static inline struct lua_value lua_of_thread(struct lua_thread *thread)
{
    return (struct lua_value){.type = LUA_THREAD, .thread = thread};
}

#endif
