/* What the rows of EVAL, FCALL and their kin share: they run code that names its keys as
 *
 *     command code numkeys [key ...] [arg ...]
 *
 * Nobody knows what becomes of the keys. */
#ifndef TERN_RUN_ROW_INTERNAL_H
#define TERN_RUN_ROW_INTERNAL_H

#include "engine/command.h"

#define RUN_FLAGS (CMD_NOSCRIPT | CMD_STALE | CMD_SKIP_MONITOR | CMD_KEYS_OPTIONAL)

#define RUN_KEYS(flags) \
    ((const struct key_rule[]){{flags, KEY_AT_INDEX, 2, NULL, KEY_COUNTED, {0, 1, 1}}, {0}})
#define ANY_USE  RUN_KEYS(KEY_RW | KEY_ACCESS | KEY_UPDATE)
#define ANY_READ RUN_KEYS(KEY_RO | KEY_ACCESS)

#endif
