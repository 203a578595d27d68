// The C libraries that Weir links, for the System folder only.
#ifndef WEIR_CLIBRARIES_H
#define WEIR_CLIBRARIES_H

#include <libdeflate.h>
#include <malloc.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#endif
