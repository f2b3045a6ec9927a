/* The bytecode: instructions of 64 bits for a machine of registers.
 *
 *      0      8      16             32             48           64
 *      +------+------+--------------+--------------+------------+
 *      |  op  |  a   |      b       |      c       |     d      |
 *      |      |      |              |      wide (signed)        |
 *      +------+------+--------------+---------------------------+
 *
 * R is a register, K a constant, U an upvalue. A jump's 'wide' counts from the next instruction. Comparisons jump by
 * themselves; each stands beside its opposite, so that op ^ 1 turns one into the other. */
#ifndef TERN_LUA_OPCODE_INTERNAL_H
#define TERN_LUA_OPCODE_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>

#define LUA_OPCODES(X)                                                                                             \
    /* pairs of opposites: must begin at an even number */                                                        \
    X(JUMP_EQ)         /* if R[a] == R[b] then jump */                                                             \
    X(JUMP_NE)                                                                                                     \
    X(JUMP_EQ_K)       /* if R[a] == K[b] */                                                                       \
    X(JUMP_NE_K)                                                                                                   \
    X(JUMP_LT)         /* if R[a] < R[b] */                                                                        \
    X(JUMP_NOT_LT)                                                                                                 \
    X(JUMP_LE)         /* if R[a] <= R[b] */                                                                       \
    X(JUMP_NOT_LE)                                                                                                 \
    X(JUMP_LT_K)       /* if R[a] < K[b] */                                                                        \
    X(JUMP_NOT_LT_K)                                                                                               \
    X(JUMP_LE_K)       /* if R[a] <= K[b] */                                                                       \
    X(JUMP_NOT_LE_K)                                                                                               \
    X(JUMP_GT_K)       /* if K[b] < R[a] */                                                                        \
    X(JUMP_NOT_GT_K)                                                                                               \
    X(JUMP_GE_K)       /* if K[b] <= R[a] */                                                                       \
    X(JUMP_NOT_GE_K)                                                                                               \
    X(JUMP_TRUE)       /* if R[a] */                                                                               \
    X(JUMP_FALSE)                                                                                                  \
    X(JUMP_TRUE_SET)   /* if R[b] then R[a] = R[b], jump */                                                        \
    X(JUMP_FALSE_SET)                                                                                              \
    /* the others */                                                                                              \
    X(JUMP)                                                                                                        \
    X(MOVE)            /* R[a] = R[b] */                                                                           \
    X(LOADK)           /* R[a] = K[wide] */                                                                        \
    X(LOADBOOL)        /* R[a] = b != 0; if c then skip the next */                                                \
    X(LOADNIL)         /* R[a] to R[b] = nil */                                                                    \
    X(GETUPVAL)        /* R[a] = U[b] */                                                                           \
    X(SETUPVAL)        /* U[b] = R[a] */                                                                           \
    X(GETGLOBAL)       /* R[a] = environment[K[wide]] */                                                           \
    X(SETGLOBAL)       /* environment[K[wide]] = R[a] */                                                           \
    X(GETTABLE)        /* R[a] = R[b][R[c]] */                                                                     \
    X(GETFIELD)        /* R[a] = R[b][K[c]], a short string */                                                     \
    X(GETINT)          /* R[a] = R[b][c], the number c */                                                          \
    X(GETCONST)        /* R[a] = R[b][K[c]], any other constant */                                                 \
    X(SETTABLE)        /* R[a][R[b]] = d ? K[c] : R[c] */                                                          \
    X(SETFIELD)        /* R[a][K[b]] = likewise, a short string */                                                 \
    X(SETINT)          /* R[a][b] = likewise, the number b */                                                      \
    X(SETCONST)        /* R[a][K[b]] = likewise */                                                                 \
    X(NEWTABLE)        /* R[a] = {}; the sizes of array and hash: code_size_byte of b and c */                         \
    X(SELF)            /* R[a + 1] = R[b]; R[a] = R[b][K[c]], a short string */                                    \
    X(ADD)             /* R[a] = R[b] + R[c] */                                                                    \
    X(SUB)                                                                                                         \
    X(MUL)                                                                                                         \
    X(DIV)                                                                                                         \
    X(MOD)                                                                                                         \
    X(POW)                                                                                                         \
    X(ADD_K)           /* R[a] = R[b] + K[c] */                                                                    \
    X(SUB_K)                                                                                                       \
    X(MUL_K)                                                                                                       \
    X(DIV_K)                                                                                                       \
    X(MOD_K)                                                                                                       \
    X(POW_K)                                                                                                       \
    X(K_ADD)           /* R[a] = K[b] + R[c] */                                                                    \
    X(K_SUB)                                                                                                       \
    X(K_MUL)                                                                                                       \
    X(K_DIV)                                                                                                       \
    X(K_MOD)                                                                                                       \
    X(K_POW)                                                                                                       \
    X(UNM)             /* R[a] = -R[b] */                                                                          \
    X(NOT)             /* R[a] = not R[b] */                                                                       \
    X(LEN)             /* R[a] = #R[b] */                                                                          \
    X(CONCAT)          /* R[a] = R[b] .. ... .. R[c] */                                                            \
    X(CALL)            /* R[a] to R[a + c - 2] = R[a](R[a + 1] to R[a + b - 1]); b 0: to the top; c 0: all */      \
    X(TAILCALL)        /* return R[a](...), b likewise; a RETURN follows, for functions in C */                    \
    X(RETURN)          /* return R[a] to R[a + b - 2]; b 0: to the top */                                          \
    X(RETURN0)                                                                                                     \
    X(RETURN1)         /* return R[a] */                                                                           \
    X(FORPREP)         /* R[a] -= R[a + 2]; jump */                                                                \
    X(FORLOOP)         /* R[a] += R[a + 2]; if it is within R[a + 1] then R[a + 3] = R[a], jump */                 \
    X(TFORLOOP)        /* R[a + 3] to R[a + 2 + b] = R[a](R[a + 1], R[a + 2]); if not nil: R[a + 2] = it, jump */  \
    X(SETLIST)         /* R[a][wide * 50 + i] = R[a + i], 1 <= i <= b; b 0: to the top */                          \
    X(LOOP)            /* begins a repeat loop: the hook counts it */                                              \
    X(CLOSE)           /* close upvalues from R[a] on */                                                           \
    X(CLOSURE)         /* R[a] = a closure of the prototype 'wide' */                                              \
    X(VARARG)          /* R[a] to R[a + b - 2] = ...; b 0: all */

enum lua_opcode {
#define OPCODE(name) OP_##name,
    LUA_OPCODES(OPCODE)
#undef OPCODE
        OP_COUNT
};

enum {
    REGISTER_NONE = 255,
    REGISTER_MAX = 250, /* that a function may use */
    OPERAND_MAX = 65535,
    FIELDS_PER_FLUSH = 50,
};

static inline enum lua_opcode lua_op(uint64_t i) { return (enum lua_opcode)(i & 0xff); }
static inline unsigned lua_op_a(uint64_t i) { return (uint8_t)(i >> 8); }
static inline unsigned lua_op_b(uint64_t i) { return (uint16_t)(i >> 16); }
static inline unsigned lua_op_c(uint64_t i) { return (uint16_t)(i >> 32); }
static inline unsigned lua_op_d(uint64_t i) { return (unsigned)(i >> 48); }
static inline int lua_op_wide(uint64_t i) { return (int32_t)(i >> 32); }

static inline uint64_t lua_instruction(enum lua_opcode op, unsigned a, unsigned b, uint32_t wide)
{
    return (uint64_t)op | (uint64_t)(uint8_t)a << 8 | (uint64_t)(uint16_t)b << 16 | (uint64_t)wide << 32;
}

static inline bool lua_op_is_jump(enum lua_opcode op) { return op <= OP_JUMP; }

#endif
