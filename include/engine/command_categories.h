/* ACL categories of commands: a bit for each, in the order of enum command_category. */
#ifndef TERN_ENGINE_COMMAND_CATEGORIES_H
#define TERN_ENGINE_COMMAND_CATEGORIES_H

#include "engine/command.h"

#define CATEGORIES_MAX 32

/* What follows from the row's flags and its family. */
uint32_t command_categories(const struct command_entry *entry);

/* Without the @; NULL behind the last. */
const char *command_category_name(unsigned at);
/* The bit of a name without the @ (case does not matter); 0 when there is no such category. */
uint32_t command_category_find(struct bytes name);

#endif
