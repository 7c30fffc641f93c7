// As in CLinux: with other feature macros the same system headers would have other contents in each module.
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <zstd.h>
