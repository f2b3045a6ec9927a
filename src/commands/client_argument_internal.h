/* What commands that name clients share. */
#ifndef TERN_COMMANDS_CLIENT_ARGUMENT_INTERNAL_H
#define TERN_COMMANDS_CLIENT_ARGUMENT_INTERNAL_H

#include "base/bytes.h"

#include <stdbool.h>

/* Printable, without space: names of clients and of their libraries. */
bool client_name_is_valid(struct bytes name);

#endif
