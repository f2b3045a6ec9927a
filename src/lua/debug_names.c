/* What the program calls a value, for errors: found by reading back the instructions that led to it. */
#include "opcode_internal.h"
#include "state_internal.h"

#include "base/assert.h"

static const char *local_name(const struct lua_proto *proto, int reg, int at)
{
    for (int i = 0; i < proto->local_count && proto->locals[i].begin <= at; i++)
        if (at < proto->locals[i].end && reg-- == 0)
            return proto->locals[i].name->data;
    return NULL;
}

/* Does the instruction write the register? A test counts as if it did, so that what "a or b" gives has no name. */
static bool writes(uint64_t i, int reg)
{
    int a = (int)lua_op_a(i);

    switch (lua_op(i)) {
    case OP_LOADNIL:
        return a <= reg && reg <= (int)lua_op_b(i);
    case OP_CALL:
    case OP_TAILCALL:
        return reg >= a;
    case OP_TFORLOOP:
        return reg >= a + 2;
    case OP_SELF:
        return reg == a || reg == a + 1;
    case OP_SETUPVAL:
    case OP_SETGLOBAL:
    case OP_SETTABLE:
    case OP_SETFIELD:
    case OP_SETINT:
    case OP_SETCONST:
    case OP_SETLIST:
    case OP_RETURN:
    case OP_RETURN0:
    case OP_RETURN1:
    case OP_CLOSE:
    case OP_LOOP:
    case OP_JUMP:
        return false;
    default:
        return reg == a && lua_op(i) > OP_JUMP_NOT_GE_K; /* comparisons come first */
    }
}

/* The last instruction before 'at' that wrote the register, on the straight way: forward jumps are taken. */
static int last_writer(const struct lua_proto *proto, int reg, int at)
{
    int last = -1;

    for (int pc = 0; pc < at; pc++) {
        uint64_t i = proto->code[pc];
        if (writes(i, reg))
            last = pc;
        if (lua_op_is_jump(lua_op(i)) || lua_op(i) == OP_FORPREP) {
            int target = pc + 1 + lua_op_wide(i);
            if (pc < target && target <= at)
                pc = target - 1;
        }
    }
    return last;
}

static const char *constant_name(const struct lua_proto *proto, unsigned at)
{
    return proto->constants[at].type == LUA_STRING ? proto->constants[at].string->data : "?";
}

static const char *name_at(const struct lua_proto *proto, int at, int reg, const char **name)
{
    if ((*name = local_name(proto, reg, at)))
        return "local";
    int writer = last_writer(proto, reg, at);
    if (writer < 0)
        return NULL;
    uint64_t i = proto->code[writer];
    switch (lua_op(i)) {
    case OP_GETGLOBAL:
        *name = constant_name(proto, (unsigned)lua_op_wide(i));
        return "global";
    case OP_MOVE:
        return lua_op_b(i) < lua_op_a(i) ? name_at(proto, at, (int)lua_op_b(i), name) : NULL;
    case OP_GETFIELD:
    case OP_GETCONST:
        *name = constant_name(proto, lua_op_c(i));
        return "field";
    case OP_GETTABLE:
    case OP_GETINT:
        *name = "?";
        return "field";
    case OP_GETUPVAL:
        *name = proto->upvalues[lua_op_b(i)].name->data;
        return "upvalue";
    case OP_SELF:
        *name = constant_name(proto, lua_op_c(i));
        return "method";
    default:
        return NULL;
    }
}

const char *lua_register_name(const struct lua_frame *frame, int reg, const char **name)
{
    const struct lua_proto *proto = frame->function->function->proto;

    return name_at(proto, (int)(frame->pc - proto->code) - 1, reg, name);
}

const char *lua_called_name(const struct lua_thread *thread, const char **name)
{
    if (thread->frame_count < 2)
        return NULL;
    const struct lua_frame *frame = lua_frame_top(thread), *caller = frame - 1;
    if ((frame->is_lua && frame->tail_calls > 0) || !caller->is_lua)
        return NULL;
    uint64_t i = caller->pc[-1];
    if (lua_op(i) != OP_CALL && lua_op(i) != OP_TAILCALL && lua_op(i) != OP_TFORLOOP)
        return NULL;
    return lua_register_name(caller, (int)lua_op_a(i), name);
}
