#pragma once

#include <stddef.h>
#include <stdint.h>

/// libFuzzer's loop: calls `body` with one input after the other, and mutates those that reach new code.
int LLVMFuzzerRunDriver(int *argc, char ***argv, int (*body)(const uint8_t *data, size_t size));
