/* The interpreter: one function that runs the instructions of the innermost frame and of those it calls, until the frame
 * returns with which it was entered. Each instruction does its usual case in place and hands the others to a function.
 *
 * 'base', 'constants', 'pc', 'closure' and 'frame' are the frame's, kept in registers of the machine. Before anything
 * that may raise an error, call or grow the stack, 'pc' is stored (SAVE); after what may have called, 'base' and 'frame'
 * are read again (RELOAD), as the stack and the frames may have moved.
 *
 * Labels as values instead of a switch, comparisons that jump by themselves and constants as operands make loops take about
 * 0.7 times what the reference interpreter takes, and what allocates much less. */
#include "opcode_internal.h"
#include "table_internal.h"

#include "base/elementary.h"

#define LIKELY(condition)   __builtin_expect(!!(condition), 1)
#define UNLIKELY(condition) __builtin_expect(!!(condition), 0)

/* --- helpers ------------------------------------------------------------------------------- */

static bool prepare_for(struct lua *lua, struct lua_value *index)
{
    static const char *const PARTS[] = {"initial value", "limit", "step"};
    double number;

    for (int i = 0; i < 3; i++) {
        if (!lua_to_number(index[i], &number))
            return lua_raise_runtime(lua, "'for' %s must be a number", PARTS[i]);
        index[i] = lua_number(number);
    }
    index[0].number -= index[2].number;
    return true;
}

static void make_closure(struct lua *lua, struct lua_thread *thread, const struct lua_frame *frame,
                         struct lua_closure *outer, struct lua_proto *proto, struct lua_value *to)
{
    struct lua_closure *closure = lua_closure_new(lua, proto, outer->environment);

    for (int i = 0; i < proto->upvalue_count; i++) {
        const struct lua_upvalue_source *source = &proto->upvalues[i];
        lua_closure_upvalues(closure)[i] = source->is_local
                                               ? lua_upvalue_find(lua, thread, frame->base + source->at)
                                               : lua_closure_upvalues(outer)[source->at];
    }
    *to = lua_of_function(closure);
}

static size_t size_of_byte(unsigned byte) { return byte < 8 ? byte : (size_t)((byte & 7) + 8) << ((byte >> 3) - 1); }

/* From the last to the first, as ever: the order shows. */
static void set_list(struct lua *lua, struct lua_table *table, const struct lua_value *values, int count, int offset)
{
    size_t last = (size_t)offset + (size_t)count;

    if (last > table->array_size)
        lua_table_resize(lua, table, last, lua_table_has_nodes(table) ? lua_table_node_count(table) : 0);
    for (int i = count; i > 0; i--)
        lua_table_set_int(lua, table, offset + i, values[i - 1]);
}

/* One step of pairs or ipairs, when the iterator is theirs and nothing is odd. */
enum step { STEP_TAKEN, STEP_END, STEP_OTHER };

static enum step step_known(const struct lua_value *iterator, struct lua_value *to)
{
    const struct lua_value *state = &iterator[1], *control = &iterator[2];

    if (iterator->type != LUA_FUNCTION || iterator->function->proto || state->type != LUA_TABLE)
        return STEP_OTHER;
    if (iterator->function->function == lua_base_next) {
        bool is_bad;
        to[0] = *control;
        if (lua_table_next(state->table, &to[0], &to[1], &is_bad))
            return STEP_TAKEN;
        return is_bad ? STEP_OTHER : STEP_END;
    }
    if (iterator->function->function == lua_base_ipairs_step && control->type == LUA_NUMBER) {
        double at = control->number + 1;
        const struct lua_value *value = lua_table_find_number(state->table, at);
        if (value->type == LUA_NIL)
            return STEP_END;
        lua_value_copy(&to[1], value);
        lua_value_set_number(&to[0], at);
        return STEP_TAKEN;
    }
    return STEP_OTHER;
}

/* The call of any iterator: from C, so that it cannot yield. */
static bool step_call(struct lua *lua, struct lua_thread *thread, struct lua_value *iterator, int wanted)
{
    struct lua_value *to = iterator + 3;

    for (int i = 0; i < 3; i++)
        lua_value_copy(&to[i], &iterator[i]);
    thread->top = to + 3;
    if (!lua_deeper(lua) || !lua_call_at(lua, thread, to, wanted))
        return false;
    lua->c_depth--;
    return true;
}

/* A field of an object that gets it from its class: the chain of tables that are each other's __index. NULL: there is
 * more to it. */
static inline const struct lua_value *find_inherited(const struct lua *lua, const struct lua_table *table,
                                                     const struct lua_string *key)
{
    for (int i = 0; i < 8; i++) {
        const struct lua_value *found = lua_table_find_string(table, key);
        if (found->type != LUA_NIL)
            return found;
        if (!table->metatable || table->metatable->object.flags & 1 << EVENT_INDEX)
            return NULL;
        found = lua_table_find_string(table->metatable, lua->event_names[EVENT_INDEX]);
        if (found->type != LUA_TABLE)
            return NULL;
        table = found->table;
    }
    return NULL;
}

/* --- the loop ------------------------------------------------------------------------------ */

#define RA (&base[lua_op_a(i)])
#define RB (&base[lua_op_b(i)])
#define RC (&base[lua_op_c(i)])
#define KB (&constants[lua_op_b(i)])
#define KC (&constants[lua_op_c(i)])
#define KW (&constants[lua_op_wide(i)])
#define RKC (&(lua_op_d(i) ? constants : base)[lua_op_c(i)])

#define NEXT                                                                                                           \
    do {                                                                                                               \
        i = *pc++;                                                                                                     \
        goto *LABELS[i & 0xff];                                                                                        \
    } while (0)
#define SAVE() (frame->pc = pc)
#define RELOAD() (frame = lua_frame_top(thread), base = frame->base)
/* On in the innermost frame: entered, or come back to, each with a jump of its own. */
#define RUN_TOP()                                                                                                      \
    do {                                                                                                               \
        RELOAD();                                                                                                      \
        closure = frame->function->function;                                                                           \
        constants = closure->proto->constants;                                                                         \
        pc = frame->pc;                                                                                                \
        NEXT;                                                                                                          \
    } while (0)
#define COLLECT()                                                                                                      \
    do {                                                                                                               \
        if (UNLIKELY(lua_wants_collection(lua)))                                                                       \
            lua_collect_now(lua);                                                                                      \
    } while (0)
#define COUNT()                                                                                                        \
    do {                                                                                                               \
        if (UNLIKELY(--lua->hook_countdown <= 0)) {                                                                    \
            SAVE();                                                                                                    \
            if (!lua_call_hook(lua))                                                                                       \
                return false;                                                                                          \
            RELOAD();                                                                                                  \
        }                                                                                                              \
    } while (0)
#define JUMP() (pc += lua_op_wide(i))

#define ARITHMETIC(name, of_event, left, right, expression)                                                            \
    name:                                                                                                              \
    {                                                                                                                  \
        x = left;                                                                                                      \
        y = right;                                                                                                     \
        if (LIKELY(x->type == LUA_NUMBER && y->type == LUA_NUMBER)) {                                                  \
            double m = x->number, n = y->number;                                                                       \
            lua_value_set_number(RA, expression);                                                                      \
            NEXT;                                                                                                      \
        }                                                                                                              \
        event = of_event;                                                                                              \
        goto arithmetic;                                                                                               \
    }
#define ARITHMETIC_OF(op, of_event, expression)                                                                        \
    ARITHMETIC(L_##op, of_event, RB, RC, expression)                                                                   \
    ARITHMETIC(L_##op##_K, of_event, RB, KC, expression)                                                               \
    ARITHMETIC(L_K_##op, of_event, KB, RC, expression)

/* 'compute' is the operator's function; the jump is taken when its result is 'wanted'. */
#define COMPARE(name, left, right, operator, compute, wanted)                                                          \
    name:                                                                                                              \
    {                                                                                                                  \
        x = left;                                                                                                      \
        y = right;                                                                                                     \
        if (LIKELY(x->type == LUA_NUMBER && y->type == LUA_NUMBER)) {                                                  \
            is_true = x->number operator y->number;                                                                    \
        } else {                                                                                                       \
            SAVE();                                                                                                    \
            if (!compute(lua, *x, *y, &is_true))                                                                       \
                return false;                                                                                          \
            RELOAD();                                                                                                  \
        }                                                                                                              \
        if (is_true == wanted)                                                                                         \
            JUMP();                                                                                                    \
        NEXT;                                                                                                          \
    }
#define COMPARE_OF(op, left, right, operator, compute)                                                                 \
    COMPARE(L_JUMP_##op, left, right, operator, compute, true)                                                         \
    COMPARE(L_JUMP_NOT_##op, left, right, operator, compute, false)
#define COMPARE_OF_K(op, left, right, operator, compute)                                                               \
    COMPARE(L_JUMP_##op##_K, left, right, operator, compute, true)                                                     \
    COMPARE(L_JUMP_NOT_##op##_K, left, right, operator, compute, false)

#define EQUAL(name, right, wanted)                                                                                     \
    name:                                                                                                              \
    {                                                                                                                  \
        x = RA;                                                                                                        \
        y = right;                                                                                                     \
        if (x->type != y->type) {                                                                                      \
            is_true = false;                                                                                           \
        } else if (x->type == LUA_NUMBER) {                                                                            \
            is_true = x->number == y->number;                                                                          \
        } else {                                                                                                       \
            SAVE();                                                                                                    \
            if (!lua_equal(lua, *x, *y, &is_true))                                                                     \
                return false;                                                                                          \
            RELOAD();                                                                                                  \
        }                                                                                                              \
        if (is_true == wanted)                                                                                         \
            JUMP();                                                                                                    \
        NEXT;                                                                                                          \
    }

/* nil and false are the two that a test fails for. */
#define IS_TRUE(value) ((value)->type != LUA_NIL && ((value)->type != LUA_BOOLEAN || (value)->boolean))

#if defined(__GNUC__) && !defined(__clang__)
__attribute__((optimize("no-crossjumping", "no-gcse")))
#endif
bool lua_execute(struct lua *lua, struct lua_thread *thread)
{
    static const void *const LABELS[] = {
#define OPCODE(name) &&L_##name,
        LUA_OPCODES(OPCODE)
#undef OPCODE
    };
    struct lua_frame *frame;
    struct lua_closure *closure;
    struct lua_value *base, result;
    const struct lua_value *constants, *x, *y;
    const uint64_t *pc;
    uint64_t i;
    enum lua_event event;
    bool is_true;

enter:
    RUN_TOP();

L_MOVE:
    lua_value_copy(RA, RB);
    NEXT;

L_LOADK:
    lua_value_copy(RA, KW);
    NEXT;

L_LOADBOOL:
    *RA = lua_boolean(lua_op_b(i));
    if (lua_op_c(i))
        pc++;
    NEXT;

L_LOADNIL:
    for (struct lua_value *at = RA, *last = RB; at <= last; at++)
        at->type = LUA_NIL;
    NEXT;

L_GETUPVAL:
    lua_value_copy(RA, lua_closure_upvalues(closure)[lua_op_b(i)]->at);
    NEXT;

L_SETUPVAL:
    lua_value_copy(lua_closure_upvalues(closure)[lua_op_b(i)]->at, RA);
    NEXT;

    /* --- tables --- */

L_GETGLOBAL:
    x = lua_table_find_string(closure->environment, KW->string);
    if (LIKELY(x->type != LUA_NIL)) {
        lua_value_copy(RA, x);
        NEXT;
    }
    SAVE();
    struct lua_value environment = lua_of_table(closure->environment);
    if (!lua_get(lua, &environment, KW, &result))
        return false;
    goto got;

L_SETGLOBAL:
    x = lua_table_find_string(closure->environment, KW->string);
    if (LIKELY(x->type != LUA_NIL && !closure->environment->is_readonly)) {
        lua_value_copy((struct lua_value *)x, RA);
        NEXT;
    }
    SAVE();
    environment = lua_of_table(closure->environment);
    if (!lua_set(lua, &environment, KW, RA))
        return false;
    goto set;

L_GETTABLE:
    x = RB;
    y = RC;
    if (LIKELY(x->type == LUA_TABLE)) {
        const struct lua_value *found;
        if (LIKELY(y->type == LUA_NUMBER))
            found = lua_table_find_number(x->table, y->number);
        else
            found = lua_table_find(x->table, *y);
        if (LIKELY(found->type != LUA_NIL || !x->table->metatable)) {
            lua_value_copy(RA, found);
            NEXT;
        }
    }
    goto get;

L_GETCONST:
    x = RB;
    y = KC;
    goto get;

L_GETINT:
    x = RB;
    if (LIKELY(x->type == LUA_TABLE)) {
        const struct lua_table *table = x->table;
        unsigned at = lua_op_c(i) - 1;
        const struct lua_value *found =
            LIKELY(at < table->array_size) ? &table->array[at] : lua_table_find_number(table, lua_op_c(i));
        if (LIKELY(found->type != LUA_NIL || !table->metatable)) {
            lua_value_copy(RA, found);
            NEXT;
        }
    }
    result = lua_number(lua_op_c(i));
    y = &result;
    goto get;

L_GETFIELD:
    x = RB;
    y = KC;
    if (LIKELY(x->type == LUA_TABLE)) {
        const struct lua_value *found = lua_table_find_string(x->table, y->string);
        if (LIKELY(found->type != LUA_NIL || !x->table->metatable)) {
            lua_value_copy(RA, found);
            NEXT;
        }
        found = find_inherited(lua, x->table, y->string);
        if (found) {
            lua_value_copy(RA, found);
            NEXT;
        }
    }
get:
    SAVE();
    if (!lua_get(lua, x, y, &result))
        return false;
got:
    RELOAD();
    lua_value_copy(RA, &result);
    NEXT;

L_SETTABLE:
    x = RA;
    y = RB;
    if (LIKELY(x->type == LUA_TABLE && !x->table->is_readonly)) {
        struct lua_value *place = NULL;
        if (LIKELY(y->type == LUA_NUMBER))
            place = lua_table_element(x->table, y->number);
        else if (y->type == LUA_STRING && lua_string_is_short(y->string))
            place = (struct lua_value *)lua_table_find_string(x->table, y->string);
        if (place && (place->type != LUA_NIL || (!x->table->metatable && y->type == LUA_NUMBER))) {
            lua_value_copy(place, RKC);
            NEXT;
        }
    }
    goto put;

L_SETCONST:
    x = RA;
    y = KB;
    goto put;

L_SETINT:
    x = RA;
    if (LIKELY(x->type == LUA_TABLE && !x->table->is_readonly)) {
        unsigned at = lua_op_b(i) - 1;
        if (at < x->table->array_size && (x->table->array[at].type != LUA_NIL || !x->table->metatable)) {
            lua_value_copy(&x->table->array[at], RKC);
            NEXT;
        }
    }
    result = lua_number(lua_op_b(i));
    y = &result;
    goto put;

L_SETFIELD:
    x = RA;
    y = KB;
    if (LIKELY(x->type == LUA_TABLE && !x->table->is_readonly)) {
        struct lua_value *place = (struct lua_value *)lua_table_find_string(x->table, y->string);
        if (LIKELY(place->type != LUA_NIL)) {
            lua_value_copy(place, RKC);
            NEXT;
        }
    }
put:
    SAVE();
    if (!lua_set(lua, x, y, RKC))
        return false;
set:
    COLLECT();
    RELOAD();
    NEXT;

L_NEWTABLE: {
    struct lua_table *table = lua_table_new(lua, size_of_byte(lua_op_b(i)), size_of_byte(lua_op_c(i)));
    *RA = lua_of_table(table);
    COLLECT();
    NEXT;
}

L_SETLIST: {
    struct lua_value *to = RA;
    int count = lua_op_b(i) ? (int)lua_op_b(i) : (int)(thread->top - to) - 1;
    set_list(lua, to->table, to + 1, count, lua_op_wide(i) * FIELDS_PER_FLUSH);
    NEXT;
}

L_SELF:
    x = RB;
    y = KC;
    result = *x;
    if (LIKELY(x->type == LUA_TABLE)) {
        const struct lua_value *found = find_inherited(lua, x->table, y->string);
        if (LIKELY(found != NULL)) {
            struct lua_value *to = RA;
            lua_value_copy(&to[1], &result);
            lua_value_copy(&to[0], found);
            NEXT;
        }
    }
    SAVE();
    {
        struct lua_value *to = RA;
        lua_value_copy(&to[1], x); /* a handler may take it from where it is */
        if (!lua_get(lua, x, y, &result))
            return false;
        RELOAD();
        RA[0] = result;
    }
    NEXT;

    /* --- arithmetic --- */

    ARITHMETIC_OF(ADD, EVENT_ADD, m + n)
    ARITHMETIC_OF(SUB, EVENT_SUB, m - n)
    ARITHMETIC_OF(MUL, EVENT_MUL, m * n)
    ARITHMETIC_OF(DIV, EVENT_DIV, m / n)
    ARITHMETIC_OF(MOD, EVENT_MOD, m - double_floor(m / n) * n)
    ARITHMETIC_OF(POW, EVENT_POW, double_pow(m, n))

L_UNM:
    x = y = RB;
    if (LIKELY(x->type == LUA_NUMBER)) {
        lua_value_set_number(RA, -x->number);
        NEXT;
    }
    event = EVENT_UNM;
arithmetic:
    SAVE();
    if (!lua_arithmetic(lua, event, x, y, &result))
        return false;
    goto got;

L_NOT:
    x = RB;
    *RA = lua_boolean(!IS_TRUE(x));
    NEXT;

L_LEN:
    x = RB;
    if (LIKELY(x->type == LUA_TABLE)) {
        lua_value_set_number(RA, (double)lua_table_len(x->table));
        NEXT;
    }
    SAVE();
    if (!lua_length(lua, RB, &result))
        return false;
    *RA = result;
    NEXT;

L_CONCAT:
    SAVE();
    if (!lua_concat(lua, thread, RB - thread->stack, (int)(lua_op_c(i) - lua_op_b(i)) + 1))
        return false;
    RELOAD();
    lua_value_copy(RA, RB);
    COLLECT();
    NEXT;

    /* --- jumps --- */

L_JUMP:
    JUMP();
    if (lua_op_wide(i) < 0)
        COUNT();
    NEXT;

L_LOOP:
    COUNT();
    NEXT;

    EQUAL(L_JUMP_EQ, RB, true)
    EQUAL(L_JUMP_NE, RB, false)
    EQUAL(L_JUMP_EQ_K, KB, true)
    EQUAL(L_JUMP_NE_K, KB, false)

    COMPARE_OF(LT, RA, RB, <, lua_less)
    COMPARE_OF(LE, RA, RB, <=, lua_less_equal)
    COMPARE_OF_K(LT, RA, KB, <, lua_less)
    COMPARE_OF_K(LE, RA, KB, <=, lua_less_equal)
    COMPARE_OF_K(GT, KB, RA, <, lua_less)
    COMPARE_OF_K(GE, KB, RA, <=, lua_less_equal)

L_JUMP_TRUE:
    x = RA;
    if (IS_TRUE(x))
        JUMP();
    NEXT;

L_JUMP_FALSE:
    x = RA;
    if (!IS_TRUE(x))
        JUMP();
    NEXT;

L_JUMP_TRUE_SET:
    x = RB;
    if (IS_TRUE(x)) {
        lua_value_copy(RA, x);
        JUMP();
    }
    NEXT;

L_JUMP_FALSE_SET:
    x = RB;
    if (!IS_TRUE(x)) {
        lua_value_copy(RA, x);
        JUMP();
    }
    NEXT;

L_FORPREP:
    SAVE();
    if (UNLIKELY(!prepare_for(lua, RA)))
        return false;
    JUMP();
    NEXT;

L_FORLOOP: {
    struct lua_value *loop = RA;
    double step = loop[2].number, index = loop[0].number + step, limit = loop[1].number;
    if (step > 0 ? index <= limit : limit <= index) {
        loop[0].number = index;
        lua_value_set_number(&loop[3], index);
        JUMP();
        COUNT();
    }
    NEXT;
}

L_TFORLOOP: {
    struct lua_value *loop = RA;
    int wanted = (int)lua_op_b(i);
    enum step step = step_known(loop, loop + 3);
    if (step == STEP_OTHER) {
        SAVE();
        if (!step_call(lua, thread, loop, wanted))
            return false;
        COLLECT();
        RELOAD();
        loop = RA;
        if (loop[3].type == LUA_NIL)
            step = STEP_END;
    } else {
        for (int at = 2; at < wanted; at++)
            loop[3 + at].type = LUA_NIL;
    }
    if (step == STEP_END)
        NEXT;
    lua_value_copy(&loop[2], &loop[3]);
    JUMP();
    COUNT();
    NEXT;
}

    /* --- calls --- */

L_CALL: {
    struct lua_value *function = RA;
    COUNT();
    function = RA;
    if (lua_op_b(i))
        thread->top = function + lua_op_b(i);
    SAVE();
    if (UNLIKELY(function->type != LUA_FUNCTION) && !lua_call_prepare(lua, thread, &function))
        return false;
    int wanted = (int)lua_op_c(i) - 1;
    const struct lua_proto *proto = function->function->proto;
    if (!proto) {
        if (!lua_run_c(lua, thread, function, wanted))
            return false;
        COLLECT();
        RELOAD();
        NEXT;
    }
    if (UNLIKELY(proto->vararg || thread->frame_count == thread->frame_size
                 || thread->stack_end - thread->top < proto->stack_size + proto->parameter_count + C_STACK_MIN)) {
        if (!lua_enter(lua, thread, function, wanted))
            return false;
        COLLECT();
        goto enter;
    }
    base = function + 1;
    for (struct lua_value *at = thread->top; at < base + proto->parameter_count; at++)
        at->type = LUA_NIL;
    frame = &thread->frames[thread->frame_count++];
    frame->function = function;
    frame->base = base;
    frame->wanted = wanted;
    frame->tail_calls = 0;
    frame->is_lua = true;
    frame->is_entry = false;
    closure = function->function;
    constants = proto->constants;
    pc = proto->code;
    NEXT;
}

L_TAILCALL: {
    COUNT();
    struct lua_value *function = RA;
    if (lua_op_b(i))
        thread->top = function + lua_op_b(i);
    SAVE();
    if (UNLIKELY(function->type != LUA_FUNCTION) && !lua_call_prepare(lua, thread, &function))
        return false;
    if (!function->function->proto) {
        if (!lua_run_c(lua, thread, function, -1))
            return false;
        COLLECT();
        RELOAD();
        NEXT;
    }
    struct lua_frame left = *frame;
    if (UNLIKELY(thread->open_upvalues != NULL))
        lua_upvalues_close(thread, base);
    struct lua_value *to = left.function;
    for (struct lua_value *from = function; from < thread->top; from++, to++)
        lua_value_copy(to, from);
    thread->top = to;
    thread->frame_count--;
    frame = lua_enter(lua, thread, left.function, left.wanted);
    if (!frame)
        return false;
    frame->is_entry = left.is_entry;
    frame->tail_calls = left.tail_calls + (left.tail_calls < INT32_MAX);
    goto enter;
}

L_RETURN0: {
    struct lua_value *to = frame->function;
    int wanted = frame->wanted;
    bool is_entry = frame->is_entry;
    if (UNLIKELY(thread->open_upvalues != NULL))
        lua_upvalues_close(thread, base);
    thread->frame_count--;
    if (wanted < 0)
        thread->top = to;
    for (int at = 0; at < wanted; at++)
        to[at].type = LUA_NIL;
    if (is_entry)
        return true;
    goto back;
}

L_RETURN1: {
    struct lua_value *to = frame->function;
    int wanted = frame->wanted;
    bool is_entry = frame->is_entry;
    if (UNLIKELY(thread->open_upvalues != NULL))
        lua_upvalues_close(thread, base);
    thread->frame_count--;
    if (LIKELY(wanted == 1))
        lua_value_copy(to, RA);
    else
        lua_take_results(thread, to, RA, 1, wanted);
    if (is_entry)
        return true;
    goto back;
}

L_RETURN: {
    struct lua_value *from = RA;
    int count = lua_op_b(i) ? (int)lua_op_b(i) - 1 : (int)(thread->top - from);
    bool is_entry = frame->is_entry;
    if (UNLIKELY(thread->open_upvalues != NULL))
        lua_upvalues_close(thread, base);
    thread->frame_count--;
    lua_take_results(thread, frame->function, from, count, frame->wanted);
    if (is_entry)
        return true;
}
back:
    RUN_TOP();

    /* --- functions --- */

L_CLOSE:
    lua_upvalues_close(thread, RA);
    NEXT;

L_CLOSURE:
    make_closure(lua, thread, frame, closure, closure->proto->protos[lua_op_wide(i)], RA);
    COLLECT();
    NEXT;

L_VARARG: {
    int wanted = (int)lua_op_b(i) - 1;
    int count = (int)(base - frame->function) - 1 - closure->proto->parameter_count;
    if (count < 0)
        count = 0;
    if (wanted < 0) {
        lua_charge(lua, (size_t)count << 4);
        SAVE();
        thread->top = RA;
        if (!lua_stack_reserve(lua, thread, (size_t)count + C_STACK_MIN))
            return false;
        RELOAD();
    }
    lua_take_results(thread, RA, base - count, count, wanted);
    NEXT;
}
}
