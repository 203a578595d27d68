// O_DIRECT is an extension of Linux and has another value on each processor.
#define _GNU_SOURCE
#include "CLibraries.h"

#include <fcntl.h>

const int weir_o_direct = O_DIRECT;

static _Thread_local uint64_t steps;

void weir_note_step(void) { steps++; }

uint64_t weir_noted_steps(void) { return steps; }
