/* What every unit test includes: cmocka and its needs, in the order it wants them. */
#ifndef TERN_TESTS_UNIT_H
#define TERN_TESTS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* How many steps a random run takes: the stress build's steps are dearer. */
#ifdef TERN_STRESS
#define RANDOM_STEPS(n) ((n) / 20)
#else
#define RANDOM_STEPS(n) (n)
#endif

#endif
